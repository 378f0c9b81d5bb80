"""Errors about top-ups; :mod:`gateway.domain.errors` draws the tree they belong to."""

from __future__ import annotations

from gateway.domain.errors import InvalidInput


class InvalidTopUp(InvalidInput):
    """The number, its operator or the amount cannot be topped up; ``field`` and ``reason`` say which, and why."""

    code = "invalid_top_up"

    def __init__(self, field: str, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.reason = reason


class OperatorNotOffered(InvalidInput):
    """This gateway tops up no numbers of that operator."""

    code = "operator_not_offered"
    field = "operator"
