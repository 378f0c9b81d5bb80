"""``python -m bench.voices``: write the ten spoken digits that a challenge can be heard in, with espeak-ng.

Each language is one WAV of ten clips of equal length, 0 to 9: 8 bits, mono, :data:`gateway.web.sound.RATE` samples a
second. espeak-ng (Debian's package of that name) is a program under GPL 3; what it says is not, and is ours.
"""

from __future__ import annotations

import io
import subprocess
import sys
import wave
from array import array

from gateway.web.sound import CLIP_SAMPLES, CLIPS, LANGUAGES, RATE

WORDS_A_MINUTE = 130
LOUDEST = 110
"""Of 127; what is mixed in later needs room."""


def main() -> int:
    """Write both files."""
    for language in LANGUAGES:
        clips = b"".join(_clip(language, digit) for digit in "0123456789")
        with wave.open(str(CLIPS / f"{language}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(1)
            file.setframerate(RATE)
            file.writeframes(clips)
    return 0


def _clip(language: str, digit: str) -> bytes:
    """Return one digit at half of espeak-ng's own rate, as loud as the others, in the middle of its clip."""
    said = ["espeak-ng", "-v", language, "-s", str(WORDS_A_MINUTE), "-g", "0", "--stdout", digit]
    spoken = subprocess.run(said, check=True, capture_output=True).stdout  # noqa: S603 - two languages, ten digits
    with wave.open(io.BytesIO(spoken)) as file:
        samples = array("h", file.readframes(file.getnframes()))
    if file.getframerate() != 2 * RATE:
        raise ValueError(f"espeak-ng speaks at {file.getframerate()} samples a second")
    halved = [(first + second) // 2 for first, second in zip(samples[::2], samples[1::2], strict=False)]
    loudest = max(map(abs, halved))
    heard = [place for place, sample in enumerate(halved) if abs(sample) > loudest // 50]
    voice = bytes(128 + sample * LOUDEST // loudest for sample in halved[heard[0] : heard[-1] + 1])
    if len(voice) > CLIP_SAMPLES:
        raise ValueError(f"{digit} takes {len(voice)} samples; there is room for {CLIP_SAMPLES}")
    before = (CLIP_SAMPLES - len(voice)) // 2
    return voice.rjust(before + len(voice), b"\x80").ljust(CLIP_SAMPLES, b"\x80")


if __name__ == "__main__":
    sys.exit(main())
