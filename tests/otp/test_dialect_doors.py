"""The doors of the weak dialects: signed both ways, one use case behind them, every refusal in their own words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from foundation import soap
from foundation.hard_xml import Element
from foundation.soap import SOAP_12
from foundation.xml_signatures import EnvelopeSigner
from otp.domain.answers import ANSWERS, Code
from otp.harim_api.sadad import RESPONSE_CODES
from otp.harim_api.yaghut import EXCEPTIONS
from otp.services.register_psp import allow_unbound
from sandbox.certificates import new_identity
from tests.otp.conftest import PSP_IDENTITY
from tests.otp.dialect_callers import CEILING, TO_YAGHUT, WITH_TOKEN, SadadCaller, YaghutCaller

EMPTY = {"systemTrace": None, "correlationId": None}


@pytest.fixture
def open_bank(make_bank: Callable[..., Any]) -> Any:
    """Give a bank where the PSP may ask in weak dialects."""
    here = make_bank()
    allow_unbound(here.bank, "pooya", CEILING)
    return here


@pytest.fixture
def sadad(open_bank: Any) -> SadadCaller:
    """Give a PSP that speaks ``sadad-adaptor``."""
    return SadadCaller(open_bank)


@pytest.fixture
def yaghut(open_bank: Any) -> YaghutCaller:
    """Give a PSP that speaks ``tosan-yaghut``."""
    return YaghutCaller(open_bank)


def effects(here: Any) -> tuple[int, int]:
    """Count codes and messages."""
    return len(here.challenges()), here.queued()


def test_d6_sadads_code_records_what_it_binds_and_its_ceiling(open_bank: Any, sadad: SadadCaller) -> None:
    """Type, total and acquirer, no more; and the answer is signed, with its own names, HTTP 200."""
    heard = sadad.ask(open_bank.card())

    assert (heard.status, heard.code, heard.signed) == (200, "00", True)
    assert set(heard.said) == {"responseCode", "message", "systemTrace", "correlationId", "transactionDateTime"}
    assert len(heard.said["systemTrace"]) == 6
    (code,) = open_bank.challenges()
    assert code["canonical"] == "v1|type=PURCHASE|total=250000|acquirer=581672061"
    assert (code["bound"], code["ceiling_rial"]) == (["type", "total", "acquirer"], CEILING)
    assert not code["proven"]


def test_d6_yaghuts_code_records_what_it_binds_and_its_ceiling(open_bank: Any, yaghut: YaghutCaller) -> None:
    """Merchant, terminal and payee as well; CVV2 and expiry prove the card (D19)."""
    heard = yaghut.ask(open_bank.card())

    assert (heard.status, heard.code, heard.signed) == (200, "", True)
    (code,) = open_bank.challenges()
    assert heard.said["correlationId"] == str(code["correlation_id"])
    assert 0 <= heard.said["referenceNumber"] < 10**9
    assert code["canonical"] == (
        "v1|type=PURCHASE|total=250000|acquirer=581672061|merchant=000000000000001|terminal=00000001|payee=کتاب سرا"
    )
    assert (code["ceiling_rial"], code["proven"]) == (CEILING, True)


@pytest.mark.parametrize("card", [{"cvv2": "123"}, {}])
def test_d19_half_a_proof_is_none(open_bank: Any, yaghut: YaghutCaller, card: dict[str, str]) -> None:
    """CVV2 alone, as one app sent it, is read and proves nothing; ``pin2`` is never read."""
    pan = open_bank.card()

    heard = yaghut.ask(pan, cardInfoBean={"pan": pan.reveal(), "pin2": "1234", **card})

    assert heard.code == ""
    assert [code["proven"] for code in open_bank.challenges()] == [False]


def test_d6_a_psp_that_was_not_allowed_to_is_refused(here: Any) -> None:
    """Off for every PSP: an incomplete challenge is refused on both wires, signed, without effect."""
    pan = here.card()

    assert SadadCaller(here).ask(pan).code == "12"
    assert YaghutCaller(here).ask(pan).code == "Client"
    assert effects(here) == (0, 0)


@pytest.mark.parametrize("amount", [CEILING + 1, 999_999_999_999])
def test_d14_no_code_is_made_that_its_ceiling_would_not_let_pay(
    open_bank: Any, sadad: SadadCaller, yaghut: YaghutCaller, amount: int
) -> None:
    """Above the PSP's ceiling, the request is refused as incomplete."""
    pan = open_bank.card()

    assert sadad.ask(pan, amount=amount).code == "12"
    assert yaghut.ask(pan, amount=amount).code == "Client"
    assert sadad.ask(pan, amount=CEILING).code == "00"
    assert effects(open_bank) == (1, 1)


