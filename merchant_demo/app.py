"""The shop's application: ``create_app()`` for the web server."""

from __future__ import annotations

import gzip
import hashlib
import hmac
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, jsonify, request, url_for

from foundation.database import Database
from foundation.logs import configure_logging
from foundation.nul import refuse_nul_in_fields, refuse_nul_in_path
from merchant_demo import config, pages, shopkeeper, webhook
from merchant_demo.orders import Shop
from merchant_demo.store import Orders
from pooya import Client

YEAR_SECONDS = 31_536_000
FONT = "font/woff2"


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
    app.before_request(refuse_nul_in_path)
    app.before_request(refuse_nul_in_fields)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(shopkeeper.blueprint)
    app.register_blueprint(webhook.blueprint)
    app.add_url_rule("/healthz", view_func=_healthy)
    app.add_template_global(partial(_static, Path(app.root_path) / "static"), "static")
    gateway = urlsplit(settings.gateway_url)
    headers = {
        "Content-Security-Policy": _policy(f"{gateway.scheme}://{gateway.netloc}"),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.update(headers)
        return _packed(response) if request.endpoint == "static" and response.status_code == HTTPStatus.OK else response

    return app


def _packed(response: Response) -> Response:
    """Compress the style; let browsers keep for good what never changes, or is asked for by this very version."""
    name = (request.view_args or {})["filename"]
    if response.mimetype == FONT or request.args.get("v") == _version(Path(current_app.root_path) / "static" / name):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    if response.mimetype == "text/css" and request.accept_encodings["gzip"]:
        response.direct_passthrough = False
        response.set_data(gzip.compress(response.get_data(), mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
    return response


def _static(folder: Path, name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return url_for("static", filename=name, v=_version(folder / name))


@cache
def _version(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]


def _healthy() -> tuple[Response, HTTPStatus]:
    return jsonify(status="up"), HTTPStatus.OK


def _policy(gateway_origin: str) -> str:
    """Return the content policy: no script; a checkout form ends at the gateway, so its origin is a target of forms."""
    return (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        f"form-action 'self' {gateway_origin}; frame-ancestors 'none'; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
