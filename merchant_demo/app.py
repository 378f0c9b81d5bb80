"""The shop's application: ``create_app()`` for the web server."""

from __future__ import annotations

import hashlib
import hmac
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request

from foundation.database import Database
from foundation.logs import configure_logging
from merchant_demo import config, pages, webhook
from merchant_demo.orders import Shop
from merchant_demo.store import Orders
from pooya import Client

YEAR_SECONDS = 31_536_000


def build(settings: config.Settings) -> Shop:
    """Build what the shop works with."""
    database = Database(
        settings.database_url.get_secret_value(), pool_size=settings.database_pool_size, application_name="shop"
    )
    key = settings.secret_key.get_secret_value()
    gateway = Client(settings.gateway_url, key, timeout_seconds=settings.gateway_timeout_seconds)
    return Shop(settings, Orders(database), gateway)


def create_app(settings: config.Settings | None = None, shop: Shop | None = None) -> Flask:
    """Build the application from the environment, or from what a test gives."""
    settings = settings or config.load()
    configure_logging("shop", settings.log_level)
    app = Flask(__name__)
    key = settings.secret_key.get_secret_value().encode()
    app.config.update(
        SECRET_KEY=hmac.digest(key, b"basket cookie", hashlib.sha256),
        SESSION_COOKIE_NAME="shop",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    app.extensions["shop"] = shop or build(settings)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(webhook.blueprint)
    app.add_url_rule("/healthz", view_func=_healthy)
    gateway = urlsplit(settings.gateway_url)
    policy = _policy(f"{gateway.scheme}://{gateway.netloc}")

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        fixed = request.endpoint == "static"
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}" if fixed else "no-store"
        return response

    return app


def _healthy() -> tuple[Response, HTTPStatus]:
    return jsonify(status="up"), HTTPStatus.OK


def _policy(gateway_origin: str) -> str:
    """Return the content policy; a checkout form ends at the gateway, so its origin is a target of forms."""
    return (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        f"form-action 'self' {gateway_origin}; frame-ancestors 'none'; base-uri 'none'"
    )
