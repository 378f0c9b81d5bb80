"""Turning a payment and a message into a page: the one place that knows templates, languages and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import current_app, render_template, request, url_for

from foundation.digits import to_ascii_digits
from foundation.persian import Language, clock_time, grouped, isolate, jalali_moment, number, numerals, toman_in_words
from foundation.sensitive import Sensitive
from gateway.domain.health import Health
from gateway.domain.outcome import Balance
from gateway.domain.payment import OUTSIDE, PaymentState
from gateway.ports import Kind as PaymentKind
from gateway.services import health
from gateway.services.gateway import Gateway
from gateway.services.look_up_receipt import ReceiptCheck, receipt_seal
from gateway.services.show_page import PageView, PinStatus
from gateway.web.challenges import challenge_shown
from gateway.web.forms import FIELDS, NOTHING_TYPED, Typed, proof_of
from gateway.web.outcomes import (
    SECONDS_UNTIL_NEWS,
    SECONDS_UNTIL_RETURN,
    WAITS,
    WATCHED,
    Kind,
    Message,
    delivery_message,
    kind_of,
)
from gateway.web.qr import qr_picture
from gateway.web.script_words import banks_of, named, script_words, version_of
from gateway.web.wording import WORDS, say

_LATE_STEPS = ("late.wait", "late.resend", "late.mobile", "late.other")
"""What helps, in this order, when the SMS does not come."""

_NUMBER_VALUES = {"seconds", "count", "tail", "minutes"}


def gateway_of_app() -> Gateway:
    """Return the gateway that this application serves."""
    return cast("Gateway", current_app.extensions["gateway"])


def language() -> Language:
    """Return the customer's choice; Persian unless English was asked for in the address or the form."""
    return "en" if request.values.get("lang") == "en" else "fa"


def page_address(page_token: str) -> str:
    """Return the address of a payment's page in the customer's language."""
    return url_for("pages.show", page_token=page_token) + ("?lang=en" if language() == "en" else "")


def _naming_address(view: PageView) -> str:
    """Return where the payer of an asked transfer says who gets the money, in the customer's language."""
    return url_for("transfer_requests.show", page_token=view.page_token) + ("?lang=en" if language() == "en" else "")


def delivery_answer(pin: PinStatus) -> dict[str, object]:
    """Return what the page says of the SMS and in how many seconds there may be news; 0 means that there is none."""
    message = delivery_message(pin)
    return {
        "tone": message.tone if message else "good",
        "message": said(message) if message else "",
        "again_in_seconds": 0 if pin.ask_in_seconds is None else max(1, pin.ask_in_seconds),
    }


def return_address(view: PageView) -> str:
    """Return the shop's callback address with what it needs to ask the merchant API; it proves nothing by itself."""
    parts = urlsplit(view.callback_url)
    facts = {"payment_id": view.payment_id, "order_id": view.order_id, "state": OUTSIDE[view.state]}
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(facts))))))


def said(message: Message, kind: PaymentKind | None = None) -> str:
    """Return a message in the customer's language and digits, as a payment of this kind says it."""
    chosen = language()
    values = {
        name: isolate(number(value, chosen)) if name in _NUMBER_VALUES else value
        for name, value in message.values.items()
    }
    return _said_in(chosen, kind, message.key, **values)


def payment_page(
    view: PageView,
    *,
    mistakes: tuple[Message, ...] = (),
    notes: tuple[Message, ...] = (),
    typed: Typed = NOTHING_TYPED,
    title: str = "errors.title",
    challenge: str = "",
) -> str:
    """Render the page that the payment's state calls for.

    Args:
        view: the payment.
        mistakes: what to put right, on the card page.
        notes: what came of asking for a PIN or more time, on the card page; the first one gives the tone.
        typed: what stands in the card page's fields.
        title: key of the heading over the mistakes.
        challenge: to be answered by reading its picture, on the card page.
    """
    kind = kind_of(view)
    if kind == "payee":
        return naming_page(view)
    if kind == "card":
        return _card_page(view, mistakes, notes, typed, title, challenge)
    if kind == "receipt" and view.kind is PaymentKind.BALANCE_INQUIRY:
        return balance_page(view, None)
    return _receipt_page(view) if kind == "receipt" else outcome_page(kind, view)


