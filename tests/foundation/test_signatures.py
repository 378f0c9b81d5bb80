"""Signed messages in both directions (D21, D41)."""

import pytest

from foundation.signatures import RequestToSign, SignatureRefused, Signer, Verifier, public_key_of

URL = "http://bank.test/harim/v1/dynamic-pins"
JSON = {"Content-Type": "application/json"}
PRIVATE = bytes(range(32))


@pytest.fixture
def signer() -> Signer:
    """The PSP's signing key."""
    return Signer("psp-1", PRIVATE)


@pytest.fixture
def verifier() -> Verifier:
    """The bank's record of the PSP's public key."""
    return Verifier({"psp-1": public_key_of(PRIVATE)})


def signed(signer: Signer, body: bytes = b"{}", url: str = URL) -> RequestToSign:
    """Make and sign a request."""
    request = RequestToSign("POST", url, dict(JSON))
    signer.sign_request(request, body)
    return request


def test_d21_a_signed_request_says_who_signed_and_never_repeats_a_nonce(signer: Signer, verifier: Verifier) -> None:
    """D21: a good signature yields key id, nonce and creation time; each request has its own nonce."""
    first, second = (verifier.verify_request(signed(signer), b"{}") for _ in range(2))
    assert first.key_id == "psp-1"
    assert first.nonce != second.nonce
    assert first.created > 0


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("PUT", URL, {}),
        ("POST", URL + "/verify", {}),
        ("POST", URL, {"Content-Type": "text/html"}),
        ("POST", URL, {"Signature": ""}),
        ("POST", URL, {"Signature": "message=:AAAA:"}),
        ("POST", URL, {"Signature-Input": "%%%"}),
        ("POST", URL, {"Content-Digest": "sha-256=:AAAA:"}),
    ],
)
def test_d21_any_change_to_a_request_is_refused(
    method: str, url: str, headers: dict[str, str], signer: Signer, verifier: Verifier
) -> None:
    """D21: method, target, type, digest and the signature itself cannot be changed."""
    request = RequestToSign(method, url, signed(signer).headers | headers)
    with pytest.raises(SignatureRefused):
        verifier.verify_request(request, b"{}")


@pytest.mark.parametrize(("taken", "put"), [('"@method" ', ""), ('"content-digest" ', ""), ("psp-1", "psp-2")])
def test_d21_coverage_and_key_id_cannot_be_loosened(taken: str, put: str, signer: Signer, verifier: Verifier) -> None:
    """D21: a signature that covers less, or names another key, is refused."""
    request = signed(signer)
    request.headers["Signature-Input"] = request.headers["Signature-Input"].replace(taken, put)
    with pytest.raises(SignatureRefused):
        verifier.verify_request(request, b"{}")


def test_d21_another_body_is_refused(signer: Signer, verifier: Verifier) -> None:
    """D21: the digest ties the signature to the body."""
    with pytest.raises(SignatureRefused):
        verifier.verify_request(signed(signer), b"{ }")


def test_d41_an_answer_belongs_to_its_request(signer: Signer, verifier: Verifier) -> None:
    """D41: an answer verifies only under the request it answers, with its own status and body."""
    asked, other = signed(signer), signed(signer)
    headers = signer.sign_answer(asked, status=200, headers=JSON, body=b"yes")
    assert verifier.verify_answer(asked, status=200, headers=headers, body=b"yes").key_id == "psp-1"
    for request, status, body in [(other, 200, b"yes"), (asked, 409, b"yes"), (asked, 200, b"no")]:
        with pytest.raises(SignatureRefused):
            verifier.verify_answer(request, status=status, headers=headers, body=body)
    with pytest.raises(SignatureRefused):
        verifier.verify_answer(asked, status=200, headers=JSON, body=b"yes")
