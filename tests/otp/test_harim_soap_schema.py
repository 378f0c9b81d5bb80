"""What the XSD does not allow, in every field that it names: refused, signed, and nothing is done (D6)."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from foundation.hard_xml import Element, parse
from foundation.signatures import RequestToSign, Signer
from tests.fakes.envelopes import CONTRACT, FOLDER, HARIM
from tests.otp.conftest import BANK_IDENTITY, PSP_IDENTITY, PSP_PRIVATE_KEY
from tests.otp.soap_caller import SoapCaller, caller_of

XS = "{http://www.w3.org/2001/XMLSchema}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
RAW = (FOLDER / "harim.xsd").read_bytes()
XSD = parse(RAW, max_bytes=len(RAW))
SPACES = " \t\n"
REST_SAYS_INCOMPLETE = {
    "transaction_ref",
    "acquirer_id",
    "merchant_id",
    "terminal_id",
    "payee_name",
    "payee_key",
}

Case = tuple[str, Callable[[Element], None]]


def leaves(kind: Element, above: str = "") -> Iterator[tuple[str, Element]]:
    """Return the path of every field of a type that holds text, with its element in the XSD."""
    for part in kind.iter(f"{XS}element", f"{XS}group"):
        if part.get("ref"):
            yield from leaves(XSD.find(f"{XS}group[@name='{part.get('ref')}']"), above)
            continue
        if part.tag != f"{XS}element" or not part.get("name"):
            continue
        inner = XSD.find(f"{XS}complexType[@name='{part.get('type')}']")
        path = f"{above}{part.get('name')}"
        if inner is not None:
            yield from leaves(inner, f"{path}/")
        else:
            yield path, part


def facets(part: Element) -> dict[str, list[str]]:
    """Return the limits of a field, its named types' included."""
    named = XSD.find(f"{XS}simpleType[@name='{part.get('type') or part.get('base')}']")
    restriction = (part if named is None else named).find(f".//{XS}restriction")
    own = restriction if part.tag != f"{XS}restriction" or named is not None else part
    if own is None:
        return {}
    found = facets(own) if own.get("base") not in {None, "xs:string", "xs:long"} else {"base": [own.get("base")]}
    for facet in own:
        found.setdefault(facet.tag.removeprefix(XS), []).append(facet.get("value"))
    return found


def wrong_texts(part: Element) -> Iterator[str]:
    """Make texts that its limits do not allow, from the limits themselves."""
    found = facets(part)
    yield "\u06f1\u06f2"  # Persian digits are no digits of the wire
    yield "x" * 65
    if found["base"] == ["xs:long"]:
        yield from ("", "1.0", "+1", "01", "1e3", "0x1", "9" * 30, "NaN")
        yield from (str(int(value) - 1) for value in found.get("minInclusive", []))
        yield from (str(int(value) + 1) for value in found.get("maxInclusive", []))
    else:
        yield from (f" {text}" for text in ("1", "A"))
        yield from ("" for _ in found.get("minLength", []))
        yield from ("a" * (int(value) + 1) for value in found.get("maxLength", []))


def texts(path: str, part: Element) -> Iterator[Case]:
    """One case for each wrong text of a field."""
    for text in wrong_texts(part):
        if path == "payee_name" and len(text) in range(1, 21):
            continue  # the XSD knows lengths only; the domain judges the letters, as over REST
        yield f"{path}={text[:12]!r}", lambda element, text=text: setattr(element, "text", text)


def double(element: Element) -> None:
    """Put it there twice."""
    element.addnext(copy.deepcopy(element))


def rename(element: Element) -> None:
    """Call it something else."""
    element.tag = f"{element.tag}x"


def elsewhere(element: Element) -> None:
    """Let it be of another namespace."""
    element.tag = f"{{urn:other}}{element.tag.rpartition('}')[2]}"


def to_the_front(element: Element) -> None:
    """Move it before all others."""
    element.getparent().insert(0, element)


def nest(element: Element) -> None:
    """Put it into itself."""
    element.append(copy.deepcopy(element))


def take_out(element: Element) -> None:
    """Leave it out."""
    element.getparent().remove(element)


def attribute(name: str, value: str) -> Callable[[Element], None]:
    """Give it an attribute."""
    return lambda element: element.set(name, value)


WAYS: dict[str, Callable[[Element], None]] = {
    "missing": take_out,
    "in front": to_the_front,
    "twice": double,
    "renamed": rename,
    "of another namespace": elsewhere,
    "nested": nest,
    "of another type": attribute(f"{XSI}type", "anything"),
    "nil": attribute(f"{XSI}nil", "true"),
    "with a schema of its own": attribute(f"{XSI}schemaLocation", "urn:other file:///etc/passwd"),
    "with an attribute": attribute("id", "x"),
}
"""How a field can stand wrongly."""

HARMLESS = {("request_id", "in front"), ("card/pan", "in front")}
"""These stand in front already."""


