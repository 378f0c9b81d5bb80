"""Cards on a device: added by their own code, moved, removed; ceilings; devices ended (D14, D23)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from otp.domain.activation import Channel
from otp.domain.app_answers import AppCode
from otp.services.issue_activation import Issued, Wanted, issue_activation
from tests.otp.app_twin import AppTwin
from tests.otp.ramznegar import HOLDER, NEIGHBOUR, Counter, counter, make_counter

__all__ = ["counter", "make_counter"]

NOBODY = "00000000-0000-4000-8000-000000000000"
DAY = 86_400


def requested(app: AppTwin, place: int = 0) -> Any:
    """Ask for the code of a card that could be added."""
    addable = app.call("GET", "/cards")[1]["addable"]
    return app.call("POST", "/cards/requests", {"card_no": addable[place]["card_no"]})


def test_d23_another_card_of_the_holder_is_added_by_sms(counter: Counter) -> None:
    """The SMS goes to that card's own mobile; the card is on the device at once, and its holder is told."""
    app = counter.activated()
    counter.card(mobile="09351112233")

    status, told = requested(app)
    added, shown = app.add(told["activation_id"], counter.texted())

    assert (status, told["mobile_last_two"]) == (202, "33")
    assert added == 200
    assert [card["card_ref"] for card in shown["cards"]] == app.cards
    assert shown["addable"] == []
    counter.told()
    assert counter.here.phone.sent[-1].mobile.reveal() == "09351112233"
    assert "افزوده شد" in counter.here.phone.texts[-1]
    assert app.second_pin(app.cards[0], 0) != app.second_pin(app.cards[1], 0)


def test_d23_a_card_of_another_customer_is_not_added_by_sms(counter: Counter) -> None:
    """It is not offered, and even a code that was issued for this device adds nothing."""
    app = counter.activated()
    foreign = counter.card(customer=NEIGHBOUR)
    issued = issue_activation(counter.here.bank, Wanted(foreign, Channel.SMS, device_id=app.device_id))
    assert isinstance(issued, Issued)

    refused = app.add(issued.activation_id, counter.texted())

    assert app.call("GET", "/cards")[1]["addable"] == []
    assert (refused[0], refused[1]["code"]) == (403, AppCode.ACTIVATION_REFUSED)
    assert app.call("POST", "/cards/requests", {"card_no": "0" * 32})[0] == 404


def test_d23_the_cash_machine_adds_any_card(counter: Counter) -> None:
    """Whoever had the card, its PIN and its phone at the cash machine may have it on any device."""
    app = counter.activated()

    status, shown = app.add(*counter.slip(counter.card(customer=NEIGHBOUR)))

    assert status == 200
    assert len(shown["cards"]) == 2


def test_d23_a_code_by_sms_serves_the_device_that_asked(counter: Counter) -> None:
    """Another device of the same holder cannot use it, and no new device can be made of it."""
    app, other = counter.activated(), counter.activated()
    counter.card()
    _, told = requested(app, 1)
    typed = counter.texted()

    assert other.add(told["activation_id"], typed)[0] == 403
    assert counter.app().activate(told["activation_id"], typed)[0] == 403
    assert app.add(told["activation_id"], typed)[0] == 200


def test_d23_a_new_activation_ends_only_that_cards_old_binding(counter: Counter) -> None:
    """The old device keeps its other card, and is ended with its keys only when it has none left."""
    first, second = counter.card(), counter.card()
    old = counter.activated(first)
    old.add(*counter.slip(second))

    new = counter.activated(first)
    assert [card["card_ref"] for card in old.call("GET", "/cards")[1]["cards"]] == old.cards[1:]
    newest = counter.activated(second)

    assert old.call("GET", "/cards")[0] == 401
    assert counter.state("device") == ["removed", "active", "active"]
    assert counter.state("device_card") == ["removed", "removed", "active", "active"]
    assert new.call("GET", "/cards")[0] == newest.call("GET", "/cards")[0] == 200


def test_a_card_that_is_activated_on_its_own_device_again_gets_a_new_name(counter: Counter) -> None:
    """The device is not ended by it; its old codes of that card are."""
    card_id = counter.card()
    app = counter.activated(card_id)

    status, shown = app.add(*counter.slip(card_id))

    assert status == 200
    assert [card["card_ref"] for card in shown["cards"]] == app.cards[1:]
    assert counter.state("device_card") == ["removed", "active"]
    assert counter.state("device") == ["active"]


def test_d23_until_the_first_code_the_old_device_goes_on(counter: Counter) -> None:
    """Pairing ends nothing: a code that somebody else began to use does not take the holder's app away."""
    card_id = counter.card()
    old = counter.activated(card_id)

    counter.app().activate(*counter.slip(card_id))

    assert len(old.call("GET", "/cards")[1]["cards"]) == 1


