"""The weak dialects against a real server: golden bytes, signed both ways, and every misbehaviour is a value."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from foundation import soap
from foundation.certificates import pinned_certificates
from foundation.database import Database, NetworkInTransaction
from foundation.pan import Pan
from foundation.rial import Rial
from foundation.signatures import RequestToSign, Signer, Verifier, public_key_of
from foundation.soap import SOAP_11
from foundation.xml_signatures import EnvelopeSigner, EnvelopeVerifier
from gateway.domain.breaker import SILENCES_MAX
from gateway.domain.issuers import Issuer
from gateway.harim import sadad, yaghut
from gateway.harim.client import HarimClient
from gateway.ports import Delivery, Kind, PinAnswer, PinRefusal, PinRefused, PinRequest, PinSent, PinUnanswered
from sandbox.certificates import certificate_of, new_identity
from tests.fakes.harim import REQUEST
from tests.fakes.http import Reply, Request, Site, serving
from tests.fakes.shop import ISSUER, PAN
from tests.gateway.outside.test_harim import BANKS, OURS, STRANGERS

PSP, BANK, STRANGER = (new_identity(name) for name in ("psp", "bank", "stranger"))
EXAMPLES = Path(__file__).parents[3] / "contracts" / "harim" / "dialects" / "examples"
GOLDEN = dataclasses.replace(REQUEST, pan=Pan.parse("9990020000001231"))
XML, JSON = {"Content-Type": SOAP_11.content_type}, {"Content-Type": "application/json"}

Answer = Callable[[Request], Reply]


def example(name: str) -> bytes:
    """Read an example of the contract."""
    return (EXAMPLES / name).read_bytes()


def sadad_bank(content: bytes, *, status: int = 200, key: bytes = BANKS, another: bool = False) -> Answer:
    """An adaptor that verifies a request and signs its answer, or the answer to another one."""

    def answer(request: Request) -> Reply:
        url = f"http://{request.headers['Host']}{request.path}"
        message = RequestToSign(request.method, url, request.headers)
        Verifier({"pooya-1": public_key_of(OURS)}).verify_request(message, request.body)
        if another:
            message = RequestToSign(request.method, url, dict(JSON))
            Signer("pooya-1", OURS).sign_request(message, b"{}")
        return Reply(
            status, Signer("bank-two", key).sign_answer(message, status=status, headers=JSON, body=content), content
        )

    return answer


def yaghut_bank(content: bytes, *, by: bytes = BANK, confirms: str | None = None) -> Answer:
    """A service that verifies a request and signs its answer, or the answer to another one."""

    def answer(request: Request) -> Reply:
        _, asked = soap.open_envelope(request.body, max_bytes=65_536)
        to = f"http://{request.headers['Host']}{request.path}"
        value = EnvelopeVerifier(pinned_certificates(certificate_of(PSP))).verify_request(asked, to=to).value
        _, envelope = soap.open_envelope(content, max_bytes=65_536)
        EnvelopeSigner(by).sign_answer(envelope, confirms=confirms or value)
        return Reply(500 if soap.is_fault(envelope) else 200, XML, soap.written(envelope))

    return answer


@dataclass(frozen=True)
class Wire:
    """One dialect: the issuer's row for it, and the bank that answers by it, well and wrongly."""

    name: str
    path: str
    good: Answer
    refused: Answer
    forged: Answer
    misplaced: Answer

    def issuer(self, site: Site, timeout_ms: int = 1_000) -> Issuer:
        """The issuer's row for a server of this test."""
        row = dataclasses.replace(ISSUER, harim_dialect=self.name, harim_url=site.url, harim_timeout_ms=timeout_ms)
        if self.name == "sadad-adaptor":
            return dataclasses.replace(row, harim_public_key=public_key_of(BANKS))
        return dataclasses.replace(row, harim_key_id="", harim_public_key=b"", harim_certificates=certificate_of(BANK))


SADAD = Wire(
    "sadad-adaptor",
    sadad.PATH,
    sadad_bank(example("sadad-answer.json")),
    sadad_bank(example("sadad-refusal.json")),
    sadad_bank(example("sadad-answer.json"), key=STRANGERS),
    sadad_bank(example("sadad-answer.json"), another=True),
)
YAGHUT = Wire(
    "tosan-yaghut",
    yaghut.PATH,
    yaghut_bank(example("yaghut-answer.xml")),
    yaghut_bank(example("yaghut-fault.xml")),
    yaghut_bank(example("yaghut-answer.xml"), by=STRANGER),
    yaghut_bank(example("yaghut-answer.xml"), confirms="AAAA"),
)


