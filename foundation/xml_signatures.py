"""Signed SOAP envelopes between organisations, both directions: WS-Security 1.1 with X.509 (D21, D41).

One narrow profile, and nothing beside it is read. The header holds one ``wsse:Security`` with the signer's certificate,
a time stamp and one signature; in a request also ``wsa:To``, the receiver's address; in an answer also
``wsse11:SignatureConfirmation`` with the signature value of the request it answers, so no answer can be put under
another request. The signature covers exactly the body, the time stamp and that third part. The certificate in a message
only names one of the pinned ones; the pinned one's key, and the one algorithm that goes with it, decide.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import xmlsec
from lxml import etree
from lxml.etree import QName

from foundation.certificates import ECDSA_SHA256, RSA_SHA256, Pinned, pinned_certificates, private_key_of
from foundation.hard_xml import Element
from foundation.signatures import MAX_AGE, SignatureRefused

OASIS = "http://docs.oasis-open.org/wss/"
WSSE = f"{OASIS}2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSSE11 = f"{OASIS}oasis-wss-wssecurity-secext-1.1.xsd"
WSU = f"{OASIS}2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
X509V3 = f"{OASIS}2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
BASE64 = f"{OASIS}2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
WSA = "http://www.w3.org/2005/08/addressing"
DS = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

EARLY = dt.timedelta(minutes=1)
"""How far a partner's clock may be ahead of ours."""

_TRANSFORMS = {RSA_SHA256: xmlsec.Transform.RSA_SHA256, ECDSA_SHA256: xmlsec.Transform.ECDSA_SHA256}
_NAMES = {"wsse": WSSE, "wsse11": WSSE11, "wsu": WSU, "wsa": WSA, "ds": DS}
_ID = QName(WSU, "Id").text
_ID_NAMES = frozenset({_ID, "Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
TO = f"{{{WSA}}}To"
_CONFIRMATION = f"{{{WSSE11}}}SignatureConfirmation"
SECURITY, TOKEN = f"{{{WSSE}}}Security", f"{{{WSSE}}}BinarySecurityToken"
_TIMESTAMP, _SIGNATURE = f"{{{WSU}}}Timestamp", f"{{{DS}}}Signature"


@dataclass(frozen=True, slots=True)
class SignedEnvelope:
    """What a verified signature vouches for: only this body may be read.

    Args:
        certificate: SHA-256 of the pinned certificate, hex.
        value: the signature value, base64, which an answer confirms.
        created: its time stamp as written. A signature value can be bent into another good one, this cannot.
    """

    certificate: str
    body: Element
    value: str
    created: str


def now_utc() -> dt.datetime:
    """Tell the time that signatures are made and aged by."""
    return dt.datetime.now(dt.UTC)


class EnvelopeSigner:
    """Signs envelopes with one private key; ``token`` is its certificate as messages carry it.

    Args:
        pem: private key (PKCS 8) and its certificate, one after the other.

    Raises:
        CertificateRefused: when one of the two is missing or not of the other.
    """

    def __init__(self, pem: bytes, *, now: Callable[[], dt.datetime] = now_utc) -> None:
        certificate = pinned_certificates(pem.decode())[0]
        self.token = base64.b64encode(certificate.der).decode()
        self._algorithm = certificate.algorithm
        self._key = private_key_of(pem)
        self._now = now

    def sign_request(self, envelope: Element, *, to: str) -> str:
        """Sign a request to this address in place; returns the signature value that its answer must confirm."""
        header = _header_of(envelope)
        address = etree.SubElement(header, TO, {_ID: "to"}, nsmap={"wsa": WSA, "wsu": WSU})
        address.text = to
        return self._sign(envelope, self._security(header), address)

    def sign_answer(self, envelope: Element, *, confirms: str) -> None:
        """Sign the answer to the request with this signature value in place."""
        security = self._security(_header_of(envelope))
        confirmation = etree.SubElement(security, _CONFIRMATION, {_ID: "confirmation", "Value": confirms}, nsmap=_NAMES)
        self._sign(envelope, security, confirmation)

    def _security(self, header: Element) -> Element:
        must = QName(QName(header).namespace, "mustUnderstand")
        security = etree.SubElement(header, SECURITY, {must: "1"}, nsmap=_NAMES)
        token = etree.SubElement(security, TOKEN, {_ID: "token", "ValueType": X509V3, "EncodingType": BASE64})
        token.text = self.token
        return security

    def _sign(self, envelope: Element, security: Element, third: Element) -> str:
        created = self._now()
        stamp = etree.SubElement(security, _TIMESTAMP, {_ID: "time"})
        for name, moment in (("Created", created), ("Expires", created + MAX_AGE)):
            etree.SubElement(stamp, QName(WSU, name)).text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment:%f}"[:-3] + "Z"
        body = envelope[-1]
        body.set(_ID, "body")
        signature = self._template(envelope, security, (body, stamp, third))
        context = xmlsec.SignatureContext()
        context.key = self._key
        for element in (body, stamp, third):
            context.register_id(element, "Id", WSU)
        context.sign(signature)
        return _squeezed(signature.findtext(f"{{{DS}}}SignatureValue"))

    def _template(self, envelope: Element, security: Element, parts: tuple[Element, ...]) -> Element:
        method = _TRANSFORMS[self._algorithm]
        signature = xmlsec.template.create(envelope, xmlsec.Transform.EXCL_C14N, method, ns="ds")
        security.append(signature)
        for part in parts:
            reference = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri=f"#{part.get(_ID)}")
            xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        named = etree.SubElement(xmlsec.template.ensure_key_info(signature), QName(WSSE, "SecurityTokenReference"))
        etree.SubElement(named, QName(WSSE, "Reference"), {"URI": "#token", "ValueType": X509V3})
        return signature


