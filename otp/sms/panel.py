"""What the HTTP panels have in common: a request is built, an answer is read, and tables say what its codes mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from foundation.sensitive import Sensitive
from otp.ports import Receipt, SmsMessage

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Verdict(Enum):
    """What a provider's code means for a message and for the account with this provider."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """There is no such number: no provider can send it."""
    ELSEWHERE = "elsewhere"
    """Busy or broken: the next provider may take it, and this one is trusted less."""
    UNSUITED = "unsuited"
    """Words, template or a blocked line: the next provider may take it; somebody should look at the template."""
    TROUBLE = "trouble"
    """Credit, credentials, address: the next provider may take it, and an operator is paged."""


def codes(table: Mapping[Verdict, str]) -> Mapping[str, Verdict]:
    """Turn a table of space-separated codes by verdict into one of verdicts by code.

    >>> codes({Verdict.ACCEPTED: "0 200"})["200"].value
    'accepted'
    """
    return {code: verdict for verdict, listed in table.items() for code in listed.split()}


STATUSES = codes(
    {
        Verdict.TROUBLE: "401 402 403 407",
        Verdict.UNSUITED: "400 404 405 413 415 422",
    }
)
"""What an HTTP status says where the body says nothing; every other is taken for a broken provider."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template agreed with a provider.

    Args:
        id: the provider's name for it.
        values: its own names of what is left open, each with ours, in its order.
    """

    id: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Account:
    """The bank's account with one provider.

    Args:
        credentials: by the panel's names.
        line: the number to send from; none is the bank's usual one.
        templates: by our names.
        address: where its service is, without a slash at the end; none is where it usually is.
        states: the provider's delivery states that mean something else than its table says.
    """

    credentials: Mapping[str, Sensitive[str]]
    line: str | None = None
    templates: Mapping[str, Template] = field(default_factory=dict)
    address: str | None = None
    states: Mapping[str, Receipt] = field(default_factory=dict)

    def secret(self, name: str) -> str:
        """Open one credential, on its way into a request."""
        return self.credentials[name].reveal()

    def line_for(self, message: SmsMessage) -> str:
        """Return the number that this message comes from."""
        return self.line or message.sender

    def template_for(self, message: SmsMessage, fits: Callable[[str, str], bool]) -> Filled | None:
        """Fill in the template for this message; none where there is none or a value does not fit into it.

        Args:
            message: of ours.
            fits: tells by the provider's name and the value whether the provider would take it.
        """
        asked = message.template
        template = None if asked is None else self.templates.get(asked.name)
        if asked is None or template is None or not set(template.values.values()) <= set(asked.values):
            return None
        values = {theirs: asked.values[ours].reveal() for theirs, ours in template.values.items()}
        return Filled(template.id, values) if all(fits(*item) for item in values.items()) else None


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with its values, in the provider's names; never shown."""

    id: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What goes to a provider; address, headers and body may carry a key, a code and a phone number."""

    method: str
    address: Sensitive[str]
    headers: Mapping[str, Sensitive[str]]
    body: Sensitive[bytes]


@dataclass(frozen=True, slots=True)
class Reply:
    """A provider's own code for what it did, and its name for the message if it gave one."""

    code: str
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One kind of provider.

    Args:
        base: where its service usually is.
        credentials: names of what an account has to have.
        codes: what its codes mean.
        send: builds the request for a message.
        read: reads the answer; raises ``LookupError``, ``TypeError`` or ``ValueError`` for one that makes no sense.
        receipts: what its delivery states mean; one that is not listed is waiting.
        ask: builds the question about messages by their ids.
        told: reads its answer: delivery states by message id; raises like ``read``.
        ask_most: ids in one question.
    """

    base: str
    credentials: tuple[str, ...]
    codes: Mapping[str, Verdict]
    send: Callable[[Account, str, SmsMessage], Request]
    read: Callable[[Any], Reply]
    receipts: Mapping[str, Receipt]
    ask: Callable[[Account, str, Sequence[str]], Request]
    told: Callable[[Any, Sequence[str]], Mapping[str, str]]
    ask_most: int = 1


def posted(address: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Request:
    """Build a request that posts JSON."""
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Request("POST", Sensitive(address), _sealed({**(headers or {}), "Content-Type": JSON}), Sensitive(encoded))


def got(address: str, headers: Mapping[str, str] | None = None) -> Request:
    """Build a request that only asks."""
    return Request("GET", Sensitive(address), _sealed(headers or {}), Sensitive(b""))


def first(rows: Any) -> Any:
    """Return the only row of a list, or what stands in place of one."""
    return rows[0] if isinstance(rows, list) else rows


def international(mobile: str) -> str:
    """Write a mobile number with the country's code.

    >>> international("09121234567")
    '+989121234567'
    """
    return f"+98{mobile[1:]}"


def _sealed(headers: Mapping[str, str]) -> Mapping[str, Sensitive[str]]:
    return {name: Sensitive(value) for name, value in {"Accept": JSON, **headers}.items()}