def test_two_devices_that_take_a_card_at_once_leave_one(counter: Counter) -> None:
    """Both confirm in the same moment: one binding is active, and the loser's device is ended."""
    card_id = counter.card()
    apps = [counter.app(), counter.app()]
    for app in apps:
        app.activate(*counter.slip(card_id))
    now = counter.now_ms()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda app: app.confirm(now)[0], apps))

    assert answers == [200, 200]
    assert sorted(counter.state("device_card")) == sorted(counter.state("device")) == ["active", "removed"]


def test_a_card_is_taken_off_and_the_device_goes_on(counter: Counter) -> None:
    """Its holder is told; a device without a card can be given one again."""
    app = counter.activated()

    status, shown = app.call("DELETE", f"/cards/{app.cards[0]}")

    assert (status, shown["cards"], len(shown["addable"]), len(shown["devices"])) == (200, [], 1, 1)
    assert any("از رمزنگار حذف شد" in line for line in counter.told())
    assert app.call("DELETE", f"/cards/{app.cards[0]}")[1]["code"] == AppCode.CARD_NOT_FOUND
    _, told = requested(app)
    assert app.add(told["activation_id"], counter.texted())[0] == 200


def test_nobody_reaches_a_card_of_another_device(counter: Counter) -> None:
    """Not to remove it, not for its ceiling, not for a new PIN."""
    app, other = counter.activated(), counter.activated()
    theirs = other.cards[0]

    answers = [
        app.call("DELETE", f"/cards/{theirs}"),
        app.call("PUT", f"/cards/{theirs}/ceiling", {"ceiling_rial": 0}),
        app.confirm_ceiling(theirs, "12345678", "ABCDEFGH"),
        app.call("PUT", "/pin", {"card_ref": theirs, "code": "1234567", "code_root": app.wrapped("1")}),
    ]

    assert {(status, told["code"]) for status, told in answers} == {(404, AppCode.CARD_NOT_FOUND)}


def test_d14_a_ceiling_is_lowered_at_once(counter: Counter) -> None:
    """No SMS, no wait; what waits to be raised is given up with it."""
    app = counter.activated()
    path = f"/cards/{app.cards[0]}/ceiling"
    counter.told()

    status, shown = app.call("PUT", path, {"ceiling_rial": 200_000})

    assert (status, shown["cards"][0]["ceiling_rial"]) == (200, 200_000)
    _, told = app.call("PUT", path, {"ceiling_rial": 300_000})
    app.confirm_ceiling(app.cards[0], told["activation_id"], counter.texted())
    (card,) = app.call("PUT", path, {"ceiling_rial": 100_000})[1]["cards"]
    assert (card["ceiling_rial"], card["ceiling_next"]) == (100_000, None)


def test_d14_a_ceiling_is_raised_by_sms_and_a_day(counter: Counter) -> None:
    """Asked, confirmed by the code on the phone, waiting for a day, and then in force; the holder is told before."""
    app = counter.activated()
    path = f"/cards/{app.cards[0]}/ceiling"
    app.call("PUT", path, {"ceiling_rial": 200_000})

    status, told = app.call("PUT", path, {"ceiling_rial": 500_000})
    assert (status, told["mobile_last_two"]) == (202, "67")
    (card,) = app.call("GET", "/cards")[1]["cards"]
    assert (card["ceiling_rial"], card["ceiling_next"]) == (200_000, None)
    confirmed, shown = app.confirm_ceiling(app.cards[0], told["activation_id"], counter.texted())
    (card,) = shown["cards"]

    assert (confirmed, card["ceiling_rial"], card["ceiling_next"]["rial"]) == (200, 200_000, 500_000)
    assert abs(card["ceiling_next"]["at_ms"] - counter.now_ms() - DAY * 1000) < 10_000
    assert any("500,000 ریال" in line for line in counter.told())
    counter.later(DAY - 60)
    assert app.call("GET", "/cards")[1]["cards"][0]["ceiling_rial"] == 200_000
    counter.later(DAY + 1)
    (card,) = app.call("GET", "/cards")[1]["cards"]
    assert (card["ceiling_rial"], card["ceiling_next"]) == (500_000, None)


def test_d14_what_came_in_force_stays_so_while_the_next_one_waits(counter: Counter) -> None:
    """A second raise after the first one's day begins from the first."""
    app = counter.activated()
    path = f"/cards/{app.cards[0]}/ceiling"
    app.call("PUT", path, {"ceiling_rial": 100_000})
    for day, rial in enumerate((200_000, 300_000)):
        counter.later(day * (DAY + 1))
        _, told = app.call("PUT", path, {"ceiling_rial": rial})
        _, shown = app.confirm_ceiling(app.cards[0], told["activation_id"], counter.texted())

    assert shown["cards"][0]["ceiling_rial"] == 200_000
    assert shown["cards"][0]["ceiling_next"]["rial"] == 300_000


