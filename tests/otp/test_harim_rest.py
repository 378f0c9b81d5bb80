"""The REST door: signatures both ways, strict reading, every refusal by the contract (D18, D19, D21, D41)."""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator

from foundation.database import Database
from foundation.signatures import RequestToSign, SignatureRefused, Signer, Verifier, public_key_of
from otp.app import create_app
from otp.domain import purposes
from otp.store.psps import PspDirectory

CONTRACT = Path(__file__).parents[2] / "contracts" / "harim" / "v1"
PATH = "/harim/v1/dynamic-pins"
JSON = "application/json"
PSP_KEY = "pooya-1"


class Caller:
    """A PSP that signs, calls the bank's application in this process, and verifies the answer."""

    def __init__(self, here: Any, private_key: bytes, key_id: str = PSP_KEY) -> None:
        self.here = here
        self.client: FlaskClient = create_app(bank=here.bank).test_client()
        self.signer = Signer(key_id, private_key)
        keys = here.bank.keys
        signing_id = keys.active_id(purposes.HARIM_SIGNING)
        self.verifier = Verifier({signing_id: public_key_of(keys.material(signing_id).reveal())})

    def message(self, pan: Any, **changes: Any) -> dict[str, Any]:
        """Make a proven request as the contract's example has it."""
        example = json.loads((CONTRACT / "examples" / "request-proven.json").read_text())
        card = {"pan": pan.reveal(), "cvv2": self.here.cvv2(pan).reveal(), "expiry": "0812"}
        own = {"request_id": str(uuid.uuid4()), "transaction_ref": self.here.ref(), "card": card}
        return {**example, **own, **changes}

    def call(
        self,
        method: str,
        path: str,
        document: object = None,
        *,
        spoil: Callable[[RequestToSign], None] | None = None,
        raw: bytes | None = None,
    ) -> tuple[int, Any, bool]:
        """Send one signed request; return status, body, and whether the answer is signed by the bank."""
        body = raw if raw is not None else b"" if document is None else json.dumps(document).encode()
        message = RequestToSign(method, f"http://bank.test{path}", {"Content-Type": JSON})
        self.signer.sign_request(message, body)
        if spoil is not None:
            spoil(message)
        answer = self.client.open(path, method=method, data=body, headers=message.headers)
        try:
            self.verifier.verify_answer(
                message, status=answer.status_code, headers=dict(answer.headers), body=answer.data
            )
            signed = True
        except SignatureRefused:
            signed = False
        return answer.status_code, answer.get_json(silent=True), signed


@pytest.fixture
def private_key() -> bytes:
    """Give the PSP's private key."""
    return hashlib.sha256(b"test key of the PSP").digest()


@pytest.fixture
def caller(here: Any, private_key: bytes) -> Caller:
    """Give a PSP that the bank knows."""
    return Caller(here, private_key)


def conforms(schema: str, instance: object) -> bool:
    """Tell whether a message is what the contract says."""
    root = json.loads((CONTRACT / "openapi.json").read_text())
    return bool(OAS31Validator({**root, "$ref": f"#/components/schemas/{schema}"}).is_valid(instance))


def test_d41_a_signed_request_gets_a_signed_answer_by_the_contract(here: Any, caller: Caller) -> None:
    """RequestDynamicPin over the wire: accepted, signed, as the document says."""
    status, body, signed = caller.call("POST", PATH, caller.message(here.card()))

    assert (status, body["code"], signed) == (200, "ACCEPTED", True)
    assert conforms("Accepted", body)


def test_d21_a_repeated_body_gets_the_first_answer_and_a_changed_one_409(here: Any, caller: Caller) -> None:
    """The hash is over the bytes as they came."""
    message = caller.message(here.card())
    first = caller.call("POST", PATH, message)

    again, other = caller.call("POST", PATH, message), caller.call("POST", PATH, {**message, "sequence": 2})

    assert again == first
    assert (other[0], other[1]["code"], other[2]) == (409, "REQUEST_ID_REUSED", True)


def test_d16_the_kept_hash_of_a_body_gives_no_card_number_away(here: Any, caller: Caller) -> None:
    """A bare hash could be tried against every number of a BIN; the kept one needs the bank's key."""
    raw = json.dumps(caller.message(here.card())).encode()
    caller.call("POST", PATH, raw=raw)

    (row,) = here.sql("SELECT body_hash FROM harim_request")

    assert row["body_hash"] == here.bank.body_mark(raw)
    assert row["body_hash"] != hashlib.sha256(raw).digest()


