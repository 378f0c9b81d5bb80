"""Activation of the app: proofs both ways, tries that are counted, one device for one code (D23)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from otp.domain.app_answers import AppCode, Refused
from otp.services.deliver import end_activations
from otp.services.issue_activation import Wanted, issue_activation
from tests.fakes.counting import counting
from tests.otp.app_twin import AppTwin, b64, public_point
from tests.otp.ramznegar import Counter, counter, make_counter

__all__ = ["counter", "make_counter"]


def test_d23_a_card_is_activated_by_slip_and_sms(counter: Counter) -> None:
    """The whole way: slip, SMS, proofs both ways, first code; then the app's list shows the card and this device."""
    app = counter.app()

    status, paired = app.activate(*counter.slip(counter.card()))
    begun, shown = app.confirm(counter.now_ms(), name=" گوشی\u202e  من ")

    assert (status, begun) == (200, 200)
    assert paired["card"]["bank"] == {"fa": "بانک نمونه", "en": "Sample Bank"}
    (card,) = shown["cards"]
    assert card["card_ref"] == paired["card"]["card_ref"]
    assert card["masked_pan"] == paired["card"]["masked_pan"]
    assert (card["ceiling_rial"], card["ceiling_max_rial"], card["ceiling_next"]) == (1_000_000, 1_000_000, None)
    (device,) = shown["devices"]
    assert (device["device_id"], device["name"], device["state"], device["this"]) == (
        app.device_id,
        "گوشی من",
        "active",
        True,
    )
    assert shown["addable"] == []
    assert abs(int(app.last_answer["Ramznegar-Time"]) - counter.now_ms()) < 5_000
    assert app.last_answer["Cache-Control"] == "no-store"
    assert counter.state("activation") == ["used"]
    assert any("فعال شد" in line for line in counter.told())


def test_d23_a_device_does_nothing_before_its_first_code(counter: Counter) -> None:
    """Paired is not active: the one call that is taken is the confirmation."""
    app = counter.app()
    app.activate(*counter.slip(counter.card()))

    assert app.call("GET", "/cards") == (401, refusal(AppCode.CALL_REFUSED, app, "/cards"))
    assert app.confirm(counter.now_ms(), code="0000000")[0] == 403
    assert counter.state("device") == ["pending"]
    assert app.confirm(counter.now_ms())[0] == 200
    assert app.call("GET", "/cards")[0] == 200


def test_a_device_that_did_not_hear_it_has_begun_confirms_again(counter: Counter) -> None:
    """The same root is answered alike, and nothing happens twice; another one is a wrong code, and begins nothing."""
    app = counter.activated()
    counter.told()
    sent = len(counter.here.phone.sent)

    again = app.confirm(counter.now_ms())
    other = app.confirm(counter.now_ms(), pin="111111")

    assert (again[0], again[1]["cards"][0]["card_ref"]) == (200, app.cards[0])
    assert (other[0], other[1]["code"]) == (403, AppCode.CODE_WRONG)
    counter.told()
    assert len(counter.here.phone.sent) == sent
    assert counter.state("device", "wrong_codes") == [1]


def refusal(code: AppCode, app: AppTwin, path: str) -> Any:
    """Return the body of a refusal as any stranger gets it."""
    body = app.repeat("GET", path, b"", "nonsense")[1]
    assert body["code"] == code
    return body


def test_d23_five_wrong_parts_lock_a_code_and_the_right_one_comes_too_late(counter: Counter) -> None:
    """The fifth wrong try locks; every answer is the same, the one to the right code as well."""
    activation_id, typed = counter.slip(counter.card())
    wrong = typed[:-1] + ("0" if typed[-1] != "0" else "1")

    answers = [counter.app().activate(activation_id, wrong) for _ in range(5)]
    answers.append(counter.app().activate(activation_id, typed))

    assert {status for status, _ in answers} == {403}
    assert len({str(told) for _, told in answers}) == 1
    assert counter.here.sql("SELECT state, wrong_tries FROM activation") == [{"state": "locked", "wrong_tries": 5}]
    assert counter.state("device") == []


@pytest.mark.parametrize("slip", ["00000000", ""])
def test_d23_neither_part_alone_is_enough(counter: Counter, slip: str) -> None:
    """Whoever has the phone's messages lacks the slip."""
    activation_id, typed = counter.slip(counter.card())

    assert counter.app().activate(activation_id, slip + typed[8:])[0] == 403
    assert counter.app().activate(activation_id, typed[:8])[0] == 403


def test_d33_a_code_of_yesterday_is_dead(counter: Counter) -> None:
    """By the bank's clock: after a day even the right code is refused, and the code is ended."""
    activation_id, typed = counter.slip(counter.card())
    counter.later(86_401)

    assert counter.app().activate(activation_id, typed)[0] == 403
    assert counter.state("activation") == ["expired"]


def test_d23_a_code_serves_once_and_a_newer_one_ends_it(counter: Counter) -> None:
    """Used, superseded or guessed: the same answer for all."""
    card_id = counter.card()
    first, second = counter.slip(card_id), counter.slip(card_id)

    refused = counter.app().activate(*first)
    assert counter.app().activate(*second)[0] == 200
    again = counter.app().activate(*second)
    guessed = counter.app().activate(f"{(int(second[0]) + 1) % 10**8:08}", second[1])

    assert refused == again == guessed
    assert refused[1]["code"] == AppCode.ACTIVATION_REFUSED
    assert counter.state("activation") == ["superseded", "used"]


