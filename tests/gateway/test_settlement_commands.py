"""Operators compare books and pay merchants out by commands: every verb says what it did, or a sentence why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.services.gateway import Gateway
from gateway.services.settle import settle
from tests.fakes.clearing import Clearing, days
from tests.fakes.shop import MERCHANT, Shop

FIRST, SECOND = "IR062960000000100324200001", "IR760570028180010800000101"
BY = ("--by", "sara", "--reason", "letter of the merchant")


@pytest.fixture
def command(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Give the command line of the shop's gateway: what it says, on either stream."""
    import gateway.__main__ as commands  # noqa: PLC0415 - patched here

    class Opened:
        def __enter__(self) -> Gateway:
            return shop.gateway

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(commands, "_opened", lambda _settings: Opened())
    monkeypatch.setattr(commands.config, "load", lambda: shop.gateway.settings)
    monkeypatch.setattr(commands, "configure_logging", lambda *_: None)

    def run(*words: str, fails: bool = False) -> str:
        capsys.readouterr()
        assert commands.main(list(words)) == int(fails)
        out, err = capsys.readouterr()
        return err if fails else out

    return run


def test_f31_an_operator_imports_lists_shows_and_resolves(
    shop: Shop, command: Callable[..., str], tmp_path: Path
) -> None:
    """F31: import twice, list with one proposed action each, look at the three sides, resolve by two people."""
    clearing = Clearing(shop)
    kept, missing = shop.paid(), shop.paid()
    for payment in (kept, missing):
        shop.confirm(payment)
    stranger = clearing.line(kept).but(key=("581672", "00000001", "999999", "0" * 12, "261129000000"))
    clearing.capture()
    file = tmp_path / "clearing.csv"
    file.write_bytes(clearing.written(clearing.line(kept), stranger))
    shop.later(days(1) + 7_200)
    take = ("reconcile", "import", str(file), "--issuer", "two")

    assert "2 lines, 1 exception, 1 matched" in command(*take)
    assert "imported before" in command(*take)
    listed = command("reconcile", "list").splitlines()
    assert len(listed) == 3
    assert listed[-1] == "2 exceptions"
    assert "missing_here · 250,000 rial · 00000001/999999" in listed[0]
    assert "here - · there approved 250,000" in listed[0]
    assert "missing_there" in listed[1]
    assert "0 d 0 h old" in listed[1]
    assert "gateway · payee_confirmed" in command("reconcile", "show", "2")
    assert "the bank moved money" in command("reconcile", "show", "1")
    resolve = ("reconcile", "resolve", "2", "--settle", *BY)
    assert "reconcile approve 1" in command(*resolve)
    assert "settle=True · sara: letter of the merchant" in command("reconcile", "requests")
    assert "somebody else" in command("reconcile", "approve", "1", "--by", "sara", fails=True)
    done = command("reconcile", "approve", "1", "--by", "ali")
    assert "exception.resolve · exception:2 · settle=True · approved and done" in done
    assert command("reconcile", "list").splitlines()[-1] == "1 exceptions"
    file.write_bytes(file.read_bytes()[:-5])
    assert "is cut" in command(*take, fails=True)


def test_d11_an_operator_sees_pays_and_takes_back(shop: Shop, command: Callable[..., str], tmp_path: Path) -> None:
    """D11: IBANs by two people, the batch and its payouts, its file in both forms, and a payout that came back."""
    for iban, parts, request in ((FIRST, "2", "1"), (SECOND, "1", "2")):
        command("settlement", "iban-add", MERCHANT.merchant_id, iban, "--parts", parts, *BY)
        command("reconcile", "approve", request, "--by", "ali")
    assert "IR060" not in command("settlement", "ibans", MERCHANT.merchant_id).replace(FIRST, "")
    clearing = Clearing(shop)
    payment = shop.paid(30_001)
    shop.confirm(payment)
    clearing.capture()
    content = clearing.written(clearing.line(payment))
    shop.later(days(7))
    shop.change("UPDATE merchant SET name_fa = 'الف & ب' ")
    (tmp_path / "c.csv").write_bytes(content)
    command("reconcile", "import", str(tmp_path / "c.csv"), "--issuer", "two")
    settle(shop.gateway)

    assert "1 lines · gross 30,001 · charge 0 · net 30,001 rial" in command("settlement", "list")
    assert f"1 · {MERCHANT.merchant_id} · {FIRST} · 20,001 rial" in command("settlement", "show", "1")
    rows = command("settlement", "export", "1").splitlines()
    assert [row.split(",")[2:] for row in rows[2:4]] == [[FIRST, "20001"], [SECOND, "10000"]]
    assert rows[-1].startswith("trailer,2,30001,")
    command("settlement", "export", "1", "--form", "xml", "--to", str(tmp_path / "s.xml"))
    assert 'count="2" sum="30001"' in (tmp_path / "s.xml").read_text()
    assert "الف &amp; ب</transfer>" in (tmp_path / "s.xml").read_text()
    assert "no closed batch 9" in command("settlement", "export", "9", fails=True)
    said = command("settlement", "returned", "1", *BY)
    assert f"20,001 rial to {FIRST} of {MERCHANT.merchant_id}" in said
    assert "came back" not in command("settlement", "show", "1")
    assert "rial=20001" in command("reconcile", "approve", "3", "--by", "ali")
    assert "came back" in command("settlement", "show", "1")
    shop.change(
        "INSERT INTO settlement_batch (business_day, value_day, cut_off_at) VALUES ('2026-01-03', '2026-01-04', now())"
    )
    assert "open" in command("settlement", "list")


def test_d35_an_operator_asks_again_and_takes_an_iban_away(shop: Shop, command: Callable[..., str]) -> None:
    """D35: a request that lapsed is asked for again; a removal takes two people as well."""
    command("settlement", "iban-add", MERCHANT.merchant_id, FIRST, *BY)
    assert "asked for" in command("settlement", "ibans", MERCHANT.merchant_id)
    shop.later(days(2))
    command("settlement", "iban-again", "1", *BY)
    command("reconcile", "approve", "2", "--by", "ali")
    assert "from 20" in command("settlement", "ibans", MERCHANT.merchant_id)
    command("settlement", "iban-remove", "1", *BY)
    command("reconcile", "approve", "3", "--by", "ali")
    assert "removed" in command("settlement", "ibans", MERCHANT.merchant_id)
    assert "nothing to do" in command("settlement", "iban-remove", "1", *BY, fails=True)
