"""The door of the app against anything: whatever comes, an answer in its own shape, never a breakdown, never a hang."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otp.domain.app_answers import AppCode
from tests.otp.app_twin import API, AppTwin, b64
from tests.otp.ramznegar import Counter, make_counter
from tests.otp.test_harim_fuzz import CORPUS, JSON_VALUES

__all__ = ["make_counter"]

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ROOT = {"iv": b64(bytes(12)), "text": b64(bytes(48))}
PROOF = {"activation_id": "12345678", "proof": b64(bytes(32))}
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "request": ("POST", "/cards/requests", {"card_no": "0" * 32}),
    "add": ("POST", "/cards", PROOF),
    "ceiling": ("PUT", f"/cards/{UNKNOWN}/ceiling", {"ceiling_rial": 1}),
    "raise": ("POST", f"/cards/{UNKNOWN}/ceiling/confirm", PROOF),
    "pin": ("PUT", "/pin", {"card_ref": UNKNOWN, "code": "1234567", "code_root": ROOT}),
}
ACTIVATION = {**PROOF, "public_key": b64(b"\x04" + bytes(64))}
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def counter(make_counter: Callable[..., Counter]) -> Counter:
    """Give a bank that holds nobody off."""
    return make_counter(app_calls_per_minute=10_000_000, app_strangers_per_minute=10_000_000)


@pytest.fixture
def app(counter: Counter) -> AppTwin:
    """Give an app that is active."""
    return counter.activated()


@pytest.mark.parametrize("path", sorted(CORPUS.glob("json/*")), ids=lambda path: path.name)
def test_the_json_corpus_is_answered_by_refusals(app: AppTwin, path: Path) -> None:
    """Everything that was ever worth keeping."""
    assert send(app, "pin", path.read_bytes()) == AppCode.MALFORMED


@FUZZ
@given(name=st.sampled_from(sorted(CALLS)), field=st.text(max_size=12), value=JSON_VALUES, known=st.booleans())
def test_no_signed_json_breaks_the_reader(
    app: AppTwin,
    name: str,
    field: str,
    value: object,
    known: bool,  # noqa: FBT001 - hypothesis passes by name
) -> None:
    """A known device writes anything into any field, or a field that is not there."""
    document = CALLS[name][2]
    field = sorted(document)[len(field) % len(document)] if known else field

    assert send(app, name, json.dumps({**document, field: value}).encode()) != AppCode.TEMPORARILY_UNAVAILABLE


@FUZZ
@given(name=st.sampled_from(sorted(CALLS)), raw=st.binary(max_size=300))
def test_no_signed_bytes_break_the_reader(app: AppTwin, name: str, raw: bytes) -> None:
    """Not even bytes that are no JSON."""
    assert send(app, name, raw) == AppCode.MALFORMED


@FUZZ
@given(field=st.sampled_from(sorted(ACTIVATION)), value=JSON_VALUES)
def test_no_strangers_json_breaks_the_reader(counter: Counter, field: str, value: object) -> None:
    """The one body that comes unsigned."""
    answer = counter.client.post(f"{API}/activations", json={**ACTIVATION, field: value})

    assert answer.get_json()["code"] in {AppCode.MALFORMED, AppCode.ACTIVATION_REFUSED}


@FUZZ
@given(header=st.text(alphabet=st.characters(codec="latin-1", exclude_categories=("Cc",)), max_size=120))
def test_no_header_breaks_the_reader(counter: Counter, header: str) -> None:
    """Anything instead of a signature is nobody's."""
    answer = counter.client.get(f"{API}/cards", headers={"Ramznegar-Device": header})

    assert (answer.status_code, answer.get_json()["code"]) == (401, AppCode.CALL_REFUSED)


def send(app: AppTwin, name: str, raw: bytes) -> str:
    """Sign anything and send it; return the code of the refusal."""
    method, path, _ = CALLS[name]
    app.calls += 1
    status, told = app.repeat(method, path, raw, app.header(method, path, raw))
    assert status < 500 or told["code"] == AppCode.TEMPORARILY_UNAVAILABLE
    return str(told["code"])
