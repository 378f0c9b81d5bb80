"""VerifyDynamicPin at both doors: the same answers, by the contract, to a PSP that it was opened to (D13)."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import replace
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from foundation.database import Database
from foundation.signatures import RequestToSign, Signer
from otp.app import create_app
from otp.services.register_psp import open_verify
from tests.fakes.envelopes import FOLDER
from tests.otp.conftest import BANK_IDENTITY, PSP_IDENTITY, PSP_PRIVATE_KEY
from tests.otp.prover import Prover
from tests.otp.soap_caller import SoapCaller, caller_of

PATH = "/harim/v1/dynamic-pins/verify"
JSON = "application/json"


@pytest.fixture
def caller(here: Any) -> SoapCaller:
    """Give a PSP on both wires, with the operation open to it."""
    open_verify(here.bank, "pooya", enabled=True)
    return caller_of(here, PSP_IDENTITY, BANK_IDENTITY)


def conforms(schema: str, instance: object) -> bool:
    """Tell whether a message is what the contract says."""
    root = json.loads((FOLDER / "openapi.json").read_text())
    return bool(OAS31Validator({**root, "$ref": f"#/components/schemas/{schema}"}).is_valid(instance))


def message(caller: SoapCaller, pan: Any, binding: Any, pin: str, **changes: Any) -> dict[str, Any]:
    """Write the request that checks this code."""
    bound = {
        "transaction_ref": binding.transaction_ref,
        "type": str(binding.type),
        "amount": binding.amount.amount,
        "fee": binding.fee.amount,
        "acquirer_id": binding.acquirer_id,
        "merchant_id": binding.merchant_id,
        "terminal_id": binding.terminal_id,
        "payee_name": binding.payee_name,
        "payee_key": binding.payee_key,
    }
    return {**caller.message(pan), **bound, "sequence": 50, "pin": pin, **changes}


def by_rest(caller: SoapCaller, document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Ask over REST; the answer must be signed."""
    body = json.dumps(document).encode()
    asked = RequestToSign("POST", f"http://bank.test{PATH}", {"Content-Type": JSON})
    Signer("pooya-1", PSP_PRIVATE_KEY).sign_request(asked, body)
    answer = caller.client.post(PATH, data=body, headers=asked.headers)
    assert "Signature" in answer.headers
    return answer.status_code, answer.get_json()


