"""Signed envelopes: two other implementations agree, and whatever is done to one on its way is refused (D21, D41)."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable

import pytest
import zeep.wsse.signature
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml import SignatureConfiguration, SignatureMethod, XMLVerifier
from zeep.exceptions import SignatureVerificationFailed

from foundation.certificates import (
    CertificateRefused,
    Pinned,
    pinned_certificates,
)
from foundation.hard_xml import Element, parse
from foundation.signatures import SignatureRefused
from foundation.soap import SOAP_11, SOAP_12, Version, written
from foundation.xml_signatures import (
    C14N,
    DS,
    ECDSA_SHA256,
    RSA_SHA256,
    WSU,
    EnvelopeSigner,
    EnvelopeVerifier,
    now_utc,
)
from sandbox.certificates import PrivateKey, certificate_of, new_identity
from tests.fakes.envelopes import CONTRACT, FOLDER, SPOILED, Spoil, own_token, request_of, wrap_under_another_id

DOCUMENT = json.loads((FOLDER / "examples" / "request-proven.json").read_text())
TO_BANK = "https://bank.example/harim/v1/soap"
EC, RSA = (new_identity("ec"), new_identity("rsa", rsa.generate_private_key(65537, 2048)))
STRANGER = new_identity("stranger")
REFUSAL = {"refusal": {"code": "STALE", "message": {"fa": "پیام", "en": "message"}}}


def pinned(*identities: bytes) -> tuple[Pinned, ...]:
    """Pin the certificates of these."""
    return pinned_certificates("".join(map(certificate_of, identities)))


def opened(raw: bytes) -> Element:
    """Parse a message."""
    return parse(raw, max_bytes=65_536)


def verified(raw: bytes, *identities: bytes, to: str = TO_BANK) -> str:
    """Verify a request; return the certificate's fingerprint."""
    return EnvelopeVerifier(pinned(*(identities or (EC,)))).verify_request(opened(raw), to=to).certificate


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
@pytest.mark.parametrize("identity", [EC, RSA], ids=["ec", "rsa"])
def test_d41_request_and_answer_are_signed_and_believed(identity: bytes, version: Version) -> None:
    """Both ways, both kinds of key, both versions; what is believed is the body alone."""
    raw, value = request_of(identity, DOCUMENT, to=TO_BANK, version=version)
    verifier = EnvelopeVerifier(pinned(STRANGER, identity))

    asked = verifier.verify_request(opened(raw), to=TO_BANK)
    answer = CONTRACT.answer(version, "RequestDynamicPin", REFUSAL)
    EnvelopeSigner(identity).sign_answer(answer, confirms=asked.value)
    told = verifier.verify_answer(opened(written(answer)), confirms=value)

    assert CONTRACT.read_request(asked.body).document == DOCUMENT
    assert CONTRACT.read_answer(told.body).document == REFUSAL
    assert asked.certificate == told.certificate == pinned(identity)[0].fingerprint


@pytest.mark.parametrize(
    ("identity", "method"),
    [(EC, SignatureMethod.ECDSA_SHA256), (RSA, SignatureMethod.RSA_SHA256)],
    ids=["ec", "rsa"],
)
def test_an_independent_implementation_verifies_what_we_sign(identity: bytes, method: SignatureMethod) -> None:
    """signxml, which shares no line with ours, believes the same three parts, and no more after a change."""
    raw, _ = request_of(identity, DOCUMENT, to=TO_BANK)
    wanted = SignatureConfiguration(
        require_x509=False, expect_references=3, signature_methods=frozenset({method}), location=".//"
    )
    certificate = x509.load_pem_x509_certificate(certificate_of(identity).encode())

    def believed(raw: bytes) -> set[str]:
        found = XMLVerifier().verify(opened(raw), x509_cert=certificate, expect_config=wanted)
        return {etree.QName(result.signed_xml).localname for result in found}

    assert believed(raw) == {"Body", "Timestamp", "To"}
    with pytest.raises(Exception, match=r"[Dd]igest"):
        believed(raw.replace(b"1250000", b"9250000"))


