"""The Harim contract: a valid document, codes in step with the bank, examples that both sides can compute."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from gateway.harim.v1 import fields_of
from gateway.ports import Kind, Order, PinRequest
from otp.domain.answers import ANSWERS, Code
from otp.domain.binding import Binding, TransactionType, check_binding, parse_canonical
from otp.harim_api.schemas import DynamicPinRequest

CONTRACT = Path(__file__).parents[2] / "contracts" / "harim" / "v1"
CARD = Pan.parse(with_check_digit("999002000000123"))
BINDINGS = sorted(CONTRACT.glob("examples/binding-*.json"))
BOUND = [path for path in BINDINGS if path.stem != "binding-unbound"]


def read(path: Path) -> Any:
    """Read a JSON file of the contract."""
    return json.loads(path.read_text())


def document() -> Any:
    """Read the OpenAPI document."""
    return yaml.safe_load((CONTRACT / "openapi.yaml").read_text())


def conforms(schema: str, instance: object) -> bool:
    """Tell whether a message is what the document says."""
    root = document()
    return bool(OAS31Validator({**root, "$ref": f"#/components/schemas/{schema}"}).is_valid(instance))


def test_the_document_is_valid_and_served_as_it_is_written() -> None:
    """OpenAPI 3.1, with all four operations, the same in YAML and JSON."""
    written = document()

    validate(written)

    assert written == read(CONTRACT / "openapi.json")
    operations = {method["operationId"] for path in written["paths"].values() for method in path.values()}
    assert operations == {"RequestDynamicPin", "VerifyDynamicPin", "GetDeliveryStatus", "Ping"}


def test_every_answer_code_is_in_the_contract_as_the_bank_says_it() -> None:
    """The bank's table and errors.json say the same; each row tells the caller what to do."""
    rows = {row["code"]: row for row in read(CONTRACT / "errors.json")["codes"]}

    assert set(rows) == {str(code) for code in Code} == {str(code) for code in ANSWERS}
    for code, answer in ANSWERS.items():
        row = rows[str(code)]
        assert (row["http_status"], row["fa"], row["en"]) == (answer.status, answer.fa, answer.en)
        assert row["caller_should"]


def test_the_document_knows_every_code_and_every_status() -> None:
    """The enumerations of the document are the table's, and each status has an answer in RequestDynamicPin."""
    schemas = document()["components"]["schemas"]
    named = set(schemas["Accepted"]["properties"]["code"]["enum"]) | set(
        schemas["Refusal"]["properties"]["code"]["enum"]
    )
    named.add(schemas["Verified"]["properties"]["code"]["const"])
    statuses = set(document()["paths"]["/harim/v1/dynamic-pins"]["post"]["responses"])

    assert named == {str(code) for code in Code}
    assert {str(answer.status) for answer in ANSWERS.values()} <= statuses


def test_the_readme_has_every_code_and_says_what_is_frozen() -> None:
    """The error table for people is complete."""
    text = (CONTRACT / "README.md").read_text()

    assert all(f"| `{code}` | {ANSWERS[code].status} |" in text for code in Code)
    assert "Version 1 is frozen" in text


@pytest.mark.parametrize("path", BOUND, ids=lambda path: path.stem)
def test_d5_the_canonical_text_of_an_example_is_what_the_bank_writes(path: Path) -> None:
    """Nine fields, one text, one digest; and back."""
    example = read(path)
    fields = example["fields"]
    binding = Binding(
        **{**fields, "type": TransactionType(fields["type"])}
        | {"amount": Rial(fields["amount"]), "fee": Rial(fields["fee"])}
    )

    check_binding(binding)

    assert binding.canonical() == example["canonical"]
    assert binding.digest().hex() == hashlib.sha256(example["canonical"].encode()).hexdigest() == example["sha256"]
    assert parse_canonical(example["canonical"]) == binding


