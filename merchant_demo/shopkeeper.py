"""The shopkeeper's page: paid orders, and their money given back in whole or in part. For trying out alone.

The gateway's list of refunds is the only truth here; nothing of it is kept. A form names the refund after how many
there were when it was shown, so that sent twice, or again after an answer that was lost, it is one refund.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from http import HTTPStatus

import structlog
from flask import Blueprint, abort, redirect, request, session, url_for
from werkzeug.wrappers import Response

from foundation.digits import only_digits
from merchant_demo.pages import DIGITS_MOST, rendered, shop
from merchant_demo.store import Order
from pooya import PooyaError, Refund, Refused, Unavailable

blueprint = Blueprint("shopkeeper", __name__)
log = structlog.get_logger()

LISTED_MOST = 50
_GUARD = "shopkeeper"

SAID = {
    "refund_above_rest": "refund.no.amount",
    "payable_too_low": "refund.no.owed",
    "refund_window_over": "refund.no.late",
    "refund_id_taken": "refund.no.stale",
}
"""Problems that a shopkeeper can do something about; the others are said as one."""


@blueprint.before_request
def only_where_offered() -> None:
    """Say that there is no such page where the shop does not show it."""
    if not shop().settings.shopkeeper_page:
        abort(HTTPStatus.NOT_FOUND)


@blueprint.get("/shopkeeper")
def orders() -> Response:
    """List the newest paid orders."""
    return rendered("shopkeeper.html", orders=shop().orders.paid(LISTED_MOST))


@blueprint.route("/shopkeeper/<number>", methods=["GET", "POST"])
def order(number: str) -> Response:
    """Show what of a paid order went back, or give more of it back."""
    known = shop().orders.by_number(number)
    if known is None or known.state != "paid" or known.payment_id is None:
        abort(HTTPStatus.NOT_FOUND)
    if request.method == "GET":
        return _shown(known, known.payment_id)
    guard = session.get(_GUARD, "")
    if not guard or not hmac.compare_digest(request.form.get("guard", "").encode(), guard.encode()):
        abort(HTTPStatus.BAD_REQUEST)
    mistake = _refund(known, known.payment_id)
    if mistake is None:
        return redirect(url_for("shopkeeper.order", number=number), HTTPStatus.SEE_OTHER)
    return _shown(known, known.payment_id, mistake)


def _refund(known: Order, payment_id: str) -> str | None:
    """Ask for what was typed; return what to say where nothing was asked, or nobody knows whether it was."""
    amount, place = _typed("amount"), _typed("place")
    if not 0 < amount <= known.total.amount or not place:
        return "refund.no.amount"
    refund_id = f"{known.number}-{place}"
    try:
        shop().gateway.refund(
            payment_id, refund_id=refund_id, amount=amount, idempotency_key=f"refund-{refund_id}-{amount}"
        )
    except Refused as error:
        log.warning("refund_refused", order=known.number, code=error.code)
        return SAID.get(error.code, "refund.no.refused")
    except Unavailable as error:
        log.warning("refund_unanswered", order=known.number, why=str(error))
        return "refund.no.answer"
    return None


def _typed(name: str) -> int:
    """Read a whole number, digits of any script; 0 for what is none."""
    digits = only_digits(request.form.get(name, ""))
    return int(digits) if 0 < len(digits) <= DIGITS_MOST else 0


def _shown(known: Order, payment_id: str, mistake: str | None = None) -> Response:
    refunds = _refunds(payment_id)
    left = None
    if refunds is not None:
        left = known.total.amount - sum(refund.amount for refund in refunds if refund.state != "refused")
    session.setdefault(_GUARD, secrets.token_urlsafe(18))
    page = rendered(
        "refund.html",
        order=known,
        refunds=refunds,
        left=left,
        mistake=mistake,
        typed=request.form.get("amount"),
        guard=session[_GUARD],
    )
    page.status_code = HTTPStatus.UNPROCESSABLE_ENTITY if mistake else HTTPStatus.OK
    return page


def _refunds(payment_id: str) -> Sequence[Refund] | None:
    """Return every refund of a payment as it stands; ``None``: the gateway does not say, so none is offered."""
    try:
        return shop().gateway.refunds(payment_id)
    except PooyaError as error:
        log.warning("refunds_not_read", payment_id=payment_id, why=str(error))
        return None