@pytest.fixture(params=[SADAD, YAGHUT], ids=lambda wire: wire.name)
def wire(request: pytest.FixtureRequest) -> Wire:
    """Give each dialect in turn."""
    chosen: Wire = request.param
    return chosen


@pytest.fixture
def client() -> HarimClient:
    """Our side."""
    return HarimClient(Signer("pooya-1", OURS), EnvelopeSigner(PSP))


def asked(client: HarimClient, wire: Wire, answer: Answer, request: PinRequest = GOLDEN) -> tuple[PinAnswer, Site]:
    """Ask a bank that answers so."""
    with serving(answer) as site:
        return client.request_pin(wire.issuer(site), request), site


def test_a_golden_answer_means_that_a_code_is_on_its_way(client: HarimClient, wire: Wire) -> None:
    """No times, no digits, nothing to follow: the dialects tell none, and the issuer's row stands in."""
    answer, site = asked(client, wire, wire.good)

    assert answer == PinSent()
    assert [request.path for request in site.requests] == [wire.path]


def test_a_golden_refusal_means_too_many_requests(client: HarimClient, wire: Wire) -> None:
    """The bank's own words, read back."""
    assert asked(client, wire, wire.refused)[0] == PinRefused(PinRefusal.TOO_MANY_REQUESTS)


def test_sadads_request_is_the_golden_one(client: HarimClient) -> None:
    """Total, card, type; the card's proof has no place in it."""
    _, site = asked(client, SADAD, SADAD.good)

    assert json.loads(site.requests[0].body) == json.loads(example("sadad-request.json"))


@pytest.mark.parametrize(
    ("request_", "name"),
    [(GOLDEN, "yaghut-request.xml"), (dataclasses.replace(GOLDEN, cvv2=None), "yaghut-request-unproven.xml")],
    ids=["proven", "unproven"],
)
def test_yaghuts_request_is_the_golden_one_byte_for_byte(client: HarimClient, request_: PinRequest, name: str) -> None:
    """Without the header that carries our signature; D19: CVV2 and expiry go together or not at all."""
    _, site = asked(client, YAGHUT, YAGHUT.good, request_)

    _, envelope = soap.open_envelope(site.requests[0].body, max_bytes=65_536)
    _, golden = soap.open_envelope(example(name), max_bytes=65_536)
    assert soap.canonical(envelope[1][0]) == soap.canonical(golden[0][0])
    assert soap.written(yaghut.contract().request(SOAP_11, yaghut.OPERATION, {"arg0": yaghut.fields_of(request_)})) == (
        example(name)
    )


def test_a_balance_has_a_word_in_each_dialect_and_a_top_up_in_none(client: HarimClient, wire: Wire) -> None:
    """Type 6 is the one that is known of the adaptor; what cannot be named is not asked."""
    order = dataclasses.replace(GOLDEN.order, kind=Kind.BALANCE_INQUIRY, amount=Rial(0))
    answer, site = asked(client, wire, wire.good, dataclasses.replace(GOLDEN, order=order))
    topped = dataclasses.replace(GOLDEN, order=dataclasses.replace(order, kind=Kind.TOP_UP, amount=Rial(10_000)))

    assert answer == PinSent()
    word = b'"requestType": 6' if wire is SADAD else b"<processType>BALANCE_INQUIRY</processType>"
    assert word in site.requests[0].body
    refused, site = asked(client, wire, wire.good, topped)
    assert refused == PinRefused(PinRefusal.NOT_ACCEPTED)
    assert site.requests == []


def test_the_fee_is_part_of_what_leaves_the_card(client: HarimClient, wire: Wire) -> None:
    """The dialects know one amount: principal and fee together (DE 4)."""
    order = dataclasses.replace(GOLDEN.order, fee=Rial(1_200))
    _, site = asked(client, wire, wire.good, dataclasses.replace(GOLDEN, order=order))

    assert b"251200" in site.requests[0].body


@pytest.mark.parametrize(("code", "reason"), sorted(sadad.REFUSALS.items()))
def test_every_response_code_has_its_reason(client: HarimClient, code: str, reason: PinRefusal) -> None:
    """The table is walked row by row."""
    answer = sadad_bank(json.dumps({"responseCode": code}).encode())

    assert asked(client, SADAD, answer)[0] == PinRefused(reason)


@pytest.mark.parametrize("code", sorted(sadad.OUR_FAULT))
def test_what_is_our_fault_is_not_the_cardholders(client: HarimClient, code: str) -> None:
    """The customer hears one sentence, the log hears the code."""
    answer = sadad_bank(json.dumps({"responseCode": code}).encode())

    assert asked(client, SADAD, answer)[0] == PinRefused(PinRefusal.NOT_ACCEPTED)


