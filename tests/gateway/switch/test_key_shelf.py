"""The gateway's link keys: which sets are spoken, and what becomes of one that does not open (D22)."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from foundation.keys import Key, Keyring, UnknownKey
from foundation.sensitive import Sensitive
from gateway.ports import ExchangedKeys
from gateway.switch import key_wrap
from gateway.switch.key_shelf import KeyShelf

KEK = Key("kek-1", "iso-kek:two", Sensitive(bytes(range(32))))


@pytest.fixture
def ring(keyring: Keyring) -> Keyring:
    """The key file's keys, with a key-exchange key."""
    purposes = ("iso-pin:two", "iso-mac-out:two", "iso-mac-in:two")
    return Keyring([*(key for purpose in purposes for key in keyring.of_purpose(purpose)), KEK])


def exchanged(ring: Keyring, number: int, *, active: bool = True) -> ExchangedKeys:
    """Draw a set."""
    return ExchangedKeys(key_wrap.draw(ring, "kek-1"), number, active)


def test_d22_a_set_on_offer_hears_and_does_not_speak(ring: Keyring) -> None:
    """Until the host has it, we write with the keys before; an answer under it would be believed."""
    offered = exchanged(ring, 1, active=False)

    keys = KeyShelf(ring, lambda _: [offered], seconds=5).now("two")

    assert keys.ids(with_pin=True) == "gw-mac-1;gw-pin-1"
    assert f"{offered.keys.name}.ans" in keys.keyring.ids("iso-mac-in:two")
    with pytest.raises(UnknownKey, match="no MAC key bank-mac-1"):
        keys.signer("bank-mac-1;")


def test_d22_the_key_files_keys_end_with_the_second_active_set(ring: Keyring) -> None:
    """The first set leaves them valid beside itself; the second does not."""
    first, second = exchanged(ring, 1), exchanged(ring, 2)

    one = KeyShelf(ring, lambda _: [first], seconds=5).now("two")
    two = KeyShelf(ring, lambda _: [first, second], seconds=5).now("two")

    assert one.keyring.ids("iso-mac-in:two") == ("bank-mac-1", "bank-mac-2", f"{first.keys.name}.ans")
    assert two.keyring.ids("iso-mac-in:two") == (f"{first.keys.name}.ans", f"{second.keys.name}.ans")
    assert two.ids() == f"{second.keys.name}.req;"


def test_d22_a_set_that_does_not_open_is_not_spoken(ring: Keyring) -> None:
    """Another key-exchange key, a key of another size, damage: the set before it goes on."""
    good = exchanged(ring, 1)
    kek = KEK.material.reveal()
    for change in (
        {"kek_id": "kek-9"},
        {"pin": secrets.token_bytes(32)},
        {"request_mac": aes_key_wrap(kek, bytes(24))},
    ):
        bad = exchanged(ring, 2)
        bad = replace(bad, keys=replace(bad.keys, **change))  # type: ignore[arg-type]  # a table of one change each
        keys = KeyShelf(ring, lambda _, bad=bad: [good, bad], seconds=5).now("two")  # type: ignore[misc]  # the usual default
        assert keys.ids() == f"{good.keys.name}.req;"


def test_d22_a_key_exchange_key_has_32_bytes(ring: Keyring) -> None:
    """A shorter one wraps nothing."""
    short = Keyring([Key("kek-1", "iso-kek:two", Sensitive(bytes(16)))])

    assert ring.ids("iso-kek:two") == ("kek-1",)
    with pytest.raises(ValueError, match="32 bytes"):
        key_wrap.draw(short, "kek-1")


def test_one_thread_reads_and_the_others_go_on(ring: Keyring) -> None:
    """While the database is slow, questions are written with the keys that are known."""
    reading, go_on = threading.Event(), threading.Event()
    answers = [[exchanged(ring, 1)]]

    def read(_: str) -> list[ExchangedKeys]:
        if len(answers) > 1:
            reading.set()
            go_on.wait(10)
        return answers[-1]

    shelf = KeyShelf(ring, read, seconds=0)
    before = shelf.now("two").ids()
    answers.append([*answers[0], exchanged(ring, 2)])
    slow = threading.Thread(target=shelf.now, args=("two",))
    slow.start()
    assert reading.wait(10)

    assert shelf.now("two").ids() == shelf.known("two").ids() == before
    go_on.set()
    slow.join()
    assert shelf.known("two").ids() != before
