"""Signed HTTP messages between organisations, both directions: RFC 9421 with Ed25519 (D21, D41).

A request covers method, target, content digest and content type, with creation time, nonce and key id. An answer covers
its status, digest and content type *and the signature of the request it answers*, so no answer can be put under another
request. Replay is refused by the receiver's own store: every verified message carries its nonce.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)

LABEL = "message"
TAG = "organisation-message"  # keeps these signatures apart from any other use of the same keys
MAX_AGE = dt.timedelta(minutes=5)
NONCE_BYTES = 16
REQUEST_COMPONENTS = ("@method", "@target-uri", "content-digest", "content-type")
ANSWER_COMPONENTS = ("@status", "content-digest", "content-type", '"signature";req')


class SignatureRefused(Exception):
    """The message is unsigned, altered, stale, or signed by a key that is not known here; nothing was done."""


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """What a verified signature vouches for."""

    key_id: str
    nonce: str
    created: int


@dataclass(slots=True)
class RequestToSign:
    """A request as the signature sees it: absolute URL, headers of this message only."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass(slots=True)
class _Answer:
    status_code: int
    request: RequestToSign
    headers: dict[str, str] = field(default_factory=dict)


class Signer:
    """Signs requests and answers with one private key.

    Args:
        key_id: the id under which the other side knows the public key.
        private_key: Ed25519, 32 raw bytes.
    """

    def __init__(self, key_id: str, private_key: bytes) -> None:
        self.key_id = key_id
        key = Ed25519PrivateKey.from_private_bytes(private_key)
        self._signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519,
            key_resolver=MappingKeyResolver(public_keys={}, private_keys={key_id: key}),
        )

    def sign_request(self, request: RequestToSign, body: bytes) -> None:
        """Add ``Content-Digest``, ``Signature-Input`` and ``Signature`` to the request's headers."""
        self._sign(request, body, REQUEST_COMPONENTS)

    def sign_answer(
        self, request: RequestToSign, *, status: int, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        """Return the headers of an answer to ``request`` with its signature added."""
        answer = _Answer(status, request, dict(headers))
        self._sign(answer, body, ANSWER_COMPONENTS)
        return answer.headers

    def _sign(self, message: RequestToSign | _Answer, body: bytes, components: tuple[str, ...]) -> None:
        self._signer.sign(
            message,
            key_id=self.key_id,
            nonce=secrets.token_urlsafe(NONCE_BYTES),
            label=LABEL,
            tag=TAG,
            covered_component_ids=components,
            body=body,
        )


class Verifier:
    """Checks signatures of partners by their pinned public keys (never a key found in the message)."""

    def __init__(self, public_keys: Mapping[str, bytes]) -> None:
        keys = {key_id: Ed25519PublicKey.from_public_bytes(raw) for key_id, raw in public_keys.items()}
        self._verifier = HTTPMessageVerifier(
            signature_algorithm=algorithms.ED25519,
            key_resolver=MappingKeyResolver(public_keys=keys, private_keys={}),
        )

    def verify_request(self, request: RequestToSign, body: bytes) -> SignedMessage:
        """Return who signed the request, or raise :class:`SignatureRefused`."""
        return self._verify(request, body, REQUEST_COMPONENTS)

    def verify_answer(
        self, request: RequestToSign, *, status: int, headers: Mapping[str, str], body: bytes
    ) -> SignedMessage:
        """Return who signed the answer to exactly this request, or raise :class:`SignatureRefused`."""
        return self._verify(_Answer(status, request, dict(headers)), body, ANSWER_COMPONENTS)

    def _verify(self, message: RequestToSign | _Answer, body: bytes, components: tuple[str, ...]) -> SignedMessage:
        try:
            results = self._verifier.verify(
                message,
                max_age=MAX_AGE,
                expect_label=LABEL,
                expect_tag=TAG,
                require_components=components,
                body=body,
            )
            parameters = results[0].parameters
            return SignedMessage(str(parameters["keyid"]), str(parameters["nonce"]), int(parameters["created"]))
        except (HTTPMessageSignaturesException, ValueError, KeyError, IndexError) as error:
            raise SignatureRefused(type(error).__name__) from None


def public_key_of(private_key: bytes) -> bytes:
    """Return the 32 raw bytes of the public half, for the other side's records."""
    return Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()
