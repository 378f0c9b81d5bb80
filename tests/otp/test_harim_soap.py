"""The SOAP door: the same service as the REST door, behind a hard parser, a narrow signature and the XSD."""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import zeep
import zeep.transports
from sqlalchemy.exc import OperationalError

from foundation import soap
from foundation.certificates import CertificateRefused
from foundation.database import Database
from foundation.hard_xml import Element
from foundation.keys import Keyring
from foundation.settings import InvalidSettings
from foundation.signatures import RequestToSign, Signer
from foundation.soap import SOAP_11, SOAP_12, Version
from foundation.xml_signatures import EnvelopeSigner, now_utc
from otp import wiring
from otp.app import create_app
from otp.harim_api import operations
from otp.services.issue_code import Told
from otp.services.register_psp import register_psp
from otp.store.psps import PspDirectory
from sandbox.certificates import certificate_of, new_identity
from tests.fakes.envelopes import CONTRACT, SPOILED, request_of, set_text
from tests.otp.conftest import BANK_IDENTITY, PSP_IDENTITY, PSP_PRIVATE_KEY, write_key_file
from tests.otp.soap_caller import PATH, TO_BANK, SoapCaller, caller_of

STRANGER = new_identity("stranger")
EMPTY = {"correlation_id": "8c7a52a1-52e5-4f6b-a0f4-9f7e0f1f6f0d"}


@pytest.fixture
def caller(here: Any) -> SoapCaller:
    """Give a PSP that the bank knows by its certificate."""
    return caller_of(here, PSP_IDENTITY, BANK_IDENTITY)


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_d41_a_signed_request_gets_a_signed_answer_in_its_own_version(
    here: Any, caller: SoapCaller, version: Version
) -> None:
    """RequestDynamicPin over SOAP: accepted, signed for exactly this request, one code made."""
    answer = caller.call(caller.message(here.card()), version=version)

    assert (answer.status, answer.part, answer.code, answer.signed) == (200, "accepted", "ACCEPTED", True)
    assert answer.version == version
    assert answer.said["code_length"] == here.bank.settings.code_length
    assert len(here.challenges()) == 1


def test_d21_the_same_message_gets_the_first_answer_and_another_is_refused(here: Any, caller: SoapCaller) -> None:
    """The element counts, not the signature around it: signed anew, or by the other version, it is the same message."""
    message = caller.message(here.card())
    first = caller.call(message)

    again, by_12 = caller.call(message), caller.call(message, version=SOAP_12)
    other = caller.call({**message, "sequence": 2})

    assert again == first
    assert by_12.said == first.said
    assert (other.status, other.part, other.code, other.signed) == (200, "refusal", "REQUEST_ID_REUSED", True)
    assert len(here.challenges()) == 1


def test_d21_a_replayed_envelope_does_nothing_twice(here: Any, caller: SoapCaller) -> None:
    """The very same bytes are answered as before; no second code, no second SMS."""
    raw, value = request_of(PSP_IDENTITY, caller.message(here.card()), to=TO_BANK)

    first, replayed = caller.send(raw, value), caller.send(raw, value)

    assert first == replayed
    assert (len(here.challenges()), here.queued()) == (1, 1)


def test_both_wires_are_one_service(here: Any, caller: SoapCaller) -> None:
    """A transaction begun over REST is known over SOAP, and a request id serves once on both."""
    message = caller.message(here.card())
    raw = json.dumps(message).encode()
    asked = RequestToSign("POST", "http://bank.test/harim/v1/dynamic-pins", {"Content-Type": "application/json"})
    Signer("pooya-1", PSP_PRIVATE_KEY).sign_request(asked, raw)
    first = caller.client.post("/harim/v1/dynamic-pins", data=raw, headers=asked.headers).get_json()

    next_one = caller.call({**message, "request_id": str(uuid.uuid4()), "sequence": 2})

    assert (next_one.code, next_one.said["correlation_id"]) == ("ALREADY_SENT", first["correlation_id"])
    assert caller.call(message).code == "REQUEST_ID_REUSED"


