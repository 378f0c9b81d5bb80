"""Self-signed identities for signed SOAP: what partners pin is the certificate itself, so nobody vouches for it."""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
EARLIER = dt.timedelta(hours=1)
GOOD_FOR = dt.timedelta(days=3650)
BEGIN_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


def new_identity(name: str, key: PrivateKey | None = None, *, good_for: dt.timedelta = GOOD_FOR) -> bytes:
    """Make a private key (EC, P-256, unless given) and its certificate, one PEM text."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + good_for)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)


def certificate_of(identity: bytes) -> str:
    """Return the public half of an identity: what is handed to the other side."""
    return identity[identity.index(BEGIN_CERTIFICATE) :].decode()
