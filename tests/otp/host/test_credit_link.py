"""Credits, transfers and holders' names over the wire, on a real socket (D7, D28, D37)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from foundation.keys import Keyring
from foundation.pan import Pan
from foundation.persian import TEHRAN
from foundation.sensitive import Sensitive
from gateway.switch.pin_block import seal_pin
from otp.config import HostPeer
from otp.domain import purposes
from otp.domain.holder import card_name, holder_place
from otp.host.iso8583 import Message, write_tlv
from otp.host.peers import peers_of
from otp.host.server import HostServer
from tests.otp.host.conftest import EXPIRY, keyring
from tests.otp.host.test_server import Acquirer
from tests.otp.host.test_transfers import CODE, transfer

ROWS = {"mac_in": ["gw-mac-1"], "mac_out": "bank-mac-1", "pin": ["gw-pin-1"]}
ASKER = "ab" * 32


class Link:
    """An acquirer on a link of its own."""

    def __init__(self, bank_world: Any, keys: Keyring, port: int) -> None:
        self.bank_world, self.keys, self.acquirer = bank_world, keys, Acquirer(port, keys)

    def own(self, pan: Pan, code: str, **changes: str) -> dict[int, str]:
        """Return the fields of any request, changes named ``de22`` and so on; an empty one leaves its field out."""
        number = next(self.bank_world.numbers)
        now = self.bank_world.sql("SELECT house_now() AS now")[0]["now"].astimezone(TEHRAN)
        fields = {
            2: pan.reveal(), 3: code, 11: f"{number:06}", 12: f"{now:%y%m%d%H%M%S}", 22: "61005061500C", 24: "200",
            32: "581672", 37: f"{number:012}", 41: "T0000001", 42: "000000000000123",
        }  # fmt: skip
        fields |= {int(name[2:]): text for name, text in changes.items()}
        return {key: text for key, text in fields.items() if text}

    def credit(self, pan: Pan, **changes: str) -> dict[int, str]:
        """Return the fields of a credit of 1,000,000 rials."""
        data = write_tlv({"02": "CARD_TRANSFER", "04": "ABCDEFGH234567AB"})
        money = {
            "de4": "000001000000",
            "de43": card_name(pan.masked[-4:]),
            "de46": "0" * 12,
            "de48": data,
            "de49": "364",
        }
        return self.own(pan, "470000", **{**money, **changes})

    def question(self, pan: Pan, asker: str = ASKER, **changes: str) -> dict[int, str]:
        """Return the fields of a question for a holder's name."""
        return self.own(pan, "330000", **{"de24": "182", "de48": write_tlv({"07": asker}), **changes})

    def ask(self, mti: str, fields: dict[int, str]) -> Message:
        """Ask and read."""
        answer = self.acquirer.ask(mti, fields)
        assert answer is not None
        return answer


@pytest.fixture
def open_link(bank_world: Any) -> Iterator[Callable[..., Link]]:
    """Give a maker of links: the host lets their acquirer give so much in a day."""
    links = keyring()
    opened: list[tuple[HostServer, Link]] = []

    def make(credit_day_rial: int = 10_000_000) -> Link:
        peers = peers_of({"581672": HostPeer.model_validate(ROWS | {"credit_day_rial": credit_day_rial})}, links)
        server = HostServer(bank_world.desk, peers, host="127.0.0.1", port=0)
        server.start()
        opened.append((server, Link(bank_world, links, server.port)))
        return opened[-1][1]

    yield make
    for server, link in opened:
        link.acquirer.socket.close()
        server.stop()


def named(bank_world: Any, name: str = "مریم رضایی", **columns: object) -> Pan:
    """Open a card whose holder's name is known."""
    pan: Pan = bank_world.card(**columns)
    token = bank_world.desk.card_tokens(pan)[0]
    sealed = bank_world.desk.keys.seal(purposes.PAN_SEAL, name.encode(), bound_to=holder_place(token))
    bank_world.sql("UPDATE card SET holder_name_sealed = :sealed WHERE card_token = :token", sealed=sealed, token=token)
    return pan


def test_d37_a_credit_and_its_repeat_have_one_answer(bank_world: Any, open_link: Any) -> None:
    """1210 to the 1200 and to each 1201; the reversal takes it back, and an inquiry says so."""
    link, pan = open_link(), bank_world.card(balance=0)
    fields = link.credit(pan)

    answers = [link.ask(mti, fields) for mti in ("1200", "1201", "1201")]

    assert {(answer.mti, answer.text(39), answer.text(38)) for answer in answers} == {
        ("1210", "000", answers[0].text(38))
    }
    assert answers[0].text(17) == fields[12][2:6]
    assert bank_world.row(pan)["balance_rial"] == 1_000_000
    undo = link.own(pan, "470000", de4="000001000000", de22="", de24="400", de25="4021", de37=fields[37], de49="364")
    undo |= {56: f"1200{fields[11]}{fields[12]}06581672"}
    assert link.ask("1420", undo).text(39) == "400"
    assert bank_world.row(pan)["balance_rial"] == 0


def test_d7_a_1201_repeats_credits_and_nothing_else(bank_world: Any, open_link: Any) -> None:
    """A purchase is asked about, never sent again; a credit carries no code and no card data."""
    link, pan = open_link(), bank_world.card(balance=0)
    answers = [
        link.ask("1201", link.credit(pan, de3="000000")),
        link.ask("1200", link.credit(pan, de14=EXPIRY)),
        link.ask("1200", link.credit(pan, de48="")),
        link.ask("1200", link.credit(pan, de48=write_tlv({"02": "CARD_TRANSFER"}))),
        link.ask("1200", link.credit(pan, de52="0123456789ABCDEF", de53="gw-mac-1;gw-pin-1")),
    ]

    assert [(answer.mti, answer.text(39)) for answer in answers] == [("1244", "904")] * 5
    assert bank_world.row(pan)["balance_rial"] == 0


