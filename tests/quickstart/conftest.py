"""A gateway on a real port with a merchant, and programs taken out of the quick starts that run beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from werkzeug.serving import make_server

from gateway.app import create_app
from sandbox.running import free_ports, wait_for
from tests.fakes.shop import SECRET_KEY, WEBHOOK_SECRET, Shop
from tests.gateway.conftest import settings as settings
from tests.gateway.conftest import shop as shop

PAGES = Path(__file__).parents[2] / "docs" / "quickstart"


def code_of(page: str, language: str) -> str:
    """Return the one block of this language in a page."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", (PAGES / page).read_text(), re.MULTILINE | re.DOTALL)
    (block,) = blocks
    return str(block)


@dataclass(frozen=True)
class Place:
    """A gateway, its merchant, and where the merchant's program is to answer."""

    shop: Shop
    gateway_url: str
    port: int
    folder: Path

    @property
    def url(self) -> str:
        """The program's address."""
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What every quick start reads."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "POOYA_URL": self.gateway_url,
            "POOYA_SECRET_KEY": SECRET_KEY,
            "POOYA_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "SHOP_URL": self.url,
            "SHOP_PAID_FILE": str(self.folder / "paid.txt"),
            "PORT": str(self.port),
        }


@pytest.fixture
def place(shop: Shop, tmp_path: Path) -> Iterator[Place]:
    """Serve the gateway; the program's address is the merchant's site."""
    gateway_port, port = free_ports(2)
    object.__setattr__(shop.gateway, "settings", _served_at(shop, gateway_port))
    server = make_server("127.0.0.1", gateway_port, create_app(gateway=shop.gateway), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    found = Place(shop, f"http://127.0.0.1:{gateway_port}", port, tmp_path)
    shop.change("UPDATE merchant SET site = :url", url=found.url)
    shop.change("UPDATE webhook_endpoint SET url = :url", url=f"http://127.0.0.1:{port}/webhooks/pooya")
    shop.gateway.directory.forget()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def _served_at(shop: Shop, port: int) -> object:
    return shop.gateway.settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})


@pytest.fixture
def running(place: Place) -> Callable[..., object]:
    """Give what runs a quick start: a file's name, its text, and the command before the name."""

    @contextmanager
    def run(name: str, text: str, *command: str) -> Iterator[None]:
        (place.folder / name).write_text(text)
        with subprocess.Popen(command, cwd=place.folder, env=place.environment) as process:  # noqa: S603 - as the page says
            try:
                wait_for(lambda: process.poll() is not None or _answers(place.url), f"{name} to answer")
                yield
            finally:
                process.terminate()
                process.wait(10)

    return run


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/nothing", timeout=1).status_code == requests.codes.not_found
    except requests.RequestException:
        return False
