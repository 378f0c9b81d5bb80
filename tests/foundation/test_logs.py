"""The net under the types: what a log line may never carry."""

import io
import json
import logging
import sys

import pytest
import structlog

from foundation.logs import configure_logging, scrub, scrub_text
from foundation.sensitive import Sensitive

PAN = "6219861034529007"


@pytest.mark.parametrize("typed", [PAN, "6219 8610 3452 9007", "6219-8610-3452-9007", "۶۲۱۹۸۶۱۰۳۴۵۲۹۰۰۷"])
def test_card_numbers_are_masked_in_any_writing(typed: str) -> None:
    """Only the BIN of a card number stays, whatever digits and separators it was written with."""
    assert "9007" not in scrub_text(f"card {typed} refused")
    assert "621986******" in scrub_text(f"card {typed} refused")


def test_other_long_numbers_and_persian_words_stay_readable() -> None:
    """A 12-digit RRN, a number that fails Luhn and Persian digits in a sentence are left alone."""
    for text in ("rrn 532812345678", "6219861034529008", "ساعت ۱۴:۰۵"):
        assert scrub_text(text) == text


def test_api_secrets_and_page_tokens_are_cut() -> None:
    """Neither a merchant's key nor a payment page's address is written whole."""
    assert "ABCDEFGHSECRET" not in scrub_text("sk_test_k1_ABCDEFGHSECRET_more")
    assert scrub_text("GET /pay/AbC-123_x HTTP") == "GET /pay/… HTTP"


def test_values_under_a_secret_name_are_stars_at_any_depth() -> None:
    """pin, cvv2, code and their like are starred, in nested mappings and lists too."""
    body = {"cvv2": "123", "list": [PAN, 1, None]}
    event = scrub(None, "", {"pin": "123456", "body": body, "n": int(PAN), "f": 1.5, "ok": True, "x": Sensitive(1)})
    assert "123456" not in str(event)
    assert "'123'" not in str(event)
    assert PAN not in str(event)
    assert (event["f"], event["ok"]) == (1.5, True)


def test_both_kinds_of_loggers_write_scrubbed_json_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Structlog and the standard library share one format, one level and one scrubber, exceptions included."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging("bank", "DEBUG")
        structlog.get_logger().info("asked", card=PAN)
        try:
            int(f"{PAN} rial")
        except ValueError:
            logging.getLogger("a.dependency").exception("failed for %s", PAN)
        logging.getLogger("urllib3.connectionpool").debug("body %s", PAN)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 2
    assert all(line["service"] == "bank" for line in lines)
    assert PAN not in stream.getvalue()