class EnvelopeVerifier:
    """Checks signatures of partners by their pinned certificates (never one found in the message).

    Args:
        pinned: several of one partner live at a time while keys change.
    """

    def __init__(self, pinned: Iterable[Pinned], *, now: Callable[[], dt.datetime] = now_utc) -> None:
        self._pinned = {certificate.fingerprint: certificate for certificate in pinned}
        self._now = now

    def verify_request(self, envelope: Element, *, to: str) -> SignedEnvelope:
        """Return who signed a request to this address, or raise :class:`foundation.signatures.SignatureRefused`."""
        header = _children(envelope, _in(envelope, "Header"), _in(envelope, "Body"))[0]
        address = _one(header, TO)
        _children_in_any_order(header, TO, SECURITY)
        if address.text != to:
            raise SignatureRefused("another address")
        return self._verify(envelope, _one(header, SECURITY), address, ())

    def verify_answer(self, envelope: Element, *, confirms: str) -> SignedEnvelope:
        """Return who signed the answer to exactly this request, or raise ``SignatureRefused``."""
        header = _children(envelope, _in(envelope, "Header"), _in(envelope, "Body"))[0]
        security = _children(header, SECURITY)[0]
        confirmation = _one(security, _CONFIRMATION)
        if confirmation.get("Value") != confirms:
            raise SignatureRefused("another request's answer")
        return self._verify(envelope, security, confirmation, (_CONFIRMATION,))

    def _verify(self, envelope: Element, security: Element, third: Element, besides: tuple[str, ...]) -> SignedEnvelope:
        _children_in_any_order(security, TOKEN, _TIMESTAMP, _SIGNATURE, *besides)
        token, stamp, signature = (_one(security, tag) for tag in (TOKEN, _TIMESTAMP, _SIGNATURE))
        pinned = self._pinned_by(token)
        now = self._now()
        _check_signature(signature, token, pinned, _by_id(envelope), (envelope[1], stamp, third))
        _check_age(stamp, now)
        if not pinned.since <= now <= pinned.until:
            raise SignatureRefused("the certificate is not valid now")
        value = _squeezed(signature.findtext(f"{{{DS}}}SignatureValue"))
        return SignedEnvelope(pinned.fingerprint, envelope[1], value, stamp.findtext(f"{{{WSU}}}Created"))

    def _pinned_by(self, token: Element) -> Pinned:
        try:
            fingerprint = hashlib.sha256(base64.b64decode(_squeezed(token.text), validate=True)).hexdigest()
            return self._pinned[fingerprint]
        except (binascii.Error, ValueError, KeyError):
            raise SignatureRefused("a certificate that is not known here") from None