def shapes(path: str) -> Iterator[tuple[str, Callable[[Element], None]]]:
    """One case for each way in which a field can stand wrongly; without CVV2 or expiry the message lacks its pair."""
    return ((name, way) for name, way in WAYS.items() if (path, name) not in HARMLESS)


REQUEST = XSD.find(f"{XS}complexType[@name='DynamicPinRequest']")
FIELDS = list(leaves(REQUEST))


@pytest.fixture
def caller(here: Any) -> SoapCaller:
    """Give a PSP that the bank knows by its certificate."""
    return caller_of(here, PSP_IDENTITY, BANK_IDENTITY)


def test_the_cases_come_from_the_xsd() -> None:
    """Every field that a request has, and nothing made up."""
    example = json.loads((FOLDER / "examples" / "request-proven.json").read_text())
    names = {name for name in example if name != "card"} | {f"card/{name}" for name in example["card"]}

    assert {path for path, _ in FIELDS} == names
    assert all(len(list(wrong_texts(part))) >= 4 for _, part in FIELDS)


@pytest.mark.parametrize(("path", "part"), FIELDS, ids=[path for path, _ in FIELDS])
def test_d6_a_wrong_text_is_refused_as_over_rest(here: Any, caller: SoapCaller, path: str, part: Element) -> None:
    """The field is named, the code is the one that REST gives, the answer is signed, and nothing is done."""
    message = caller.message(here.card())

    for name, way in texts(path, part):
        answer = caller.call(message, before=lambda envelope, way=way: way(_field(envelope, path)))

        code = "INCOMPLETE_BINDING" if path in REST_SAYS_INCOMPLETE else "MALFORMED"
        told = (answer.status, answer.part, answer.code, answer.said.get("field"), answer.signed)
        assert told == (200, "refusal", code, path.replace("/", "."), True), name
        expected = None if path == "request_id" else message["request_id"]
        assert answer.said.get("request_id") == expected, name
    assert here.sql("SELECT * FROM harim_request") == []


@pytest.mark.parametrize("path", [path for path, _ in FIELDS])
def test_d6_a_field_in_a_wrong_place_is_refused(here: Any, caller: SoapCaller, path: str) -> None:
    """Missing, doubled, renamed, moved, typed by itself: MALFORMED, signed, and nothing is done."""
    message = caller.message(here.card())

    for name, way in shapes(path):
        answer = caller.call(message, before=lambda envelope, way=way: way(_field(envelope, path)))

        assert (answer.status, answer.part, answer.code, answer.signed) == (200, "refusal", "MALFORMED", True), name
        assert answer.said["field"], name
    assert here.sql("SELECT * FROM harim_request") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"transaction_ref": "abc"}, "transaction_ref"),
        ({"acquirer_id": "1"}, "acquirer_id"),
        ({"acquirer_id": "111111"}, "acquirer_id"),
        ({"merchant_id": "-"}, "merchant_id"),
        ({"terminal_id": "123456789"}, "terminal_id"),
        ({"payee_key": "x"}, "payee_key"),
        ({"payee_name": "pay 0912"}, "payee_name"),
        ({"amount": 0}, "amount"),
        ({"fee": 999_999}, None),
        ({"type": "TOP_UP"}, "payee_key"),
        ({"card": {"pan": "9990020000000002"}}, "card.pan"),
        ({"card": {"pan": "9990020000000001", "cvv2": "123"}}, "card"),
    ],
    ids=str,
)
def test_d6_both_wires_refuse_alike(here: Any, caller: SoapCaller, change: dict[str, Any], field: str | None) -> None:
    """What the domain judges is the same code, field and sentence on both wires."""
    message = caller.message(here.card(), **change)
    raw = json.dumps(message).encode()
    asked = RequestToSign("POST", "http://bank.test/harim/v1/dynamic-pins", {"Content-Type": "application/json"})
    Signer("pooya-1", PSP_PRIVATE_KEY).sign_request(asked, raw)

    by_rest = caller.client.post("/harim/v1/dynamic-pins", data=raw, headers=asked.headers).get_json()
    by_soap = caller.call({**message, "request_id": str(uuid.uuid4()), "sequence": 2}).said

    for name in ("code", "message", "field"):
        assert by_soap.get(name) == by_rest.get(name), name
    assert by_soap.get("field") == field


def _field(envelope: Element, path: str) -> Element:
    return envelope[0][0].find("/".join(f"{{{HARIM}}}{name}" for name in path.split("/")))


def test_text_between_the_fields_is_refused(here: Any, caller: SoapCaller) -> None:
    """A stray quote between two elements is no message; white space is."""

    def between(text: str) -> Callable[[Element], None]:
        return lambda envelope: setattr(envelope[0][0][0], "tail", text)

    message = caller.message(here.card())

    assert caller.call(message, before=between('"')).code == "MALFORMED"
    assert caller.call(message, before=between(SPACES)).code == "ACCEPTED"
    assert CONTRACT.operations == ("GetDeliveryStatus", "Ping", "RequestDynamicPin", "VerifyDynamicPin")
