"""The bank's half of a key change: what is refused, what is remembered, and what happens when the database is away."""

from __future__ import annotations

import dataclasses
import itertools
import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from foundation.keys import Key, Keyring
from foundation.sensitive import Sensitive
from otp.config import HostPeer
from otp.domain.link_keys import KeySet
from otp.host import iso8583, mac, pin_block
from otp.host.iso8583 import Message, write_tlv
from otp.host.key_sets import KeySets, described
from otp.host.peers import Peer, PeerRefused, peers_of
from otp.host.respond import Responder
from otp.services.link_keys import keep_keys, live_keys

ACQUIRER = "581672"
PEER = HostPeer(mac_in=["gw-mac-1"], mac_out="bank-mac-1", pin=["gw-pin-1"], kek=["kek-1"])
KEK = bytes(range(32))
NAMES = itertools.count()


@pytest.fixture
def peer(bank_world: Any) -> Peer:
    """The acquirer, with a key-exchange key."""
    kek = Key("kek-1", "iso-kek", Sensitive(KEK))
    keys = [
        key for purpose in ("iso-mac-in", "iso-mac-out", "iso-pin") for key in bank_world.desk.keys.of_purpose(purpose)
    ]
    return peers_of({ACQUIRER: PEER}, Keyring([*keys, kek]))[ACQUIRER]


def offered(**changes: str) -> dict[str, str]:
    """Make the sub-fields of an offer; an empty change takes one out."""
    pin, request, answer = (secrets.token_bytes(size) for size in (24, 16, 16))
    values = {
        "10": f"ks-{next(NAMES):010x}",
        "11": "kek-1",
        "12": aes_key_wrap(KEK, pin).hex().upper() + pin_block.check_value(Sensitive(pin)),
        "13": aes_key_wrap(KEK, request).hex().upper() + mac.check_value(Sensitive(request)),
        "14": aes_key_wrap(KEK, answer).hex().upper() + mac.check_value(Sensitive(answer)),
    }
    return values | {name.removeprefix("de48_"): text for name, text in changes.items()}


def asked(bank_world: Any, peer: Peer, values: dict[str, str], *, function: str = "815") -> tuple[str, str]:
    """Send an 1804 and return type and action code of the answer."""
    fields = {11: "000001", 12: "261124143005", 24: function, 32: ACQUIRER, 53: "gw-mac-1;"}
    private = {48: write_tlv(values)} if values else {}
    frame = iso8583.encode(
        Message("1804", fields | private), lambda data: mac.mac_of(peer.mac_in["gw-mac-1"].reveal(), data)
    )
    reply = Responder(bank_world.desk, {ACQUIRER: peer}).respond(frame, None)
    message = iso8583.decode(reply.frame)
    return message.mti, message.text(39)


def test_d22_an_offered_set_is_kept_once(bank_world: Any, peer: Peer) -> None:
    """Taken, taken again, and refused with other bytes under its name."""
    values = offered()

    assert asked(bank_world, peer, values) == ("1814", "000")
    assert asked(bank_world, peer, values) == ("1814", "000")
    assert asked(bank_world, peer, offered(de48_10=values["10"])) == ("1814", "913")
    assert len(bank_world.sql("SELECT 1 FROM link_key_set")) == 1


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"de48_11": "kek-2"}, ("1814", "918")),
        ({"de48_12": "0" * 64 + "ABCDEF"}, ("1814", "919")),
        ({"de48_13": "0" * 48 + "ABCDEF"}, ("1814", "919")),
        ({"de48_14": ""}, ("1844", "904")),
        ({"de48_10": "KS-1"}, ("1844", "904")),
    ],
)
def test_d22_a_bad_offer_is_kept_nowhere(
    bank_world: Any, peer: Peer, changes: dict[str, str], answer: tuple[str, str]
) -> None:
    """Each kind of bad offer has its code, and none leaves a row."""
    assert asked(bank_world, peer, offered(**changes)) == answer
    assert bank_world.sql("SELECT 1 FROM link_key_set") == []


@pytest.mark.parametrize("tag", ["12", "13", "14"])
def test_d22_each_check_value_is_looked_at(bank_world: Any, peer: Peer, tag: str) -> None:
    """A key that opens but has another check value is refused."""
    values = offered()
    values[tag] = values[tag][:-1] + ("0" if values[tag][-1] != "0" else "1")

    assert asked(bank_world, peer, values) == ("1814", "919")


