"""X.509 certificates that partners pin, and what goes with each: its fingerprint, its key, its one algorithm.

PEM texts hold one certificate after the other; two live at a time while keys change.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
RSA_BITS_MIN = 2048


class CertificateRefused(ValueError):
    """The PEM text holds no certificate, or one whose key is not used here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A certificate of a partner.

    Args:
        fingerprint: SHA-256 of the certificate, hex, by which it is named.
        der: the certificate itself.
        algorithm: the only signature algorithm that its key is good for.
    """

    fingerprint: str
    der: bytes
    key: xmlsec.Key
    algorithm: str
    since: dt.datetime
    until: dt.datetime


def pinned_certificates(pem: str) -> tuple[Pinned, ...]:
    """Read the certificates of a PEM text.

    Raises:
        CertificateRefused: when there is none, or one is not used here.
    """
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise CertificateRefused("a PEM text with at least one certificate is needed") from None
    return tuple(map(_pin, certificates))


def private_key_of(pem: bytes) -> xmlsec.Key:
    """Read the private key of a PEM text that has its certificate too.

    Raises:
        CertificateRefused: when one of the two is missing or not of the other.
    """
    try:
        private = serialization.load_pem_private_key(pem, None)
        certificate = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError):
        raise CertificateRefused("a signer's PEM needs a private key without password and its certificate") from None
    if _written(private.public_key()) != _written(certificate.public_key()):
        raise CertificateRefused("private key and certificate do not belong together")
    plain = serialization.NoEncryption()
    written = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return xmlsec.Key.from_memory(written, xmlsec.KeyFormat.PEM)


def _pin(certificate: x509.Certificate) -> Pinned:
    der = certificate.public_bytes(serialization.Encoding.DER)
    return Pinned(
        hashlib.sha256(der).hexdigest(),
        der,
        xmlsec.Key.from_memory(certificate.public_bytes(serialization.Encoding.PEM), xmlsec.KeyFormat.CERT_PEM),
        _algorithm_of(certificate),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def _algorithm_of(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS_MIN:
        return RSA_SHA256
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return ECDSA_SHA256
    raise CertificateRefused(f"a certificate here has an EC key on P-256 or an RSA key of {RSA_BITS_MIN} bits or more")


def _written(key: object) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    written: bytes = key.public_bytes(serialization.Encoding.DER, form)  # type: ignore[attr-defined]  # any public key
    return written
