"""A certification authority for tests: keys and certificates as files of one test's directory."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from foundation.tls import TlsFiles

CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
HOST = "127.0.0.1"
ACQUIRER = "urn:pooya:acquirer:581672"
OTHER_ACQUIRER = "urn:pooya:acquirer:999999"


class Authority:
    """Signs certificates; ``path`` holds its own.

    Args:
        directory: where the files go.
        name: tells its files from another's.
    """

    def __init__(self, directory: Path, name: str = "root") -> None:
        self._directory = directory
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, name, self._key, self._key)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        self.path = directory / f"{name}.pem"
        self.path.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))

    def host(self, address: str = HOST, *, trusts: Authority | None = None) -> TlsFiles:
        """Make the files of an issuer's host that bears this address."""
        name = x509.IPAddress(ipaddress.ip_address(address))
        return self._issue("host", [name], SERVER, trusts or self)

    def acquirer(
        self, *uris: str, trusts: Authority | None = None, purpose: x509.ObjectIdentifier = CLIENT
    ) -> TlsFiles:
        """Make the files of an acquirer that bears these URIs."""
        names = [x509.UniformResourceIdentifier(uri) for uri in uris] or [x509.DNSName("nobody")]
        return self._issue("acquirer", names, purpose, trusts or self)

    def _issue(
        self, stem: str, names: Sequence[x509.GeneralName], purpose: x509.ObjectIdentifier, trusts: Authority
    ) -> TlsFiles:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(stem, self._name, key, self._key)
        for extension in (x509.SubjectAlternativeName(names), x509.ExtendedKeyUsage([purpose])):
            builder = builder.add_extension(extension, critical=False)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        place = self._directory / f"{self._name}-{stem}-{os.urandom(4).hex()}"
        certificate, key_path = place.with_suffix(".crt"), place.with_suffix(".key")
        certificate.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))
        key_path.touch(mode=0o600)
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return TlsFiles(certificate, key_path, trusts.path)


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    ours, theirs = key.public_key(), signer.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(ours)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ours), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(theirs), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
