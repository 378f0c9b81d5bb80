"""The SOAP half of the Harim contract: WSDL and XSD say what the OpenAPI document says, and the examples hold."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree

from foundation import soap
from foundation.certificates import pinned_certificates
from foundation.hard_xml import Element, parse
from foundation.soap import SOAP_11, SOAP_12
from foundation.xml_signatures import EnvelopeVerifier
from otp.domain.answers import ANSWERS, Code
from otp.harim_api.operations import OPERATIONS
from otp.harim_api.soap import GOOD_ANSWERS
from tests.fakes.envelopes import CONTRACT, FOLDER, HARIM

XS = "{http://www.w3.org/2001/XMLSchema}"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
TYPES = (
    "Card",
    "ProvenCard",
    "DynamicPinRequest",
    "VerifyRequest",
    "Accepted",
    "Refusal",
    "Verified",
    "Delivery",
    "Pong",
    "Message",
)
"""Every object of the OpenAPI document but Identity and Transaction, which are parts of requests."""

EXAMPLES = FOLDER / "examples"
SIGNED_AT = dt.datetime(2026, 11, 25, 9, 0, 30, tzinfo=dt.UTC)
TO_BANK = "https://bank.example/harim/v1/soap"


def own(name: str) -> Element:
    """Read a file of the contract."""
    raw = (FOLDER / name).read_bytes()
    return parse(raw, max_bytes=len(raw))


XSD = own("harim.xsd")
OPENAPI = yaml.safe_load((FOLDER / "openapi.yaml").read_text())["components"]["schemas"]


def xsd_fields(element: Element) -> dict[str, tuple[bool, dict[str, Any]]]:
    """Return each field of a complex type: whether it is required, and its limits."""
    found = {}
    for part in element.iter(f"{XS}element", f"{XS}group"):
        if part.get("ref"):
            found |= xsd_fields(XSD.find(f"{XS}group[@name='{part.get('ref')}']"))
        elif part.tag == f"{XS}element":
            found[part.get("name")] = (part.get("minOccurs") != "0", xsd_limits(part))
    return found


def xsd_limits(element: Element) -> dict[str, Any]:
    """Return what a field may hold, in the words of JSON Schema."""
    named = element.get("type") or element.get("base")
    if named is None:
        return xsd_limits(element.find(f"{XS}simpleType/{XS}restriction"))
    limits: dict[str, Any] = {}
    if named in {"xs:string", "WholeNumber"}:
        limits["type"] = "string" if named == "xs:string" else "integer"
    elif (simple := XSD.find(f"{XS}simpleType[@name='{named}']")) is not None:
        limits |= xsd_limits(simple.find(f"{XS}restriction"))
    else:
        limits["type"] = named
    names = {"pattern": "pattern", "minInclusive": "minimum", "maxInclusive": "maximum"}
    names |= {"minLength": "minLength", "maxLength": "maxLength"}
    for facet in element:
        name = etree.QName(facet).localname
        value = facet.get("value")
        if name == "enumeration":
            limits.setdefault("enum", set()).add(value)
        elif name in names:
            limits[names[name]] = value if name == "pattern" else int(value)
    return limits


def json_fields(schema: dict[str, Any]) -> dict[str, tuple[bool, dict[str, Any]]]:
    """Return each field of a JSON object: whether it is required and never null, and its limits."""
    found: dict[str, tuple[bool, dict[str, Any]]] = {}
    for part in schema.get("allOf", []):
        found |= json_fields(OPENAPI[part["$ref"].rpartition("/")[2]] if "$ref" in part else part)
    for name, field in schema.get("properties", {}).items():
        choices = field.get("anyOf", [field])
        required = name in schema.get("required", []) and {"type": "null"} not in choices
        found[name] = (required, json_limits(choices[0]))
    return found


def json_limits(field: dict[str, Any]) -> dict[str, Any]:
    """Return what a field may hold."""
    if "$ref" in field:
        named = field["$ref"].rpartition("/")[2]
        return {"type": named} if OPENAPI[named]["type"] == "object" else json_limits(OPENAPI[named])
    limits = {name: value for name, value in field.items() if name != "description"}
    if "pattern" in limits:
        limits["pattern"] = limits["pattern"].removeprefix("^").removesuffix("$")
    if "const" in limits:
        limits["enum"] = [limits.pop("const")]
    if "enum" in limits:
        limits["enum"] = set(limits["enum"])
    return limits


@pytest.mark.parametrize("name", TYPES)
def test_both_wires_have_the_same_fields_with_the_same_limits(name: str) -> None:
    """Names, order apart; required or not; type, pattern, least, most, lengths, enumerations."""
    written = xsd_fields(XSD.find(f"{XS}complexType[@name='{name}']"))

    assert written == json_fields(OPENAPI[name])


def test_no_type_is_on_one_wire_only() -> None:
    """Whoever adds a type adds it to both, and to the list above."""
    parts = {"Identity", "Transaction"}
    objects = {name for name, schema in OPENAPI.items() if schema.get("type") == "object" or "allOf" in schema} - parts

    assert objects == set(TYPES)
    assert {element.get("name") for element in XSD.iterfind(f"{XS}complexType")} == set(TYPES)


def test_the_wsdl_has_every_operation_by_both_versions_and_the_bank_performs_it() -> None:
    """Four operations, two bindings, one table at the bank; each answer is the good one or a refusal."""
    wsdl = own("harim.wsdl")
    bound = [
        {operation.get("name") for operation in binding.iterfind(f"{WSDL}operation")}
        for binding in wsdl.iterfind(f"{WSDL}binding")
    ]

    assert bound == [set(OPERATIONS)] * 2
    assert set(CONTRACT.operations) == set(OPERATIONS) == set(GOOD_ANSWERS)
    for operation, good in GOOD_ANSWERS.items():
        answer = XSD.find(f"{XS}element[@name='{operation}Response']//{XS}choice")
        assert [part.get("name") for part in answer] == [good, "refusal"]


def test_every_answer_code_is_in_the_xsd() -> None:
    """The bank can say nothing that the XSD does not allow."""
    codes = {
        value.get("value")
        for name in ("Accepted", "Refusal", "Verified")
        for value in XSD.find(f"{XS}complexType[@name='{name}']").iter(f"{XS}enumeration")
    }

    assert codes == {str(code) for code in Code} == {str(code) for code in ANSWERS}


def test_the_readme_lines_up_both_wires() -> None:
    """One row for each field of each message: SOAP element, JSON field, meaning."""
    rows = re.findall(
        r"^\| `([\w/]+)` \| `([\w./{}-]+)` \| [^|]+ \|$", (FOLDER / "README.md").read_text(), re.MULTILINE
    )
    wanted = {(f"card/{name}", f"card.{name}") for name in json_fields(OPENAPI["Card"])}
    for name in set(TYPES) - {"Card", "ProvenCard", "Message"}:
        wanted |= {(field, field) for field in json_fields(OPENAPI[name]) if field not in {"card", "message", "bank"}}
    wanted |= {
        (f"{part}/{language}", f"{part}.{language}") for part in ("message", "bank") for language in ("fa", "en")
    }

    assert wanted == {(soap_name, json_name) for soap_name, json_name in rows if "dynamic-pins" not in json_name}


@pytest.mark.parametrize("name", ["request-proven", "request-unproven"])
def test_golden_requests_say_the_same_on_both_wires(name: str) -> None:
    """The unsigned example is exactly what is written for the JSON example, and is read as that again."""
    document = json.loads((EXAMPLES / f"{name}.json").read_text())
    raw = (EXAMPLES / f"{name}.xml").read_bytes()

    _, envelope = soap.open_envelope(raw, max_bytes=65_536)

    assert CONTRACT.read_request(envelope[0]).document == document
    assert soap.canonical(envelope) == soap.canonical(CONTRACT.request(SOAP_11, "RequestDynamicPin", document))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("answer-*.json")), ids=lambda path: path.stem)
def test_golden_answers_say_the_same_on_both_wires(path: Path) -> None:
    """So do the answers."""
    document = json.loads(path.read_text())
    part = "accepted" if document["code"] in {"ACCEPTED", "ALREADY_SENT"} else "refusal"

    _, envelope = soap.open_envelope(path.with_suffix(".xml").read_bytes(), max_bytes=65_536)

    assert CONTRACT.read_answer(envelope[0]).document == {part: document}
    assert soap.canonical(envelope) == soap.canonical(CONTRACT.answer(SOAP_11, "RequestDynamicPin", {part: document}))


def test_d41_the_golden_signed_pair_is_believed() -> None:
    """A signed request, and the signed answer to exactly it, with the certificates that both sides pin."""
    certificates = {name: (EXAMPLES / f"certificate-{name}.pem").read_text() for name in ("psp", "bank")}
    psp, bank = (
        EnvelopeVerifier(pinned_certificates(certificates[name]), now=lambda: SIGNED_AT) for name in ("psp", "bank")
    )
    _, request = soap.open_envelope((EXAMPLES / "signed-request.xml").read_bytes(), max_bytes=65_536)
    version, answer = soap.open_envelope((EXAMPLES / "signed-answer.xml").read_bytes(), max_bytes=65_536)

    asked = psp.verify_request(request, to=TO_BANK)
    told = bank.verify_answer(answer, confirms=asked.value)

    example = json.loads((EXAMPLES / "request-proven.json").read_text())
    assert CONTRACT.read_request(asked.body).document == example
    assert CONTRACT.read_answer(told.body).document["accepted"]["request_id"] == example["request_id"]
    assert version == SOAP_12


def test_golden_faults_are_what_the_bank_writes() -> None:
    """A fault by each version, with the refusal that a program may read."""
    for version, name in ((SOAP_11, "fault-soap-11"), (SOAP_12, "fault-soap-12")):
        _, envelope = soap.open_envelope((EXAMPLES / f"{name}.xml").read_bytes(), max_bytes=65_536)
        said = ANSWERS[Code.SIGNATURE_REFUSED]
        refusal = {"code": "SIGNATURE_REFUSED", "message": {"fa": said.fa, "en": said.en}}

        written = soap.fault(version, version.sender, said.en, CONTRACT.detail("Refusal", refusal))

        assert soap.canonical(envelope) == soap.canonical(written)
        assert envelope.find(f".//{{{HARIM}}}code").text == "SIGNATURE_REFUSED"