def _check_signature(
    signature: Element, token: Element, pinned: Pinned, ids: Mapping[str, Element], parts: tuple[Element, ...]
) -> None:
    signed_info, _, key_info = _children(
        signature, *(f"{{{DS}}}{n}" for n in ("SignedInfo", "SignatureValue", "KeyInfo"))
    )
    reference = _children(_children(key_info, f"{{{WSSE}}}SecurityTokenReference")[0], f"{{{WSSE}}}Reference")[0]
    if _referred(reference, ids) is not token:
        raise SignatureRefused("the key is named in another way")
    _check_signed_info(signed_info, pinned, ids, parts)
    context = xmlsec.SignatureContext()
    context.key = pinned.key
    for part in parts:
        context.register_id(part, "Id", WSU)
    try:
        context.verify(signature)
    except xmlsec.Error:
        raise SignatureRefused("the signature does not fit") from None


def _check_signed_info(
    signed_info: Element, pinned: Pinned, ids: Mapping[str, Element], parts: tuple[Element, ...]
) -> None:
    references = (f"{{{DS}}}Reference",) * len(parts)
    canonical, method, *signed = _children(
        signed_info, f"{{{DS}}}CanonicalizationMethod", f"{{{DS}}}SignatureMethod", *references
    )
    _algorithm(canonical, C14N)
    _algorithm(method, pinned.algorithm)
    covered = [_covered(reference, ids) for reference in signed]
    if len({id(element) for element in covered}) != len(parts) or any(part not in covered for part in parts):
        raise SignatureRefused("something else is signed")


def _covered(reference: Element, ids: Mapping[str, Element]) -> Element:
    transforms, method, _ = _children(
        reference, *(f"{{{DS}}}{n}" for n in ("Transforms", "DigestMethod", "DigestValue"))
    )
    _algorithm(_children(transforms, f"{{{DS}}}Transform")[0], C14N)
    _algorithm(method, SHA256)
    return _referred(reference, ids)


def _check_age(stamp: Element, now: dt.datetime) -> None:
    created, expires = (_moment(part) for part in _children(stamp, f"{{{WSU}}}Created", f"{{{WSU}}}Expires"))
    if not created - EARLY <= now <= min(expires, created + MAX_AGE):
        raise SignatureRefused("stale")


def _moment(element: Element) -> dt.datetime:
    text = element.text or ""
    try:
        return dt.datetime.fromisoformat(text if _TIME.fullmatch(text) else "")
    except ValueError:
        raise SignatureRefused("no time stamp") from None


def _by_id(envelope: Element) -> dict[str, Element]:
    """Return every element that has an id; two with one id, whatever the attribute is called, are refused."""
    found: dict[str, Element] = {}
    for element in envelope.iter():
        for name in _ID_NAMES & set(element.keys()):
            if found.setdefault(element.get(name), element) is not element:
                raise SignatureRefused("two elements with one id")
    return found


def _referred(reference: Element, ids: Mapping[str, Element]) -> Element:
    target = ids.get(reference.get("URI", "").removeprefix("#"))
    if target is None or target.get(_ID) is None or reference.get("URI") != f"#{target.get(_ID)}":
        raise SignatureRefused("a reference to nowhere")
    return target


def _algorithm(element: Element, expected: str) -> None:
    if element.get("Algorithm") != expected or len(element):
        raise SignatureRefused("another algorithm")


def _children(element: Element, *tags: str) -> list[Element]:
    """Return the children, which must be exactly these, in this order."""
    if [child.tag for child in element] != list(tags):
        raise SignatureRefused(f"unexpected parts of {QName(element).localname}")
    return list(element)


def _children_in_any_order(element: Element, *tags: str) -> None:
    if sorted(child.tag for child in element) != sorted(tags):
        raise SignatureRefused(f"unexpected parts of {QName(element).localname}")


def _one(element: Element, tag: str) -> Element:
    found = element.findall(tag)
    if len(found) != 1:
        raise SignatureRefused(f"not one {QName(tag).localname}")
    return found[0]


def _in(envelope: Element, name: str) -> str:
    return f"{{{QName(envelope).namespace}}}{name}"


def _header_of(envelope: Element) -> Element:
    header = etree.Element(_in(envelope, "Header"))
    envelope.insert(0, header)
    return header


def _squeezed(text: str | None) -> str:
    return "".join((text or "").split())
