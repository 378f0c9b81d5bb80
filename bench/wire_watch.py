"""What passes on a wire to a bank, read as questions and answers: how long each took there, and for which purchase.

A purchase is known by its amount, which whoever measures makes different for each. Cards pass here too; nothing of
them is kept.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from gateway.harim.rest_v1 import PATH as HARIM_PATH
from otp.host.iso8583 import decode

LENGTH_BYTES = 2
PURCHASE, PURCHASE_ANSWER = b"1200", b"1210"
AMOUNT = 4
KEY = (11, 12, 32, 37, 41)
"""Fields of a message: the amount, and those by which an answer is known to belong to its question."""

STEPS = {HARIM_PATH: "request PIN", "/issue": "request PIN", "/authorise": "pay"}
"""The step that an HTTP question belongs to, by its path: the sandbox's bank, then the floor's."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question to a bank and its answer.

    Args:
        amount: of the purchase, in rials.
        asked_at: when the question came, in seconds since 1970.
        seconds: until its answer left the bank.
    """

    step: str
    amount: int
    asked_at: float
    seconds: float


class Watch(Protocol):
    """Reads one connection, piece by piece."""

    def hear(self, piece: bytes, at: float, *, answer: bool) -> Iterable[Exchange]:
        """Hear a piece that came at this moment of ``time.perf_counter``; returns the exchanges that it ends."""


class HttpWatch:
    """HTTP/1.1 kept alive: a question, then its answer, both with their length in the head."""

    def __init__(self) -> None:
        self._question = b""
        self._answer = b""
        self._asked_at = 0.0

    def hear(self, piece: bytes, at: float, *, answer: bool) -> Iterable[Exchange]:
        """Hear a piece; a question is asked when its last piece has come."""
        if answer:
            return self._answered(piece, at)
        self._question += piece
        self._asked_at = at
        return ()

    def _answered(self, piece: bytes, at: float) -> Iterator[Exchange]:
        self._answer += piece
        if not _is_whole(self._answer):
            return
        question, self._question, self._answer = self._question, b"", b""
        head, _, body = question.partition(_END_OF_HEAD)
        step = STEPS.get(head.split(b" ", 2)[1].decode())
        if step is not None:
            yield _exchange(step, json.loads(body)["amount"], self._asked_at, at)


class FrameWatch:
    """ISO 8583 in frames: many questions at once, each answer known by its key."""

    def __init__(self) -> None:
        self._asking = _Frames()
        self._answering = _Frames()
        self._open: dict[tuple[str, ...], tuple[int, float]] = {}

    def hear(self, piece: bytes, at: float, *, answer: bool) -> Iterable[Exchange]:
        """Hear a piece of what the gateway says, or the host."""
        if answer:
            return self._answered(piece, at)
        for frame in self._asking.after(piece):
            if frame.startswith(PURCHASE):
                message = decode(frame)
                self._open[tuple(map(message.text, KEY))] = int(message.text(AMOUNT)), at
        return ()

    def _answered(self, piece: bytes, at: float) -> Iterator[Exchange]:
        for frame in self._answering.after(piece):
            if frame.startswith(PURCHASE_ANSWER):
                amount, asked_at = self._open.pop(tuple(map(decode(frame).text, KEY)))
                yield _exchange("pay", amount, asked_at, at)


class _Frames:
    """Puts pieces together again, each frame behind its length."""

    def __init__(self) -> None:
        self._rest = b""

    def after(self, piece: bytes) -> Iterator[bytes]:
        self._rest += piece
        while len(self._rest) >= (end := LENGTH_BYTES + int.from_bytes(self._rest[:LENGTH_BYTES], "big")):
            frame, self._rest = self._rest[LENGTH_BYTES:end], self._rest[end:]
            yield frame


def _is_whole(message: bytes) -> bool:
    head, end, body = message.partition(_END_OF_HEAD)
    length = _LENGTH.search(head)
    return bool(end) and length is not None and len(body) >= int(length[1])


def _exchange(step: str, amount: int, asked: float, answered: float) -> Exchange:
    return Exchange(step, amount, time.time() - (time.perf_counter() - asked), answered - asked)
