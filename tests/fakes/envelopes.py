"""Signed envelopes as tests make, spoil and read them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foundation.hard_xml import Element, parse
from foundation.soap import SOAP_11, Contract, Version, written
from foundation.xml_signatures import DS, WSSE, WSU, EnvelopeSigner

FOLDER = Path(__file__).parents[2] / "contracts" / "harim" / "v1"
CONTRACT = Contract(FOLDER / "harim.wsdl", FOLDER / "harim.xsd")
HARIM = "urn:pooya:harim:v1"
ID = f"{{{WSU}}}Id"

Spoil = Callable[[Element], object]


def request_of(
    identity: bytes,
    document: dict[str, Any],
    *,
    to: str,
    operation: str = "RequestDynamicPin",
    version: Version = SOAP_11,
    before: Spoil | None = None,
    after: Spoil | None = None,
) -> tuple[bytes, str]:
    """Sign a request; ``before`` changes it before that and ``after`` afterwards. Returns it with its value."""
    envelope = CONTRACT.request(version, operation, document)
    if before is not None:
        before(envelope)
    value = EnvelopeSigner(identity).sign_request(envelope, to=to)
    if after is not None:
        envelope = parse(written(envelope), max_bytes=1 << 20)
        after(envelope)
    return written(envelope), value


def set_text(name: str, text: str) -> Spoil:
    """Let the first element of this name say something else."""

    def spoil(envelope: Element) -> None:
        envelope.find(f".//{{*}}{name}").text = text

    return spoil


def set_attribute(name: str, attribute: str, value: str) -> Spoil:
    """Let the first element of this name have this attribute."""

    def spoil(envelope: Element) -> None:
        envelope.find(f".//{{*}}{name}").set(attribute, value)

    return spoil


def remove(name: str) -> Spoil:
    """Take the first element of this name out."""

    def spoil(envelope: Element) -> None:
        found = envelope.find(f".//{{*}}{name}")
        found.getparent().remove(found)

    return spoil


def double(name: str) -> Spoil:
    """Put the first element of this name there twice."""

    def spoil(envelope: Element) -> None:
        found = envelope.find(f".//{{*}}{name}")
        found.addnext(copy.deepcopy(found))

    return spoil


def forged_body(envelope: Element) -> Element:
    """Copy the body and let it ask for a thousandfold amount."""
    body = copy.deepcopy(envelope[1])
    body.find(f".//{{{HARIM}}}amount").text = "999999999"
    return body


def wrap_under_another_id(envelope: Element) -> None:
    """Hide the signed body in the header; a forged one with another id stands in its place."""
    forged = forged_body(envelope)
    forged.set(ID, "forged")
    _hide(envelope, forged)


def wrap_under_the_same_id(envelope: Element) -> None:
    """Hide the signed body in the header; a forged one with the same id stands in its place."""
    _hide(envelope, forged_body(envelope))


def wrap_in_the_signature(envelope: Element) -> None:
    """Hide the signed body in an Object of the signature."""
    forged = forged_body(envelope)
    forged.set(ID, "forged")
    signature = envelope.find(f".//{{{DS}}}Signature")
    place = signature.makeelement(f"{{{DS}}}Object")
    signature.append(place)
    place.append(envelope[1])
    envelope.append(forged)


def wrap_the_time(envelope: Element) -> None:
    """Hide the signed time stamp; another stands in its place."""
    stamp = envelope.find(f".//{{{WSU}}}Timestamp")
    fresh = copy.deepcopy(stamp)
    fresh.set(ID, "fresh")
    stamp.addprevious(fresh)
    envelope[0].append(stamp)


def second_body(envelope: Element) -> None:
    """Add a forged body behind the signed one."""
    envelope.append(forged_body(envelope))


def body_only_signed(envelope: Element) -> None:
    """Leave the reference to the address out (the signature no longer fits either)."""
    found = envelope.findall(f".//{{{DS}}}Reference")
    found[-1].getparent().remove(found[-1])


def body_signed_thrice(envelope: Element) -> None:
    """Let every reference name the body."""
    for reference in envelope.findall(f".//{{{DS}}}Reference"):
        reference.set("URI", "#body")


def by_hmac(envelope: Element) -> None:
    """Name a keyed hash, for which a certificate would be no secret."""
    set_attribute("SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")(envelope)


def another_security(envelope: Element) -> None:
    """Add a second security header."""
    envelope[0].append(envelope.makeelement(f"{{{WSSE}}}Security"))


def own_token(identity: bytes) -> Spoil:
    """Let the message carry another certificate than the one that is pinned."""

    def spoil(envelope: Element) -> None:
        envelope.find(f".//{{{WSSE}}}BinarySecurityToken").text = EnvelopeSigner(identity).token

    return spoil


def _hide(envelope: Element, forged: Element) -> None:
    wrapper = envelope.makeelement("wrapper")
    envelope[0].append(wrapper)
    wrapper.append(envelope[1])
    envelope.append(forged)


SPOILED: dict[str, Spoil] = {
    "wrapped under another id": wrap_under_another_id,
    "wrapped under the same id": wrap_under_the_same_id,
    "wrapped in the signature": wrap_in_the_signature,
    "time stamp wrapped": wrap_the_time,
    "a second body": second_body,
    "amount changed": set_text("amount", "999999999"),
    "address changed": set_text("To", "http://elsewhere.test/harim/v1/soap"),
    "time changed": set_text("Created", "2030-01-01T00:00:00Z"),
    "no signature": remove("Signature"),
    "no time stamp": remove("Timestamp"),
    "no security": remove("Security"),
    "no address": remove("To"),
    "no header": remove("Header"),
    "no body": remove("Body"),
    "no token": remove("BinarySecurityToken"),
    "no key info": remove("KeyInfo"),
    "no value": set_text("SignatureValue", ""),
    "two signatures": double("Signature"),
    "two time stamps": double("Timestamp"),
    "two addresses": double("To"),
    "two references": double("Reference"),
    "two security headers": another_security,
    "address not signed": body_only_signed,
    "body signed thrice": body_signed_thrice,
    "reference to everything": set_attribute("Reference", "URI", ""),
    "reference to nowhere": set_attribute("Reference", "URI", "#nowhere"),
    "reference by pointer": set_attribute("Reference", "URI", "#xpointer(id('body'))"),
    "reference to a file": set_attribute("Reference", "URI", "file:///etc/passwd"),
    "key named by file": set_attribute("Reference[@ValueType]", "URI", "file:///etc/passwd"),
    "hmac": by_hmac,
    "sha-1": set_attribute("DigestMethod", "Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1"),
    "rsa instead of ec": set_attribute(
        "SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    ),
    "inclusive form": set_attribute(
        "CanonicalizationMethod", "Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    ),
    "xslt": set_attribute("Transform", "Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116"),
    "a doubled id": set_attribute("BinarySecurityToken", ID, "body"),
    "a doubled id of another kind": set_attribute("BinarySecurityToken", "id", "body"),
    "a garbled token": set_text("BinarySecurityToken", "§"),
    "a token of nobody": set_text("BinarySecurityToken", "AAAA"),
    "an unknown header": lambda envelope: envelope[0].append(envelope.makeelement("other")),
}
"""What may be done to a signed message on its way; each is refused."""
