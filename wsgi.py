"""The deployable applications by name: ``gunicorn wsgi:gateway``, ``wsgi:otp``, ``wsgi:merchant_demo``.

Each is built only when it is asked for, so one organisation's server needs neither code nor settings of another.
"""

from __future__ import annotations

import importlib
from typing import Any

FACTORIES = {"gateway": "gateway.app", "otp": "otp.app", "merchant_demo": "merchant_demo.app"}


def __getattr__(name: str) -> Any:
    """Build the application called ``name``."""
    if name not in FACTORIES:
        raise AttributeError(name)
    return importlib.import_module(FACTORIES[name]).create_app()
