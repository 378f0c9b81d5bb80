"""Purchases with cards whose bank is asked in a weak dialect, against real servers (D6, D14)."""

from __future__ import annotations

import psycopg
import pytest

from sandbox.banks import SERIES, Series
from sandbox.shopper import Shopper
from sandbox.world import UNBOUND_RIAL
from tests.world import RunningWorld


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.dialect)
def test_d6_d14_a_shopper_buys_by_a_weak_dialect(world: RunningWorld, series: Series) -> None:
    """Code, wrong code, payment and return as with any card; the code was asked for in the dialect, under a ceiling."""
    shopper = Shopper(world, world.card(series.dialect))

    shopper.check_out("soap")
    code = shopper.request_pin()
    wrong = shopper.pay(f"{(int(code) + 1) % 1_000_000:06d}")
    paid = shopper.pay(code)
    assert (wrong.status_code, paid.status_code) == (422, 200)
    order = shopper.return_to_shop()

    assert "پرداخت شد" in order.text or "پرداخت‌شده" in order.text
    with _reading(world, "gateway") as gateway:
        rows = "SELECT harim_dialect, switch_of FROM issuer WHERE issuer_id = %s"
        assert gateway.execute(rows, (series.issuer_id,)).fetchone() == (series.dialect, series.bank.issuer_id)
        asked = "SELECT state FROM pin_request WHERE issuer_id = %s"
        assert ("sent",) in gateway.execute(asked, (series.issuer_id,)).fetchall()
    with _reading(world, series.bank.organisation) as bank:
        spent = "SELECT c.state, c.ceiling_rial, c.wrong_tries, a.state FROM challenge c JOIN authorisation a"
        spent += " USING (challenge_id) WHERE c.ceiling_rial IS NOT NULL ORDER BY c.challenge_id DESC"
        assert bank.execute(spent).fetchone() == ("consumed", UNBOUND_RIAL, 1, "approved")


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.dialect)
def test_d14_a_purchase_above_the_ceiling_gets_no_code(world: RunningWorld, series: Series) -> None:
    """The page says that the bank did not accept the request; nothing is sent and the payment stays open."""
    shopper = Shopper(world, world.card(series.dialect))
    shopper.check_out("teapot")
    before = len(shopper.messages())

    answer = shopper.press("request_pin")

    assert "بانک درخواست رمز را نپذیرفت" in answer.text
    assert len(shopper.messages()) == before


def _reading(world: RunningWorld, organisation: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(world.world.database_url(organisation, "reader").replace("+psycopg", ""))