def outcome_page(kind: Kind | str, view: PageView | None = None, *, trace: str = "") -> str:
    """Render a page that tells how things stand; without a payment it only says that there is none.

    ``trace`` finds a fault of ours in the log.
    """
    again_in = SECONDS_UNTIL_NEWS if kind in WATCHED else 0
    return render("outcome.html", view=view, kind=kind, trace=trace, waits=kind in WAITS, again_in=again_in)


def receipt_check_page(check: ReceiptCheck) -> str:
    """Render what a stranger with a tracking code, or a holder of the whole receipt, may know."""
    kept, rest, persian = _KINDS_OF_CHECK.get(check.state, "check"), check.rest, language() == "fa"
    payee = rest and (rest.merchant_name_fa if persian else rest.merchant_name_en)
    return render("check.html", kind=kept, check=check, payee=payee)


def _receipt_page(view: PageView) -> str:
    awaited = view.state is PaymentState.AUTHORISED
    # A shop may confirm before its customer sees the receipt; whoever opens it later is left in peace.
    merchants = view.kind is PaymentKind.PURCHASE or view.request is not None
    returning = merchants and (awaited or view.seconds_left > 0)
    address = _check_address(view.receipt.tracking_code) if view.receipt else ""
    return render("receipt.html", view=view, awaited=awaited, returning=returning, return_in=SECONDS_UNTIL_RETURN,
                   issuer_name=_issuer_name(view), check_url=address, qr=qr_picture(address))  # fmt: skip


def balance_page(view: PageView, balance: Sensitive[Balance] | None) -> str:
    """Render a balance for this answer only; without one, that it was told and is kept nowhere."""
    told = None if balance is None else balance.reveal()
    return render("balance.html", view=view, told=told, issuer_name=_issuer_name(view))


def asked_fields(view: PageView) -> tuple[str, ...]:
    """Return the fields of the page where the payer of an asked transfer says what its merchant left open."""
    request_ = view.request
    if request_ is None:
        return ()
    open_ = () if request_.by_token else ("destination_pan", "save")
    return ("pan", *open_, *(() if request_.amount_rial else ("amount",)))


def naming_page(
    view: PageView, *, mistakes: tuple[Message, ...] = (), typed: Mapping[str, str] | None = None, challenge: str = ""
) -> str:
    """Render the page where the payer of an asked transfer says which card pays, and what was left open."""
    return render(
        "naming.html",
        view=view,
        path=request.path,
        asked=asked_fields(view),
        open_until=clock_time(view.open_until, language()),
        **mistakes_told(mistakes, view.kind),
        typed=typed or {},
        **challenge_shown(view.page_token, challenge, language()),
        proof=proof_of(gateway_of_app().keyring, view.page_token),
    )


def mistakes_told(mistakes: tuple[Message, ...], kind: PaymentKind | None = None) -> dict[str, Any]:
    """Return what is to be put right: all of it above the form, and the first of each field beside that field."""
    sentences = [(mistake.place, said(mistake, kind)) for mistake in mistakes]
    return {"summary": sentences, "mistakes": {place: sentence for place, sentence in reversed(sentences) if place}}


def _check_address(tracking_code: str) -> str:
    """Return where anybody can check this receipt, with the seal that shows the rest of it (D28)."""
    gateway = gateway_of_app()
    path = url_for("pages.check", tracking_code=tracking_code, s=receipt_seal(gateway, tracking_code))
    return gateway.settings.public_url + path


_KINDS_OF_CHECK = {
    PaymentState.REVERSING: "check.reversing",
    PaymentState.DISPUTED: "check.reversing",
    PaymentState.REVERSED: "check.reversed",
    PaymentState.REFUNDED: "check.reversed",
}


