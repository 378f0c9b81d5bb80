"""Bank and gateway with what the sandbox puts around them (D10): ``gunicorn sandbox.wsgi:bank``, ``…:gateway``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flask import Flask

from gateway.app import create_app as create_gateway
from otp.app import create_app as create_bank
from sandbox import control, crash_points, guide, phone, rendering
from sandbox.faults import FaultsFile
from sandbox.phone_store import PhoneStore
from sandbox.terminals import machine, till
from sandbox.terminals.hall import open_hall


def mount_phone(app: Flask, file: Path) -> Flask:
    """Add the phone to an application from outside."""
    app.extensions["phone"] = PhoneStore(file)
    app.register_blueprint(phone.blueprint)
    return app


def mount_control(app: Flask, faults: FaultsFile) -> Flask:
    """Add the control page, the guide to the cards, and a Harim service that is as slow as the bank."""
    app.extensions["faults"] = faults
    for each in (control.blueprint, guide.blueprint, rendering.blueprint):
        app.register_blueprint(each)
    app.wsgi_app = control.FaultyHarim(app.wsgi_app, faults)  # type: ignore[method-assign]  # Flask's own way to wrap
    return app


def mount_terminals(app: Flask) -> Flask:
    """Put a cash machine and a till into the bank's hall."""
    open_hall(app)
    for each in (machine.blueprint, till.blueprint):
        app.register_blueprint(each)
    return app


def fragile_gateway() -> Flask:
    """Build the gateway with the places where it can be made to die."""
    crash_points.install("gateway")
    app = create_gateway()
    app.wsgi_app = crash_points.FragilePages(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to wrap
    return app


def __getattr__(name: str) -> Any:
    """Build an application when it is asked for."""
    if name == "gateway":
        return fragile_gateway()
    if name != "bank":
        raise AttributeError(name)
    app = mount_phone(create_bank(), Path(os.environ[phone.FILE_VARIABLE]))
    return mount_terminals(mount_control(app, FaultsFile.from_environment()))
