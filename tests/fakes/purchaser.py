"""A gateway process that pays many payments at once: ``python -m tests.fakes.purchaser``, with an environment.

Reads ``[[page token, PAN, CVV2, expiry, PIN], …]`` from standard input and writes what became of each.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import structlog

from foundation.pan import Pan
from foundation.sensitive import Sensitive
from gateway import config, wiring
from gateway.domain.card import CardEntry
from gateway.services.authorise import pay

THREADS = 16


def main() -> None:
    """Pay them all."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    gateway = wiring.build(config.load())

    def one(row: list[str]) -> list[str]:
        token, pan, cvv2, expiry, pin = row
        entry = CardEntry(Pan.parse(pan), cvv2=Sensitive(cvv2), expiry=Sensitive(expiry), pin=Sensitive(pin))
        return [token, type(pay(gateway, token, entry)).__name__]

    print("ready", flush=True)  # noqa: T201 - the parent waits for it
    rows = json.loads(sys.stdin.readline())
    with ThreadPoolExecutor(THREADS) as pool:
        print(json.dumps(list(pool.map(one, rows))), flush=True)  # noqa: T201 - the result


if __name__ == "__main__":
    main()