def test_d14_the_banks_own_maximum_holds_besides(make_bank: Callable[..., Any]) -> None:
    """A PSP's ceiling that is above the bank's, because that was lowered, is worth the bank's."""
    here = make_bank(unbound_code_max_rial=200_000)
    here.sql("UPDATE psp SET unbound_max_rial = 900000")
    caller, pan = SadadCaller(here), here.card()

    assert caller.ask(pan, amount=200_001).code == "12"
    assert caller.ask(pan, amount=200_000).code == "00"
    assert here.challenges()[0]["ceiling_rial"] == 200_000


def test_d21_the_same_signed_message_has_the_first_answer_and_no_effect(open_bank: Any, sadad: SadadCaller) -> None:
    """The signature's nonce stands for a request id: byte for byte the same answer, one code, one SMS."""
    raw = json.dumps(sadad.message(open_bank.card())).encode()
    message = sadad.signed(raw)

    first, again = sadad.deliver(message, raw), sadad.deliver(message, raw)

    assert first == again
    assert effects(open_bank) == (1, 1)
    open_bank.age(61)
    assert sadad.deliver(message, raw) == first
    assert effects(open_bank) == (1, 1)


def test_d21_a_replayed_envelope_has_the_first_answer_and_no_effect(open_bank: Any, yaghut: YaghutCaller) -> None:
    """Here body and signed time stand for it, because a signature value can be bent into another good one."""
    raw, value = yaghut.signed(yaghut.bean(open_bank.card()))

    first, again = yaghut.send(raw, value), yaghut.send(raw, value)
    open_bank.age(61)

    assert first == again == yaghut.send(raw, value)
    assert effects(open_bank) == (1, 1)


