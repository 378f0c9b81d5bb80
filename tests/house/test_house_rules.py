"""Rules of the house that a reviewer need not notice, because this does."""

import ast
import functools
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCTION = ("contracts", "foundation", "gateway", "merchant_demo", "otp")
ROOT_ENTRIES_MAX = 26
MODULE_LINES_MAX = 350
TEST_LINES_MAX = 450

REVEALS = {
    "foundation/audit_heads.py": "signing key into the signer",
    "foundation/key_file.py": "a key in clear into a sandbox's file",
    "foundation/master_keys.py": "keys into their wrapping, the HSM's PIN into its session",
    "foundation/keys.py": "key material goes into the cipher",
    "gateway/callbacks/sender.py": "webhook secret into the signature",
    "gateway/domain/bill_refusal.py": "webhook secret into the signature of a biller's no",
    "gateway/domain/card.py": "length and shape of what was typed",
    "gateway/harim/sadad.py": "PAN into the signed body",
    "gateway/harim/v1.py": "card into the signed body",
    "gateway/harim/yaghut.py": "card into the signed body",
    "gateway/services/authorise.py": "PAN into its seal",
    "gateway/services/take_card.py": "PAN into keyed hashes",
    "gateway/services/destinations.py": "destination into its seal and keyed hashes",
    "gateway/services/payee.py": "destination into its seal and keyed hashes",
    "gateway/store/directory.py": "webhook secret's hash",
    "gateway/switch/key_wrap.py": "key-exchange key into the wrapping",
    "gateway/switch/keys.py": "link keys",
    "gateway/switch/mac.py": "MAC key into its check value",
    "gateway/switch/messages.py": "card into ISO 8583 fields",
    "gateway/switch/outcomes.py": "balance out of ISO 8583 fields",
    "gateway/switch/pin_block.py": "PIN and PAN into the PIN block",
    "gateway/top_ups/client.py": "mobile number into the provider's message",
    "gateway/web/rendering.py": "balance into the one page that shows it",
    "gateway/wiring.py": "signing key into the signer",
    "otp/console/door.py": "token of a log-in into its cookie",
    "otp/domain/activation.py": "keys and parts into derivations and proofs",
    "otp/domain/app_code.py": "keys, and the end of a destination, into the derivation",
    "otp/domain/app_match.py": "what was entered beside the app's codes",
    "otp/domain/card.py": "a mobile into its mask",
    "otp/domain/cash_machine.py": "shape of a new PIN",
    "otp/domain/code.py": "key into the derivation",
    "otp/domain/cvv2.py": "PAN into the CVV2",
    "otp/domain/device.py": "codes beside the one that was shown",
    "otp/domain/first_pin.py": "typed first PIN beside the codes of now",
    "otp/domain/message.py": "the code into the text",
    "otp/domain/notices.py": "an activation's SMS part into the text",
    "otp/domain/pairing.py": "keys into the exchange, the cipher and the signature",
    "otp/domain/proof.py": "key into the derivation",
    "otp/host/key_change.py": "wrapped keys out of ISO 8583 fields",
    "otp/host/key_wrap.py": "key-exchange key into the unwrapping",
    "otp/host/mac.py": "MAC key into its check value",
    "otp/host/peers.py": "link keys",
    "otp/host/pin_block.py": "PIN and PAN out of the PIN block",
    "otp/host/translate.py": "card out of ISO 8583 fields",
    "otp/store/accounts.py": "balance that was told into its row, for the same answer again",
    "otp/services/activate_app.py": "a device's keys into their seals",
    "otp/services/authorise.py": "code into its MAC",
    "otp/services/cards.py": "PAN and CVV2 into keyed values",
    "otp/services/change_mobile.py": "typed code beside the derived one",
    "otp/services/desk.py": "PAN into the card token, proof into its MAC",
    "otp/services/first_code.py": "code root into its seal",
    "otp/inbound/providers.py": "the secret beside the path's",
    "otp/services/receive_sms.py": "number and words of a holder's message, code into its MAC",
    "otp/services/issue_code.py": "code into its MAC",
    "otp/services/judging.py": "expiry beside the card's",
    "otp/services/open_card.py": "PAN into its seal",
    "otp/services/operators.py": "password into its hash, token of a log-in into its hash",
    "otp/services/present_card.py": "first PIN into its MAC",
    "otp/services/verify_code.py": "code and proof into their MACs, proof into its answer",
    "otp/sms/ghasedak.py": "number and words into the request",
    "otp/sms/ippanel.py": "number and words into the request",
    "otp/sms/kavenegar.py": "number and words into the request",
    "otp/sms/magfa.py": "number and words into the request",
    "otp/sms/melipayamak.py": "number and words into the request",
    "otp/sms/panel.py": "credentials and a code's values into the request",
    "otp/sms/sender.py": "the request onto the wire",
    "otp/sms/smpp.py": "number, words and credentials into PDUs",
    "otp/sms/smsir.py": "number and words into the request",
    "otp/wiring.py": "signing key into the signer",
}
"""Production modules that may open a :class:`foundation.sensitive.Sensitive`, and what for."""