def test_a_second_implementation_by_zeep_is_fooled_where_ours_is_not() -> None:
    """The check of zeep itself passes a wrapped message: the reason why ours exists."""
    raw, _ = request_of(EC, DOCUMENT, to=TO_BANK)
    wrapped, _ = request_of(EC, DOCUMENT, to=TO_BANK, after=wrap_under_another_id)
    key = zeep.wsse.signature._make_verify_key(certificate_of(EC).encode())  # noqa: SLF001 - takes files otherwise

    zeep.wsse.signature._verify_envelope_with_key(opened(raw), key)  # noqa: SLF001 - the same
    zeep.wsse.signature._verify_envelope_with_key(opened(wrapped), key)  # noqa: SLF001 - the same
    with pytest.raises(SignatureVerificationFailed):
        zeep.wsse.signature._verify_envelope_with_key(opened(raw.replace(b"1250000", b"9250000")), key)  # noqa: SLF001 - the library's own judge, which nothing public calls
    with pytest.raises(SignatureRefused):
        verified(wrapped)


@pytest.mark.parametrize("name", SPOILED)
def test_d21_whatever_is_done_to_a_signed_request_is_refused(name: str) -> None:
    """Wrapped, cut, doubled, renamed, re-pointed: each is refused, and by no other exception."""
    raw, _ = request_of(EC, DOCUMENT, to=TO_BANK, after=SPOILED[name])

    with pytest.raises(SignatureRefused):
        verified(raw)


def test_d21_only_the_pinned_certificate_decides() -> None:
    """A stranger's good signature, under its own certificate or under the pinned one, is worth nothing."""
    theirs, _ = request_of(STRANGER, DOCUMENT, to=TO_BANK)
    borrowed, _ = request_of(STRANGER, DOCUMENT, to=TO_BANK, after=own_token(EC))
    lent, _ = request_of(EC, DOCUMENT, to=TO_BANK, after=own_token(STRANGER))

    for raw in (theirs, borrowed, lent):
        with pytest.raises(SignatureRefused):
            verified(raw)
    assert verified(theirs, STRANGER) == pinned(STRANGER)[0].fingerprint


def test_d21_a_message_for_one_bank_is_refused_by_another() -> None:
    """The receiver's address is signed."""
    raw, _ = request_of(EC, DOCUMENT, to=TO_BANK)

    with pytest.raises(SignatureRefused, match="another address"):
        verified(raw, to="https://other.example/harim/v1/soap")


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, True), (299, True), (301, False), (86_400, False), (-59, True), (-61, False)]
)
def test_d21_five_minutes_and_no_more(seconds: int, good: bool) -> None:  # noqa: FBT001 - a table's column
    """Five minutes old at most; a minute ahead at most, for clocks differ."""
    raw, _ = request_of(EC, DOCUMENT, to=TO_BANK)
    verifier = EnvelopeVerifier(pinned(EC), now=lambda: now_utc() + dt.timedelta(seconds=seconds))

    if good:
        assert verifier.verify_request(opened(raw), to=TO_BANK)
    else:
        with pytest.raises(SignatureRefused, match="stale"):
            verifier.verify_request(opened(raw), to=TO_BANK)


def signed_with(change: Spoil) -> bytes:
    """Sign a request in which the signer itself wrote something that the profile does not have."""
    envelope = CONTRACT.request(SOAP_11, "RequestDynamicPin", DOCUMENT)
    signer = EnvelopeSigner(EC)
    template = signer._template  # noqa: SLF001 - the last moment before the signature is made

    def changed(envelope: Element, security: Element, parts: tuple[Element, ...]) -> Element:
        signature = template(envelope, security, parts)
        change(envelope)
        return signature

    signer._template = changed  # type: ignore[method-assign]  # noqa: SLF001 - the same
    signer.sign_request(envelope, to=TO_BANK)
    return written(envelope)


