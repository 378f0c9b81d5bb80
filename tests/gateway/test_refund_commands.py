"""``python -m gateway refund``: the second person reads, approves and refuses on the command line (D35)."""

from __future__ import annotations

import pytest

from tests.fakes.shop import MERCHANT, Shop
from tests.gateway.test_commands import environment as environment
from tests.gateway.test_commands import run

PAYABLE = f"payable:{MERCHANT.merchant_id}"


@pytest.mark.usefixtures("environment")
def test_d35_waiting_refunds_are_listed_approved_and_refused(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """D35: the list says all that a decision needs; another amount, or a number that does not wait, is refused."""
    payment = shop.paid(900_000_000)
    shop.confirm(payment)
    first = shop.refund(payment, 600_000_000, "A-1")
    second = shop.refund(payment, 200_000_000, "A-2")

    capsys.readouterr()
    assert run("refund list") == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 2
    assert listed[0].startswith(
        f"{first.number} · 600000000 rial · {payment.payment_id} · {MERCHANT.merchant_id} · A-1"
    )
    assert run(f"refund approve {first.number} --amount 1 --by sara") == 1
    assert "no refund waits" in capsys.readouterr().err
    assert run(f"refund approve {first.number} --amount 600000000 --by sara") == 0
    assert run(f"refund refuse {second.number}") == 0
    assert run(f"refund refuse {second.number}") == 1
    capsys.readouterr()
    assert run("refund list") == 0
    assert not capsys.readouterr().out

    assert shop.rows("SELECT state, checked_by IS NOT NULL FROM refund ORDER BY number") == [
        ("requested", True),
        ("refused", True),
    ]
    assert shop.balances()[PAYABLE] == 300_000_000