def alter_target(message: RequestToSign) -> None:
    """Leave the signature out."""
    del message.headers["Signature"]


def alter_digest(message: RequestToSign) -> None:
    """Name another body."""
    message.headers["Content-Digest"] = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"


def alter_type(message: RequestToSign) -> None:
    """Name another content type."""
    message.headers["Content-Type"] = "text/plain"


@pytest.mark.parametrize("spoil", [alter_target, alter_digest, alter_type])
def test_d21_an_altered_request_is_refused_and_nothing_is_done(
    here: Any, caller: Caller, spoil: Callable[[RequestToSign], None]
) -> None:
    """Without a good signature the answer is 401, unsigned, and no row is written."""
    status, body, signed = caller.call("POST", PATH, caller.message(here.card()), spoil=spoil)

    assert (status, body["code"], signed) == (401, "SIGNATURE_REFUSED", False)
    assert here.sql("SELECT * FROM harim_request") == []


def test_d21_a_key_the_bank_does_not_know_is_refused(here: Any) -> None:
    """A stranger's own good signature is worth nothing, and trying long enough is held off (D20)."""
    stranger = Caller(here, bytes(range(32)), "stranger-1")
    message = stranger.message(here.card())

    statuses = {stranger.call("POST", PATH, message)[0] for _ in range(130)}

    assert statuses == {401, 429}


def test_d21_an_inactive_psp_is_refused(here: Any, caller: Caller) -> None:
    """A PSP that was switched off is a stranger after the directory was read again."""
    here.sql("UPDATE psp SET active = false")

    assert caller.call("GET", "/harim/v1/ping")[0] == 401


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"amount": "1"}, 400, "MALFORMED", "amount"),
        ({"surprise": 1}, 400, "MALFORMED", "surprise"),
        ({"card": {"pan": "9990020000000002"}}, 400, "MALFORMED", "card.pan"),
        ({"card": {"pan": "1"}}, 400, "MALFORMED", "card.pan"),
        ({"payee_name": "pay 0912"}, 422, "INCOMPLETE_BINDING", "payee_name"),
        ({"transaction_ref": "abc"}, 422, "INCOMPLETE_BINDING", "transaction_ref"),
        ({"acquirer_id": "111111"}, 422, "INCOMPLETE_BINDING", "acquirer_id"),
        ({"fee": 999_999}, 422, "FEE_NOT_ALLOWED", None),
        ({"type": "TOP_UP"}, 422, "INCOMPLETE_BINDING", "payee_key"),
    ],
    ids=str,
)
def test_d6_a_refusal_is_signed_and_names_the_field(
    here: Any, caller: Caller, change: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    """Whatever is wrong with a known PSP's message is told by code and field, and the answer can be matched."""
    message = caller.message(here.card(), **change)

    answered = caller.call("POST", PATH, message)

    assert (answered[0], answered[1]["code"], answered[2]) == (status, code, True)
    assert answered[1].get("field") == field
    assert answered[1]["request_id"] == message["request_id"]
    assert conforms("Refusal", answered[1])


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b'{"request_id": 5}', b'{"request_id": "x"}', b"\xff\xfe"])
def test_malformed_bodies_never_break_the_door(caller: Caller, raw: bytes) -> None:
    """Anything that is no message is MALFORMED, signed, without a request id."""
    status, body, signed = caller.call("POST", PATH, raw=raw)

    assert (status, body["code"], body["request_id"], signed) == (400, "MALFORMED", None, True)


def test_a_body_above_64_kb_is_not_read(caller: Caller) -> None:
    """413, before any signature is looked at."""
    status, body, _ = caller.call("POST", PATH, raw=b" " * 65_537)

    assert (status, body["code"]) == (413, "MALFORMED")


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("POST", "/harim/v1/dynamic-pins/verify", {"request_id": "0d9c5f0e-6a57-4c59-9f0b-0c5f3b8a7c11"}),
        ("POST", "/harim/v1/dynamic-pins/verify", None),
    ],
)
def test_d13_operations_that_are_off_are_said_so(caller: Caller, method: str, path: str, document: object) -> None:
    """VerifyDynamicPin is in the contract and answers 501, signed, to a PSP that it was not opened to."""
    status, body, signed = caller.call(method, path, document)

    assert (status, body["code"], signed) == (501, "UNSUPPORTED_OPERATION", True)


