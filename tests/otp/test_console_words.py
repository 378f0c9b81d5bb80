"""The words of the operators' page: none is missing, and the two languages say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from foundation.persian import Language
from otp.console.wording import WORDS, who_did
from otp.domain.action_codes import Reason
from otp.domain.cash_machine import Service
from otp.domain.challenge import ChallengeState
from otp.domain.operators import Role
from otp.domain.unlocking import Unlock
from otp.domain.verdict import Channel
from otp.services import open_card

SERVICES = Path(open_card.__file__).parent
_NOTED_ON_CARDS = re.compile(r'"((?:app|card)\.[a-z_]+)", (?:f"card:|subject)')
_HOLE = re.compile(r"\{(\w+)\}")


def test_every_state_has_words_and_both_languages_carry_the_same_values() -> None:
    """No state of the bank is without a sentence, and no translation forgets a value."""
    wanted: dict[str, Any] = {
        "reason": Reason,
        "challenge": ChallengeState,
        "channel": Channel,
        "outcome": Unlock,
        "role": Role,
    }
    assert {f"{kind}.{each}" for kind, states in wanted.items() for each in states} <= set(WORDS)
    noted = {name for file in SERVICES.glob("*.py") for name in _NOTED_ON_CARDS.findall(file.read_text("utf-8"))}
    assert "card.unlocked" in noted
    assert {f"act.{name}" for name in noted | {f"atm.{service}" for service in Service}} <= set(WORDS)
    for key, words in WORDS.items():
        assert sorted(_HOLE.findall(words.fa)) == sorted(_HOLE.findall(words.en)), key
        assert words.fa, key
        assert words.en, key


@pytest.mark.parametrize(
    ("actor", "language", "words"),
    [
        ("operator:sara", "fa", "\u2068sara\u2069 (اپراتور)"),
        ("operator:sara", "en", "\u2068sara\u2069 (operator)"),
        ("atm:ATM00001", "fa", "خودپرداز \u2068ATM00001\u2069"),
        ("atm:ATM00001", "en", "cash machine \u2068ATM00001\u2069"),
        ("app:3f0c1f9e-0000-4000-8000-000000000000", "fa", "رمزنگار"),
        ("app:3f0c1f9e-0000-4000-8000-000000000000", "en", "Ramznegar"),
        ("core:branch-12", "fa", "core:branch-12"),
        ("root", "en", "root"),
    ],
)
def test_the_trails_actors_are_named_as_people_name_them(actor: str, language: Language, words: str) -> None:
    """Operators and machines by their names, the app without its device; whoever is unknown stays as written."""
    assert who_did(actor, language) == words
