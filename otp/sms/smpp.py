"""SMPP 3.4: one bound connection of this process to a centre, a window, a rate, receipts and holders' messages.

One thread owns the connection; whoever sends puts parts into its queue and waits. Nothing is taken over from the
centre before it is kept: the answer to ``deliver_sm`` goes out after the listener has returned.
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from foundation.database import guard_no_transaction
from foundation.sensitive import Sensitive
from otp.ports import Fault, SmsAccepted, SmsAnswer, SmsListener, SmsMessage, SmsRefused, SmsUnanswered
from otp.sms.panel import Verdict
from otp.sms.provider import FAULTS
from otp.sms.smpp_centre import STATUSES, Centre
from otp.sms.smpp_link import Broken, Link
from otp.sms.smpp_words import KINDS, UCS2, UDHI, parts_of, place_of, receipt_of, text_of, validity

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5.0
ENQUIRE_SECONDS = 15.0
"""Of silence, after which the centre is asked whether it is there; after twice as many it is not."""
PAUSES_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
TICK_SECONDS, HURRY_SECONDS = 0.5, 0.05
"""Between two looks at the queue: when it is empty, and when the window or the rate holds it up."""
QUEUE_MOST = 1_000
NOT_KEPT = 0x64
"""``ESME_RX_T_APPN``: a receiver that cannot take the message now, so the centre tries again."""


@dataclass(eq=False)
class _Sending:
    """A message on its way: the parts not sent yet, those not answered yet, and what came of it."""

    parts: deque[bytes]
    source: str
    mobile: Sensitive[str]
    several: bool
    wants_receipt: bool
    until: float
    dies: float | None
    open: int = 0
    message_id: str = ""
    answer: SmsAnswer | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def settle(self, answer: SmsAnswer) -> None:
        if self.answer is None:
            self.answer = answer
        self.parts.clear()
        self.done.set()


class SmppProvider:
    """Implements :class:`otp.ports.SmsProvider`; nothing is sent before :meth:`start`.

    Only the last part of a message asks for a receipt, and its id is the message's: whichever process hears of it
    can tell whose it is.
    """

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._listener: SmsListener | None = None
        self._queue: deque[_Sending] = deque()
        self._waiting: dict[int, tuple[_Sending, bool]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._bell: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._slots: deque[float] = deque(maxlen=centre.per_second)
        self.bound = threading.Event()

    def start(self, listener: SmsListener) -> None:
        """Connect and stay connected, and tell the listener what comes."""
        self._listener = listener
        wake, self._bell = socket.socketpair()
        self._bell.settimeout(0)
        self._thread = threading.Thread(target=self._run, args=(wake,), name=f"smpp-{self._centre.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Unbind and end the thread."""
        self._stop.set()
        self._ring()
        if self._thread is not None and self._bell is not None:
            self._thread.join()
            self._bell.close()

    def send(self, message: SmsMessage) -> SmsAnswer:
        """Hand all parts of one message over, within its time-out."""
        guard_no_transaction()
        parts, now = parts_of(message.text.reveal(), secrets.randbelow(256)), time.monotonic()
        sending = _Sending(
            deque(parts),
            self._centre.line or message.sender,
            message.mobile,
            len(parts) > 1,
            message.template is not None,
            now + message.timeout_seconds,
            None if message.life_seconds is None else now + message.life_seconds,
        )
        with self._lock:
            if not self.bound.is_set() or len(self._queue) >= QUEUE_MOST:
                return SmsUnanswered("not bound" if not self.bound.is_set() else "queue full")
            self._queue.append(sending)
        self._ring()
        sending.done.wait(message.timeout_seconds)
        with self._lock:
            sending.settle(SmsUnanswered("silent"))
        return sending.answer or SmsUnanswered("silent")

    def _ring(self) -> None:
        if self._bell is not None:
            with suppress(BlockingIOError, BrokenPipeError):  # it has rung often enough, or nobody listens any more
                self._bell.send(b"\0")

    def _run(self, wake: socket.socket) -> None:
        with wake:
            self._stay(wake)

    def _stay(self, wake: socket.socket) -> None:
        failures = 0
        while not self._stop.is_set():
            why, link = "", Link(self._centre.host, self._centre.port, CONNECT_SECONDS, tls=self._centre.tls)
            try:
                self._bind(link)
                failures = 0
                self._serve(link, wake)
            except Broken as broken:
                why = str(broken)
            except Exception as error:  # noqa: BLE001 - without this thread nothing goes through the centre any more
                why = type(error).__name__
            finally:
                self._end(link)
            if why:
                log.error("smpp_broken", provider=self._centre.name, why=why)
            self._stop.wait(PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)])
            failures += 1

    def _bind(self, link: Link) -> None:
        link.set_message_sent_handler(self._answered)
        link.set_message_received_handler(self._arrived)
        link.set_error_pdu_handler(self._nacked)
        link.connect()
        centre = self._centre
        link.bind(
            system_id=centre.system_id.reveal(), password=centre.password.reveal(), system_type=centre.system_type
        )
        self.bound.set()
        log.info("smpp_bound", provider=centre.name)

    def _serve(self, link: Link, wake: socket.socket) -> None:
        heard, asked = time.monotonic(), False
        while not self._stop.is_set():
            self._submit(link)
            now = time.monotonic()
            if link.attend(wake, HURRY_SECONDS if self._queue else TICK_SECONDS):
                heard, asked = time.monotonic(), False
            elif now - heard > 2 * ENQUIRE_SECONDS:
                raise Broken("silent")
            elif now - heard > ENQUIRE_SECONDS and not asked:
                link.say("enquire_link")
                asked = True

    def _submit(self, link: Link) -> None:
        while self._room() and (found := self._next()) is not None:
            sending, part, last = found
            number = link.say("submit_sm", **self._fields(sending, part, last=last))
            self._slots.append(time.monotonic())
            with self._lock:
                self._waiting[number] = (sending, last)

    def _room(self) -> bool:
        now = time.monotonic()
        with self._lock:
            gone = [number for number, (sending, _) in self._waiting.items() if sending.until < now]
            for number in gone:
                del self._waiting[number]
            window = len(self._waiting) < self._centre.window
        return window and (len(self._slots) < self._centre.per_second or now - self._slots[0] >= 1)

    def _next(self) -> tuple[_Sending, bytes, bool] | None:
        with self._lock:
            while self._queue:
                sending = self._queue[0]
                if not sending.parts:
                    self._queue.popleft()
                    continue
                part = sending.parts.popleft()
                sending.open += 1
                return sending, part, not sending.parts
        return None

    def _fields(self, sending: _Sending, part: bytes, *, last: bool) -> dict[str, Any]:
        return {
            "source_addr_ton": self._centre.source[0],
            "source_addr_npi": self._centre.source[1],
            "source_addr": sending.source,
            "dest_addr_ton": self._centre.dest[0],
            "dest_addr_npi": self._centre.dest[1],
            "destination_addr": f"98{sending.mobile.reveal()[1:]}",
            "esm_class": UDHI if sending.several else 0,
            "data_coding": UCS2,
            "registered_delivery": int(last and sending.wants_receipt),
            "validity_period": "" if sending.dies is None else validity(sending.dies - time.monotonic()),
            "short_message": part,
        }

    def _answered(self, pdu: Any, **_: Any) -> None:
        status = int(pdu.status)
        with self._lock:
            sending, last = self._waiting.pop(pdu.sequence, (None, False))
            if sending is None:
                return
            sending.open -= 1
            verdict = STATUSES.get(str(status), Verdict.ELSEWHERE)
            if verdict is Verdict.REFUSED:
                sending.settle(SmsRefused(f"status {status}"))
            elif verdict is not Verdict.ACCEPTED:
                sending.settle(SmsUnanswered(f"status {status}", FAULTS[verdict]))
            elif last:
                sending.message_id = _ascii(pdu.message_id)
            if sending.message_id and not sending.open and not sending.parts:
                sending.settle(SmsAccepted(sending.message_id))

    def _nacked(self, pdu: Any) -> None:
        if pdu.command == "generic_nack":
            with self._lock:
                sending, _ = self._waiting.pop(pdu.sequence, (None, False))
                if sending is not None:
                    sending.settle(SmsUnanswered(f"status {int(pdu.status)}", Fault.PROVIDER))

    def _arrived(self, pdu: Any, **_: Any) -> int:
        if pdu.command != "deliver_sm" or self._listener is None:
            return 0
        try:
            self._keep(self._listener, pdu)
        except Exception as error:  # noqa: BLE001 - whatever failed, the centre is to try again
            failed = type(error).__name__
        else:
            return 0
        log.error("smpp_not_kept", provider=self._centre.name, error=failed)
        return NOT_KEPT

    def _keep(self, listener: SmsListener, pdu: Any) -> None:
        content = pdu.short_message or pdu.message_payload or b""
        if pdu.esm_class & KINDS:
            found = receipt_of(content, _ascii(pdu.receipted_message_id), pdu.message_state)
            if found is not None:
                listener.reported(f"{self._centre.name}:{found[0]}", found[1])
            return
        place, parts = _place(pdu, content)
        if place == 1:
            text = text_of(content, pdu.data_coding, headed=_headed(pdu)) if parts == 1 else ""
            listener.received(self._centre.name, Sensitive(_ascii(pdu.source_addr)), Sensitive(text))

    def _end(self, link: Link) -> None:
        if self.bound.is_set() and self._stop.is_set():
            with suppress(Broken):
                link.say("unbind")
        self.bound.clear()
        link.drop()
        with self._lock:
            for sending in [*self._queue, *(each for each, _ in self._waiting.values())]:
                sending.settle(SmsUnanswered("connection lost"))
            self._queue.clear()
            self._waiting.clear()


def _headed(pdu: Any) -> bool:
    return bool(pdu.esm_class & UDHI)


def _place(pdu: Any, content: bytes) -> tuple[int, int]:
    """Return which part of how many this is: by header, otherwise by the optional parameters, otherwise the whole."""
    if _headed(pdu):
        return place_of(content)
    return (pdu.sar_segment_seqnum or 1, pdu.sar_total_segments) if pdu.sar_total_segments else (1, 1)


def _ascii(field: bytes | None) -> str:
    """Read a text field of a PDU, which the library leaves as bytes."""
    return (field or b"").decode("ascii", "replace")
