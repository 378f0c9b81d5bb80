"""The spoken digits of a challenge: the right ones, in order, audible, and never twice the same."""

from __future__ import annotations

import io
import wave

import pytest

from foundation.persian import Language
from gateway.web.sound import LANGUAGES, RATE, SILENCE, paced, sound_of, voice_of

DIGITS = "0123456789"


class Even:
    """A chance without surprises: the middle of every range, and noise that is silent."""

    def uniform(self, a: float, b: float) -> float:
        """Return the middle."""
        return (a + b) / 2

    def randbytes(self, n: int) -> bytes:
        """Return silence."""
        return bytes([SILENCE]) * n


def samples(sound: bytes) -> bytes:
    """Return what a player plays, once it is sure that it is mono of eight bits."""
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 1, RATE)
        return file.readframes(file.getnframes())


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_each_digit_in_its_place(language: Language) -> None:
    """Every digit's own recording, one after the other, a pause before each."""
    digits = DIGITS[::-1]
    said, at = samples(sound_of(digits, language, Even())), 0
    for digit in digits:
        voice = paced(voice_of(digit, language), Even().uniform(0.95, 1.2)).tobytes()
        found = said.index(voice, at)
        assert found - at >= RATE / 4
        at = found + len(voice)
    assert at == len(said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_recording_is_a_word_between_silences(language: Language) -> None:
    """A fifth to three quarters of a second of voice, loud, and no two alike."""
    voices = {voice_of(digit, language).tobytes() for digit in DIGITS}
    assert len(voices) == len(DIGITS)
    for voice in voices:
        word = voice.strip(bytes([SILENCE]))
        assert 0.2 <= len(word) / RATE <= 0.75
        assert max(word) - SILENCE > 90
        assert voice[0] == voice[-1] == SILENCE


def test_no_two_sounds_are_alike() -> None:
    """Pauses, pace and noise are drawn anew; the noise stays far below the voice."""
    first, second = (samples(sound_of("11111", "fa")) for _ in range(2))
    assert first != second
    assert len(first) != len(second)
    assert max(abs(sample - SILENCE) for sample in first[: RATE // 5]) <= 12
