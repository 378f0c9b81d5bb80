"""The web application: wiring, blueprints, health. It contains no route of its own but those of health and numbers."""

from __future__ import annotations

import secrets
from http import HTTPStatus

import structlog
from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

from foundation.logs import configure_logging, place_of
from foundation.metrics import CONTENT_TYPE, may_read
from foundation.nul import refuse_nul_in_fields, refuse_nul_in_path
from foundation.proxies import BehindProxies
from gateway import config, wiring
from gateway.api import problems
from gateway.api.door import blueprint as api
from gateway.api.door import finish
from gateway.config import Settings
from gateway.services.enrol import check_rows_at_start
from gateway.services.gateway import Gateway
from gateway.services.readiness import readiness, redis_answers
from gateway.web import failures
from gateway.web.balance_inquiries import blueprint as balances
from gateway.web.bills import blueprint as bills
from gateway.web.files import blueprint as files
from gateway.web.pages import blueprint as web
from gateway.web.top_ups import blueprint as top_ups
from gateway.web.transfer_requests import blueprint as transfer_requests
from gateway.web.transfers import blueprint as transfers

log = structlog.get_logger()

BODY_MAX_BYTES = 65_536
TRACE_BYTES = 8
API_PREFIX = "/api/"
BLUEPRINTS = (api, web, bills, transfers, transfer_requests, top_ups, balances, files)


def create_app(settings: Settings | None = None, gateway: Gateway | None = None) -> Flask:
    """Build the application from the environment, from settings, or around a given gateway.

    Raises:
        InvalidSettings: a setting is missing or wrong.
        RefusedRow: an issuer row is wrong.
    """
    if gateway is None:
        settings = settings or config.load()
        configure_logging("gateway", settings.log_level)
        gateway = wiring.build(settings)
        settings.require_master()
    app = Flask("gateway")
    app.wsgi_app = BehindProxies(app.wsgi_app, gateway.settings.trusted_proxies)  # type: ignore[method-assign]  # as Flask says to
    app.config["MAX_CONTENT_LENGTH"] = BODY_MAX_BYTES
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["gateway"] = gateway
    app.before_request(_begin_trace)
    app.before_request(_refuse_nul)
    app.after_request(_finish)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _failed)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.add_url_rule("/healthz", view_func=_healthz)
    app.add_url_rule("/readyz", view_func=lambda: _readyz(gateway), endpoint="readyz")
    app.add_url_rule("/metrics", view_func=lambda: _metrics(gateway), endpoint="metrics")
    check_rows_at_start(gateway)
    return app


def _begin_trace() -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(trace_id=secrets.token_hex(TRACE_BYTES))


def _refuse_nul() -> None:
    """Refuse it here; fields of the API are read, and refused by their names, by its models."""
    refuse_nul_in_path()
    if not _of_api():
        refuse_nul_in_fields()


def _of_api() -> bool:
    return request.path.startswith(API_PREFIX)


def _finish(response: Response) -> Response:
    return finish(response) if _of_api() else response


def _refused(error: HTTPException) -> Response:
    return problems.of_http(error) if _of_api() else failures.of_http(error)


def _failed(error: Exception) -> Response:
    """Answer for a fault of ours, in the caller's form; the log has its kind and place, not its text."""
    log.error("request_failed", error=type(error).__name__, at=place_of(error))
    if _of_api():
        return problems.of_failure()
    return failures.failure_page(HTTPStatus.SERVICE_UNAVAILABLE)


def _healthz() -> Response:
    return jsonify(status="up")


def _readyz(gateway: Gateway) -> tuple[Response, int]:
    parts, redis = readiness(gateway), redis_answers(gateway)
    said = {name: _WORDS[answers] for name, answers in parts.items()} | {"redis": _WORDS[redis]}
    return jsonify(said), HTTPStatus.OK if all(parts.values()) else HTTPStatus.SERVICE_UNAVAILABLE


def _metrics(gateway: Gateway) -> Response:
    """Show the numbers to operators; to everybody else there is no such page."""
    if not may_read(request.remote_addr, request.headers, gateway.settings.metrics_from):
        abort(HTTPStatus.NOT_FOUND)
    return Response(gateway.meters.metrics.page(), content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


_WORDS = {True: "up", False: "down", None: "not used"}