def test_d14_no_ceiling_is_above_the_banks(counter: Counter) -> None:
    """The bank's own maximum is refused at once, without an SMS."""
    app = counter.activated()

    status, told = app.call("PUT", f"/cards/{app.cards[0]}/ceiling", {"ceiling_rial": 1_000_001})

    assert (status, told["code"]) == (422, AppCode.CEILING_TOO_HIGH)


def test_d14_a_code_for_a_ceiling_adds_no_card_and_the_reverse(counter: Counter) -> None:
    """What a code does is written at the bank when it is issued, and its SMS says so."""
    app = counter.activated()
    app.call("PUT", f"/cards/{app.cards[0]}/ceiling", {"ceiling_rial": 0})
    counter.card()
    _, for_ceiling = app.call("PUT", f"/cards/{app.cards[0]}/ceiling", {"ceiling_rial": 1})
    typed_for_ceiling = counter.texted()
    assert any("سقف" in line for line in counter.told())
    _, for_card = requested(app)
    typed_for_card = counter.texted()

    assert app.add(for_ceiling["activation_id"], typed_for_ceiling)[0] == 403
    assert app.confirm_ceiling(app.cards[0], for_card["activation_id"], typed_for_card)[0] == 403
    assert counter.state("activation") == ["used", "issued", "issued"]


def test_d23_a_device_is_removed_by_itself_or_by_another_of_its_holder(counter: Counter) -> None:
    """Its keys go with it; the holder is told once per phone, and other devices stay."""
    card_ids = [counter.card(), counter.card()]
    app, lost = counter.activated(card_ids[0]), counter.activated(card_ids[1])
    lost.add(*counter.slip(counter.card()))
    counter.told()
    before = len(counter.here.phone.sent)

    status, shown = app.call("DELETE", f"/devices/{lost.device_id}")

    assert status == 200
    assert [device["device_id"] for device in shown["devices"]] == [app.device_id]
    assert lost.call("GET", "/cards")[0] == 401
    assert counter.here.sql("SELECT count(*) AS n FROM device WHERE code_root_sealed IS NULL") == [{"n": 1}]
    counter.told()
    assert len(counter.here.phone.sent) == before + 1
    assert app.call("DELETE", f"/devices/{app.device_id}")[0] == 200
    assert app.call("GET", "/cards")[0] == 401
    assert set(counter.state("device_card")) == {"removed"}


def test_d23_nobody_removes_a_strangers_device(counter: Counter) -> None:
    """Another customer's device, one that is gone and none at all are answered alike."""
    app, stranger = counter.activated(), counter.activated(counter.card(customer=NEIGHBOUR))
    gone = counter.activated()
    app.call("DELETE", f"/devices/{gone.device_id}")

    answers = [app.call("DELETE", f"/devices/{name}") for name in (stranger.device_id, gone.device_id, NOBODY)]

    assert {(status, told["code"]) for status, told in answers} == {(404, AppCode.DEVICE_NOT_FOUND)}
    assert stranger.call("GET", "/cards")[0] == 200


def test_a_device_removed_while_its_card_is_on_another_leaves_that_one_alone(counter: Counter) -> None:
    """A card that moved away is not taken from where it is now."""
    moved, kept = counter.card(), counter.card()
    old = counter.activated(moved)
    old.add(*counter.slip(kept))
    new = counter.activated(moved)

    new.call("DELETE", f"/devices/{old.device_id}")

    assert [card["card_ref"] for card in new.call("GET", "/cards")[1]["cards"]] == new.cards


def test_removals_and_additions_at_once_leave_no_card_on_a_removed_device(counter: Counter) -> None:
    """A device is removed while it adds cards: whatever comes first, no active card is left on it."""
    app, other = counter.activated(), counter.activated()
    slips = [counter.slip(counter.card()) for _ in range(4)]
    copies = [app.copied() for _ in slips]
    for number, copy in enumerate(copies):
        copy.calls = 1_000 * (number + 1)
    work = [lambda copy=copy, slip=slip: copy.add(*slip)[0] for copy, slip in zip(copies, slips, strict=True)]
    work.insert(2, lambda: other.call("DELETE", f"/devices/{app.device_id}")[0])

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda each: each(), work))

    assert set(answers) <= {200, 401, 403}
    left = "SELECT count(*) AS n FROM device_card JOIN device USING (device_id) WHERE device.state = 'removed' AND "
    assert counter.here.sql(left + "device_card.state <> 'removed'") == [{"n": 0}]


@pytest.mark.parametrize(("customer", "columns"), [(HOLDER, {"status": "blocked"}), (HOLDER, {"kind": "gift"})])
def test_only_cards_that_could_be_activated_are_offered(
    counter: Counter, customer: str, columns: dict[str, Any]
) -> None:
    """Blocked cards, gift cards and cards without a mobile are not."""
    app = counter.activated()
    counter.card(customer=customer, **columns)
    counter.card(mobile=None)

    assert app.call("GET", "/cards")[1]["addable"] == []
