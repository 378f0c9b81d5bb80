"""The sound of a challenge's digits, for who cannot see its picture (WCAG 1.1.1).

Samples of eight bits are handled as a picture one pixel high: Pillow, which draws the digits too, stretches and mixes
them in C, in a millisecond.
"""

from __future__ import annotations

import io
import secrets
import wave
from functools import cache
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageChops

from foundation.persian import Language

LANGUAGES: tuple[Language, ...] = ("fa", "en")
CLIPS = Path(__file__).parent / "digits"
"""Ten spoken digits in each language, written by ``python -m bench.voices`` with espeak-ng."""

RATE = 11_025
CLIP_SAMPLES = 8_192
SILENCE = 128
PAUSE_SECONDS = (0.25, 0.6)
PACE = (0.95, 1.2)
"""How much longer than recorded a digit is; slower more than quicker, for people who write along."""

NOISE_PART = 12
"""One part of noise in so many of voice: nobody mishears a digit, and no two sounds are alike byte for byte."""


class Chance(Protocol):
    """Where numbers nobody can foretell come from; :class:`secrets.SystemRandom` is one."""

    def uniform(self, a: float, b: float) -> float:
        """Return a number between these."""

    def randbytes(self, n: int) -> bytes:
        """Return so many bytes."""


def sound_of(digits: str, language: Language, chance: Chance | None = None) -> bytes:
    """Return a WAV that says these digits in this language, spoken anew each time; about 80 KB and seven seconds.

    Args:
        digits: what to say.
        language: of the voice.
        chance: decides about pauses, pace and noise; nobody can foretell it by default.
    """
    chance = chance or secrets.SystemRandom()
    voices = [paced(voice_of(digit, language), chance.uniform(*PACE)) for digit in digits]
    pauses = [int(RATE * chance.uniform(*PAUSE_SECONDS)) for _ in digits]
    track = Image.new("L", (sum(pauses) + sum(voice.width for voice in voices), 1), SILENCE)
    at = 0
    for pause, voice in zip(pauses, voices, strict=True):
        track.paste(voice, (at + pause, 0))
        at += pause + voice.width
    return _wav(ImageChops.add(track, _noise(chance.randbytes(track.width)), offset=-SILENCE).tobytes())


def voice_of(digit: str, language: Language) -> Image.Image:
    """Return one recorded digit."""
    start = int(digit) * CLIP_SAMPLES
    return _strip(language).crop((start, 0, start + CLIP_SAMPLES, 1))


def paced(voice: Image.Image, pace: float) -> Image.Image:
    """Return a voice that takes ``pace`` times as long."""
    return voice.resize((int(voice.width * pace), 1), Image.Resampling.BILINEAR)


def _noise(loud: bytes) -> Image.Image:
    noise = Image.frombytes("L", (len(loud), 1), loud)
    return noise.point(lambda value: SILENCE + (value - SILENCE) // NOISE_PART)


@cache
def _strip(language: Language) -> Image.Image:
    with wave.open(str(CLIPS / f"{language}.wav")) as file:
        return Image.frombytes("L", (file.getnframes(), 1), file.readframes(file.getnframes()))


def _wav(samples: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(RATE)
        file.writeframes(samples)
    return out.getvalue()
