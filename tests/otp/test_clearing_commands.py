"""``python -m otp clearing export``: to a file, to the screen, and a sentence when the day is not over."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from otp.__main__ import main
from tests.otp.conftest import ACQUIRER


def test_an_operator_exports_a_day(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key_file: Path,
    bank_urls: dict[str, str],
    here: Any,
    tmp_path: Path,
) -> None:
    """The same file both ways; tomorrow's is refused with a sentence."""
    values = {"BANK_NAME_FA": "بانک", "BANK_NAME_EN": "Bank", "PUBLIC_URL": "http://bank.test"}
    values |= {"DATABASE_URL": bank_urls["application"], "KEY_FILE": str(key_file)}
    for name, value in values.items():
        monkeypatch.setenv(f"OTP_{name}", value)
    day = here.sql("SELECT CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date) AS day")[0]["day"]
    line = ["clearing", "export", "--acquirer", ACQUIRER, "--date"]
    past = f"{day - dt.timedelta(days=2):%Y%m%d}"
    capsys.readouterr()

    assert main([*line, past]) == 0
    shown = capsys.readouterr().out
    assert main([*line, past, "--to", str(tmp_path / "clearing.csv")]) == 0
    assert (tmp_path / "clearing.csv").read_text() == shown
    assert shown.startswith(f"pooya-clearing,1,{past},{ACQUIRER}\n")
    assert main([*line, f"{day:%Y%m%d}"]) == 1
    assert "five minutes after midnight" in capsys.readouterr().err
