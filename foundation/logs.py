"""Logs: one JSON object a line, context bound once, and a net that no card number or secret passes.

The types (:class:`~foundation.sensitive.Sensitive`) keep secrets out; the scrubber at the end catches what a library
or an exception text might still say.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from foundation.digits import to_ascii_digits
from foundation.pan import luhn_sum
from foundation.sensitive import STARS

SECRET_NAMES = frozenset(
    {"pan", "cvv2", "pin", "code", "otp", "secret", "password", "authorization", "key", "material", "token"}
)
QUIET_LOGGERS = (
    "zeep",
    "urllib3",
    "httpx",
    "httpcore",
    "http_message_signatures",
    "sqlalchemy.engine",
    "iso8583",
    "smpplib",
)
_CARD_LIKE = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_API_KEY = re.compile(r"\b([ps]k_(?:test|live)_\w{0,12})\w*")
_PAGE_TOKEN = re.compile(r"(/pay/)[\w-]+")
_KEY_IN_PATH = re.compile(r"(/v1/)[\w%.~-]{24,}(?=/)")
"""An SMS provider's key, where a library speaks of an address."""

Event = MutableMapping[str, Any]

_PROCESSORS: list[Any] = []
"""One list for the whole process: a logger that was used before a second configuration follows it too."""


def scrub_text(text: str) -> str:
    """Replace card numbers (13–19 digits that pass Luhn), API secrets and page tokens in a text.

    >>> scrub_text("card 6219-8610-3452-9007 at /pay/abc")
    'card 621986****** at /pay/…'
    """
    ascii_text = to_ascii_digits(text)
    if ascii_text != text and not _CARD_LIKE.search(ascii_text):
        ascii_text = text
    ascii_text = _CARD_LIKE.sub(_mask_card, ascii_text)
    ascii_text = _API_KEY.sub(r"\1…", ascii_text)
    ascii_text = _PAGE_TOKEN.sub(r"\1…", ascii_text)
    return _KEY_IN_PATH.sub(r"\1…", ascii_text)


def scrub(_logger: object, _method: str, event: Event) -> Event:
    """Last processor: stars for values under a secret's name, masks inside every text."""
    for name, value in list(event.items()):
        event[name] = STARS if name.lower() in SECRET_NAMES else _scrub_value(value)
    return event


def place_of(error: BaseException) -> str:
    """Return file and line where an error began: all that a log may have of it, for its text may quote a PIN."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send structlog and the standard library's logging to stderr as scrubbed JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    _PROCESSORS[:] = [*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.raiseExceptions = False  # a line that cannot be written is not printed past the scrubber either
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _name(service),
                scrub,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET_LOGGERS:  # they write whole envelopes and bodies at DEBUG
        logging.getLogger(name).setLevel(logging.WARNING)


def _name(service: str) -> Any:
    def add_service(_logger: object, _method: str, event: Event) -> Event:
        event["service"] = service
        return event

    return add_service


def _scrub_value(value: Any) -> Any:
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, dict):
        return dict(scrub(None, "", dict(value)))
    if isinstance(value, list | tuple):
        return [_scrub_value(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and len(str(value)) > 12:  # noqa: PLR2004 - a PAN has 13+
        masked = scrub_text(str(value))
        return value if masked == str(value) else masked
    return value if isinstance(value, int | float | None) else scrub_text(str(value))


def _mask_card(match: re.Match[str]) -> str:
    digits = match.group().replace(" ", "").replace("-", "")
    return match.group() if luhn_sum(digits) % 10 else f"{digits[:6]}******"
