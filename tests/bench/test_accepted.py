"""The panel that accepts at once: it says what the bank's real provider understands, and notes amounts alone."""

from __future__ import annotations

import json
import time
from pathlib import Path

from bench.accepted import Panel, UntilAccepted, lines, running
from foundation.sensitive import Sensitive
from otp.ports import SmsAccepted, SmsMessage
from otp.sms.accounts import open_providers
from sandbox.running import wait_for

TEXT = "بانک نمونه\nرمز پویا خرید\nمبلغ: ۲۵۰٬۰۰۱ ریال\nرمز: 1234567"


def test_a_message_is_accepted_and_known_by_its_amount(tmp_path: Path) -> None:
    """The bank's own HTTP provider hands over a code's message and another one; only the code's is noted."""
    told, file = Panel(), tmp_path / "panel.json"
    before = time.monotonic()
    with running(told) as port:
        row = {"name": "panel", "kind": "kavenegar", "credentials": {"key": "x"}, "address": f"http://127.0.0.1:{port}"}
        file.write_text(json.dumps([row]))
        file.chmod(0o600)
        provider = open_providers(file, lambda *_: None)
        for reference, words in (("sms-1", TEXT), ("sms-2", "کارت شما قفل شد")):
            message = SmsMessage(reference, "30003303", Sensitive("09121234567"), Sensitive(words), 5.0)
            assert isinstance(provider.send(message), SmsAccepted)
        wait_for(lambda: told.accepted, "the note")

    assert list(told.accepted) == [250_001]
    assert before < told.accepted[250_001] <= time.monotonic()


def test_the_middle_round_is_told() -> None:
    """Of three rounds the middle p50 and the middle p99, each for itself."""
    run = UntilAccepted.__new__(UntilAccepted)
    run.took = [[0.01] * 10, [0.02] * 10, [0.5] * 10]
    run.late = [0.0, 0.001, 0.002]

    *rounds, last = lines(run)

    assert len(rounds) == 3
    assert last == "from a request to accepted by the provider: p50 20 ms, p99 20 ms"