def test_d22_a_key_of_another_size_is_refused(bank_world: Any, peer: Peer) -> None:
    """Thirty-two wrapped bytes may open to a key that is no PIN key."""
    values = offered()
    short = aes_key_wrap(KEK, secrets.token_bytes(16)).hex().upper()
    values["12"] = short.ljust(64, "0") + "ABCDEF"

    assert asked(bank_world, peer, values) == ("1814", "919")


def test_private_data_belong_to_a_key_change_and_to_no_other(bank_world: Any, peer: Peer) -> None:
    """815 without DE 48 and an echo with it are not readable."""
    assert asked(bank_world, peer, {}) == ("1844", "904")
    assert asked(bank_world, peer, offered(), function="831") == ("1844", "904")
    assert asked(bank_world, peer, {}, function="831") == ("1814", "000")


def test_d22_an_acquirer_without_a_key_exchange_key_changes_none(bank_world: Any, peer: Peer) -> None:
    """No ``kek`` in the peer's row: every offer names a key that is not there."""
    assert asked(bank_world, dataclasses.replace(peer, kek={}), offered()) == ("1814", "918")


def test_d22_a_key_exchange_key_has_32_bytes(bank_world: Any) -> None:
    """A key file with a shorter one stops the host's start with a sentence."""
    keys = [
        key for purpose in ("iso-mac-in", "iso-mac-out", "iso-pin") for key in bank_world.desk.keys.of_purpose(purpose)
    ]
    with pytest.raises(PeerRefused, match="kek-1 of purpose iso-kek must have 32 bytes"):
        peers_of({ACQUIRER: PEER}, Keyring([*keys, Key("kek-1", "iso-kek", Sensitive(bytes(16)))]))


def row_of(values: dict[str, str], *, replaces: str | None = None) -> KeySet:
    """Make what is kept of an offer."""
    wrapped = [bytes.fromhex(values[tag][:-6]) for tag in ("12", "13", "14")]
    return KeySet(ACQUIRER, values["10"], values["11"], *wrapped, replaces)


def test_d22_what_cannot_be_read_or_opened_is_no_key(peer: Peer) -> None:
    """The database away: what was known goes on. A set under a key that is gone: not spoken, the rest is."""
    first, second = offered(), offered(de48_11="kek-gone")
    answers: list[list[KeySet] | None] = [None]
    sets = KeySets({ACQUIRER: peer}, lambda _: answers[-1])

    assert sets.live(ACQUIRER) == (peer,)
    answers.append([row_of(first)])
    found = sets.named(ACQUIRER, f"{first['10']}.req;")
    assert found is not None
    assert found.pin_key(f";{first['10']}.pin") is not None
    assert sets.named(ACQUIRER, "gw-mac-1;") == peer
    assert first["10"] in described(found)
    answers.append([row_of(second, replaces=first["10"]), row_of(first)])
    assert sets.named(ACQUIRER, f"{second['10']}.req;") is None
    assert sets.newest(ACQUIRER) == found
    assert sets.named(ACQUIRER, "gw-mac-1;") is None, "the key file's keys ended with the second change"
    answers.append([row_of(second, replaces="ks-0000000000")])
    again = KeySets({ACQUIRER: peer}, lambda _: answers[-1])
    assert again.live(ACQUIRER) == ()
    assert again.newest(ACQUIRER) == peer, "so that the refusal can be written at all"


def test_rubbish_key_ids_do_not_load_the_database(peer: Peer) -> None:
    """A thousand unknown ids in a second are one look."""
    looks: list[str] = []
    sets = KeySets({ACQUIRER: peer}, lambda acquirer_id: looks.append(acquirer_id) or [])
    assert sets.live(ACQUIRER) == (peer,)

    assert not [1 for number in range(1000) if sets.named(ACQUIRER, f"nobody-{number};")]

    assert len(looks) == 2


def test_d22_two_sets_are_kept_and_older_ones_go(bank_world: Any) -> None:
    """The newest and the one it replaces; a database that is away gives nothing instead of an error."""
    names: list[str] = []
    for _ in range(4):
        keys = row_of(offered(), replaces=names[-1] if names else None)
        assert keep_keys(bank_world.desk, keys)
        names.append(keys.name)

    live = live_keys(bank_world.desk, ACQUIRER)

    assert live is not None
    assert [keys.name for keys in live] == names[:1:-1]
    assert live_keys(bank_world.desk, "777777") == []
    bank_world.desk.database.close()
