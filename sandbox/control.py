"""The control page of the sandbox: bank slow or down, SMS lost or late, the clock moved, everything right again.

People use the page, programs ``GET`` and ``POST`` JSON at the same address: ``{"bank": "slow"}``, ``{"reset": true}``.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox.bank_front import SLOW_SECONDS
from sandbox.clock import set_offset
from sandbox.faults import CHOICES, Faults, FaultsFile, InvalidFault, changed
from sandbox.phone import POLICY

CLOCKS_VARIABLE = "SANDBOX_CLOCKS"
JSON = "application/json"
HARIM_PREFIX = "/harim/"
WORDS = {
    "bank": ("بانک", "Bank"),
    "sms": ("پیامک", "SMS"),
    "clock_seconds": ("ساعت (ثانیه)", "Clock (seconds)"),
    "up": ("درست", "up"),
    "slow": ("کند", "slow"),
    "down": ("بی‌پاسخ", "down"),
    "deliver": ("می‌رسد", "delivered"),
    "drop": ("گم می‌شود", "lost"),
    "delay": ("دیر می‌رسد", "late"),
}
"""What the page calls each name, Persian and English."""

blueprint = Blueprint("control", __name__, url_prefix="/sandbox/control", template_folder="templates")


@blueprint.after_request
def _guard(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = f"{POLICY}; form-action 'self'"
    return response


@blueprint.get("/", strict_slashes=False)
def show() -> Response | str:
    """Show what is wrong at present, to people or programs."""
    faults = _file().read()
    if request.accept_mimetypes.best_match((JSON, "text/html"), "text/html") == JSON:
        return jsonify(asdict(faults))
    return render_template("control.html", faults=asdict(faults), choices=CHOICES, words=WORDS)


@blueprint.post("/", strict_slashes=False)
def change() -> AnyResponse | tuple[Response, HTTPStatus]:
    """Make something wrong, or right again."""
    said: Any = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    try:
        if not isinstance(said, dict):
            raise InvalidFault("send a JSON object")  # noqa: TRY301 - one answer for everything that is wrong
        faults = changed(_file().read(), said)
    except InvalidFault as error:
        return jsonify(error=str(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    for owner_url in json.loads(os.environ[CLOCKS_VARIABLE]):
        set_offset(owner_url, faults.clock_seconds)
    _file().write(faults)
    return jsonify(asdict(faults)) if request.is_json else redirect(url_for("control.show"), HTTPStatus.SEE_OTHER)


def ribbon() -> dict[str, dict[str, str | int]]:
    """Tell every page of the sandbox what is wrong, for its ribbon."""
    return {"active_faults": _file().read().active}


class FaultyHarim:
    """Wraps the bank's application: its Harim service is slow or down when the bank is (D10)."""

    def __init__(self, application: Callable[..., Iterable[bytes]], faults: FaultsFile) -> None:
        self._application = application
        self._faults = faults

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer as the bank does at present."""
        faults = self._faults.read() if environ["PATH_INFO"].startswith(HARIM_PREFIX) else Faults()
        if faults.bank == "down":
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        if faults.bank == "slow":
            time.sleep(SLOW_SECONDS)
        return self._application(environ, start_response)


def _file() -> FaultsFile:
    file: FaultsFile = current_app.extensions["faults"]
    return file