def test_d21_a_nonce_serves_one_message(open_bank: Any, sadad: SadadCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PSP that signs two messages under one nonce is told, and the second has no effect."""
    monkeypatch.setattr("foundation.signatures.secrets.token_urlsafe", lambda _: "the-same-every-time")
    pan = open_bank.card()

    assert [sadad.ask(pan, amount=amount).code for amount in (250_000, 260_000)] == ["00", "94"]
    assert effects(open_bank) == (1, 1)


def test_d9b_asked_again_within_the_wait_nothing_is_sent_then_the_same_code(
    open_bank: Any, yaghut: YaghutCaller
) -> None:
    """The reference follows from what is bound, so the same question is about the same code."""
    pan = open_bank.card()
    first, second = yaghut.ask(pan), yaghut.ask(pan)
    assert effects(open_bank) == (1, 1)

    open_bank.age(61)
    third = yaghut.ask(pan)
    other = yaghut.ask(pan, amount=300_000)

    assert first.said == second.said == third.said != other.said
    assert effects(open_bank) == (2, 3)


def test_d17_a_card_has_no_more_live_codes_by_any_dialect(open_bank: Any, yaghut: YaghutCaller) -> None:
    """Three; the fourth is a call too many."""
    pan = open_bank.card()

    codes = [yaghut.ask(pan, amount=amount).code for amount in (1_000, 2_000, 3_000, 4_000)]

    assert codes == ["", "", "", "ServiceCallWSException"]


def test_d19_without_proof_every_card_gets_the_same_answer(open_bank: Any, sadad: SadadCaller) -> None:
    """Unknown, blocked, without mobile: accepted, and nothing but the random id differs."""
    known, blocked, silent = open_bank.card(), open_bank.card(status="blocked"), open_bank.card(mobile=None)
    open_bank.sql("UPDATE psp SET disclosure = 'proven'")

    heard = [sadad.ask(pan) for pan in (known, blocked, silent)]

    assert {answer.code for answer in heard} == {"00"}
    assert {answer.said["message"] for answer in heard} == {ANSWERS[Code.ACCEPTED].fa}
    assert effects(open_bank) == (1, 1)


def test_d20_strangers_quota_holds_here_too(open_bank: Any, sadad: SadadCaller) -> None:
    """Three unproven requests an hour and card."""
    pan = open_bank.card()
    open_bank.sql("UPDATE psp SET disclosure = 'proven'")

    assert [sadad.ask(pan, amount=amount).code for amount in (1_000, 2_000, 3_000, 4_000)] == ["00", "00", "00", "65"]


def test_d41_a_stranger_is_refused_unsigned(open_bank: Any) -> None:
    """Another key, another certificate, no signature at all: no answer of worth, nothing done."""
    pan = open_bank.card()
    stranger = SadadCaller(open_bank, bytes(range(32)), "stranger-1")
    forger = YaghutCaller(open_bank, new_identity("stranger"))
    bare = stranger.client.post("/SadadPSPHarimAdaptor/HarimRequestOptWithPan", json=stranger.message(pan))

    heard = stranger.ask(pan)
    assert (heard.status, heard.code, heard.signed) == (401, "63", False)
    assert EMPTY.items() <= heard.said.items()
    assert (bare.status_code, bare.get_json()["responseCode"]) == (401, "63")
    heard = forger.ask(pan)
    assert (heard.status, heard.code, heard.signed) == (500, "Client", False)
    assert effects(open_bank) == (0, 0)


def test_d21_a_message_to_another_door_is_not_taken_at_this_one(open_bank: Any, yaghut: YaghutCaller) -> None:
    """The signed address is this door's."""
    envelope = soap.open_envelope(yaghut.signed(yaghut.bean(open_bank.card()))[0], max_bytes=65_536)[1]
    envelope.remove(envelope[0])
    value = EnvelopeSigner(PSP_IDENTITY).sign_request(envelope, to=TO_YAGHUT.replace("yaghut", "harim/v1"))

    heard = yaghut.send(soap.written(envelope), value)

    assert (heard.code, heard.signed) == ("Client", False)


def test_a_saved_cards_token_is_not_ours(open_bank: Any, sadad: SadadCaller) -> None:
    """HarimRequestOptWithToken is answered as not supported, whatever is in it."""
    raw = b'{"amount": 1000, "cardMedia": {"token": "abc"}, "requestType": 1}'
    heard = sadad.send(raw, WITH_TOKEN)

    assert (heard.status, heard.code, heard.signed) == (200, "40", True)
    assert sadad.send(raw).code == "30"
    assert open_bank.challenges() == []


SADAD_WRONG = [
    ({"amount": -1}, "30"),
    ({"amount": "250000"}, "30"),
    ({"amount": 1.5}, "30"),
    ({"amount": True}, "30"),
    ({"amount": None}, "30"),
    ({"amount": 10**12}, "30"),
    ({"amount": 0}, "12"),
    ({"cardMedia": None}, "30"),
    ({"cardMedia": {}}, "30"),
    ({"cardMedia": []}, "30"),
    ({"cardMedia": {"pan": 9990020000001231}}, "30"),
    ({"cardMedia": {"pan": "9990020000000007"}}, "30"),
    ({"cardMedia": {"pan": ""}}, "30"),
    ({"cardMedia": {"pan": "9990020000001231", "token": "x"}}, "30"),
    ({"requestType": "1"}, "30"),
    ({"requestType": None}, "30"),
    ({"requestType": 2}, "40"),
    ({"requestType": 6}, "12"),
    ({"requestType": 10**30}, "40"),
    ({"surprise": 1}, "30"),
]


@pytest.mark.parametrize(("change", "code"), SADAD_WRONG, ids=str)
def test_sadad_is_read_strictly(open_bank: Any, sadad: SadadCaller, change: dict[str, Any], code: str) -> None:
    """Each field misshapen: a signed refusal, nothing half done."""
    heard = sadad.ask(open_bank.card(), **change)

    assert (heard.status, heard.code, heard.signed) == (200, code, True)
    assert effects(open_bank) == (0, 0)


def test_a_balance_is_asked_for_without_an_amount(open_bank: Any, sadad: SadadCaller, yaghut: YaghutCaller) -> None:
    """The type that is known from outside, in either dialect; with an amount it is none."""
    heard = sadad.ask(open_bank.card(), requestType=6, amount=0)
    assert (heard.status, heard.code, heard.signed) == (200, "00", True)
    assert yaghut.ask(open_bank.card(), processType="BALANCE_INQUIRY", amount=0).status == 200


YAGHUT_WRONG = [
    {"amount": None},
    {"amount": 0},
    {"amount": "1.5"},
    {"amount": "-1"},
    {"amount": 10**12},
    {"amount": "9" * 5_000},
    {"merchantId": None},
    {"merchantId": "0" * 16},
    {"merchantId": "a b"},
    {"terminalId": None},
    {"terminalId": "000000001"},
    {"processDetail": None},
    {"processDetail": {"parameterType": "PAN", "value": "9990020000001231"}},
    {"processDetail": {"parameterType": "TEXT", "value": "call 0912"}},
    {"processDetail": {"parameterType": "TEXT", "value": "a|b=c"}},
    {"processDetail": {"parameterType": "TEXT", "value": "x" * 65}},
    {"otpRequesterId": "581672099"},
    {"otpRequesterId": ""},
    {"processType": "TRANSFER_TO"},
    {"processType": "BALANCE_INQUIRY"},
    {"processType": "GIFT"},
    {"cardInfoBean": {"pan": ""}},
    {"cardInfoBean": {"pan": "9990020000000007"}},
    {"cardInfoBean": {"pan": "9990020000001231", "cvv2": "12"}},
    {"cardInfoBean": {"pan": "9990020000001231", "expireDate": "0813"}},
]


@pytest.mark.parametrize("change", YAGHUT_WRONG, ids=lambda change: str(change)[:60])
def test_yaghut_is_read_strictly(open_bank: Any, yaghut: YaghutCaller, change: dict[str, Any]) -> None:
    """Each field misshapen: a signed fault of the message, nothing half done."""
    heard = yaghut.ask(open_bank.card(), **change)

    assert (heard.status, heard.code, heard.signed) == (500, "Client", True)
    assert effects(open_bank) == (0, 0)


def twice(envelope: Element) -> None:
    """Say the amount twice."""
    found = envelope.find(".//amount")
    found.addnext(found.makeelement("amount"))


def surprise(envelope: Element) -> None:
    """Add an element."""
    place = envelope.find(".//arg0")
    place.append(place.makeelement("surprise"))


def odd(envelope: Element) -> None:
    """Use a name that XML allows and XPath does not."""
    envelope.find(".//amount").tag = "A\u013f"


def typed(envelope: Element) -> None:
    """Let the message change its own contract."""
    envelope.find(".//amount").set("{http://www.w3.org/2001/XMLSchema-instance}type", "string")


def another_operation(envelope: Element) -> None:
    """Ask for something else."""
    envelope[-1][0].tag = "{http://service.yaghut.modern.tosan.com/}transfer"


def nothing(envelope: Element) -> None:
    """Ask for nothing."""
    del envelope[-1][0]


@pytest.mark.parametrize("before", [twice, surprise, odd, typed, another_operation, nothing])
def test_what_the_xsd_does_not_allow_is_a_fault_of_the_message(
    open_bank: Any, yaghut: YaghutCaller, before: Callable[[Element], None]
) -> None:
    """Signed, without exception, without effect."""
    heard = yaghut.ask(open_bank.card(), before=before)

    assert (heard.status, heard.code, heard.signed) == (500, "Client", True)
    assert effects(open_bank) == (0, 0)


def test_soap_12_is_not_this_services(open_bank: Any, yaghut: YaghutCaller) -> None:
    """Its contract has SOAP 1.1 only."""
    raw, _ = yaghut.signed(yaghut.bean(open_bank.card()))

    heard = yaghut.send(raw.replace(b"http://schemas.xmlsoap.org/soap/envelope/", SOAP_12.namespace.encode()))

    assert (heard.status, heard.code) == (500, "VersionMismatch")


@pytest.mark.parametrize("raw", [b"", b"<html>", b"<!DOCTYPE a><a/>", b"\x00\xff", b" " * 70_000])
def test_garbage_is_a_fault(open_bank: Any, yaghut: YaghutCaller, sadad: SadadCaller, raw: bytes) -> None:
    """No XML, no JSON: refused on each wire."""
    assert effects(open_bank) == (0, 0)
    assert yaghut.send(raw).code == "Client"
    if len(raw) < 65_536:
        assert sadad.send(raw).code == "30"


def test_f13_with_its_database_away_the_bank_says_so_in_their_words(
    open_bank: Any, sadad: SadadCaller, yaghut: YaghutCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The PSP is known, the use case breaks: issuer not answering, signed."""

    def broken(*_: object) -> None:
        raise ConnectionError

    pan = open_bank.card()
    monkeypatch.setattr("otp.harim_api.dialects.issue_code", broken)

    assert (sadad.ask(pan).code, yaghut.ask(pan).code) == ("91", "CardIssuerResponsibilityWSException")


def test_f13_nobody_can_be_looked_up(open_bank: Any, yaghut: YaghutCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken before the PSP is known: a fault that is ours, unsigned, with when to ask again."""

    def broken(*_: object, **__: object) -> None:
        raise ConnectionError

    raw, _ = yaghut.signed(yaghut.bean(open_bank.card()))
    monkeypatch.setattr("otp.harim_api.envelopes.authenticate_envelope", broken)

    answer = yaghut.client.post("/yaghut/service", data=raw, content_type="text/xml")

    assert (answer.status_code, answer.headers["Retry-After"]) == (500, "5")
    assert yaghut.send(raw).code == "CardIssuerResponsibilityWSException"


def test_every_code_has_its_words() -> None:
    """No code of Harim v1 is without two digits; exceptions are for what is about card and moment."""
    assert set(RESPONSE_CODES) == set(Code)
    assert {code for code in Code if RESPONSE_CODES[code] == "00"} == {
        code for code in Code if ANSWERS[code].status == 200
    }
    assert set(EXCEPTIONS) == {
        Code.CARD_NOT_FOUND,
        Code.CARD_BLOCKED,
        Code.CARD_DATA_MISMATCH,
        Code.NO_MOBILE,
        Code.DYNAMIC_PIN_NOT_ACTIVE,
        Code.TOO_MANY_REQUESTS,
        Code.TOO_MANY_LIVE_CODES,
        Code.TEMPORARILY_UNAVAILABLE,
    }


@pytest.mark.parametrize(
    ("columns", "sadads", "yaghuts"),
    [
        ({"status": "blocked"}, "62", "InvalidCardStatusWSException"),
        ({"second_pin_active": False}, "57", "OTPWSException"),
        ({"mobile": None}, "57", "OTPWSException"),
    ],
)
def test_an_open_profile_is_told_why(
    make_bank: Callable[..., Any], columns: dict[str, Any], sadads: str, yaghuts: str
) -> None:
    """As far as the dialect has a word for it."""
    here = make_bank(profile="open", disclosure="open")
    allow_unbound(here.bank, "pooya", CEILING)
    pan = here.card(**columns)

    assert (SadadCaller(here).ask(pan).code, YaghutCaller(here).ask(pan).code) == (sadads, yaghuts)


def test_the_wsdl_names_this_bank(yaghut: YaghutCaller) -> None:
    """Both files are served, with addresses that reach this bank."""
    wsdl = yaghut.client.get("/yaghut/service?wsdl").get_data(as_text=True)

    assert f'location="{TO_YAGHUT}"' in wsdl
    assert f'schemaLocation="{TO_YAGHUT}?xsd"' in wsdl
    assert b"harimOtpRequestBean" in yaghut.client.get("/yaghut/service?xsd").data
