"""``python -m otp psp``: an operator registers PSPs, changes how they are known, and what is open to them (D6, D41)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otp.__main__ import main
from otp.services import audit_trail
from sandbox.certificates import certificate_of, new_identity
from tests.otp.conftest import BANK_IDENTITY, PSP_IDENTITY
from tests.otp.dialect_callers import YaghutCaller
from tests.otp.soap_caller import caller_of

NEW, NEWER = new_identity("new"), new_identity("newer")
KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, key_file: Path, bank_urls: dict[str, str], here: Any
) -> Callable[..., int]:
    """Give the command line of a bank that knows ``pooya`` already."""
    assert here.bank.database.ping()
    values = {"BANK_NAME_FA": "بانک", "BANK_NAME_EN": "Bank", "PUBLIC_URL": "http://bank.test"}
    values |= {"DATABASE_URL": bank_urls["application"], "KEY_FILE": str(key_file)}
    for name, value in values.items():
        monkeypatch.setenv(f"OTP_{name}", value)
    return lambda *words: main(["psp", *words])


@pytest.fixture
def pem(tmp_path: Path) -> Callable[..., str]:
    """Give a maker of PEM files of these identities' certificates."""

    def make(*identities: bytes) -> str:
        path = tmp_path / "certificates.pem"
        path.write_text("".join(map(certificate_of, identities)))
        return str(path)

    return make


def new(*words: str) -> list[str]:
    """Say that PSP two is to be registered."""
    return ["add", "--psp-id", "two", "--name", "درگاه دو", "--acquirer-id", "581672099", *words]


