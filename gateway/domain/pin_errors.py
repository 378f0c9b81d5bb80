"""Errors about requests for PINs; :mod:`gateway.domain.errors` draws the tree they belong to."""

from __future__ import annotations

from gateway.domain.errors import LimitReached


class TooManyPinRequests(LimitReached):
    """The payment's share of PIN requests is used up."""

    code = "too_many_pin_requests"


class TooManyPinRequestsOfCard(LimitReached):
    """The card's share of PIN requests of this hour or day is used up, over all payments."""

    code = "too_many_pin_requests_of_card"


class TooManyUnprovenPinRequests(LimitReached):
    """The share of requests that show a card's number alone is used up; with CVV2 and expiry it may still ask (D19)."""

    code = "too_many_unproven_pin_requests"