def test_no_response_code_is_in_two_tables() -> None:
    """A code means one thing."""
    assert not sadad.OUR_FAULT & set(sadad.REFUSALS)
    assert sadad.SENT not in sadad.OUR_FAULT | set(sadad.REFUSALS)


@pytest.mark.parametrize(("exception", "reason"), sorted(yaghut.EXCEPTIONS.items()))
def test_every_exception_has_its_reason(client: HarimClient, exception: str, reason: PinRefusal) -> None:
    """The table is walked row by row."""
    fault = example("yaghut-fault.xml").replace(b"ServiceCallWSException", exception.encode())

    assert asked(client, YAGHUT, yaghut_bank(fault))[0] == PinRefused(reason)


def test_a_fault_of_the_message_is_our_fault(client: HarimClient) -> None:
    """Signed, the code is Client, and there is no exception."""
    answer = yaghut_bank(example("yaghut-fault-of-the-message.xml"))

    assert asked(client, YAGHUT, answer)[0] == PinRefused(PinRefusal.NOT_ACCEPTED)


def of(name: str, old: bytes, new: bytes) -> bytes:
    """Change an example."""
    assert old in example(name)
    return example(name).replace(old, new)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (sadad_bank(b"<html>"), "body"),
        (sadad_bank(b""), "body"),
        (sadad_bank(b"[" * 5_000), "body"),
        (sadad_bank(b"null"), "body"),
        (sadad_bank(b"{}"), "body"),
        (sadad_bank(b'{"responseCode": 0}'), "body"),
        (sadad_bank(b'{"responseCode": "000"}'), "body"),
        (sadad_bank('{"responseCode": "۰۰"}'.encode()), "body"),
        (sadad_bank(b'{"responseCode": "99"}'), "code"),
        (sadad_bank(example("sadad-answer.json"), status=500), "status"),
        (sadad_bank(example("sadad-answer.json"), status=302), "status"),
    ],
)
def test_sadads_wrong_answers_are_none(client: HarimClient, answer: Answer, why: str) -> None:
    """Well signed, and still nothing to believe."""
    found, site = asked(client, SADAD, answer)

    assert found == PinUnanswered(f"incoherent: {why}")
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (of("yaghut-answer.xml", b"<referenceNumber>82499341", b"<referenceNumber>many"), "body"),
        (of("yaghut-answer.xml", b"<referenceNumber>82499341</referenceNumber>", b""), "body"),
        (of("yaghut-answer.xml", b"correlationId", b"correlation"), "body"),
        (of("yaghut-answer.xml", b"8c7a52a1-52e5-4f6b-a0f4-9f7e0f1f6f0d", b""), "body"),
        (of("yaghut-answer.xml", b"return>", b"nothing>"), "body"),
        (of("yaghut-answer.xml", b"requestHarimOtpResponse", b"transferResponse"), "body"),
        (of("yaghut-answer.xml", b"service.yaghut", b"service.another"), "body"),
        (example("yaghut-request.xml"), "body"),
        (of("yaghut-fault.xml", b"ServiceCallWSException", b"AnotherWSException"), "code"),
        (of("yaghut-fault.xml", b"service.yaghut", b"service.another"), "code"),
        (of("yaghut-fault.xml", b"soap:Server", b"soap:Client").replace(b"ServiceCall", b"Another"), "code"),
        (of("yaghut-fault-of-the-message.xml", b"soap:Client", b"soap:Server"), "code"),
    ],
)
def test_yaghuts_wrong_answers_are_none(client: HarimClient, content: bytes, why: str) -> None:
    """Well signed, and still nothing to believe."""
    found, site = asked(client, YAGHUT, yaghut_bank(content))

    assert found == PinUnanswered(f"incoherent: {why}")
    assert len(site.requests) == 1


HTML = b"<!DOCTYPE html><html><body>Sorry</body></html>"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(302, {"Location": "http://localhost:1/"}),
        Reply(200, {"Content-Type": "text/html"}, HTML),
        Reply(200, XML, b""),
        Reply(200, JSON, b""),
        Reply(200, XML, b"\x00\xff garbage"),
        Reply(200, XML, example("yaghut-answer.xml")),
        Reply(500, XML, example("yaghut-fault.xml")),
        Reply(200, JSON, example("sadad-answer.json")),
        Reply(200, XML, b" " * 70_000),
    ],
    ids=lambda reply: f"{reply.status}-{len(reply.body)}",
)
def test_d21_what_nobody_signed_is_no_answer(client: HarimClient, wire: Wire, reply: Reply) -> None:
    """D21: unsigned, HTML, nothing, too large: incoherent, and nothing is followed or asked twice."""
    found, site = asked(client, wire, lambda _: reply)

    assert isinstance(found, PinUnanswered)
    assert found.why.startswith("incoherent")
    assert len(site.requests) == 1


