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

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox.bank_front import SLOW_SECONDS
from sandbox.clock import set_offset
from sandbox.faults import CHOICES, Faults, FaultsFile, InvalidFault, changed
from sandbox.rendering import address, choice, faults_now, guard, language, page

CLOCKS_VARIABLE = "SANDBOX_CLOCKS"
JSON = "application/json"
HARIM_PREFIX = "/harim/"
CLOCK_WISHES = (120, 960, 86_400)
"""Seconds ahead that are worth a button: past a code's life, past a page's, into another day."""

blueprint = Blueprint("control", __name__, url_prefix="/sandbox/control", template_folder="templates")
blueprint.after_request(guard)


@blueprint.get("/", strict_slashes=False)
def show() -> Response | str:
    """Show what is wrong at present, to people or programs."""
    faults = faults_now().read()
    if request.accept_mimetypes.best_match((JSON, "text/html"), "text/html") == JSON:
        return jsonify(asdict(faults))
    return _page(asdict(faults))


@blueprint.post("/", strict_slashes=False)
def change() -> AnyResponse | tuple[Response | str, HTTPStatus]:
    """Make something wrong, or right again."""
    said: Any = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    try:
        if not isinstance(said, dict):
            raise InvalidFault("send a JSON object")  # noqa: TRY301 - one answer for everything that is wrong
        faults = changed(faults_now().read(), said)
    except InvalidFault as error:
        if request.is_json:
            return jsonify(error=str(error)), HTTPStatus.UNPROCESSABLE_ENTITY
        return _page(asdict(faults_now().read()) | said, mistaken=True), HTTPStatus.UNPROCESSABLE_ENTITY
    for owner_url in json.loads(os.environ[CLOCKS_VARIABLE]):
        set_offset(owner_url, faults.clock_seconds)
    faults_now().write(faults)
    if request.is_json:
        return jsonify(asdict(faults))
    return redirect(address("control.show"), HTTPStatus.SEE_OTHER)


def _page(faults: dict[str, Any], *, mistaken: bool = False) -> str:
    chosen = language()
    choices = {name: [(value, choice(name, value, chosen)) for value in values] for name, values in CHOICES.items()}
    return page("control.html", faults=faults, choices=choices, wishes=CLOCK_WISHES, mistaken=mistaken)


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
