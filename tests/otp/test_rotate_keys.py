"""Keys are changed while the bank serves: codes, cards and the trail live through it (D41)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from foundation.key_file import KeyState
from foundation.keys import Keyring
from foundation.master_keys import new_master_file
from foundation.sensitive import Sensitive
from otp.__main__ import main
from otp.domain import purposes
from otp.domain.errors import KeyNotRotated
from otp.domain.key_rotation import ROTATIONS, Rotation, next_id
from otp.services import audit_trail, rotate_keys
from otp.services.audit_trail import By
from otp.services.cards import open_mobile, open_pan
from tests.foundation.test_master_keys import until
from tests.otp.conftest import BankWorld
from tests.otp.test_deliver import tick

SARA = By("operator:sara", "yearly change")


@pytest.fixture
def rotating(make_bank: Callable[..., Any], key_file: Path, tmp_path: Path) -> BankWorld:
    """A bank with a key file of its own."""
    path = tmp_path / "bank.json"
    shutil.copy(key_file, path)
    here: BankWorld = make_bank(key_file=path)
    here.bank = replace(here.bank, keys=Keyring.from_file(path))
    return here


def known(here: BankWorld) -> Callable[[float], None]:
    """Wait until this process has read the file again, instead of some seconds."""
    file = here.bank.settings.key_file

    def wait(_: float) -> None:
        states = {row["id"]: row.get("state", "active") for row in json.loads(file.read_text())["keys"]}
        until(lambda: _states(here) == states)

    return wait


def _states(here: BankWorld) -> dict[str, str]:
    return {key.id: str(key.state) for purpose in purposes.ALL for key in here.bank.keys.of_purpose(purpose)}


def rotate(here: BankWorld, purpose: str) -> rotate_keys.Rotated:
    """Change one key."""
    return rotate_keys.rotate(here.bank, purpose, by=SARA, settle=known(here))


def test_every_purpose_says_how_it_is_changed() -> None:
    """A new purpose is not forgotten."""
    assert set(ROTATIONS) == set(purposes.ALL)
    assert next_id("a", frozenset({"a-1", "a-2"})) == "a-3"


@pytest.mark.parametrize("purpose", [name for name, way in ROTATIONS.items() if way is not Rotation.HELD])
def test_a_key_is_changed_and_the_old_one_still_opens(rotating: BankWorld, purpose: str) -> None:
    """The new one writes, the old one is retired, the trail says who did it."""
    before = rotating.bank.keys.active_id(purpose)

    done = rotate(rotating, purpose)

    assert rotating.bank.keys.active_id(purpose) == done.key_id != before
    assert rotating.bank.keys.of_purpose(purpose)[0].state is KeyState.RETIRED
    acts = [kept.act for kept in audit_trail.acts(rotating.bank, subject=f"key:{done.key_id}", most=5)]
    assert [act.action for act in acts] == ["key.activated", "key.added"]
    assert {act.actor for act in acts} == {"operator:sara"}


def test_codes_live_through_a_change_of_their_keys(rotating: BankWorld) -> None:
    """A code that was asked for before is derived, sent and found after; key rotated mid-challenge."""
    rotating.ask(rotating.card())
    rotate(rotating, purposes.CODE_DERIVE)
    rotate(rotating, purposes.CODE_MAC)

    tick(rotating)

    assert len(rotating.phone.sent) == 1
    (challenge,) = rotating.challenges()
    code = next(word for word in rotating.phone.texts[0].split() if word.isdecimal() and len(word) == 7)
    token = rotating.sql("SELECT card_name FROM card")[0]["card_name"]
    macs = [rotating.bank.keys.mac_with(each, token + code.encode()) for each in rotating.bank.keys.ids("code-mac")]
    assert challenge["code_mac"] in macs


def test_cards_are_sealed_anew_in_small_transactions(rotating: BankWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """PAN and mobile open in their rows as before; nothing is left under the old key."""
    monkeypatch.setattr(rotate_keys, "RESEALED_AT_ONCE", 2)
    pans = {rotating.card(mobile=f"0912000000{number}").reveal() for number in range(5)}

    assert rotate(rotating, purposes.PAN_SEAL).renewed == len(pans)
    assert rotate(rotating, purposes.MOBILE_SEAL).renewed == len(pans)

    keys = rotating.bank.keys
    rows = rotating.sql("SELECT * FROM card ORDER BY card_id")
    assert {open_pan(keys, row["card_name"], row["pan_sealed"]).reveal() for row in rows} == pans
    assert all(row["pan_sealed"].startswith(f"v1|{keys.active_id('pan-seal')}|".encode()) for row in rows)
    assert open_mobile(keys, rows[0]["card_name"], rows[0]["mobile_sealed"]) == Sensitive("09120000000")
    assert rotate_keys.renew(rotating.bank, purposes.PAN_SEAL) == 0


def test_a_change_that_was_cut_goes_on(rotating: BankWorld) -> None:
    """A key that was added and never activated is the one the next change activates."""

    def die(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate_keys.rotate(rotating.bank, purposes.CODE_MAC, settle=die)
    known(rotating)(0)
    coming = rotating.bank.keys.of_purpose(purposes.CODE_MAC)[-1]
    assert coming.state is KeyState.COMING

    assert rotate(rotating, purposes.CODE_MAC).key_id == coming.id
    assert len(rotating.bank.keys.ids(purposes.CODE_MAC)) == 2


@pytest.mark.parametrize("purpose", [name for name, way in ROTATIONS.items() if way is Rotation.HELD])
def test_keys_that_others_rely_on_are_not_changed_by_command(rotating: BankWorld, purpose: str) -> None:
    """The sentence says where to read on."""
    with pytest.raises(KeyNotRotated, match=r"docs/operations\.md"):
        rotate(rotating, purpose)


def test_an_old_key_goes_when_nothing_needs_it(rotating: BankWorld) -> None:
    """Not before a day has passed, and not while something is sealed under it."""
    rotating.card()
    old = rotating.bank.keys.active_id(purposes.PAN_SEAL)
    with pytest.raises(KeyNotRotated, match="only a retired key goes"):
        rotate_keys.remove(rotating.bank, old)
    rotate(rotating, purposes.PAN_SEAL)
    with pytest.raises(KeyNotRotated, match="25 hours"):
        rotate_keys.remove(rotating.bank, old)
    rotating.forge("UPDATE audit_entry SET at = at - interval '26 hours'")
    row = rotating.sql("SELECT card_id, card_name, pan_sealed FROM card")[0]
    under_old = rotating.bank.keys.open(row["pan_sealed"], bound_to=f"card|pan|{row['card_name'].hex()}")
    ring = Keyring([replace(key, state=KeyState.ACTIVE) for key in rotating.bank.keys.of_purpose("pan-seal")[:1]])
    sealed = ring.seal("pan-seal", under_old, bound_to=f"card|pan|{row['card_name'].hex()}")
    rotating.sql("UPDATE card SET pan_sealed = :sealed", sealed=sealed)
    with pytest.raises(KeyNotRotated, match="1 values are sealed under it"):
        rotate_keys.remove(rotating.bank, old)
    assert rotate_keys.renew(rotating.bank, purposes.PAN_SEAL) == 1

    rotate_keys.remove(rotating.bank, old, by=SARA)

    known(rotating)(0)
    assert old not in rotating.bank.keys.ids(purposes.PAN_SEAL)


def test_what_verifies_for_ever_and_what_is_not_there_stay(rotating: BankWorld) -> None:
    """The audit trail's old keys are needed as long as its rows."""
    old = rotating.bank.keys.active_id(purposes.AUDIT)
    rotate(rotating, purposes.AUDIT)
    with pytest.raises(KeyNotRotated, match="verified for ever"):
        rotate_keys.remove(rotating.bank, old)
    with pytest.raises(KeyNotRotated, match="there is no key nobody"):
        rotate_keys.remove(rotating.bank, "nobody")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, rotating: BankWorld, bank_urls: dict[str, str]) -> Callable[..., int]:
    """Run the bank's commands in an environment of their own."""
    values = {
        "OTP_DATABASE_URL": bank_urls["application"],
        "OTP_KEY_FILE": str(rotating.bank.settings.key_file),
        "OTP_PUBLIC_URL": "http://bank.test",
        "OTP_BANK_NAME_FA": "بانک نمونه",
        "OTP_BANK_NAME_EN": "Sample Bank",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(rotate_keys, "SETTLE_SECONDS", 2.5)
    return lambda *words: main(["keys", *words])


def test_commands_do_it_all(
    rotating: BankWorld,
    commands: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Wrap, list, rotate, reseal, refuse: as an operator would, and no key is printed."""
    rotating.card()
    master = tmp_path / "master.key"
    assert commands("new-master", str(master)) == 0
    assert commands("wrap", f"file:{master}", "--why", "first master key") == 0
    assert "set OTP_MASTER_KEY" in capsys.readouterr().out
    monkeypatch.setenv("OTP_MASTER_KEY", f"file:{master}")

    assert commands("rotate", "pan-seal") == 0
    assert "1 values were sealed or hashed anew" in capsys.readouterr().out
    assert commands("reseal", "pan-seal") == 0
    assert "0 values" in capsys.readouterr().out
    assert commands("list") == 0
    listed = capsys.readouterr().out
    assert "pan-seal: pan-seal-1 retired" in listed
    assert "pan-seal: pan-seal-2 active" in listed
    assert commands("remove", "pan-seal-1") == 1
    assert "25 hours" in capsys.readouterr().err
    rotating.forge("UPDATE audit_entry SET at = at - interval '26 hours'")
    assert commands("remove", "pan-seal-1") == 0
    assert "material" not in rotating.bank.settings.key_file.read_text()


def test_new_master_makes_no_key_over_another(commands: Callable[..., int], tmp_path: Path) -> None:
    """Keys may be wrapped under the one that is there."""
    new_master_file(tmp_path / "master")
    assert commands("new-master", str(tmp_path / "master")) == 1
