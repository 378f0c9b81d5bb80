"""Several gateway processes on one host, and processes that are killed: what only real processes show."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.services.authorise import Paid, pay
from tests.fakes.pair import CODE, EXPIRY, Pair

ROOT = Path(__file__).parents[2]
PURCHASES = 40
PROCESSES = 2


def environment(pair: Pair) -> Mapping[str, str]:
    """Return the variables of one more process of this gateway."""
    settings = pair.settings
    return {
        **os.environ,
        "GATEWAY_DATABASE_URL": settings.database_url.get_secret_value(),
        "GATEWAY_KEY_FILE": str(settings.key_file),
        "GATEWAY_PUBLIC_URL": settings.public_url,
        "GATEWAY_MODE": "sandbox",
        "GATEWAY_PSP_ID": settings.psp_id,
        "GATEWAY_ACQUIRER_ID": settings.acquirer_id,
        "GATEWAY_SIGNING_KEY_ID": settings.signing_key_id,
        "GATEWAY_DATABASE_POOL_SIZE": "8",
    }


@contextlib.contextmanager
def process(pair: Pair, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run one; it is gone afterwards, whatever happened."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", *words]
    with subprocess.Popen(  # noqa: S603 - our own modules
        command, cwd=ROOT, env=environment(pair), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def test_d37_answers_to_two_processes_are_never_crossed(pair: Pair) -> None:
    """Two processes, sixteen threads each, eighty purchases on one host: each gets its own answer, by the books.

    Every payment has an amount and a card of its own; the host's approval code and capture date stand beside the
    right trace in both ledgers, and no STAN was drawn twice.
    """
    orders = [pair.order(100_000 + number) for number in range(PURCHASES * PROCESSES)]
    rows = [
        [payment.page_token, entry.pan.reveal(), entry.cvv2.reveal(), EXPIRY, CODE]
        for payment, entry in orders
        if entry.cvv2
    ]
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(process(pair, "tests.fakes.purchaser")) for _ in range(PROCESSES)]
        for each in running:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for number, each in enumerate(running):
            assert each.stdin is not None
            each.stdin.write(json.dumps(rows[number::PROCESSES]) + "\n")
            each.stdin.flush()
        answers = [answer for each in running if each.stdout for answer in json.loads(each.stdout.readline())]

    assert dict(answers) == {payment.page_token: "Paid" for payment, _ in orders}
    query = "SELECT rrn, stan, local_time, approval_code, capture_date, {total} AS total FROM {table} ORDER BY rrn"
    ours = pair.books(query.format(total="amount_rial + fee_rial", table="attempt"))
    theirs = pair.bank(query.format(total="amount_rial", table="authorisation"))
    assert ours == theirs
    assert len({row["stan"] for row in ours}) == len({row["approval_code"] for row in ours}) == len(orders)
    assert pair.books("SELECT 1 FROM unmatched_answer") == []


class Between:
    """Stands between gateway and host, and withholds what the host says about a key change."""

    def __init__(self, port: int) -> None:
        self._host = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.withheld = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more callers."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                host = socket.create_connection(("127.0.0.1", self._host))
                for source, target in ((caller, host), (host, caller)):
                    threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(4096):
                if b"1814" in piece and b"815" in piece:
                    self.withheld.set()
                else:
                    target.sendall(piece)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def between(pair: Pair) -> Iterator[Between]:
    """Put somebody between the two."""
    made = Between(pair.hosts[0].port)
    yield made
    made.close()


def point_to(pair: Pair, port: int) -> None:
    """Change the address in the issuer's row."""
    with pair.gateway.database.begin() as connection:
        connection.execute(text("UPDATE issuer SET switch_port = :port"), {"port": port})
    pair.gateway.directory.forget()


def test_d22_kill_9_between_the_hosts_yes_and_the_record_of_it(pair: Pair, between: Between) -> None:
    """The command is killed while the host's 000 is on its way: purchases go on, and the next run ends it."""
    words = ("gateway", "issuer", "change-keys", "--issuer-id", "two")
    point_to(pair, between.port)
    with process(pair, *words) as command:
        assert between.withheld.wait(20)
        command.send_signal(signal.SIGKILL)
        assert command.wait(10) == -signal.SIGKILL
    point_to(pair, pair.hosts[0].port)

    (offered,) = pair.books("SELECT name, active_at FROM link_key_set")
    assert offered["active_at"] is None
    assert [row["name"] for row in pair.bank("SELECT name FROM link_key_set")] == [offered["name"]]
    payment, entry = pair.order()
    assert pay(pair.gateway, payment.page_token, entry) == Paid()

    with process(pair, *words) as command:
        said, _ = command.communicate(timeout=30)

    assert f"issuer two: {offered['name']} is in use" in said
    assert "Harim does not answer, switch answers" in said
    payment, entry = pair.order()
    assert pay(pair.another_gateway(), payment.page_token, entry) == Paid()
