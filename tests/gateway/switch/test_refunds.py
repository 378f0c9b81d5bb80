"""A refund on the wire: the golden bytes, and what each answer means for the first message and for its repeats."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from foundation.keys import Key, Keyring
from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.outcome import Approved, Declined, Unknown
from gateway.ports import Kind, Order, RefundRequest, Trace
from gateway.switch import iso8583
from gateway.switch.keys import LinkKeys
from gateway.switch.mac import mac_of
from gateway.switch.messages import refund_message

GOLDEN = Path(__file__).parents[3] / "contracts" / "iso8583" / "v1" / "golden" / "refund-credit.json"
ORDER = Order(
    Kind.PURCHASE,
    Rial(500_000),
    Rial(0),
    "581672",
    "000000000000123",
    "T0000001",
    "فروشگاه نمونه",
    "",
    "ABCDEFGH234567AB",
)
TRACE = Trace("581672", "T0000001", "000084", "632814000084", "261124143005")
REQUEST = RefundRequest(ORDER, TRACE, Pan.parse("9990020000000019"), again=False)


def test_d37_a_refund_is_written_as_the_contract_says(client: Any, issuer: Any, host: Any) -> None:
    """D37: field for field the golden message, and the same as 1201 when it is sent again."""
    fields = {int(number): text for number, text in json.loads(GOLDEN.read_text())["fields"].items()}

    assert client.refund(issuer, REQUEST) == Approved()
    assert client.refund(issuer, replace(REQUEST, again=True)) == Approved()

    first, second = (message for message in host.heard if message.mti != "1804")
    assert (first.mti, second.mti) == ("1200", "1201")
    for message in (first, second):
        assert {number: message.secret(number).reveal() for number in fields} == fields
        assert 14 not in message
        assert 52 not in message


def test_d37_its_bytes_are_the_golden_ones() -> None:
    """D37: under the test key of the contract, byte for byte."""
    golden = json.loads(GOLDEN.read_text())
    key = bytes.fromhex(golden["keys"]["mac"]["hex"])
    ring = Keyring(
        [
            Key("gw-mac-1", "iso-mac-out:two", Sensitive(key)),
            Key("gw-pin-1", "iso-pin:two", Sensitive(bytes(24))),
            Key("bank-mac-1", "iso-mac-in:two", Sensitive(bytes(16))),
        ]
    )
    message = refund_message(REQUEST, LinkKeys(ring, "two"))
    assert iso8583.encode(message, lambda data: mac_of(key, data)).hex() == golden["frame"]


@pytest.mark.parametrize(
    ("code", "first", "again"),
    [
        ("000", Approved(), Approved()),
        ("110", Declined("110"), Declined("110")),
        ("118", Declined("118"), Declined("118")),
        ("121", Declined("121"), Declined("121")),
        ("915", Declined("915"), Declined("915")),
        ("904", Declined("904"), Unknown("action code 904")),
        ("913", Declined("913"), Unknown("action code 913")),
        ("912", Declined("912"), Unknown("action code 912")),
        ("909", Unknown("action code 909"), Unknown("action code 909")),
    ],
)
def test_d3_a_no_about_a_repeat_alone_concludes_nothing(
    client: Any, host: Any, issuer: Any, code: str, first: object, again: object
) -> None:
    """D2, D3: the first may be done although its repeat could not be read; only what tells of both ends it."""
    host.play = lambda host, question: host.answer(question, code)

    assert client.refund(issuer, REQUEST) == first
    assert client.refund(issuer, replace(REQUEST, again=True)) == again


def test_d2_silence_and_an_unreachable_host_are_unknown(client: Any, host: Any, make: Any) -> None:
    """D2, D11: nothing is concluded from not being answered, nor from not being sent: the next time it goes again."""
    host.play = lambda *_: None
    quick = make.issuer_at(host.port, timeout_ms=200)
    assert client.refund(quick, REQUEST) == Unknown("silent")
    host.close()
    assert isinstance(client.refund(quick, REQUEST), Unknown)
