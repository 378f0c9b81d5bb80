"""The bank's web application: Harim, the app Ramznegar, the operators' page, messages of holders, health, numbers."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, abort, jsonify, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from foundation.logs import configure_logging
from foundation.metrics import CONTENT_TYPE, may_read
from foundation.nul import refuse_nul_in_fields, refuse_nul_in_path
from foundation.proxies import BehindProxies
from otp import config, wiring
from otp.config import Settings
from otp.console import pages as console
from otp.domain.answers import Code, body
from otp.harim_api import operations, rest, sadad, soap, yaghut
from otp.inbound.door import door as inbound_door
from otp.inbound.providers import read_providers
from otp.ramznegar import api as ramznegar_api
from otp.ramznegar import pages
from otp.services.bank import Bank
from otp.services.readiness import readiness, redis_answers

log = structlog.get_logger()

UNREADY = 503


def create_app(settings: Settings | None = None, bank: Bank | None = None) -> Flask:
    """Build the application; settings come from the environment and the bank from the settings unless given."""
    if bank is None:
        settings = settings or config.load()
        settings.require_master()
        configure_logging("otp", settings.log_level)
        bank = wiring.build(settings)
    app = Flask(__name__, static_folder=None)
    app.wsgi_app = BehindProxies(app.wsgi_app, bank.settings.trusted_proxies)  # type: ignore[method-assign]  # as Flask says to
    app.config["MAX_CONTENT_LENGTH"] = operations.BODY_MAX_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of Flask's default provider
    app.extensions["bank"] = bank
    app.before_request(refuse_nul_in_path)
    app.before_request(refuse_nul_in_fields)
    for door in (rest, sadad, ramznegar_api, pages):
        app.register_blueprint(door.blueprint)
    if bank.settings.console:
        app.register_blueprint(console.blueprint)
    if bank.settings.inbound_file is not None:
        app.register_blueprint(inbound_door(read_providers(bank.settings.inbound_file)))
    if bank.envelope_signer is not None:
        for contract, door in ((soap.contract, soap), (yaghut.contract, yaghut)):
            contract()  # read before the first message comes
            app.register_blueprint(door.blueprint)
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)
    app.add_url_rule("/metrics", view_func=metrics)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SQLAlchemyError, _database_away)
    app.after_request(_close)
    return app


def healthz() -> dict[str, str]:
    """Tell that the process is up."""
    return {"status": "ok"}


def readyz() -> tuple[dict[str, Any], int]:
    """Tell whether the bank can work now, by named part."""
    bank = operations.bank_here()
    parts = readiness(bank)
    ready = all(parts.values())
    return {"ready": ready, "parts": parts, "redis": redis_answers(bank)}, 200 if ready else UNREADY


def metrics() -> Response:
    """Show the numbers to operators; to everybody else there is no such page."""
    bank = operations.bank_here()
    if not may_read(request.remote_addr, request.headers, bank.settings.metrics_from):
        abort(404)
    return Response(bank.meters.metrics.page(), content_type=CONTENT_TYPE)


def _http_error(error: HTTPException) -> tuple[Response, int]:
    code = Code.UNSUPPORTED_OPERATION if error.code in (404, 405) else Code.MALFORMED
    return jsonify(body(code, None)), error.code or 500


def _database_away(error: SQLAlchemyError) -> tuple[Response, int]:
    """Answer somebody whom nobody can look up now (F13); whoever is known gets a signed answer from the door."""
    log.warning("database_unavailable", error=type(error).__name__)
    told = operations.unavailable()
    response = jsonify(told.body)
    response.headers["Retry-After"] = str(operations.RETRY_AFTER_SECONDS)
    return response, told.status


def _close(response: Response) -> Response:
    """Nothing of a bank's answers is kept on the way, but the app's own files."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