def test_d7_credits_and_names_are_off_unless_the_acquirers_row_says_otherwise(bank_world: Any, open_link: Any) -> None:
    """115 to both."""
    link, pan = open_link(0), named(bank_world)

    assert link.ask("1200", link.credit(pan)).text(39) == "115"
    assert link.ask("1100", link.question(pan)).text(39) == "115"


def test_d28_a_name_leaves_the_bank_masked(bank_world: Any, open_link: Any) -> None:
    """The first letters and stars; the frame has nothing else of it. Nothing is kept of the question."""
    link, pan = open_link(), named(bank_world)

    answer = link.ask("1100", link.question(pan))

    assert (answer.mti, answer.text(39), answer.text(43)) == ("1110", "000", "م*** ر***")
    assert bank_world.sql("SELECT 1 FROM authorisation") == []


def test_d28_cards_without_a_name_to_tell_look_the_same(bank_world: Any, open_link: Any) -> None:
    """Unknown, nameless, a gift card, one that the bank closed: 118 and no name."""
    link = open_link()
    closed = {"status": "blocked", "held_by_bank": True}
    pans = [
        Pan.parse("9990020000000266"),
        bank_world.card(),
        named(bank_world, kind="gift"),
        named(bank_world, **closed),
    ]

    answers = [link.ask("1100", link.question(pan)) for pan in pans]

    assert {(answer.text(39), answer.text(43)) for answer in answers} == {("118", "")}


def test_d28_questions_are_counted_by_the_card_that_asks(bank_world: Any, open_link: Any) -> None:
    """Fifty a day for one asker, whoever they are about; another asker is not held back."""
    link = open_link()
    pans = [named(bank_world) for _ in range(10)]
    told = [link.ask("1100", link.question(pans[number % 10])).text(39) for number in range(51)]

    assert told == ["000"] * 50 + ["121"]
    assert link.ask("1100", link.question(pans[0], "cd" * 32)).text(39) == "000"


@pytest.mark.parametrize(
    "changes",
    [
        {"de48": ""},
        {"de48": write_tlv({"04": "ABCDEFGH234567AB"})},
        {"de52": "0123456789ABCDEF", "de53": "gw-mac-1;gw-pin-1"},
    ],
)
def test_d28_a_question_says_who_asks_and_has_no_pin(bank_world: Any, open_link: Any, changes: dict[str, str]) -> None:
    """Malformed otherwise, and so is a check of a PIN with private data."""
    link = open_link()
    answer = link.ask("1100", link.question(named(bank_world), **changes))

    assert (answer.mti, answer.text(39)) == ("1144", "904")
    check = link.own(named(bank_world), "710000", de24="180", de48=write_tlv({"07": ASKER}))
    assert link.ask("1100", check).text(39) == "904"


def test_d28_only_the_processing_code_of_names_asks_for_one(bank_world: Any, open_link: Any) -> None:
    """115 to another."""
    link = open_link()

    assert link.ask("1100", link.question(named(bank_world), de3="310000")).text(39) == "115"


def transfer_fields(link: Link, bank_world: Any, source: Pan, destination: Pan, **changes: str) -> dict[int, str]:
    """Return the fields of a transfer within the bank for which a code was issued."""
    asked = transfer(bank_world, source, destination)
    private = {
        "01": asked.cvv2.reveal(), "02": "CARD_TRANSFER", "03": asked.payee_key, "04": asked.transaction_ref,
        "06": destination.reveal(),
    }  # fmt: skip
    block = seal_pin(link.keys.material("gw-pin-1"), Sensitive(CODE), source).hex().upper()
    fields = {
        "de4": f"{asked.total.amount:012}", "de14": EXPIRY, "de43": asked.payee_name, "de46": f"{asked.fee.amount:012}",
        "de48": write_tlv(private), "de49": "364", "de52": block, "de53": "gw-mac-1;gw-pin-1",
    }  # fmt: skip
    return link.own(source, "400000", **{**fields, **changes})


def test_d7_a_transfer_within_the_bank_over_the_wire(bank_world: Any, open_link: Any) -> None:
    """The destination of DE 48.06 gets the amount."""
    link, source, destination = open_link(0), bank_world.card(), bank_world.card(balance=0)

    assert link.ask("1200", transfer_fields(link, bank_world, source, destination)).text(39) == "000"

    assert bank_world.row(destination)["balance_rial"] == 1_000_000


def test_d25_the_card_that_gets_the_money_is_the_one_the_holder_was_told(bank_world: Any, open_link: Any) -> None:
    """Other last digits in DE 43 than in DE 48, or a destination told as another message does: nothing is done."""
    link, source, destination = open_link(), bank_world.card(), bank_world.card(balance=0)
    inside = transfer_fields(link, bank_world, source, destination)
    whole = f"06016{destination.reveal()}"
    end = inside[48].replace(whole, f"08008{destination.reveal()[-8:]}")
    out = inside | {3: "460000", 48: end}
    wrong = [
        inside | {43: "کارت 9 9 9 9"},
        out | {43: "کارت 9 9 9 9"},
        inside | {3: "460000"},
        inside | {48: end},
        inside | {48: f"{inside[48]}{end[-13:]}"},
        inside | {3: "000000", 48: end.replace("013CARD_TRANSFER", "008PURCHASE")},
    ]

    assert [link.ask("1200", fields).text(39) for fields in wrong] == ["904"] * 6
    assert bank_world.row(source)["balance_rial"] == 10_000_000
    assert link.ask("1200", out).text(39) == "000"