def test_d21_a_spoiled_request_is_refused_by_a_fault_and_nothing_is_done(here: Any, caller: SoapCaller) -> None:
    """Wrapped, altered, doubled, unsigned: an unsigned fault, no row, no code."""
    message = caller.message(here.card())

    for name, spoil in SPOILED.items():
        answer = caller.call(message, after=spoil)
        told = (answer.status, answer.part, answer.code, answer.signed)
        assert told == (500, "Client", "SIGNATURE_REFUSED", False), name
    assert here.sql("SELECT * FROM harim_request") == []


def test_a_soap_12_fault_is_the_senders_with_400(here: Any, caller: SoapCaller) -> None:
    """SOAP 1.2 has its own fault and its own HTTP status."""
    answer = caller.call(caller.message(here.card()), version=SOAP_12, after=set_text("amount", "9"))

    assert (answer.status, answer.part, answer.code) == (400, "Sender", "SIGNATURE_REFUSED")
    assert answer.version == SOAP_12


def test_d21_a_stale_request_is_refused(here: Any, caller: SoapCaller) -> None:
    """Six minutes old."""
    envelope = CONTRACT.request(SOAP_11, "RequestDynamicPin", caller.message(here.card()))
    earlier = EnvelopeSigner(PSP_IDENTITY, now=lambda: now_utc() - dt.timedelta(minutes=6))
    value = earlier.sign_request(envelope, to=TO_BANK)

    assert caller.send(soap.written(envelope), value).code == "SIGNATURE_REFUSED"


def test_d21_a_message_for_another_bank_is_refused(here: Any, caller: SoapCaller) -> None:
    """What one bank was sent cannot be taken to another."""
    raw, value = request_of(PSP_IDENTITY, caller.message(here.card()), to="http://other.test/harim/v1/soap")

    assert caller.send(raw, value).code == "SIGNATURE_REFUSED"


def test_d20_strangers_are_held_off(here: Any) -> None:
    """A stranger's own good signature is worth nothing, and trying long enough is held off."""
    stranger = caller_of(here, STRANGER, BANK_IDENTITY)
    raw, value = request_of(STRANGER, stranger.message(here.card()), to=TO_BANK)

    codes = {stranger.send(raw, value).code for _ in range(130)}

    assert codes == {"SIGNATURE_REFUSED", "TOO_MANY_REQUESTS"}


def test_d21_an_inactive_psp_is_refused(here: Any, caller: SoapCaller) -> None:
    """A PSP that was switched off is a stranger after the directory was read again."""
    here.sql("UPDATE psp SET active = false")

    assert caller.call({}, operation="Ping").code == "SIGNATURE_REFUSED"


def test_d41_a_psp_changes_its_key_while_we_serve(here: Any, caller: SoapCaller) -> None:
    """Both certificates live together; then the old one is gone."""
    coming = new_identity("psp-next")
    next_caller = caller_of(here, coming, BANK_IDENTITY)
    message = caller.message(here.card())
    assert next_caller.call(message).code == "SIGNATURE_REFUSED"

    pin(here, PSP_IDENTITY, coming)
    assert caller.call(message) == next_caller.call(message)

    pin(here, coming)
    assert caller.call(message).code == "SIGNATURE_REFUSED"
    assert next_caller.call(message).code == "ACCEPTED"


def test_d41_the_bank_changes_its_key_while_psps_call(here: Any, caller: SoapCaller) -> None:
    """A worker with the new key and one with the old answer side by side; each is believed where it is pinned."""
    coming = new_identity("bank-next")
    newer = replace(here.bank, envelope_signer=EnvelopeSigner(coming))
    both = SoapCaller(here, PSP_IDENTITY, certificate_of(BANK_IDENTITY) + certificate_of(coming))
    assert both.call({}, operation="Ping").signed

    both.client = caller.client = create_app(bank=newer).test_client()

    assert both.call({}, operation="Ping").signed
    assert not caller.call({}, operation="Ping").signed