CLOCKS = {
    "foundation/xml_signatures.py": "the age of a signed message, as a library reads it for HTTP signatures",
    "gateway/wiring.py": "the time stamp of a webhook's signature",
    "gateway/switch/network.py": "local time of a network message, which decides nothing",
}
"""Modules that may read the machine's clock or wait; nothing that decides about money or codes is among them (D33)."""

WAITS = {"foundation/wake.py": "polls while Redis is away"}
SQL_PLACES = (
    *("store/", "migrations/", "merchant_demo/store.py"),
    *("foundation/outbox.py", "foundation/database.py", "foundation/monitor.py"),
    *("foundation/audit.py", "foundation/audit_proof.py"),
)

_SQL = re.compile(r"^\s*(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|WITH\s+\w+\s+AS)\s", re.DOTALL)
_MACHINE_PATH = re.compile(r"/(?:root|work|home/\w+)/")
_UNWANTED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "mock" + r"\.patch")), re.IGNORECASE)
_EXCEPTION = re.compile(r"noqa|type: *ignore")
_CODES = re.compile(r"noqa(: *[A-Z]+\d+(, *[A-Z]+\d+)*)?|type: *ignore(\[[a-z, -]+\])?")
_REASON = re.compile(r"[^\W\d_]{3}")


def _tracked() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    names = listed.stdout.splitlines() or [
        str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if not {".venv", "var"} & set(path.parts)
    ]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


@functools.cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for path in _tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py" and name.startswith(tuple(f"{folder}/" for folder in folders)):
            yield name, _parsed(path)


def _calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_secrets_are_opened_only_where_the_list_says() -> None:
    """Every module that calls ``.reveal()`` is on the list, and the list names no module that does not."""
    opening = {name for name, tree in _modules(*PRODUCTION) if any(call.endswith(".reveal") for call in _calls(tree))}

    assert opening == set(REVEALS)


def test_d33_the_machines_clock_decides_nothing() -> None:
    """No production module outside the list asks the machine for the time; decisions use the database's clock."""
    asking = re.compile(r"(^|\.)(datetime\.now|datetime\.utcnow|date\.today|time\.time|time_ns)$")
    found = {name for name, tree in _modules(*PRODUCTION) if any(asking.search(call) for call in _calls(tree))}

    assert found - set(CLOCKS) == set()


def test_one_module_parses_xml() -> None:
    """Whatever reads XML goes through the hard parser: nobody else calls a parser of lxml or of the library."""
    parsing = re.compile(r"(^|\.)(fromstring|XMLParser|iterparse|parse_xml|XMLSchema|HTML|XML|parseString|feed_data)$")
    found = {name for name, tree in _modules(*PRODUCTION) if any(parsing.search(call) for call in _calls(tree))}
    imports = {
        (name, alias)
        for name, tree in _modules(*PRODUCTION)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in [getattr(node, "module", None) or node.names[0].name]
        if alias.startswith(("xml.", "lxml.html", "lxml.objectify", "defusedxml", "xmltodict"))
    }

    assert found == {"foundation/hard_xml.py"}
    assert {alias for _, alias in imports} <= {"xml.sax.saxutils"}
    assert not [name for name, tree in _modules(*PRODUCTION) if "etree.parse" in set(_calls(tree))]