def prefix_list(envelope: Element) -> None:
    """Give the canonical form a parameter."""
    method = envelope.find(f".//{{{DS}}}CanonicalizationMethod")
    etree.SubElement(method, f"{{{C14N}}}InclusiveNamespaces", {"PrefixList": "soap-env"})


@pytest.mark.parametrize(
    "change",
    [
        lambda envelope: setattr(envelope.find(f".//{{{WSU}}}Created"), "text", "yesterday"),
        lambda envelope: setattr(envelope.find(f".//{{{WSU}}}Created"), "text", "2026-13-45T00:00:00Z"),
        lambda envelope: setattr(envelope.find(f".//{{{WSU}}}Created"), "text", None),
        lambda envelope: setattr(envelope.find(f".//{{{WSU}}}Expires"), "text", "2020-01-01T00:00:00Z"),
        lambda envelope: envelope.find(f".//{{{WSU}}}Timestamp").remove(envelope.find(f".//{{{WSU}}}Expires")),
        prefix_list,
    ],
    ids=["no time", "no such time", "empty", "expired", "no end", "prefix list"],
)
def test_d21_a_good_signature_over_something_odd_is_refused(change: Callable[[Element], object]) -> None:
    """The profile is narrow for its owner too."""
    assert verified(signed_with(lambda _: None))
    with pytest.raises(SignatureRefused):
        verified(signed_with(change))


def test_d21_an_answer_is_for_one_request() -> None:
    """The request's signature value is inside what is signed."""
    raw, value = request_of(EC, DOCUMENT, to=TO_BANK)
    answer = CONTRACT.answer(SOAP_11, "RequestDynamicPin", REFUSAL)
    EnvelopeSigner(EC).sign_answer(answer, confirms=value)
    verifier = EnvelopeVerifier(pinned(EC))
    other = request_of(EC, DOCUMENT, to=TO_BANK)[1]
    moved = copy.deepcopy(answer)
    moved.find(".//{*}SignatureConfirmation").set("Value", other)

    assert verifier.verify_answer(opened(written(answer)), confirms=value)
    for envelope, confirms in ((answer, other), (moved, other), (opened(raw), value)):
        with pytest.raises(SignatureRefused):
            verifier.verify_answer(opened(written(envelope)), confirms=confirms)


def test_a_certificate_out_of_its_time_signs_nothing() -> None:
    """Pinned or not, an expired certificate is refused."""
    past = new_identity("past", good_for=dt.timedelta(minutes=-1))
    raw, _ = request_of(past, DOCUMENT, to=TO_BANK)

    with pytest.raises(SignatureRefused, match="not valid now"):
        verified(raw, past)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), ECDSA_SHA256),
        (rsa.generate_private_key(65537, 2048), RSA_SHA256),
        (rsa.generate_private_key(65537, 1024), None),  # noqa: S505 - refused for that
        (ec.generate_private_key(ec.SECP384R1()), None),
    ],
    ids=["P-256", "RSA 2048", "RSA 1024", "P-384"],
)
def test_each_kind_of_key_has_one_algorithm(key: PrivateKey, algorithm: str | None) -> None:
    """What a certificate is good for follows from its key; a weak or unusual key is refused when it is pinned."""
    identity = new_identity("somebody", key)

    if algorithm is None:
        with pytest.raises(CertificateRefused):
            pinned(identity)
    else:
        assert pinned(identity)[0].algorithm == algorithm


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"nonsense",
        certificate_of(EC).encode(),
        EC.replace(certificate_of(EC).encode(), certificate_of(RSA).encode()),
    ],
    ids=["nothing", "nonsense", "no private key", "not of one pair"],
)
def test_a_signer_needs_both_halves_of_one_pair(pem: bytes) -> None:
    """A wrong key file is refused at start with a sentence."""
    with pytest.raises(CertificateRefused):
        EnvelopeSigner(pem)