def test_a_verify_that_is_no_json_is_refused_all_the_same(caller: Caller) -> None:
    """An operation that is off does not read its message."""
    assert caller.call("POST", "/harim/v1/dynamic-pins/verify", raw=b"{")[0] == 501


def test_ping_and_health_say_that_the_bank_works(caller: Caller) -> None:
    """Ping is signed and by the contract; the health pages are for the machine room."""
    status, body, signed = caller.call("GET", "/harim/v1/ping")

    assert (status, signed) == (200, True)
    assert conforms("Pong", body)
    assert caller.client.get("/healthz").get_json() == {"status": "ok"}
    assert caller.client.get("/readyz").get_json() == {
        "ready": True,
        "parts": {"database": True, "keys": True, "directory": True},
        "redis": None,
    }
    assert caller.client.get("/harim/v1/openapi.json").get_json()["openapi"] == "3.1.0"
    assert caller.client.get("/healthz").headers["Cache-Control"] == "no-store"


def test_an_unknown_address_is_answered_in_json(caller: Caller) -> None:
    """404 and 405 have the contract's shape."""
    assert caller.client.get("/nowhere").get_json()["code"] == "UNSUPPORTED_OPERATION"
    assert caller.client.get(PATH).status_code == 405


def test_a_bank_without_its_database_says_so_signed(here: Any, caller: Caller) -> None:
    """While the database is away a known PSP gets 503, signed, from RequestDynamicPin and from Ping."""
    message = caller.message(here.card())
    caller.call("GET", "/harim/v1/ping")
    remember_psps(here)
    here.sql("ALTER TABLE harim_request RENAME TO harim_request_away")
    try:
        status, body, signed = caller.call("POST", PATH, message)
    finally:
        here.sql("ALTER TABLE harim_request_away RENAME TO harim_request")

    assert (status, body["code"], body["retry_after_seconds"], signed) == (503, "TEMPORARILY_UNAVAILABLE", 5, True)
    assert caller.call("POST", PATH, message)[0] == 200


def test_ping_says_that_the_database_is_away(here: Any, private_key: bytes) -> None:
    """Ping answers 503, signed, to a PSP that is still remembered."""
    away = Database("postgresql+psycopg://nobody@/none?host=/nowhere", pool_size=1)
    caller = Caller(here, private_key)
    directory = PspDirectory(here.bank.database, seconds=3600)
    directory.now()
    caller.client = create_app(bank=replace(here.bank, database=away, psps=directory)).test_client()

    status, body, signed = caller.call("GET", "/harim/v1/ping")

    assert (status, body["code"], signed) == (503, "TEMPORARILY_UNAVAILABLE", True)


def test_f13_a_bank_that_can_look_nobody_up_says_so_unsigned(here: Any, private_key: bytes) -> None:
    """F13: without its database and without a fresh directory nobody is known; 503 with Retry-After, never a 500."""
    away = Database("postgresql+psycopg://nobody@/none?host=/nowhere", pool_size=1)
    caller = Caller(here, private_key)
    bank = replace(here.bank, database=away, psps=PspDirectory(away, seconds=0))
    caller.client = create_app(bank=bank).test_client()

    answer = caller.client.get("/harim/v1/ping", headers={"Date": "now"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert (answer.get_json()["code"], "Signature" in answer.headers) == ("TEMPORARILY_UNAVAILABLE", False)


def remember_psps(here: Any) -> None:
    """Read the PSPs, so that the directory is warm."""
    here.bank.psps.now()


def test_no_card_data_reach_the_log(
    here: Any, caller: Caller, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """PAN and CVV2 are in no log line, not even when the message or the database is broken."""
    pan = here.card()
    caplog.set_level(logging.DEBUG)
    message = caller.message(pan)

    caller.call("POST", PATH, message)
    caller.call("POST", PATH, {**message, "amount": "x"})
    caller.call("POST", PATH, {**message, "card": {**message["card"], "pan": pan.reveal() + "0"}})

    logged = caplog.text + "".join(capfd.readouterr())
    assert pan.reveal() not in logged
    assert f'"{message["card"]["cvv2"]}"' not in logged