def test_nobody_sleeps() -> None:
    """Production waits for conditions; the one pause is on the list."""
    found = {name for name, tree in _modules(*PRODUCTION) if any(call.endswith("time.sleep") for call in _calls(tree))}

    assert found - set(WAITS) == set()


def test_chance_is_cryptographic() -> None:
    """Nothing imports ``random``; keys, codes and tokens come from ``secrets``.

    The one exception is the simulator's dice: a schedule must repeat from its seed, and guards nothing.
    """
    for name, tree in _modules(*PRODUCTION, "sandbox"):
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert "random" not in imported or name.startswith("sandbox/simulator/"), name


def test_sql_stands_in_the_store() -> None:
    """SQL text is found in stores and migrations only."""
    found = {
        name
        for name, tree in _modules(*PRODUCTION)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.match(node.value)
        if not any(place in name for place in SQL_PLACES)
    }

    assert found == set()


def test_what_is_remembered_is_asked_before_a_transaction() -> None:
    """The directory may have to read the database, and a transaction that is open lets nobody open another."""
    blocks = [
        (name, node)
        for name, tree in _modules("gateway")
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        if any(re.search(r"database\.(begin|single)\(", ast.unparse(item)) for item in node.items)
    ]

    assert blocks
    assert not [(name, node.lineno) for name, node in blocks if any(".directory." in call for call in _calls(node))]


def test_money_is_never_a_float() -> None:
    """No domain calls ``float``."""
    assert not [name for name, tree in _modules("gateway/domain", "otp/domain") if "float" in set(_calls(tree))]


def test_every_test_says_what_it_proves() -> None:
    """Each test has a docstring sentence."""
    silent = [
        f"{name}::{node.name}"
        for name, tree in _modules("tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []


def test_every_exception_from_the_checks_gives_its_reason() -> None:
    """Whoever turns a check off for a line says on that line why."""
    folders = (*PRODUCTION, "bench", "sandbox", "tests")
    silent = []
    for name, _ in _modules(*folders):
        if not _EXCEPTION.search((ROOT / name).read_text("utf-8")):
            continue  # to take a module apart is slow
        with (ROOT / name).open("rb") as module:
            for token in tokenize.tokenize(module.readline):
                comment = token.string if token.type == tokenize.COMMENT else ""
                if _EXCEPTION.search(comment) and not _REASON.search(_CODES.sub("", comment)):
                    silent.append(f"{name}:{token.start[0]}")

    assert silent == []


@pytest.mark.parametrize(("folder", "most"), [("", MODULE_LINES_MAX), ("tests/", TEST_LINES_MAX)])
def test_a_module_fits_in_a_head(folder: str, most: int) -> None:
    """No module is longer than its budget."""
    folders = (folder.strip("/"),) if folder else (*PRODUCTION, "sandbox")
    paths = [ROOT / name for name, _ in _modules(*folders)]

    assert [path.name for path in paths if len(path.read_text().splitlines()) > most] == []


def test_the_root_fits_in_one_glance() -> None:
    """A newcomer sees at most 26 entries."""
    assert len({path.relative_to(ROOT).parts[0] for path in _tracked()}) <= ROOT_ENTRIES_MAX


def test_no_text_names_a_machine_or_an_unfinished_thing() -> None:
    """No file names a path of somebody's machine, a package host, or work left for later."""
    found = []
    for path in _tracked():
        if path.suffix in {".woff2", ".png", ".webp"} or path == Path(__file__):
            continue
        text = path.read_text(errors="replace")
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in _UNWANTED.finditer(text)]
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in _MACHINE_PATH.finditer(text)]

    assert found == []
