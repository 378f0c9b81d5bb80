"""Named places where a process of the sandbox can be made to die or to freeze: the list, and the file that arms one.

A place is armed by a file that the first process to pass it takes away, so the process that is started afterwards
lives: ``CRASH_AT=gateway.after_issuer_call`` at the start of a sandbox, ``python -m sandbox crash NAME`` later on.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from pathlib import Path

from sandbox.places import CannotRun

ARM_VARIABLE = "CRASH_AT"
FILE_VARIABLE = "SANDBOX_CRASH_FILE"
POINTS = {
    "gateway.after_pin_request": "the bank accepted a PIN request, the gateway has not recorded it",
    "gateway.before_issuer_call": "the intent is committed, nothing was sent (F2)",
    "gateway.after_issuer_call": "the bank decided, the gateway has not recorded it (F1)",
    "gateway.before_response": "a page's outcome is committed, the shopper has not seen it (F3)",
    "worker.after_inquiry_before_record": "the bank told what became of a purchase, nothing is recorded",
    "worker.before_reversal": "the decision to reverse is committed, nothing was sent",
    "worker.after_reversal_before_record": "the bank gave the money back, nothing is recorded (F24)",
    "worker.before_credit": "a transfer's debit is approved and its credit owed, nothing was sent to the other bank",
    "worker.after_credit_before_record": "the destination's bank decided about a credit, nothing is recorded (F24)",
    "worker.after_refund_before_record": "the bank gave a refund's money to the card, nothing is recorded (F24)",
    "worker.after_webhook_before_mark": "the shop took the event, the job is not marked as done (F24)",
    "worker.after_sms_before_mark": "the provider took the SMS, the job is not marked as done (F24)",
    "bank.before_commit": "the bank decided and has not committed it",
    "bank.after_debit_before_answer": "the bank committed its decision and has not answered",
}
"""Every place by name. ``gateway`` is a web process, ``worker`` a worker of gateway or bank, ``bank`` its host."""

FREEZING_SECONDS = 0.5
"""The kernel stops one thread after another; who is to freeze here must not run on meanwhile."""

HOW = {"": signal.SIGKILL, "stop": signal.SIGSTOP}


class CrashFile:
    """What is armed at present: at most one place."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def arm(self, wish: str) -> None:
        """Let the process die that passes ``NAME`` next, or as the ``N``-th: ``NAME[:N[:stop]]``; ``stop`` freezes it.

        Raises:
            CannotRun: when there is no such place.
        """
        name, times, how = [*wish.split(":"), "", ""][:3]
        if name not in POINTS or not (times or "1").isdecimal() or how not in HOW:
            raise CannotRun(f"{wish!r} is not NAME, NAME:N or NAME:N:stop with a name of: {', '.join(POINTS)}")
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(f"{name}:{int(times or 1)}:{how}")

    def disarm(self) -> None:
        """Let everybody live."""
        self._file.unlink(missing_ok=True)

    @property
    def armed(self) -> str | None:
        """The place that nobody has died at yet."""
        try:
            return self._file.read_text().partition(":")[0] or None
        except FileNotFoundError:
            return None

    def passing(self, name: str) -> None:
        """Die here, if this is the place and the time."""
        try:
            with self._file.open("r+") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                armed, times, how = [*held.read().split(":"), "", ""][:3]
                if armed != name:
                    return
                last = int(times) <= 1
                held.seek(0)
                held.truncate()
                held.write("" if last else f"{name}:{int(times) - 1}:{how}")
        except FileNotFoundError:
            return
        if last:
            self.disarm()
            os.kill(os.getpid(), HOW[how])
            time.sleep(FREEZING_SECONDS)


def passing(name: str) -> None:
    """Pass a place; outside a running sandbox nothing can be armed."""
    if FILE_VARIABLE in os.environ:
        CrashFile(Path(os.environ[FILE_VARIABLE])).passing(name)