def test_d21_another_banks_and_another_requests_answers_are_none(client: HarimClient, wire: Wire) -> None:
    """Signed by a stranger, or for another request of ours."""
    for answer in (wire.forged, wire.misplaced):
        assert asked(client, wire, answer)[0] == PinUnanswered("incoherent: signature")


def test_d21_an_answer_played_again_is_none(client: HarimClient, wire: Wire) -> None:
    """The first answer to the same question signed anew."""
    kept: list[Reply] = []

    def once(request: Request) -> Reply:
        kept.append(kept[0] if kept else wire.good(request))
        return kept[-1]

    with serving(once) as site:
        assert client.request_pin(wire.issuer(site), GOLDEN) == PinSent()
        assert client.request_pin(wire.issuer(site), GOLDEN) == PinUnanswered("incoherent: signature")


def test_f18_a_bank_that_hangs_is_silent_in_time_and_then_left_alone(client: HarimClient, wire: Wire) -> None:
    """One deadline; five silences open the breaker, and then nothing is sent."""
    enough = threading.Event()

    def hang(_: Request) -> Reply:
        enough.wait(5)
        return Reply()

    with serving(hang) as site:
        issuer = wire.issuer(site, timeout_ms=150)
        told = [client.request_pin(issuer, GOLDEN) for _ in range(SILENCES_MAX + 1)]
        enough.set()

    assert told[:-1] == [PinUnanswered("silent")] * SILENCES_MAX
    assert told[-1] == PinRefused(PinRefusal.TEMPORARILY_UNAVAILABLE)
    assert len(site.requests) == SILENCES_MAX


def test_f23_a_bank_that_drips_is_silent_in_time(client: HarimClient, wire: Wire) -> None:
    """Cut answers too: half a body is none."""
    found, _ = asked(client, wire, lambda _: Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n<soap"))

    assert isinstance(found, PinUnanswered)


def test_d21_a_broken_connection_is_tried_once_more_signed_anew(client: HarimClient, wire: Wire) -> None:
    """The dialects have no request id; the bank knows the question again by what it binds (D9b)."""
    replies = iter([lambda _: Reply(raw=b""), wire.good])
    found, site = asked(client, wire, lambda request: next(replies)(request))  # noqa: PLW0108 - a new one each time

    assert found == PinSent()
    assert site.requests[0].body != site.requests[1].body or site.requests[0].headers != site.requests[1].headers


def test_ping_is_any_answer_that_the_bank_signed(client: HarimClient) -> None:
    """A message without a card is refused; a stranger's refusal is no answer."""
    malformed = json.dumps({"responseCode": "30"}).encode()
    fault = example("yaghut-fault-of-the-message.xml")
    answers = (
        (SADAD, sadad_bank(malformed), sadad_bank(malformed, key=STRANGERS)),
        (YAGHUT, yaghut_bank(fault), yaghut_bank(fault, by=STRANGER)),
    )

    for wire, ours, strangers in answers:
        for answer, alive in ((ours, True), (strangers, False)):
            with serving(answer) as site:
                assert client.ping(wire.issuer(site)) is alive


def test_no_delivery_is_ever_told(client: HarimClient, wire: Wire) -> None:
    """There is no such operation, so nothing is sent."""
    with serving(wire.good) as site:
        assert client.delivery(wire.issuer(site), "8c7a52a1-52e5-4f6b-a0f4-9f7e0f1f6f0d") is Delivery.UNDISCLOSED
    assert site.requests == []


def test_no_call_leaves_inside_a_transaction(client: HarimClient, wire: Wire, gateway_database: Database) -> None:
    """The network is never inside a transaction."""
    with serving(wire.good) as site, gateway_database.begin(), pytest.raises(NetworkInTransaction):
        client.request_pin(wire.issuer(site), GOLDEN)


def test_cards_are_not_logged(client: HarimClient, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """Not even at DEBUG, from our code or a library's."""
    caplog.set_level(logging.DEBUG)
    asked(client, wire, wire.good)
    asked(client, wire, wire.refused)

    assert GOLDEN.pan.reveal() not in caplog.text
    assert PAN not in caplog.text


def test_yaghut_needs_our_certificate() -> None:
    """It signs by certificate; without one the enrolment refuses the row."""
    client = HarimClient(Signer("pooya-1", OURS))

    assert not client.speaks("tosan-yaghut")
    assert client.speaks("sadad-adaptor")
