"""The app's page and files without a browser: what may be kept, what may run, and that no sentence is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest
from flask.testing import FlaskClient

import otp.ramznegar
from otp.app import create_app
from otp.ramznegar.shell import SCANNER, STATIC, Shell
from otp.ramznegar.wording import WORDS
from tests.otp.conftest import BankWorld

HERE = Path(otp.ramznegar.__file__).parent
SCRIPTS = [path for path in STATIC.glob("*.js") if path.name != SCANNER]
PAGES = [*(HERE / "templates").rglob("*.html"), HERE / "templates" / "manifest.webmanifest"]
IN_SCRIPTS = re.compile(r"[\"`]((?:[a-z_]+\.)?[A-Za-z_.]+)(?=[\"`$])")
IN_PAGES = re.compile(r"""["']([A-Za-z_.]+)["']""")
MARKED = re.compile(r'data-t(?:-label)?="([A-Za-z_.]+)"')


@pytest.fixture
def client(here: BankWorld) -> FlaskClient:
    """A browser at the bank's own application."""
    return create_app(bank=here.bank).test_client()


def test_the_page_lets_nothing_in_from_elsewhere(client: FlaskClient) -> None:
    """A strict policy with Trusted Types and no exception; nothing inline; not to be framed."""
    shown = client.get("/ramznegar/")
    policy = shown.headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'; trusted-types ramznegar" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)
    assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|style=|https?://(?!www\.w3\.org)", shown.text)
    assert shown.headers["X-Frame-Options"] == "DENY"
    assert shown.headers["Cache-Control"] == "no-cache"


def test_files_are_kept_for_good_under_their_version_only(client: FlaskClient) -> None:
    """Another version's address gives nothing, and that is not kept; a file that is not there is not there."""
    (address,) = re.findall(r'<script type="module" src="([^"]+)"', client.get("/ramznegar/").text)
    version = address.split("/")[3]

    assert "immutable" in client.get(address).headers["Cache-Control"]
    elsewhere = client.get(address.replace(version, "0" * 12))
    assert (elsewhere.status_code, elsewhere.headers["Cache-Control"], elsewhere.text) == (404, "no-store", "")
    for name in ("../pages.py", "nothing.js", "%2e%2e/pages.py"):
        assert client.get(f"/ramznegar/files/{version}/{name}").status_code == 404
    assert client.get(address, headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"


def test_the_worker_keeps_every_file_that_a_page_needs(client: FlaskClient) -> None:
    """Page, script, style, font and mark; the scanner is no part of it, and the script needs no other."""
    page, worker = client.get("/ramznegar/").text, client.get("/ramznegar/sw.js").text
    needed = {
        each for each in re.findall(r'(?:src|href)="(/ramznegar/files/[^"]+)"', page) if not each.endswith(".png")
    }

    assert all(f'"{address}"' in worker for address in needed)
    assert '"page": "/ramznegar/"' in worker
    assert f'{SCANNER}"' not in worker
    (script,) = re.findall(r'<script type="module" src="([^"]+)"', page)
    assert re.findall(r"^(?:import|export) .*|import\(.*?\)", client.get(script).text, re.MULTILINE) == [
        f'import("./{SCANNER}")'
    ]


def test_the_version_follows_from_all_that_is_served() -> None:
    """Another page, or another file, is another version."""

    def version(page: str) -> str:
        return Shell(lambda _version: page).version

    changed = Shell(lambda _version: "a")
    changed.files["icon.svg"] = changed.files["vz.OFL.txt"]
    assert version("a") == version("a")
    assert len({version("a"), version("b"), changed.version}) == 3


def test_every_process_has_the_same_version() -> None:
    """Servers of one release give each other's files, however their processes order what has no order."""
    told = "from otp.ramznegar.shell import Shell; print(Shell(lambda version: version).version)"
    versions = {
        subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-c", told], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert versions == {f"{Shell(lambda version: version).version}\n"}


def test_the_manifest_describes_an_app_in_persian(client: FlaskClient) -> None:
    """Name, direction, scope and icons, each of which is there."""
    manifest = client.get("/ramznegar/manifest.webmanifest").get_json(force=True)

    assert (manifest["lang"], manifest["dir"], manifest["scope"]) == ("fa", "rtl", "/ramznegar/")
    assert {icon["sizes"] for icon in manifest["icons"]} == {"any", "192x192", "512x512"}
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])
    assert all(client.get(icon["src"]).mimetype == icon["type"] for icon in manifest["icons"])


def test_both_languages_have_the_same_values() -> None:
    """A sentence's values stand in both of its languages."""
    fields = {key: [{f[1] for f in Formatter().parse(text) if f[1]} for text in both] for key, both in WORDS.items()}

    assert [key for key, (fa, en) in fields.items() if fa != en] == []


def spoken(paths: list[Path], pattern: re.Pattern[str]) -> set[str]:
    """Return what may be a key in these files."""
    return {found for path in paths for found in pattern.findall(path.read_text())}


def test_every_sentence_is_said_somewhere_and_none_is_missing() -> None:
    """Keys that pages mark are in the table; what the table has, a page or a script names, or its family."""
    said = spoken(PAGES, IN_PAGES) | spoken(SCRIPTS, IN_SCRIPTS)
    families = tuple({each for each in said if each.endswith(".")} | {"help."})

    assert spoken(PAGES, MARKED) - set(WORDS) == set()
    assert [key for key in WORDS if key not in said and not key.startswith(families)] == []


def test_the_licences_of_what_others_made_come_along(client: FlaskClient) -> None:
    """The scanner's and the font's."""
    version = client.get("/ramznegar/").text.partition("/files/")[2].partition("/")[0]
    for name, licence in (("jsqr.LICENSE.txt", "Apache License"), ("vz.OFL.txt", "SIL OPEN FONT LICENSE")):
        assert licence in client.get(f"/ramznegar/files/{version}/{name}").text


@pytest.mark.parametrize("path", ["/ramznegar/", "/ramznegar/sw.js", "/ramznegar/manifest.webmanifest"])
def test_over_tls_the_app_stays_on_tls(here: BankWorld, client: FlaskClient, path: str) -> None:
    """Browsers that come over TLS are told to, wherever it ends; others are not."""
    settings = here.bank.settings.model_copy(update={"public_url": "https://bank.test"})
    secure = create_app(bank=replace(here.bank, settings=settings)).test_client()
    assert "max-age" in secure.get(path).headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in client.get(path).headers
