"""The keyring: sealed values bound to their place, rotation, refusals that say what to do."""

import base64
import json
from pathlib import Path

import pytest

from foundation.key_file import KeyState
from foundation.keys import Key, KeyFileRefused, Keyring, SealBroken, UnknownKey
from foundation.sensitive import Sensitive


def key(key_id: str, purpose: str = "pan", *, state: KeyState = KeyState.ACTIVE, byte: int = 7) -> Key:
    """Make a 32-byte test key."""
    return Key(key_id, purpose, Sensitive(bytes([byte]) * 32), state)


def test_a_sealed_value_opens_only_in_its_own_row() -> None:
    """D1: a ciphertext moved to another row, changed or cut does not open."""
    ring = Keyring([key("pan-1")])
    sealed = ring.seal("pan", b"6219861034529007", bound_to="attempt|pan|1")
    assert ring.open(sealed, bound_to="attempt|pan|1") == b"6219861034529007"
    assert b"6219861034529007" not in sealed
    for broken, place in [
        (sealed, "attempt|pan|2"),
        (sealed[:-1], "attempt|pan|1"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), "attempt|pan|1"),
        (b"v1|pan-1|", "attempt|pan|1"),
        (b"v2" + sealed[2:], "attempt|pan|1"),
        (sealed.replace(b"pan-1", b"pan-2"), "attempt|pan|1"),
        (b"", "attempt|pan|1"),
    ]:
        with pytest.raises(SealBroken):
            ring.open(broken, bound_to=place)


def test_a_rotated_key_still_opens_and_the_new_one_writes() -> None:
    """After rotation new values carry the new id; old values and MACs stay readable."""
    old = Keyring([key("pan-1")])
    sealed, mac = old.seal("pan", b"x", bound_to="r"), old.mac("pan", b"x")
    ring = Keyring([key("pan-1", state=KeyState.RETIRED), key("pan-2", byte=8)])
    assert ring.open(sealed, bound_to="r") == b"x"
    assert ring.mac_with("pan-1", b"x") == mac != ring.mac("pan", b"x")
    assert (ring.active_id("pan"), ring.ids("pan")) == ("pan-2", ("pan-1", "pan-2"))


def test_check_values_compare_keys_without_showing_them() -> None:
    """D41: equal keys have equal check values, other keys have others."""
    ring = Keyring([key("a"), key("b"), key("c", byte=9)])
    assert ring.check_value("a") == ring.check_value("b") != ring.check_value("c")
    assert len(ring.check_value("a")) == 6
    assert ring.material("a") == Sensitive(bytes([7]) * 32)


def test_an_unknown_key_or_purpose_is_named() -> None:
    """The error names what is missing."""
    ring = Keyring([key("pan-1", state=KeyState.RETIRED)])
    with pytest.raises(UnknownKey, match="no active key for pan"):
        ring.mac("pan", b"")
    with pytest.raises(UnknownKey, match="nobody"):
        ring.mac_with("nobody", b"")


def test_two_keys_with_one_id_are_refused() -> None:
    """An id names one key."""
    with pytest.raises(KeyFileRefused, match="share one id"):
        Keyring([key("a"), key("a")])


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    """Write a key file with the given mode."""
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_key_file_is_read_by_its_owner_only(tmp_path: Path) -> None:
    """A good file loads; a missing, open or malformed one is refused with a sentence and without its content."""
    row = {"id": "k", "purpose": "p", "material": base64.b64encode(b"0" * 32).decode()}
    good = json.dumps({"keys": [row]})
    assert Keyring.from_file(write(tmp_path / "good", good)).active_id("p") == "k"
    with pytest.raises(KeyFileRefused, match="no key file"):
        Keyring.from_file(tmp_path / "none")
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        Keyring.from_file(write(tmp_path / "open", good, 0o644))
    for number, text in enumerate(["", "{}", '{"keys": [{"id": "k"}]}', good.replace("MDAw", "!!!!")]):
        with pytest.raises(KeyFileRefused, match="is not a key file"):
            Keyring.from_file(write(tmp_path / f"bad{number}", text))
