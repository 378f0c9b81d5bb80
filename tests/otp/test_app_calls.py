"""Signed calls of the app: each number once, copies found out, wrong codes counted (D20, D21, D23)."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from foundation.database import Database
from otp.app import create_app
from otp.domain.app_answers import AppCode
from tests.fakes.counting import counting
from tests.otp.app_twin import API, PIN, AppTwin
from tests.otp.ramznegar import Counter, counter, make_counter

__all__ = ["counter", "make_counter"]

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


def test_d21_a_call_that_was_made_is_not_made_again(
    counter: Counter, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever listened repeats a call word for word: refused, and logged as what it is."""
    app = counter.activated()
    app.calls += 1
    header = app.header("GET", "/cards", b"")

    assert app.repeat("GET", "/cards", b"", header)[0] == 200
    status, told = app.repeat("GET", "/cards", b"", header)

    assert (status, told["code"]) == (401, AppCode.CALL_REFUSED)
    assert app.call("GET", "/cards")[0] == 200
    logged = caplog.text + "".join(capfd.readouterr())
    assert "counted_before" in logged


def test_d23_of_two_copies_of_a_device_the_slower_is_refused(counter: Counter) -> None:
    """A copied profile has every key; what it has not is the next number, once the other has used it."""
    app = counter.activated()
    copy = app.copied()

    assert app.call("GET", "/cards")[0] == 200
    assert copy.call("GET", "/cards")[0] == 401
    assert copy.call("GET", "/cards")[0] == 200
    assert app.call("GET", "/cards")[0] == 401


def test_d21_of_calls_with_one_number_one_is_taken(counter: Counter) -> None:
    """Twelve at once, each well signed: compare-and-set lets one through."""
    app = counter.activated()
    app.calls += 1
    header = app.header("GET", "/cards", b"")
    copies = [app.copied() for _ in range(12)]

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda copy: copy.repeat("GET", "/cards", b"", header)[0], copies))

    assert sorted(answers) == [200] + [401] * 11


def test_d21_a_signature_covers_method_path_number_and_body(counter: Counter) -> None:
    """Changed anywhere, a call is nobody's; the number is then not used up."""
    app = counter.activated()
    app.calls += 1
    body = json.dumps({"ceiling_rial": 0}).encode()
    path = f"/cards/{app.cards[0]}/ceiling"
    right = app.header("PUT", path, body)
    calls = [
        ("PUT", path, body.replace(b"0", b"1"), right),
        ("POST", path, body, right.replace("; n=", "; n=9")),
        ("PUT", path, body, right.replace("; n=", "; n=9")),
        ("PUT", path, body, right.replace("mac=", "mac=A")[:-1]),
        ("PUT", f"{path}/confirm", body, right),
        ("PUT", path, body, right.replace(app.device_id, "00000000-0000-4000-8000-000000000000")),
        ("PUT", path, body, ""),
        ("PUT", path, body, "id=x; n=1; mac=y"),
        ("PUT", path, body, right.replace("; n=", "; n=-")),
    ]

    answers = {app.repeat(*call)[0] for call in calls}

    assert answers <= {401, 405, 501}
    assert app.repeat("PUT", path, body, right)[0] == 200


def test_d23_ten_wrong_codes_suspend_a_device(counter: Counter) -> None:
    """Each guess at the app's PIN costs one: the tenth ends the device's calls, and the holder is told once."""
    app = counter.activated()

    answers = [app.change_pin(counter.now_ms(), new="999999", code="0000000") for _ in range(10)]
    after = app.call("GET", "/cards")

    assert [status for status, _ in answers] == [403] * 10
    assert [told["code"] for _, told in answers] == [AppCode.CODE_WRONG] * 9 + [AppCode.DEVICE_SUSPENDED]
    assert (after[0], after[1]["code"]) == (403, AppCode.DEVICE_SUSPENDED)
    assert counter.state("device") == ["suspended"]
    assert sum("بسته شد" in line for line in counter.told()) == 1


def test_d20_guesses_at_once_are_all_counted(counter: Counter) -> None:
    """Twelve wrong codes in the same moment: ten count, and the device is suspended."""
    app = counter.activated()
    counted_before = app.calls
    copies = [app.copied() for _ in range(12)]
    for number, copy in enumerate(copies):
        copy.calls = counted_before + number * 10

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda copy: copy.change_pin(0, new="1", code="0000000"), copies))
    while counter.state("device") == ["active"]:
        app.calls = counter.state("device", "calls")[0]
        app.change_pin(0, new="1", code="0000000")

    assert counter.state("device", "wrong_codes") == [10]