def test_a_psp_with_a_broken_certificate_shuts_out_nobody_else(here: Any, caller: SoapCaller) -> None:
    """A row that was spoiled by hand is logged and passed over; enrolment would have refused it."""
    here.sql(
        "INSERT INTO psp (psp_id, name, acquirer_id, public_keys, certificates)"
        " VALUES ('other', 'Other', '111111', '{}', 'no certificate')"
    )

    assert caller.call({}, operation="Ping").part == "pong"
    with pytest.raises(CertificateRefused):
        register_psp(here.bank, replace(here.psp, psp_id="third", certificates="no certificate"))


def pin(here: Any, *identities: bytes) -> None:
    """Let the bank know the PSP by these."""
    here.sql("UPDATE psp SET certificates = :pem", pem="".join(map(certificate_of, identities)))


@pytest.mark.parametrize(
    ("raw", "part", "status"),
    [
        (b"", "Client", 500),
        (b"{}", "Client", 500),
        (b"<a/>", "VersionMismatch", 500),
        (b'<Envelope xmlns="http://example.test/soap"/>', "VersionMismatch", 500),
        (b'<Fault xmlns="http://schemas.xmlsoap.org/soap/envelope/"/>', "VersionMismatch", 500),
        (b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"/>', "Client", 500),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "Client", 500),
        (b"<a>" * 1000, "Client", 500),
        (b" " * 65_537, "Client", 500),
    ],
)
def test_what_is_no_message_is_a_fault(caller: SoapCaller, raw: bytes, part: str, status: int) -> None:
    """Nothing, JSON, other XML, entities, depth, size: a fault with a code, unsigned."""
    answer = caller.send(raw)

    assert (answer.part, answer.status, answer.signed) == (part, status, False)
    assert answer.code in {"MALFORMED", "SIGNATURE_REFUSED"}


def test_a_header_that_must_be_understood_and_is_not_ours_is_said_so(here: Any, caller: SoapCaller) -> None:
    """By the rules of SOAP, before the signature."""

    def add(envelope: Element) -> None:
        block = envelope.makeelement("{urn:other}transaction")
        block.set(f"{{{SOAP_11.namespace}}}mustUnderstand", "1")
        envelope[0].append(block)

    assert caller.call(caller.message(here.card()), after=add).part == "MustUnderstand"


def another_operation(envelope: Element) -> None:
    """Ask for something that the contract does not have."""
    envelope[0][0].tag = "{urn:pooya:harim:v1}GiveMoney"


def two_operations(envelope: Element) -> None:
    """Ask for two things."""
    envelope[0].append(envelope.makeelement("{urn:pooya:harim:v1}Ping"))


def no_operation(envelope: Element) -> None:
    """Ask for nothing."""
    del envelope[0][0]


def another_namespace(envelope: Element) -> None:
    """Ask by another contract."""
    envelope[0][0].tag = "{urn:pooya:harim:v2}RequestDynamicPin"


@pytest.mark.parametrize("before", [another_operation, two_operations, no_operation, another_namespace])
@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_a_body_without_an_operation_of_ours_is_a_signed_fault(
    here: Any, caller: SoapCaller, before: Callable[[Element], None], version: Version
) -> None:
    """The PSP is known, so it may believe the refusal."""
    answer = caller.call(caller.message(here.card()), before=before, version=version)

    assert (answer.part, answer.status) == (version.sender, version.sender_status)
    assert (answer.code, answer.signed) == ("UNSUPPORTED_OPERATION", True)


def test_d13_operations_that_are_off_are_said_so(here: Any, caller: SoapCaller) -> None:
    """VerifyDynamicPin is in the contract and refused, signed, to a PSP that it was not opened to."""
    answer = caller.call({**caller.message(here.card()), "pin": "123456"}, operation="VerifyDynamicPin")

    assert (answer.status, answer.part, answer.code, answer.signed) == (200, "refusal", "UNSUPPORTED_OPERATION", True)


def test_an_operation_that_is_added_to_the_table_is_offered_on_both_wires(
    caller: SoapCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One table: GetDeliveryStatus, put in, answers over REST and SOAP with the same fields."""

    def state(_bank: object, _psp: object, asked: operations.Asked) -> Told:
        return Told(200, {"correlation_id": asked.document["correlation_id"], "state": "accepted"})

    monkeypatch.setattr(operations, "OPERATIONS", {**operations.OPERATIONS, "GetDeliveryStatus": state})
    address = f"/harim/v1/dynamic-pins/{EMPTY['correlation_id']}/delivery"
    asked = RequestToSign("GET", f"http://bank.test{address}", {"Content-Type": "application/json"})
    Signer("pooya-1", PSP_PRIVATE_KEY).sign_request(asked, b"")

    by_rest = caller.client.get(address, headers=asked.headers).get_json()
    by_soap = caller.call(EMPTY, operation="GetDeliveryStatus")

    assert by_soap.part == "delivery"
    assert by_soap.said == by_rest == {**EMPTY, "state": "accepted"}


def test_ping_says_that_the_bank_works_or_that_its_database_is_away(here: Any, caller: SoapCaller) -> None:
    """Both signed."""
    assert caller.call({}, operation="Ping").said == {
        "status": "ok",
        "bank": {"fa": here.bank.settings.bank_name_fa, "en": here.bank.settings.bank_name_en},
    }

    away = Database("postgresql+psycopg://nobody@/none?host=/nowhere", pool_size=1)
    directory = PspDirectory(here.bank.database, seconds=3600)
    directory.now()
    caller.client = create_app(bank=replace(here.bank, database=away, psps=directory)).test_client()
    answer = caller.call({}, operation="Ping")
    assert (answer.part, answer.code, answer.signed) == ("refusal", "TEMPORARILY_UNAVAILABLE", True)


@pytest.mark.parametrize(("version", "fault"), [(SOAP_11, "Server"), (SOAP_12, "Receiver")])
def test_f13_a_bank_that_can_look_nobody_up_says_that_it_is_its_own_fault(
    here: Any, caller: SoapCaller, version: Version, fault: str
) -> None:
    """F13: in the caller's SOAP, unsigned; it says when the same may work."""
    away = Database("postgresql+psycopg://nobody@/none?host=/nowhere", pool_size=1)
    with pytest.raises(OperationalError):
        PspDirectory(away, seconds=0).now()
    caller.client = create_app(bank=replace(here.bank, psps=PspDirectory(away, seconds=0))).test_client()

    answer = caller.call({}, operation="Ping", version=version)

    assert (answer.status, answer.part, answer.code) == (500, fault, "TEMPORARILY_UNAVAILABLE")
    assert (answer.said["retry_after_seconds"], answer.retry_after, answer.signed) == ("5", "5", False)


def test_requests_over_soap_are_counted_like_any_other(here: Any, caller: SoapCaller) -> None:
    """By PSP and answer, with those that the XSD refuses; a ping is timed and no request for a PIN."""
    caller.call(caller.message(here.card()))
    caller.call(caller.message(here.card(), type="GIFT"))
    caller.call({}, operation="Ping")

    read = here.bank.meters.metrics.registry.get_sample_value
    counted = {
        code: read("bank_pin_requests_total", {"psp": "pooya", "answer": code}) for code in ("ACCEPTED", "MALFORMED")
    }
    assert counted == {"ACCEPTED": 1, "MALFORMED": 1}
    assert read("bank_pin_request_seconds_count", {"psp": "pooya"}) == 2


class Seal:
    """What zeep calls to sign and verify, made of ours: a PSP written with zeep alone needs no more."""

    value = ""

    def apply(self, envelope: Element, headers: dict[str, str]) -> tuple[Element, dict[str, str]]:
        """Sign what goes out."""
        self.value = EnvelopeSigner(PSP_IDENTITY).sign_request(envelope, to=TO_BANK)
        return envelope, headers


class InProcess(zeep.transports.Transport):  # type: ignore[misc]  # zeep is untyped here
    """Carries everything to the application in this process."""

    def __init__(self, caller: SoapCaller) -> None:
        super().__init__()
        self.caller = caller

    def load(self, url: str) -> bytes:
        """Fetch a document."""
        return self.caller.client.get(url.removeprefix("http://bank.test")).data

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> Any:
        """Send a message."""
        assert address == TO_BANK
        answer = self.caller.client.post(PATH, data=message, headers=headers)
        answer.content = answer.data  # type: ignore[attr-defined]  # as requests calls it
        return answer


@pytest.mark.parametrize("port", ["Harim11", "Harim12"])
def test_a_client_built_from_the_served_wsdl_works(here: Any, caller: SoapCaller, port: str) -> None:
    """The served WSDL leads to this bank, its XSD is found beside it, and a plain zeep client talks to it."""
    seal = Seal()
    seal.verify = lambda envelope: caller.verifier.verify_answer(envelope, confirms=seal.value)  # type: ignore[attr-defined]  # put in its place for this test
    client = zeep.Client(f"{TO_BANK}?WSDL", transport=InProcess(caller), wsse=seal, port_name=port)

    answer = client.service.RequestDynamicPin(**caller.message(here.card()))

    assert answer.accepted.code == "ACCEPTED"
    assert client.service.Ping().pong.status == "ok"


def test_a_bank_without_a_certificate_has_no_such_door(here: Any) -> None:
    """REST only: the address is unknown, and readiness does not care."""
    client = create_app(bank=replace(here.bank, envelope_signer=None)).test_client()

    assert client.get(f"{PATH}?wsdl").status_code == 404
    assert client.post(PATH, data=b"<a/>").status_code == 404
    assert client.get("/readyz").get_json()["ready"]


def test_a_key_file_decides_whether_soap_is_spoken(here: Any, tmp_path: Any) -> None:
    """No key of that purpose, no signer; a key that is none stops the start with its purpose named."""
    path = write_key_file(tmp_path / "keys.json")
    rows = json.loads(path.read_text())["keys"]
    path.write_text(json.dumps({"keys": [row for row in rows if row["purpose"] != "harim-soap-signing"]}))
    settings = here.bank.settings.model_copy(update={"key_file": path})
    assert wiring.build(settings, database=here.bank.database).envelope_signer is None
    assert Keyring.from_file(path).ids("harim-soap-signing") == ()

    path.write_text(json.dumps({"keys": [*rows[:-1], {**rows[-1], "material": "bm8="}]}))
    with pytest.raises(InvalidSettings, match="harim-soap-signing"):
        wiring.build(settings, database=here.bank.database)


def test_no_card_data_reach_the_log(
    here: Any, caller: SoapCaller, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """PAN and CVV2 are in no log line, not even when the message is broken."""
    pan = here.card()
    caplog.set_level(logging.DEBUG)
    message = caller.message(pan)

    caller.call(message)
    caller.call(message, before=set_text("amount", "x"))
    caller.call(message, after=set_text("amount", "x"))
    caller.call(message, before=set_text("pan", pan.reveal() + "0"))

    logged = caplog.text + "".join(capfd.readouterr())
    assert logged
    assert pan.reveal() not in logged
    assert f">{message['card']['cvv2']}<" not in logged


def test_what_breaks_here_is_logged_by_its_place_alone(
    here: Any,
    caller: SoapCaller,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The text of an error may quote what it was given; the log says of what kind it is and where it began."""

    def breaking(*_: object) -> Told:
        raise RuntimeError("cannot take 4830917")

    monkeypatch.setattr(operations, "OPERATIONS", {**operations.OPERATIONS, "RequestDynamicPin": breaking})

    assert caller.call(caller.message(here.card())).said["code"] == "TEMPORARILY_UNAVAILABLE"
    logged = caplog.text + "".join(capfd.readouterr())
    assert "harim_request_failed" in logged
    assert "test_harim_soap.py" in logged
    assert "4830917" not in logged
