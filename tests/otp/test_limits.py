"""How many codes may be asked for: of a terminal, for a phone, and from the whole bank, until each is used up (D20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from foundation.sensitive import Sensitive
from otp.services.receive_sms import InboundSms, receive_sms

DAY_SECONDS = 86_400


def test_d20_a_terminal_has_a_limit_of_its_own(make_bank: Callable[..., Any]) -> None:
    """It stops every card there, and what it stops is counted on the phone all the same."""
    here = make_bank(terminal_requests_per_hour=2)
    pans = [here.card() for _ in range(3)]

    told = [here.ask(pan) for pan in pans]
    elsewhere = here.ask(pans[2], here.binding(terminal_id="00099999"))

    assert [each.body["code"] for each in told] == ["ACCEPTED", "ACCEPTED", "TOO_MANY_REQUESTS"]
    assert elsewhere.body["code"] == "ACCEPTED"
    (row,) = here.sql("SELECT used FROM quota WHERE scope LIKE 'mobile|proven|%'")
    assert row["used"] == 4


def test_d20_twenty_codes_a_day_reach_one_phone_over_all_its_cards(here: Any) -> None:
    """The next is refused until the day ends, whichever card it is for; another phone is none the worse."""
    pans = [here.card() for _ in range(7)]

    told = [here.ask(pan) for _ in range(3) for pan in pans]

    assert [each.body["code"] for each in told] == ["ACCEPTED"] * 20 + ["TOO_MANY_REQUESTS"]
    assert 0 < told[-1].body["retry_after_seconds"] <= DAY_SECONDS
    assert here.queued() == 20
    assert here.ask(here.card("09121112233")).body["code"] == "ACCEPTED"


def test_d20_the_banks_budget_of_a_day_ends_for_everybody(make_bank: Callable[..., Any]) -> None:
    """Strangers have a tenth of it apart from holders; texts of holders count too and are met with silence."""
    here = make_bank(sms_per_day=16)
    pans = [here.card(f"0912111000{number}", sms_codes_active=True) for number in range(9)]

    told = [here.ask(pan) for pan in (*pans[:8], *pans[:8], pans[8])]
    strangers = [here.ask(pan, proof="none") for pan in pans[:2]]
    text = InboundSms("sandbox", "1", Sensitive("09121110008"), Sensitive(pans[8].reveal()[-4:]))

    assert [each.body["code"] for each in told] == ["ACCEPTED"] * 16 + ["TOO_MANY_REQUESTS"]
    assert 0 < told[-1].body["retry_after_seconds"] <= DAY_SECONDS
    assert [each.body["code"] for each in strangers] == ["ACCEPTED", "TOO_MANY_REQUESTS"]
    assert receive_sms(here.bank, text) == "limited"
    assert here.queued() == 17
