"""A purchase with a card of bank one, which speaks Harim over SOAP, against real servers."""

import psycopg

from sandbox.banks import BANK_ONE
from sandbox.shopper import Shopper
from tests.world import RunningWorld


def test_a_shopper_buys_with_a_card_of_the_bank_that_speaks_soap(world: RunningWorld) -> None:
    """Code, payment and return as with any card; the code was asked of bank one, which alone moved the money."""
    cards = [card for card in world.info["cards"] if card["bank"] == BANK_ONE.name_en]
    shopper = Shopper(world, cards[0])

    shopper.check_out("soap")
    code = shopper.request_pin()
    wrong = shopper.pay(f"{(int(code) + 1) % 1_000_000:06d}")
    paid = shopper.pay(code)
    assert (wrong.status_code, paid.status_code) == (422, 200)
    order = shopper.return_to_shop()

    assert "پرداخت شد" in order.text or "پرداخت‌شده" in order.text
    with psycopg.connect(world.world.database_url("gateway", "reader").replace("+psycopg", "")) as gateway:
        issuer = gateway.execute("SELECT harim_dialect FROM issuer WHERE issuer_id = %s", (BANK_ONE.issuer_id,))
        assert issuer.fetchone() == ("harim-v1-soap",)
    with psycopg.connect(world.world.database_url(BANK_ONE.organisation, "reader").replace("+psycopg", "")) as bank:
        assert bank.execute("SELECT answer ->> 'code' FROM harim_request").fetchone() == ("ACCEPTED",)
        bound = "SELECT count(*) FROM authorisation a JOIN challenge c USING (challenge_id)"
        bound += " WHERE a.state = 'approved' AND c.ceiling_rial IS NULL"
        assert bank.execute(bound).fetchone() == (1,)
