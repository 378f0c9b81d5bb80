"""First PINs over the wire: 1100 and 1200 by their golden fields, on a real socket (D22, D37)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from foundation.keys import Keyring
from foundation.pan import Pan
from foundation.persian import TEHRAN
from foundation.sensitive import Sensitive
from gateway.switch.pin_block import seal_pin
from otp.config import HostPeer
from otp.host.iso8583 import Message
from otp.host.peers import peers_of
from otp.host.server import HostServer
from tests.otp.host.conftest import keyring
from tests.otp.host.test_first_pin import PIN, Machine
from tests.otp.host.test_first_pin import machine as machine
from tests.otp.host.test_server import Acquirer

ROWS = {"mac_in": ["gw-mac-1"], "mac_out": "bank-mac-1", "pin": ["gw-pin-1"]}


class Terminal:
    """A machine that takes cards, on a link of its own."""

    def __init__(self, machine: Machine, keys: Keyring, port: int) -> None:
        self.acquirer, self._machine, self._keys = Acquirer(port, keys), machine, keys

    def fields(self, pan: Pan, pin: str = PIN, **changes: str) -> dict[int, str]:
        """Return the fields of a check, with changes named ``de22`` and so on; an empty one leaves its field out."""
        number, now = next(self._machine.bank_world.numbers), self._machine.now.astimezone(TEHRAN)
        block = seal_pin(self._keys.material("gw-pin-1"), Sensitive(pin), pan).hex().upper()
        fields = {
            2: pan.reveal(), 3: "710000", 11: f"{number:06}", 12: f"{now:%y%m%d%H%M%S}", 22: "51120151314C", 24: "180",
            32: "581672", 37: f"{number:012}", 41: "ATM00001", 42: "000000000000123", 52: block,
        }  # fmt: skip
        fields |= {int(name[2:]): text for name, text in changes.items()}
        return {key: text for key, text in fields.items() if text}

    def till(self, pan: Pan, pin: str = PIN, **changes: str) -> dict[int, str]:
        """Return the fields of a purchase of 1,000,000 rials."""
        purchase = {
            "de3": "000000", "de4": "000001000000", "de22": "51010151314C", "de24": "200", "de43": "نانوایی",
            "de46": "000000000000", "de49": "364",
        }  # fmt: skip
        return self.fields(pan, pin, **{**purchase, **changes})

    def ask(self, mti: str, fields: dict[int, str]) -> Message:
        """Ask and read."""
        answer = self.acquirer.ask(mti, fields)
        assert answer is not None
        return answer


@pytest.fixture
def open_terminal(machine: Machine) -> Iterator[Any]:
    """Give a maker of terminals: the host knows their acquirer as one with machines, or as one without."""
    links = keyring()
    opened: list[tuple[HostServer, Terminal]] = []

    def make(*, card_present: bool = True) -> Terminal:
        peers = peers_of({"581672": HostPeer.model_validate(ROWS | {"card_present": card_present})}, links)
        server = HostServer(machine.bank_world.desk, peers, host="127.0.0.1", port=0)
        server.start()
        opened.append((server, Terminal(machine, links, server.port)))
        return opened[-1][1]

    yield make
    for server, terminal in opened:
        terminal.acquirer.socket.close()
        server.stop()


def test_d37_a_check_and_a_purchase_with_the_card_in_a_machine(machine: Machine, open_terminal: Any) -> None:
    """1110 echoes what it answers and has no approval code; 1210 has one; the purchase is paid once and reversed."""
    terminal, pan = open_terminal(), machine.card()

    check = terminal.ask("1100", terminal.fields(pan))
    assert (check.mti, check.text(39), check.text(41), 38 in check) == ("1110", "000", "ATM00001", False)
    assert terminal.ask("1100", terminal.fields(pan, "1357")).text(39) == "117"

    fields = terminal.till(pan)
    answers = [terminal.ask("1200", fields) for _ in range(2)]
    assert [(a.mti, a.text(39), a.text(4)) for a in answers] == [("1210", "000", "000001000000")] * 2
    assert answers[0].text(38) == answers[1].text(38) != ""
    assert machine.bank_world.row(pan)["balance_rial"] == 9_000_000

    back = {key: fields[key] for key in (2, 3, 4, 32, 37, 41, 42, 49)}
    back |= {11: "990001", 12: fields[12], 24: "400", 25: "4021", 56: f"1200{fields[11]}{fields[12]}06581672"}
    assert terminal.ask("1420", back).text(39) == "400"
    assert machine.bank_world.row(pan)["balance_rial"] == 10_000_000


@pytest.mark.parametrize(
    ("mti", "changes"),
    [
        ("1100", {"de22": "61005061500C"}),
        ("1100", {"de24": "200"}),
        ("1200", {"de14": "0812"}),
        ("1200", {"de48": "02008PURCHASE"}),
        ("1200", {"de52": ""}),
        ("1200", {"de22": "61005061500C"}),
    ],
)
def test_d37_fields_of_the_other_kind_of_purchase_are_not_readable(
    machine: Machine, open_terminal: Any, mti: str, changes: dict[str, str]
) -> None:
    """A card in a machine has no CVV2 beside it, and a card that is not there has: the notice says 904."""
    terminal, pan = open_terminal(), machine.card()
    fields = terminal.till(pan, **changes) if mti == "1200" else terminal.fields(pan, **changes)

    notice = terminal.ask(mti, fields)

    assert (notice.mti, notice.text(39)) == (f"{mti[:2]}44", "904")
    assert machine.bank_world.sql("SELECT 1 FROM authorisation") == []


def test_d22_an_acquirer_without_machines_may_not_speak_for_present_cards(machine: Machine, open_terminal: Any) -> None:
    """A stolen list of card numbers does not become a way to try first PINs: 115, and nothing is counted."""
    terminal, pan = open_terminal(card_present=False), machine.card()

    told = [terminal.ask("1100", terminal.fields(pan)), terminal.ask("1200", terminal.till(pan, "1357"))]

    assert [answer.text(39) for answer in told] == ["115", "115"]
    assert machine.bank_world.row(pan)["first_pin_failures"] == 0


def test_d22_a_pin_block_of_another_key_is_126(machine: Machine, open_terminal: Any) -> None:
    """It opens to no PIN, which is no wrong PIN."""
    terminal, pan = open_terminal(), machine.card()

    assert terminal.ask("1100", terminal.fields(pan, de52="00112233445566AA")).text(39) == "126"
    assert machine.bank_world.row(pan)["first_pin_failures"] == 0