def _card_page(
    view: PageView,
    mistakes: tuple[Message, ...],
    notes: tuple[Message, ...],
    typed: Typed,
    summary_title: str,
    challenge: str,
) -> str:
    gateway, chosen = gateway_of_app(), language()
    return render(
        "pay.html",
        view=view,
        summary_title=_said_in(chosen, view.kind, summary_title),
        **mistakes_told(mistakes, view.kind),
        tone=notes[0].tone if notes else "",
        notes=[said(note, view.kind) for note in notes],
        typed=typed,
        form_fields=(*FIELDS, "picture_code", "checked"),
        **challenge_shown(view.page_token, challenge, chosen),
        qr_url=url_for("pages.qr", page_token=view.page_token),
        late_steps=_LATE_STEPS,
        resend_in=view.pin.resend_in_seconds,
        extension_minutes=number(gateway.settings.extension_minutes, chosen),
        delivery=delivery_answer(view.pin),
        delivery_url=url_for("pages.follow", page_token=view.page_token, lang=chosen),
        proof=proof_of(gateway.keyring, view.page_token),
        words_url=url_for("files.words", lang=chosen, v=version_of(script_words(gateway, chosen))),
        troubles=_troubles(gateway, chosen),
    )


def _troubles(gateway: Gateway, chosen: Language) -> list[tuple[str, str]]:
    """Return (bank, sentence) of each issuer in trouble whose cards this page takes, before a card is typed."""
    issuers, banks = gateway.directory.issuers(), set(banks_of(gateway, chosen).values())
    return [
        (bank, say(f"health.{state}", chosen, bank=bank))
        for issuer_id, state in health.of_all(gateway).items()
        if state is not Health.HEALTHY and (bank := named(issuers[issuer_id], chosen)) in banks
    ]


def render(template: str, *, view: PageView | None = None, path: str = "", **values: object) -> str:
    """Render a template with what every page shows, in the customer's language.

    Args:
        template: its name.
        view: the payment that the page is about.
        path: where the page stands; a payment's own page where nothing else is said, as it also answers other forms.
        values: what this template shows.
    """
    chosen = language()
    other: Language = "fa" if chosen == "en" else "en"
    path = path or (url_for("pages.show", page_token=view.page_token) if view else request.path)
    path = "/" + path.lstrip("/")  # two slashes would name another house
    gateway = gateway_of_app()
    return render_template(
        template,
        view=view,
        lang=chosen,
        other_lang=other,
        this_url=f"{path}?{urlencode({'lang': chosen} | _kept_in_address())}",
        other_language_url=f"{path}?{urlencode({'lang': other} | _kept_in_address())}",
        sandbox=gateway.settings.mode == "sandbox",
        t=partial(_said_in, chosen, view.kind if view else None),
        sentence=_sentence,
        grouped=lambda amount: grouped(amount, chosen),
        numerals=numerals(chosen),
        toman=lambda amount: toman_in_words(amount, chosen),
        decided_by=clock_time(view.decided_by, chosen) if view and view.decided_by else None,
        moment=lambda when: jalali_moment(when, chosen),
        clock=lambda seconds: number(f"{seconds // 60}:{seconds % 60:02}", chosen),
        masked=_spaced,
        static=lambda name: url_for("static", filename=name, v=file_version(name)),
        font_url=url_for("static", filename="vz.woff2"),
        merchant_name=(view.merchant_name_fa if chosen == "fa" else view.merchant_name_en) if view else None,
        site=urlsplit(view.site).netloc or view.site if view else None,
        return_url=return_address(view) if view else None,
        page_url=page_address(view.page_token) if view else None,
        naming_url=_naming_address(view) if view and view.request else None,
        **values,
    )


def _kept_in_address() -> dict[str, str]:
    """Return what an address carries beside the language and must not lose with it: a receipt's seal."""
    return {"s": request.args["s"]} if "s" in request.args else {}


def _said_in(chosen: Language, kind: PaymentKind | None, key: str, **values: object) -> str:
    """Return a sentence, or what a payment of this kind says in its place."""
    own = f"{key}@{kind}"
    return say(own if own in WORDS else key, chosen, **values)


def _sentence(key: str) -> str:
    """Return a sentence with its ``{values}`` still open, for the script to fill."""
    return WORDS[key].fa if language() == "fa" else WORDS[key].en


def _issuer_name(view: PageView) -> str:
    if view.receipt is None:
        return ""
    return view.receipt.issuer_name_fa if language() == "fa" else view.receipt.issuer_name_en


@cache
def file_version(name: str) -> str:
    """Return the digest of a static file that its address carries."""
    return version_of((Path(current_app.root_path) / "static" / name).read_bytes())


def _spaced(masked: str) -> str:
    """Return a masked card number in groups of four, as it stands on the card."""
    return " ".join(to_ascii_digits(masked)[start : start + 4] for start in range(0, len(masked), 4))