@pytest.mark.parametrize("wire", ["rest", "soap"])
def test_d13_a_code_is_checked_over_either_wire_and_spent_at_the_host(
    here: Any, caller: SoapCaller, wire: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the contract, signed; neither code nor proof is in a log."""
    caplog.set_level(logging.DEBUG)
    prover, pan, binding = Prover(here), here.card(), here.binding()
    code = prover.code(pan, binding)
    document = message(caller, pan, binding, code)

    if wire == "rest":
        status, body = by_rest(caller, document)
        assert by_rest(caller, document) == (status, body)
    else:
        answer = caller.call(document, operation="VerifyDynamicPin")
        assert (answer.part, answer.signed) == ("verified", True)
        status, body = answer.status, answer.said
        assert caller.call(document, operation="VerifyDynamicPin").said == body

    logged = caplog.text + "".join(capsys.readouterr())
    assert conforms("VerifyRequest", document)
    assert (status, body["code"], conforms("Verified", body)) == (200, "VERIFIED", True)
    assert body["expires_in_seconds"] == 60
    assert body["proof"] not in logged
    assert code not in logged
    assert prover.spend(pan, binding, body["proof"]) == "000"


def test_d13_a_refusal_is_the_same_on_both_wires(here: Any, caller: SoapCaller) -> None:
    """The code REST gives with its status is the refusal that SOAP gives."""
    pan, binding = here.card(), here.binding()
    told = by_rest(caller, message(caller, pan, binding, "0000000"))
    answer = caller.call(message(caller, pan, binding, "0000000", sequence=51), operation="VerifyDynamicPin")

    assert (told[0], told[1]["code"], conforms("Refusal", told[1])) == (403, "CARD_OR_CODE_WRONG", True)
    assert (answer.part, answer.code, answer.signed) == ("refusal", "CARD_OR_CODE_WRONG", True)


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"pin": "1234"}, 400, "MALFORMED", "pin"),
        ({"pin": 12345}, 400, "MALFORMED", "pin"),
        ({"card": {"pan": "9990020000000006"}}, 400, "MALFORMED", "card.cvv2"),
        ({"card": {"pan": "9990020000000007", "cvv2": "123", "expiry": "0812"}}, 400, "MALFORMED", "card.pan"),
        ({"acquirer_id": "999999"}, 422, "INCOMPLETE_BINDING", "acquirer_id"),
        ({"merchant_id": ""}, 422, "INCOMPLETE_BINDING", "merchant_id"),
        ({"surprise": 1}, 400, "MALFORMED", "surprise"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused_by_field(
    here: Any, caller: SoapCaller, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    """CVV2 and expiry are required; an acquirer names itself only."""
    told = by_rest(caller, {**message(caller, here.card(), here.binding(), "1234567"), **change})

    assert (told[0], told[1]["code"], told[1].get("field")) == (status, code, field)
    assert here.sql("SELECT 1 FROM harim_request") == []


def test_d13_closed_again_it_is_off_at_once(here: Any, caller: SoapCaller) -> None:
    """What was earned before is a purchase's business."""
    prover, pan, binding = Prover(here), here.card(), here.binding()
    proof = by_rest(caller, message(caller, pan, binding, prover.code(pan, binding)))[1]["proof"]
    open_verify(here.bank, "pooya", enabled=False)

    told = by_rest(caller, message(caller, pan, binding, "1234567", request_id=str(uuid.uuid4()), sequence=51))

    assert (told[0], told[1]["code"]) == (501, "UNSUPPORTED_OPERATION")
    assert prover.spend(pan, binding, proof) == "000"


@pytest.mark.parametrize("wire", ["rest", "soap"])
def test_checks_are_counted_by_answer_and_are_no_requests_for_a_pin(here: Any, caller: SoapCaller, wire: str) -> None:
    """On either wire, the ones that cannot be read too."""
    wrong = message(caller, here.card(), here.binding(), "0000000")
    for document in (wrong, {**wrong, "pin": "1234"}):
        if wire == "rest":
            by_rest(caller, document)
        else:
            caller.call(document, operation="VerifyDynamicPin")

    read = here.bank.meters.metrics.registry.get_sample_value
    for code in ("CARD_OR_CODE_WRONG", "MALFORMED"):
        assert read("bank_code_checks_total", {"psp": "pooya", "answer": code}) == 1
        assert read("bank_pin_requests_total", {"psp": "pooya", "answer": code}) is None


@pytest.mark.parametrize("wire", ["rest", "soap"])
@pytest.mark.parametrize("operation", ["VerifyDynamicPin", "GetDeliveryStatus"])
def test_f13_a_bank_without_its_database_says_so_to_each_operation(
    here: Any, caller: SoapCaller, wire: str, operation: str
) -> None:
    """F13: signed, with a time to ask again, and no proof is given."""
    document: dict[str, Any] = message(caller, here.card(), here.binding(), "1234567")
    here.bank.psps.now()
    away = Database("postgresql+psycopg://nobody@/none?host=/nowhere", pool_size=1)
    caller.client = create_app(bank=replace(here.bank, database=away)).test_client()
    if operation == "GetDeliveryStatus":
        document = {"correlation_id": str(uuid.uuid4())}

    if wire == "soap":
        answer = caller.call(document, operation=operation)
        said = (answer.part, answer.code, answer.said["retry_after_seconds"], answer.signed)
        assert said == ("refusal", "TEMPORARILY_UNAVAILABLE", 5, True)
    elif operation == "VerifyDynamicPin":
        status, told = by_rest(caller, document)
        assert (status, told["code"], told["retry_after_seconds"]) == (503, "TEMPORARILY_UNAVAILABLE", 5)
    else:
        url = f"http://bank.test/harim/v1/dynamic-pins/{document['correlation_id']}/delivery"
        asked = RequestToSign("GET", url, {"Content-Type": JSON})
        Signer("pooya-1", PSP_PRIVATE_KEY).sign_request(asked, b"")
        got = caller.client.get(url.removeprefix("http://bank.test"), headers=asked.headers)
        assert (got.status_code, got.get_json()["code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert "Signature" in got.headers
