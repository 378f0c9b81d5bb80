"""The rules of webhooks: addresses, types, back-off, secrets."""

from __future__ import annotations

import pytest

from gateway.domain.errors import InvalidEndpoint
from gateway.domain.webhooks import (
    BACKOFF_SECONDS,
    EVENT_TYPES,
    GIVE_UP_SECONDS,
    IBANS_CHANGED,
    NOTICES,
    OVERLAP_SECONDS_MAX,
    check_event_types,
    check_overlap,
    check_secret,
    check_url,
    new_endpoint_id,
    wait_after,
)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/",
        "http://shop.example/",
        "//shop.example/",
        "shop.example",
        "https://",
        "https://user@shop.example/",
        "https://user:secret@shop.example/",
        "https://shop.example/#part",
        "https://shop.example/a b",
        "https://shop.example/\r\nX: y",
        "https://shop.example:99999/",
        "https://shop.example:0/",
        "https://[::1/",
        "https://فروشگاه.example/",
        "https://shop.example/" + "x" * 500,
    ],
)
def test_an_address_outside_the_rules_is_refused(url: str) -> None:
    """Only absolute https addresses of printable ASCII, without user and fragment, in a live gateway."""
    with pytest.raises(InvalidEndpoint):
        check_url(url, https_only=True)


def test_a_good_address_is_kept_as_it_is() -> None:
    """A sandbox may do without TLS."""
    assert check_url("https://shop.example/hooks?x=1", https_only=True) == "https://shop.example/hooks?x=1"
    assert check_url("http://localhost:8200/", https_only=False) == "http://localhost:8200/"


def test_types_are_what_endpoints_may_hear() -> None:
    """Each once, in order; where money goes is among them, notices about endpoints are for the feed alone."""
    assert check_event_types(("payment.confirmed", "payment.authorised", "payment.confirmed")) == (
        "payment.authorised",
        "payment.confirmed",
    )
    assert check_event_types(IBANS_CHANGED) == ("settlement_iban.added", "settlement_iban.removed")
    assert not set(NOTICES) & set(EVENT_TYPES)
    for unknown in (*NOTICES, "payment", "*"):
        with pytest.raises(InvalidEndpoint):
            check_event_types((unknown,))
    with pytest.raises(InvalidEndpoint) as refused:
        check_event_types(("payment.confirmed", "x" * 100_000))
    assert "xx" not in str(refused.value), "what was sent is not said again"


def test_f23_waits_grow_and_are_spread() -> None:
    """F23: the table, a fifth more or less, its last row repeated."""
    for tries, seconds in enumerate(BACKOFF_SECONDS, 1):
        assert wait_after(tries, lambda _: 20) == seconds
        assert wait_after(tries, lambda _: 0) == -(-seconds * 4 // 5)
        assert wait_after(tries, lambda n: n - 1) == seconds * 6 // 5
        assert 0.8 * seconds <= wait_after(tries) <= 1.2 * seconds + 1
    assert wait_after(99, lambda _: 20) == BACKOFF_SECONDS[-1]


def test_f23_an_event_is_tried_for_three_days() -> None:
    """F23: the table's waits add up to three days after a bounded number of tries."""
    seconds = tries = 0
    while seconds <= GIVE_UP_SECONDS:
        tries += 1
        seconds += wait_after(tries, lambda _: 20)
    assert 12 <= tries <= 24


@pytest.mark.parametrize("seconds", [-1, OVERLAP_SECONDS_MAX + 1])
def test_an_overlap_lasts_a_week_at_most(seconds: int) -> None:
    """Zero ends the old secret at once."""
    assert check_overlap(0) == 0
    with pytest.raises(InvalidEndpoint):
        check_overlap(seconds)


def test_a_secret_looks_like_one() -> None:
    """Standard Webhooks: ``whsec_`` and base64."""
    assert check_secret("whsec_c2VjcmV0") == "whsec_c2VjcmV0"
    for wrong in ("whsec_", "c2VjcmV0", ""):
        with pytest.raises(InvalidEndpoint):
            check_secret(wrong)


def test_endpoint_ids_have_their_shape() -> None:
    """``whe_`` and twenty characters."""
    assert new_endpoint_id(lambda _: 0) == "whe_" + "0" * 20
    assert new_endpoint_id() != new_endpoint_id()