def test_d14_a_code_changes_the_pin_and_the_old_pins_codes_are_dead(counter: Counter) -> None:
    """The old PIN's codes are dead, the new one's live at once."""
    app = counter.activated()
    counter.later(60)
    used = app.second_pin(app.cards[0], counter.now_ms())

    changed = app.change_pin(counter.now_ms(), new="111111", code=used)
    counter.later(120)
    old = app.change_pin(counter.now_ms(), pin=PIN, new="222222")
    new = app.change_pin(counter.now_ms(), pin="111111", new="222222")
    again = app.change_pin(counter.now_ms(), pin="222222", new="333333")

    assert changed == (200, {})
    assert (old[0], new, again) == (403, (200, {}), (200, {}))
    assert counter.state("device", "wrong_codes") == [0]
    (row,) = counter.here.sql("SELECT last_second_step FROM device_card")
    assert abs(row["last_second_step"] - counter.now_ms() // 60_000) <= 1


def test_d14_a_pin_that_is_changed_back_revives_no_code(counter: Counter) -> None:
    """The first root again within minutes: the step that was taken stays taken, and its code costs no try."""
    app = counter.activated()
    counter.later(60)
    used = app.second_pin(app.cards[0], counter.now_ms())
    app.change_pin(counter.now_ms(), new="111111", code=used)
    app.change_pin(counter.now_ms() + 60_000, pin="111111", new=PIN)

    assert app.change_pin(counter.now_ms(), new="222222", code=used)[0] == 403
    assert counter.state("device", "wrong_codes") == [0]


def test_a_change_of_pin_that_was_not_heard_of_is_asked_for_again(counter: Counter) -> None:
    """The bank has the new root already: the same answer, whatever the code, and one notice to the holder."""
    app = counter.activated()
    counter.later(60)
    code = app.second_pin(app.cards[0], counter.now_ms())

    answers = [app.change_pin(0, new="111111", code=code) for _ in range(2)]

    assert answers == [(200, {})] * 2
    assert sum("عوض شد" in line for line in counter.told()) == 1


def test_d14_a_clock_that_is_off_is_followed(counter: Counter) -> None:
    """A device a step ahead keeps its codes, two steps at most; once its clock is put right they go on as well."""
    app = counter.app()
    app.activate(*counter.slip(counter.card()))

    ahead = app.confirm(counter.now_ms() + 60_000)

    assert ahead[0] == 200
    assert counter.state("device_card", "drift_steps") == [1]
    counter.later(60)
    assert app.change_pin(counter.now_ms() + 120_000, new="1")[0] == 200
    assert counter.state("device_card", "drift_steps") == [2]
    counter.later(180)
    assert app.change_pin(counter.now_ms() + 180_000, pin="1", new=PIN)[0] == 403
    assert app.change_pin(counter.now_ms(), pin="1", new=PIN)[0] == 200
    assert counter.state("device_card", "drift_steps") == [0]


def test_a_code_root_that_does_not_open_is_a_wrong_code(counter: Counter) -> None:
    """Wrapped for another device, or changed on the way: counted, and nothing is changed."""
    app, other = counter.activated(), counter.activated()
    root = counter.state("device", "code_root_sealed")
    counter.later(60)
    code = app.second_pin(app.cards[0], counter.now_ms())

    foreign = {"card_ref": app.cards[0], "code": code, "code_root": other.wrapped(PIN)}

    assert app.call("PUT", "/pin", foreign)[0] == 403
    assert counter.state("device", "code_root_sealed") == root
    assert counter.state("device", "wrong_codes") == [1, 0]


def test_d20_an_address_that_guesses_is_held_off(make_counter: Callable[..., Counter]) -> None:
    """Activations and refused calls count per address; other addresses and devices that are known go on."""
    counter = make_counter(app_strangers_per_minute=2, workers=1)
    activation_id, typed = counter.slip(counter.card())
    app = counter.app()

    answers = [counter.app().activate(activation_id, typed[::-1])[0] for _ in range(3)]
    held = app.repeat("GET", "/cards", b"", "")

    assert answers == [403, 403, 429]
    assert (held[0], held[1]["code"], app.last_answer["Retry-After"]) == (429, AppCode.TOO_MANY_REQUESTS, "60")
    assert counter.state("activation", "wrong_tries") == [2]


def test_d20_a_flood_of_calls_costs_the_database_nothing(make_counter: Callable[..., Counter]) -> None:
    """Beyond the limit of an address no statement is run, not even for the time."""
    counter = make_counter(app_calls_per_minute=1, workers=1)
    counter.client.get(f"{API}/time")

    with counting(counter.here.bank.database) as counted:
        answer = counter.client.get(f"{API}/time")

    assert (answer.status_code, counted.statements) == (429, [])


def test_a_bank_without_its_database_says_so(counter: Counter) -> None:
    """503 in the app's own shape, with the time to ask again, and never a 500."""
    away = Database("postgresql+psycopg://nobody@/none?host=/nowhere", pool_size=1)
    client = create_app(bank=replace(counter.here.bank, database=away)).test_client()

    answer = client.get(f"{API}/time")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["code"] == AppCode.TEMPORARILY_UNAVAILABLE


def test_a_long_body_is_not_read(counter: Counter) -> None:
    """More than 4 KiB is malformed, signed or not."""
    app = counter.activated()

    assert counter.client.post(f"{API}/activations", data=b" " * 4_097).get_json()["code"] == AppCode.MALFORMED
    assert app.call("PUT", "/pin", {"x": "y" * 5_000})[1]["code"] == AppCode.MALFORMED


def test_performance_a_call_asks_the_database_little(counter: Counter) -> None:
    """Who calls: two statements, one commit; what it sees: two more, with the time in them."""
    app = counter.activated()

    with counting(counter.here.bank.database) as counted:
        app.call("GET", "/cards")

    assert len(counted.statements) == 4
    assert counted.commits == 2


def test_d23_nothing_that_opens_the_app_is_at_rest_or_in_a_log(
    counter: Counter, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Slip, SMS part, PIN, codes, code root and keys: in no row of any table and no line of the log."""
    caplog.set_level(logging.DEBUG)
    app = counter.app()
    activation_id, typed = counter.slip(counter.card())
    app.activate(activation_id, typed[::-1])
    app.activate(activation_id, typed)
    codes = [app.second_pin(app.cards[0], counter.now_ms())]
    app.confirm(counter.now_ms(), code="0000000")
    app.confirm(counter.now_ms())
    counter.later(60)
    codes.append(app.second_pin(app.cards[0], counter.now_ms()))
    app.change_pin(counter.now_ms(), new="735519", code="12345")
    app.change_pin(counter.now_ms(), new="735519")
    app.call("PUT", "/pin", {"card_ref": 1, "code": codes[1]})
    counter.told()

    kept, logged = dump(counter), caplog.text + "".join(capfd.readouterr())

    words = [typed[:8], typed[8:], f"{typed[8:12]}-{typed[12:]}", PIN, "735519", *codes]
    raw = [app.device_key, app.auth_key, app.wrap_key, app.code_root(PIN), app.code_root("735519")]
    spelled = [form for key in raw for form in (key.hex(), base64.b64encode(key).decode()[:40], repr(key)[2:-1])]
    assert "app_pin_changed" in logged
    assert [word for word in [*spelled, *words[:3]] if word in kept or word in logged] == []
    assert [word for word in words[3:] if word in numbers(kept) or word in numbers(logged)] == []


def dump(counter: Counter) -> str:
    """Return every row of the bank's database as text."""
    names = [row["tablename"] for row in counter.here.sql(TABLES)]
    return json.dumps([[row["t"] for row in counter.here.sql(f'SELECT t::text FROM "{name}" t')] for name in names])


def numbers(text: str) -> set[str]:
    """Return the runs of digits that stand alone: longer ones are times, ids and sealed bytes."""
    return set("".join(each if each.isalnum() or each in ".-_" else " " for each in text).split())


def test_d23_a_stranger_cannot_tell_a_device_that_is_there(counter: Counter) -> None:
    """An unknown device, a removed one and a wrong signature are answered alike."""
    app = counter.activated()
    gone: AppTwin = counter.activated()
    gone.call("DELETE", f"/devices/{gone.device_id}")
    nobody = app.copied()
    nobody.device_id = "00000000-0000-4000-8000-000000000000"
    wrong = app.copied()
    wrong.auth_key = bytes(32)

    assert app.call("GET", "/cards")[0] == 200
    assert gone.call("GET", "/cards") == nobody.call("GET", "/cards") == wrong.call("GET", "/cards")