def test_d41_a_psp_that_speaks_soap_is_enrolled_by_command_alone(
    command: Callable[..., int], here: Any, pem: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its certificate in a file: from then on its signed envelopes are answered, and it is listed."""
    assert command(*new("--certificates", pem(NEW))) == 0
    caller = caller_of(here, NEW, BANK_IDENTITY)

    answer = caller.call({**caller.message(here.card()), "acquirer_id": "581672099"})

    assert (answer.part, answer.signed) == ("accepted", True)
    assert command("list") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "PSP two for acquirer 581672099"
    assert "two (درگاه دو; 581672099): known by " in told[2]
    assert told[2].endswith("disclosure proven, verify off, unbound up to 0 rials")


def test_d41_certificates_change_with_two_alive_in_between(
    command: Callable[..., int], here: Any, pem: Callable[..., str]
) -> None:
    """Pinned beside each other, then the new one alone; the key that was not named stays."""
    assert command(*new("--certificates", pem(NEW), "--key", f"two-1={KEY}")) == 0
    callers = [caller_of(here, identity, BANK_IDENTITY) for identity in (NEW, NEWER)]

    def believed() -> list[bool]:
        return [caller.call({}, operation="Ping").part == "pong" for caller in callers]

    seen = [believed()]
    for identities in ((NEW, NEWER), (NEWER,)):
        assert command("pin", "two", "--certificates", pem(*identities)) == 0
        seen.append(believed())

    assert seen == [[True, False], [True, True], [False, True]]
    assert list(here.bank.psps.now().by_id["two"].public_keys) == ["two-1"]
    assert command("pin", "two", "--key", f"two-2={KEY}") == 0
    assert list(here.bank.psps.now().by_id["two"].public_keys) == ["two-2"]
    assert believed() == [False, True]


def test_d6_weak_dialects_are_allowed_and_refused_by_command(
    command: Callable[..., int], here: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Off, on up to a ceiling, off; never above the bank's own maximum."""
    caller, pan = YaghutCaller(here), here.card()
    seen = [caller.ask(pan).code]

    for rial in ("500000", "0"):
        assert command("unbound", "pooya", rial) == 0
        seen.append(caller.ask(pan).code)

    assert seen == ["Client", "", "Client"]
    assert command("unbound", "pooya", "1000001") == 1
    assert "OTP_UNBOUND_CODE_MAX_RIAL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--key", f"two-1={KEY[:-4]}"], "32 bytes"),
        (["--key", "two-1=???"], "base64"),
        (["--key", f"pooya-1={KEY}"], "a key id names one PSP only"),
        (["--key", f"a={KEY}", "--key", f"b={KEY}", "--key", f"c={KEY}"], "at most 2 keys"),
        ([], "known by a key or by a certificate"),
        (["--key", f"k={KEY}", "--psp-id", "Two"], "small letters"),
        (["--key", f"k={KEY}", "--name", "call 0912"], "single digits"),
        (["--key", f"k={KEY}", "--acquirer-id", "12"], "6 to 11 digits"),
        (["--key", f"k={KEY}", "--webotp-host", "a b"], "WebOTP"),
        (["--key", f"k={KEY}", "--psp-id", "pooya"], "registered already"),
        (["--key", f"k={KEY}", "--acquirer-id", "581672061"], "registered already"),
        (["--certificates", "/nowhere"], "No such file"),
    ],
    ids=str,
)
def test_what_cannot_be_registered_is_refused_with_a_sentence(
    command: Callable[..., int], here: Any, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, 1, and nothing written."""
    assert command(*new(*words)) == 1

    assert sentence in capsys.readouterr().err
    assert [row["psp_id"] for row in here.sql("SELECT psp_id FROM psp")] == ["pooya"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (NEW, "a private key stays with its owner"),
        (b"no certificate", "PEM text"),
        (certificate_of(PSP_IDENTITY).encode(), "a certificate names one PSP only"),
        ("".join(map(certificate_of, (NEW, NEWER, new_identity("third")))).encode(), "at most 2 certificates"),
    ],
    ids=["private-key", "no-certificate", "another-psps", "three"],
)
def test_d41_certificates_that_cannot_be_pinned_are_refused(
    command: Callable[..., int],
    here: Any,
    tmp_path: Path,
    content: bytes,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """When a PSP is registered, and when its certificates change: what was pinned stays."""
    path = tmp_path / "wrong.pem"
    path.write_bytes(content)

    assert command(*new("--certificates", str(path))) == 1
    assert sentence in capsys.readouterr().err
    assert command(*new("--key", f"two-1={KEY}")) == 0
    assert command("pin", "two", "--certificates", str(path)) == 1
    assert here.bank.psps.now().by_id["two"].certificates == ""


def test_d41_a_psp_is_shut_out_and_let_in_again_by_command(
    command: Callable[..., int], here: Any, pem: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Known by what it was known by before; each time the trail says who and why, and the list shows it."""
    assert command(*new("--certificates", pem(NEW))) == 0
    caller = caller_of(here, NEW, BANK_IDENTITY)
    seen = []
    for verb in ("shut-out", "let-in"):
        assert command("--operator", "sara", "--why", "its key has leaked", verb, "two") == 0
        capsys.readouterr()
        assert command("list") == 0
        listed = capsys.readouterr().out
        seen.append((caller.call({}, operation="Ping").part == "pong", "two (درگاه دو; 581672099): shut out" in listed))
        assert command(verb, "two") == 1  # nothing to do

    assert seen == [(False, True), (True, False)]
    acts = [kept.act for kept in audit_trail.acts(here.bank, subject="psp:two", most=2)]
    assert [(act.action, act.actor, act.reason) for act in acts] == [
        ("psp.let_in", "operator:sara", "its key has leaked"),
        ("psp.shut_out", "operator:sara", "its key has leaked"),
    ]


def test_d41_a_key_that_leaked_is_never_good_again(
    command: Callable[..., int], here: Any, pem: Callable[..., str]
) -> None:
    """Shut out, known by another certificate, let in: the old one is answered at no moment of it."""
    assert command(*new("--certificates", pem(NEW))) == 0
    callers = [caller_of(here, identity, BANK_IDENTITY) for identity in (NEW, NEWER)]
    seen = []

    for words in (("shut-out", "two"), ("pin", "two", "--certificates", pem(NEWER)), ("let-in", "two")):
        assert command(*words) == 0
        seen.append([caller.call({}, operation="Ping").part == "pong" for caller in callers])

    assert seen == [[False, False], [False, False], [False, True]]


@pytest.mark.parametrize("kind", ["--key", "--certificates"])
def test_d41_a_psp_whose_key_is_anothers_by_now_is_not_let_in(
    command: Callable[..., int], pem: Callable[..., str], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key id and a certificate name one PSP only."""
    value = f"two-1={KEY}" if kind == "--key" else pem(NEW)
    assert command(*new(kind, value)) == 0
    assert command("shut-out", "two") == 0
    third = ["add", "--psp-id", "three", "--name", "درگاه سه", "--acquirer-id", "581672098", kind, value]
    assert command(*third) == 0

    assert command("let-in", "two") == 1
    assert "names one PSP only" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("pin", "nobody", "--key", f"k={KEY}"),
        ("unbound", "nobody", "1"),
        ("shut-out", "nobody"),
        ("let-in", "nobody"),
    ],
)
def test_an_unknown_psp_is_said_so(
    command: Callable[..., int], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and 1."""
    assert command(*words) == 1
    assert "there is no PSP nobody" in capsys.readouterr().err


def test_keys_are_kept_as_they_were_given(command: Callable[..., int], here: Any) -> None:
    """Base64 in, base64 at rest, bytes in use."""
    assert command(*new("--key", f"two-1={KEY}", "--disclosure", "open", "--webotp-host", "pay.two.ir")) == 0

    (row,) = here.sql("SELECT public_keys, webotp_host, disclosure FROM psp WHERE psp_id = 'two'")
    assert json.loads(json.dumps(row["public_keys"])) == {"two-1": KEY}
    assert (row["webotp_host"], row["disclosure"]) == ("pay.two.ir", "open")
    assert here.bank.psps.now().by_id["two"].public_keys == {"two-1": bytes(range(32))}