def test_d18_a_number_that_nobody_has_costs_the_same_statements(counter: Counter) -> None:
    """Lock, look, write: for a guessed number as for a wrong part, and both write a row."""
    activation_id, typed = counter.slip(counter.card())
    seen = []
    for number in (activation_id, f"{(int(activation_id) + 1) % 10**8:08}"):
        with counting(counter.here.bank.database) as counted:
            assert counter.app().activate(number, typed[::-1])[0] == 403
        seen.append((counted.statements, counted.commits))

    assert seen[0] == seen[1]
    assert counter.here.sql("SELECT used FROM quota WHERE scope LIKE 'activation|nobodys|%'") == [{"used": 1}]


def test_d23_one_code_makes_one_device_however_many_try_at_once(counter: Counter) -> None:
    """Twelve apps with the right code in the same moment."""
    activation_id, typed = counter.slip(counter.card())
    apps = [counter.app() for _ in range(12)]

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda app: app.activate(activation_id, typed)[0], apps))

    assert sorted(answers) == [200] + [403] * 11
    assert counter.state("device") == ["pending"]


def test_d23_wrong_parts_at_once_are_all_counted(counter: Counter) -> None:
    """Twelve wrong tries in the same moment: five count, and the code is locked."""
    activation_id, typed = counter.slip(counter.card())

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: counter.app().activate(activation_id, typed[::-1]), range(12)))

    assert counter.here.sql("SELECT state, wrong_tries FROM activation") == [{"state": "locked", "wrong_tries": 5}]


def test_d23_whoever_stands_between_without_the_code_is_refused(counter: Counter) -> None:
    """A proof holds for its own public key: somebody on the way who puts in another one only costs a try."""
    activation_id, typed = counter.slip(counter.card())
    heard: list[dict[str, Any]] = []

    def listen(_method: str, _path: str, body: bytes, _headers: dict[str, str]) -> Any:
        heard.append(json.loads(body))
        return 503, {}, {}

    AppTwin(listen).activate(activation_id, typed)
    own_key = b64(public_point())

    answer = counter.client.post("/ramznegar/api/activations", json={**heard[0], "public_key": own_key})

    assert (answer.status_code, answer.get_json()["code"]) == (403, AppCode.ACTIVATION_REFUSED)
    assert counter.state("activation", "wrong_tries") == [1]
    assert counter.client.post("/ramznegar/api/activations", json=heard[0]).status_code == 200


@pytest.mark.parametrize("point", [b"\x04" + bytes(64), b"\x04" + b"\xff" * 64, b"\x02" + bytes(64)])
def test_a_point_off_the_curve_is_malformed_and_no_try(counter: Counter, point: bytes) -> None:
    """An invalid curve point reaches no exchange and counts nothing."""
    activation_id, typed = counter.slip(counter.card())

    status, told = counter.app().activate(activation_id, typed, point=point)

    assert (status, told["code"]) == (400, AppCode.MALFORMED)
    assert counter.state("activation", "wrong_tries") == [0]


def test_a_device_that_is_not_confirmed_in_an_hour_goes_away(counter: Counter) -> None:
    """It is refused by the clock at once, and swept with its keys."""
    app = counter.app()
    app.activate(*counter.slip(counter.card()))
    counter.later(3_601)

    assert app.confirm(counter.now_ms())[0] == 401
    end_activations(counter.here.bank)
    assert counter.state("device") == counter.state("device_card") == ["removed"]
    assert counter.state("device", "auth_key_sealed") == [None]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"customer": None}, AppCode.CARD_NOT_ELIGIBLE),
        ({"mobile": None}, AppCode.CARD_NOT_ELIGIBLE),
        ({"status": "blocked"}, AppCode.CARD_NOT_ELIGIBLE),
        ({"kind": "gift"}, AppCode.CARD_NOT_ELIGIBLE),
    ],
)
def test_d23_not_every_card_gets_a_code(counter: Counter, columns: dict[str, Any], reason: AppCode) -> None:
    """Blocked cards, gift cards, and cards whose holder or mobile is not known get none."""
    assert issue_activation(counter.here.bank, Wanted(counter.card(**columns), "atm")) == Refused(reason)


def test_d20_a_card_gets_five_codes_a_day(counter: Counter) -> None:
    """The sixth is refused until midnight in Tehran, and nothing is queued for it."""
    card_id = counter.card()
    for _ in range(5):
        counter.slip(card_id)
    queued = counter.here.queued()

    refused = issue_activation(counter.here.bank, Wanted(card_id, "atm"))

    assert isinstance(refused, Refused)
    assert refused.code is AppCode.TOO_MANY_REQUESTS
    assert 0 < (refused.retry_after_seconds or 0) <= 86_400
    assert counter.here.queued() == queued
    assert counter.state("activation")[-1] == "issued"


def test_a_card_blocked_meanwhile_is_not_activated(counter: Counter) -> None:
    """The right code of a blocked card is refused like any other, and not used up."""
    activation_id, typed = counter.slip(counter.card())
    counter.here.sql("UPDATE card SET status = 'blocked'")

    assert counter.app().activate(activation_id, typed)[0] == 403
    assert counter.state("activation") == ["issued"]
