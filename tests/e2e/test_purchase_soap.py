"""A purchase with a card of bank one, which speaks Harim over SOAP, against real servers."""

from typing import Any

import psycopg

from sandbox.banks import BANK_ONE
from sandbox.shopper import Shopper
from tests.world import RunningWorld

ANSWERS = "SELECT answer ->> 'code' FROM harim_request ORDER BY created_at"
BOUND = (
    "SELECT count(*) FROM authorisation a JOIN challenge c USING (challenge_id)"
    " WHERE a.state = 'approved' AND c.ceiling_rial IS NULL"
)


def read(world: RunningWorld, organisation: str, query: str) -> list[Any]:
    """Return the first column of what a reader of that organisation's database finds."""
    with psycopg.connect(world.world.database_url(organisation, "reader").replace("+psycopg", "")) as database:
        return [row[0] for row in database.execute(query.encode())]


def test_a_shopper_buys_with_a_card_of_the_bank_that_speaks_soap(world: RunningWorld) -> None:
    """Code, payment and return as with any card; the code was asked of bank one, which alone moved the money."""
    cards = [card for card in world.info["cards"] if card["bank"] == BANK_ONE.name_en]
    shopper = Shopper(world, cards[0])
    asked, bound = (read(world, BANK_ONE.organisation, query) for query in (ANSWERS, BOUND))

    shopper.check_out("soap")
    code = shopper.request_pin()
    wrong = shopper.pay(f"{(int(code) + 1) % 1_000_000:06d}")
    paid = shopper.pay(code)
    assert (wrong.status_code, paid.status_code) == (422, 200)
    order = shopper.return_to_shop()

    assert "پرداخت شد" in order.text or "پرداخت‌شده" in order.text
    dialect = f"SELECT harim_dialect FROM issuer WHERE issuer_id = '{BANK_ONE.issuer_id}'"
    assert read(world, "gateway", dialect) == ["harim-v1-soap"]
    assert read(world, BANK_ONE.organisation, ANSWERS) == [*asked, "ACCEPTED"]
    assert read(world, BANK_ONE.organisation, BOUND) == [bound[0] + 1]