@pytest.mark.parametrize("name", ["binding-purchase", "binding-purchase-with-fee"])
def test_d5_the_gateway_writes_the_text_that_the_bank_rebuilds_from_its_request(name: str) -> None:
    """What the page's QR code shows is what the fields of the Harim request of the same payment amount to."""
    example = read(CONTRACT / "examples" / f"{name}.json")
    facts = example["fields"]
    money = {"amount": Rial(facts["amount"]), "fee": Rial(facts["fee"])}
    order = Order(kind=Kind(facts["type"]), **{**{key: facts[key] for key in facts if key != "type"}, **money})
    sent = fields_of(PinRequest("0b9e1c9e-2f0a-4a53-9a3f-0d3b7c1f6a01", 1, order, CARD))
    rebuilt = Binding(**{**{key: sent[key] for key in facts}, **money, "type": TransactionType(sent["type"])})

    assert order.canonical() == rebuilt.canonical() == example["canonical"]


def test_d5_the_payee_key_of_bills_is_the_digest_of_all_of_them() -> None:
    """The order in which bills are listed does not matter, leading zeros neither."""
    example = read(CONTRACT / "examples" / "binding-bill.json")
    rows = sorted(
        f"{bill['bill_id'].lstrip('0')},{bill['payment_id'].lstrip('0')},{bill['amount']}" for bill in example["bills"]
    )

    assert hashlib.sha256("|".join(rows).encode()).hexdigest() == example["fields"]["payee_key"]
    assert sum(bill["amount"] for bill in example["bills"]) == example["fields"]["amount"]


def test_d14_an_unbound_code_has_no_canonical_text() -> None:
    """The example says so."""
    example = read(CONTRACT / "examples" / "binding-unbound.json")

    assert example["canonical"] is None


@pytest.mark.parametrize("name", ["request-proven", "request-unproven"])
def test_example_requests_are_read_by_the_bank_and_allowed_by_the_document(name: str) -> None:
    """Document and reader agree on the examples."""
    example = read(CONTRACT / "examples" / f"{name}.json")

    assert conforms("DynamicPinRequest", example)
    assert DynamicPinRequest.model_validate(example).transaction_ref == example["transaction_ref"]


@pytest.mark.parametrize("path", sorted(CONTRACT.glob("examples/answer-*.json")), ids=lambda path: path.stem)
def test_example_answers_are_allowed_by_the_document(path: Path) -> None:
    """Each answer is an acceptance or a refusal, with the bank's own sentence."""
    example = read(path)
    accepted = example["code"] in {"ACCEPTED", "ALREADY_SENT"}

    assert conforms("Accepted" if accepted else "Refusal", example)
    assert example["message"]["fa"] == ANSWERS[Code(example["code"])].fa


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "1250000"},
        {"amount": -1},
        {"sequence": 0},
        {"request_id": "1"},
        {"type": "GIFT"},
        {"surprise": 1},
        {"card": {"pan": "999002"}},
        {"card": {"pan": "9990020000000006", "cvv2": "123"}},
        {"card": {"pan": "9990020000000006", "cvv2": "12", "expiry": "0812"}},
        {"card": {"pan": "9990020000000006", "cvv2": "123", "expiry": "0813"}},
    ],
    ids=str,
)
def test_document_and_reader_refuse_the_same(change: dict[str, Any]) -> None:
    """What the document does not allow, the bank does not read."""
    example = {**read(CONTRACT / "examples" / "request-proven.json"), **change}

    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own kind
        DynamicPinRequest.model_validate(example)
    assert not conforms("DynamicPinRequest", example)


def test_version_1_is_what_was_frozen() -> None:
    """No file of the contract changes, comes or goes: what grows by an optional member gets a line in the history."""
    sums = dict(reversed(line.split("  ")) for line in (CONTRACT / "SHA256SUMS").read_text().splitlines())
    files = [path for path in CONTRACT.rglob("*") if path.is_file() and path.name not in {"README.md", "SHA256SUMS"}]
    assert {str(path.relative_to(CONTRACT)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == sums
