"""The shop's pages: products, basket, checkout, and the order's own page, which needs no cookie."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any

import structlog
from flask import Blueprint, abort, current_app, make_response, redirect, render_template, request, session, url_for
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from foundation.digits import only_digits
from foundation.persian import Language, grouped, jalali_moment, number, toman_in_words
from foundation.rial import Rial
from merchant_demo.catalogue import PRODUCTS, QUANTITY_MAX, Product
from merchant_demo.orders import Shop, reconcile, take_to_gateway
from merchant_demo.store import Line, NewOrder, Order
from merchant_demo.wording import say
from pooya import PooyaError

blueprint = Blueprint("pages", __name__)
log = structlog.get_logger()

NAME_MAX = 80
MOBILE_LENGTH = 11
RETRY_AFTER_SECONDS = 5
DIGITS_MOST = 12
"""Of a number that is typed: more than any order holds or costs."""


def shop() -> Shop:
    """Return what this application works with."""
    found: Shop = current_app.extensions["shop"]
    return found


@blueprint.get("/")
def products() -> Response:
    """Show what is for sale."""
    added = PRODUCTS.get(request.args.get("added", ""))
    return rendered("products.html", products=PRODUCTS.values(), added=added)


@blueprint.post("/basket/<key>")
def add(key: str) -> Response:
    """Put one of this product into the basket."""
    if key not in PRODUCTS:
        abort(HTTPStatus.NOT_FOUND)
    basket = _basket()
    _keep(basket | {key: min(basket.get(key, 0) + 1, QUANTITY_MAX)})
    return _to("pages.products", added=key)


@blueprint.route("/basket", methods=["GET", "POST"])
def basket() -> Response:
    """Show the basket, or change how many of each product it holds."""
    if request.method == "GET":
        return rendered("basket.html", lines=_lines(), total=_total())
    wanted = {key: int(only_digits(request.form.get(key, ""))[:DIGITS_MOST] or 0) for key in _basket()}
    wanted.pop(request.form.get("remove", ""), None)
    _keep({key: min(quantity, QUANTITY_MAX) for key, quantity in wanted.items() if quantity})
    return _to("pages.basket")


@blueprint.route("/checkout", methods=["GET", "POST"])
def checkout() -> Response:
    """Ask who receives the goods; then write the order down and send the customer to the gateway."""
    if request.method == "GET":
        if not _basket():
            return _to("pages.basket")
        return _checkout_page({}, {"checkout_key": secrets.token_urlsafe(18)})
    typed = {name: request.form.get(name, "").strip() for name in ("name", "mobile", "checkout_key")}
    mobile = only_digits(typed["mobile"])
    mistakes = {}
    if not 0 < len(typed["name"]) <= NAME_MAX:
        mistakes["name"] = "name.missing"
    if typed["mobile"] and not (len(mobile) == MOBILE_LENGTH and mobile.startswith("09")):
        mistakes["mobile"] = "mobile.form"
    if mistakes or not _basket() or not typed["checkout_key"]:
        return _checkout_page(mistakes, typed) if mistakes else _to("pages.basket")
    lines = tuple(Line(product.key, quantity, product.price) for product, quantity in _lines())
    new = NewOrder(typed["checkout_key"], _language(), typed["name"], mobile or None, lines)
    return _pay(shop().orders.place(new))


@blueprint.post("/orders/<page_key>/pay")
def pay(page_key: str) -> Response:
    """Send the customer to the gateway for an order that is not paid; a failed one gets a new payment."""
    known = reconcile(shop(), _order_or_404(page_key))
    return _pay(shop().orders.start_again(page_key) or known)


@blueprint.get("/orders/<page_key>/return")
def back(page_key: str) -> Response:
    """Receive a customer from the gateway; what the address says proves nothing, the gateway is asked."""
    known = reconcile(shop(), _order_or_404(page_key))
    session.pop("basket", None)
    return _to_order(known)


@blueprint.get("/orders/<page_key>")
def order(page_key: str) -> Response:
    """Show an order as it stands now."""
    known = reconcile(shop(), _order_or_404(page_key))
    lines = [(PRODUCTS.get(line.product_key), line) for line in shop().orders.lines(known)]
    return rendered("order.html", order=known, lines=lines)


@blueprint.app_errorhandler(HTTPException)
def failed(error: HTTPException) -> Response:
    """Say what went wrong in the customer's language."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    key = f"error.{status}" if status in {HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR} else "error.400"
    return make_response(rendered("error.html", key=key), status)


@blueprint.app_errorhandler(OperationalError)
def books_away(error: OperationalError) -> Response:
    """Say that the shop cannot read its orders now, to a customer as to the gateway's webhook, which comes again."""
    log.error("books_away", error=type(error).__name__)
    response = make_response(rendered("error.html", key="error.503"), HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _pay(known: Order) -> Response:
    try:
        known = take_to_gateway(shop(), known)
    except PooyaError as error:
        log.warning("payment_not_opened", order=known.number, why=str(error))
        return _to_order(known)
    if known.state != "awaiting" or known.page_url is None:
        return _to_order(known)
    suffix = "?lang=en" if known.language == "en" else ""
    return redirect(known.page_url + suffix, HTTPStatus.SEE_OTHER)


def _order_or_404(page_key: str) -> Order:
    known = shop().orders.by_page(page_key)
    if known is None:
        abort(HTTPStatus.NOT_FOUND)
    return known


def _basket() -> dict[str, int]:
    kept: dict[str, int] = session.get("basket", {})
    return {key: quantity for key, quantity in kept.items() if key in PRODUCTS}


def _keep(basket: dict[str, int]) -> None:
    session["basket"] = basket


def _lines() -> list[tuple[Product, int]]:
    return [(PRODUCTS[key], quantity) for key, quantity in _basket().items()]


def _total() -> Rial:
    return Rial(sum(product.price.amount * quantity for product, quantity in _lines()))


def _language() -> Language:
    return "en" if request.args.get("lang", session.get("lang")) == "en" else "fa"


def _to(endpoint: str, **values: Any) -> Response:
    return redirect(url_for(endpoint, **values), HTTPStatus.SEE_OTHER)


def _to_order(known: Order) -> Response:
    return redirect(url_for("pages.order", page_key=known.page_key, lang=known.language), HTTPStatus.SEE_OTHER)


def _checkout_page(mistakes: dict[str, str], typed: dict[str, str]) -> Response:
    page = rendered("checkout.html", mistakes=mistakes, typed=typed, lines=_lines(), total=_total())
    page.status_code = HTTPStatus.UNPROCESSABLE_ENTITY if mistakes else HTTPStatus.OK
    return page


def rendered(template: str, **values: Any) -> Response:
    """Render a page of the shop in the customer's language, with what every page shows."""
    chosen = _language()
    if request.args.get("lang") in {"fa", "en"} and session.get("lang") != chosen:
        session["lang"] = chosen
    other = "fa" if chosen == "en" else "en"
    html = render_template(
        template,
        lang=chosen,
        other_lang=other,
        other_language_url=f"{request.path}?lang={other}",
        t=lambda key, **more: say(key, chosen, **more),
        grouped=lambda amount: grouped(amount, chosen),
        n=lambda value: number(value, chosen),
        toman=lambda amount: toman_in_words(amount, chosen),
        moment=lambda when: jalali_moment(when, chosen),
        basket_count=sum(_basket().values()),
        quantity_max=QUANTITY_MAX,
        testing_url=shop().settings.testing_url,
        shopkeeper_page=shop().settings.shopkeeper_page,
        **values,
    )
    return make_response(html)
