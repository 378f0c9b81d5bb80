"""RequestDynamicPin on the real database: resend, limits, disclosure, replay, statements (D4, D5, D9b, D17–D21)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from foundation.database import Database
from foundation.rial import Rial
from otp.domain.quotas import SHARDS, Holder
from otp.services.issue_code import Told, issue_code


def test_d5_a_proven_request_issues_a_code_bound_to_its_transaction(here: Any) -> None:
    """A proven request stores nonce, canonical text and MAC, queues one message and tells life, wait and two digits."""
    pan, binding = here.card(), here.binding()

    told = here.ask(pan, binding)

    assert told.status == 200
    assert told.body["code"] == "ACCEPTED"
    assert (told.body["code_length"], told.body["expires_in_seconds"], told.body["resend_in_seconds"]) == (7, 120, 60)
    assert told.body["mobile_last_two"] == "67"
    (row,) = here.challenges()
    assert row["canonical"] == binding.canonical()
    assert row["binding_digest"] == binding.digest()
    assert row["proven"]
    assert str(row["correlation_id"]) == told.body["correlation_id"]
    assert (row["expires_at"] - row["issued_at"]).total_seconds() == 120
    (queued,) = here.sql("SELECT topic, payload FROM outbox")
    assert queued == {"topic": "sms.code", "payload": {"challenge_id": row["challenge_id"]}}


def test_d9b_asked_again_within_the_wait_nothing_is_sent(here: Any) -> None:
    """Inside the resend wait of its transaction the answer is ALREADY_SENT with what is left."""
    pan, binding = here.card(), here.binding()
    first = here.ask(pan, binding)
    here.age(20)

    told = here.ask(pan, binding, sequence=2)

    assert told.body["code"] == "ALREADY_SENT"
    assert told.body["correlation_id"] == first.body["correlation_id"]
    assert 98 <= told.body["expires_in_seconds"] <= 100
    assert 38 <= told.body["resend_in_seconds"] <= 40
    assert here.queued() == 1


def test_d9b_after_the_wait_the_same_code_is_sent_again(here: Any) -> None:
    """After the wait the same challenge is queued once more; its life is not made longer."""
    pan, binding = here.card(), here.binding()
    first = here.ask(pan, binding)
    here.age(61)

    told = here.ask(pan, binding, sequence=2)

    assert told.body["code"] == "ACCEPTED"
    assert told.body["correlation_id"] == first.body["correlation_id"]
    assert told.body["expires_in_seconds"] <= 59
    (row,) = here.challenges()
    assert row["resends"] == 1
    assert here.queued() == 2


def test_d9b_under_45_seconds_of_life_a_new_code_supersedes(here: Any) -> None:
    """With little life left the old challenge of this payment ends and a new one is made."""
    pan, binding = here.card(), here.binding()
    here.ask(pan, binding)
    here.age(76)

    told = here.ask(pan, binding, sequence=2)

    assert told.body["code"] == "ACCEPTED"
    old, new = here.challenges()
    assert (old["state"], new["state"]) == ("superseded", "issued")
    assert old["decided_at"] is not None
    assert old["code_mac"] != new["code_mac"]
    assert told.body["correlation_id"] == str(new["correlation_id"])


def test_d9b_used_up_tries_give_a_new_code_at_once(here: Any) -> None:
    """A locked challenge does not keep its payment waiting."""
    pan, binding = here.card(), here.binding()
    here.ask(pan, binding)
    here.sql("UPDATE challenge SET state = 'locked', wrong_tries = 3, decided_at = house_now()")

    told = here.ask(pan, binding, sequence=2)

    assert told.body["code"] == "ACCEPTED"
    assert [row["state"] for row in here.challenges()] == ["locked", "issued"]


def test_d9b_an_expired_challenge_is_ended_and_replaced(here: Any) -> None:
    """A challenge past its life that no sweeper has met yet does not block its payment."""
    pan, binding = here.card(), here.binding()
    here.ask(pan, binding)
    here.age(121)

    here.ask(pan, binding, sequence=2)

    assert [row["state"] for row in here.challenges()] == ["expired", "issued"]


def test_d5_another_amount_kills_the_code_of_the_same_payment(here: Any) -> None:
    """What a code is bound to never changes: another amount under the same reference ends it."""
    pan, binding = here.card(), here.binding()
    here.ask(pan, binding)

    told = here.ask(pan, here.binding(transaction_ref=binding.transaction_ref, amount=Rial(1)), sequence=2)

    assert told.body["code"] == "ACCEPTED"
    assert [row["state"] for row in here.challenges()] == ["superseded", "issued"]


def test_d17_a_newer_request_of_another_payment_supersedes_nothing(here: Any) -> None:
    """Three payments of one card each keep their code, a fourth is refused, and none of them is ended."""
    pan = here.card()

    told = [here.ask(pan) for _ in range(4)]

    assert [each.body["code"] for each in told] == ["ACCEPTED"] * 3 + ["TOO_MANY_LIVE_CODES"]
    assert told[3].status == 429
    assert 110 <= told[3].body["retry_after_seconds"] <= 120
    assert [row["state"] for row in here.challenges()] == ["issued"] * 3


def test_d17_strangers_never_hold_every_place(here: Any) -> None:
    """Requests without card proof take at most two of the three places, so the holder always gets a code."""
    pan = here.card()
    for _ in range(3):
        here.ask(pan, proof="none")
    assert len(here.challenges()) == 2

    told = here.ask(pan)

    assert told.body["code"] == "ACCEPTED"
    assert len(here.challenges()) == 3


def test_d17_three_at_once_out_of_twelve(here: Any) -> None:
    """Twelve payments of one card ask at the same moment: exactly three live challenges and nine refusals."""
    pan = here.card()

    told = at_once([lambda: here.ask(pan) for _ in range(12)])

    codes = sorted(each.body["code"] for each in told)
    assert codes == ["ACCEPTED"] * 3 + ["TOO_MANY_LIVE_CODES"] * 9
    assert len(here.challenges()) == 3


def test_d9b_one_payment_asked_for_at_once_gets_one_code(here: Any) -> None:
    """Ten requests of one payment at the same moment issue one challenge and one message."""
    pan, binding = here.card(), here.binding()

    told = at_once([lambda number=number: here.ask(pan, binding, sequence=number) for number in range(1, 11)])

    assert {each.body["code"] for each in told} <= {"ACCEPTED", "ALREADY_SENT", "STALE"}
    assert sum(each.body["code"] == "ACCEPTED" for each in told) == 1
    assert len(here.challenges()) == 1
    assert here.queued() == 1


UNUSABLE: list[dict[str, object]] = [
    {"status": "blocked"},
    {"second_pin_active": False},
    {"kind": "gift"},
    {"expiry": "0401"},
    {"mobile_sealed": None, "mobile_token": None, "mobile_last_two": None},
]


def test_d19_without_proof_every_card_gets_the_same_answer(here: Any) -> None:
    """Known, unknown, blocked, expired, inactive and mobile-less cards answer alike, without digits of the mobile."""
    known, unknown = here.card(), here.card()
    here.sql("DELETE FROM card WHERE card_id = (SELECT max(card_id) FROM card)")
    others = [make_unusable(here, columns) for columns in UNUSABLE]

    told = [here.ask(pan, proof="none") for pan in (known, unknown, *others)]

    shapes = [{key: value for key, value in each.body.items() if not key.endswith("_id")} for each in told]
    assert all(shape == shapes[0] for shape in shapes)
    assert shapes[0]["code"] == "ACCEPTED"
    assert set(shapes[0]) == {"code", "message"}
    assert all("correlation_id" in each.body for each in told)
    assert len(here.challenges()) == 1


def test_d19_wrong_card_data_are_no_proof_and_count_on_the_card(here: Any) -> None:
    """A wrong CVV2 is treated as no proof: the uniform answer, a code for the holder, one failure counted (D17)."""
    pan = here.card()

    told = here.ask(pan, proof="wrong")

    assert set(told.body) == {"request_id", "code", "message", "correlation_id"}
    assert not here.challenges()[0]["proven"]
    assert here.sql("SELECT card_data_failures FROM card")[0]["card_data_failures"] == 1


def test_d17_after_ten_wrong_card_data_the_card_pauses_and_right_data_prove_nothing(here: Any) -> None:
    """A paused card answers right and wrong data alike, so guessing learns nothing."""
    pan = here.card()
    for _ in range(10):
        here.ask(pan, proof="wrong")
    here.sql("DELETE FROM quota")

    told = [here.ask(pan, proof=proof) for proof in ("right", "wrong")]

    (card,) = here.sql("SELECT card_data_failures, card_not_present_paused_until FROM card")
    assert card["card_not_present_paused_until"] is not None
    assert card["card_data_failures"] == 0
    assert [set(each.body) for each in told] == [{"request_id", "code", "message", "correlation_id"}] * 2


@pytest.mark.parametrize(
    ("columns", "code"),
    list(zip(UNUSABLE, ("CARD_BLOCKED", *["DYNAMIC_PIN_NOT_ACTIVE"] * 2, "CARD_BLOCKED", "NO_MOBILE"), strict=True)),
)
def test_d19_a_proven_request_is_told_the_reason(here: Any, columns: dict[str, object], code: str) -> None:
    """Who shows CVV2 and expiry learns why no code comes."""
    pan = make_unusable(here, columns)
    expiry = columns.get("expiry", "0812")

    told = here.ask(pan, cvv2=here.cvv2(pan, expiry), expiry=type(here.cvv2(pan))(expiry))

    assert told.body["code"] == code
    assert here.challenges() == []


def test_d17_a_waiting_card_tells_its_holder_how_long(here: Any) -> None:
    """A card that waits after wrong codes gives no code, and says until when."""
    pan = here.card()
    here.sql("UPDATE card SET pin_locked_until = house_now() + interval '10 minutes'")

    told = here.ask(pan)

    assert told.body["code"] == "CARD_BLOCKED"
    assert 590 <= told.body["retry_after_seconds"] <= 600


def test_d19_an_open_profile_tells_without_proof(make_bank: Callable[..., Any]) -> None:
    """Where bank and PSP profile are open, an unproven request learns details and reasons."""
    here = make_bank(profile="open", disclosure="open")
    pan, gone = here.card(), here.card()
    here.sql("DELETE FROM card WHERE card_id = (SELECT max(card_id) FROM card)")

    told = [here.ask(pan, proof="none"), here.ask(gone, proof="none"), here.ask(pan, proof="wrong")]

    assert [each.body["code"] for each in told] == ["ACCEPTED", "CARD_NOT_FOUND", "CARD_DATA_MISMATCH"]
    assert told[0].body["mobile_last_two"] == "67"
    assert [each.status for each in told] == [200, 404, 403]


def test_d19_the_bank_can_close_what_a_profile_opens(make_bank: Callable[..., Any]) -> None:
    """An open profile at a bank that discloses to proven requests only stays closed."""
    here = make_bank(profile="open", disclosure="proven")

    assert "mobile_last_two" not in here.ask(here.card(), proof="none").body


def test_d19_strangers_use_up_their_own_quota_only(here: Any) -> None:
    """Three unproven requests an hour, then 429, for a known and an unknown card alike; the holder is not touched."""
    known, unknown = here.card(), here.card()
    here.sql("DELETE FROM card WHERE card_id = (SELECT max(card_id) FROM card)")

    told = {pan: [here.ask(pan, proof="none") for _ in range(4)] for pan in (known, unknown)}

    for answers in told.values():
        assert [each.body["code"] for each in answers] == ["ACCEPTED"] * 3 + ["TOO_MANY_REQUESTS"]
        assert 0 < answers[3].body["retry_after_seconds"] <= 86_400
    assert here.ask(known).body["code"] == "ACCEPTED"


def test_d20_ten_requests_an_hour_per_card_whatever_the_race(here: Any) -> None:
    """Sixteen proven requests of sixteen payments at once: the limit counts exactly, and only sent codes count."""
    pan = here.card()
    here.sql("INSERT INTO quota SELECT 'card|proven|hour|' || encode(card_name, 'hex'), "
             "date_trunc('hour', house_now(), 'Asia/Tehran'), 8 FROM card")  # fmt: skip

    told = at_once([lambda: here.ask(pan) for _ in range(8)])

    assert sorted(each.body["code"] for each in told) == ["ACCEPTED"] * 2 + ["TOO_MANY_REQUESTS"] * 6
    assert here.queued() == 2
    (row,) = here.sql("SELECT used FROM quota WHERE scope LIKE 'card|proven|hour|%'")
    assert row["used"] == 10


def test_d20_customers_of_one_terminal_do_not_wait_for_each_other(here: Any, bank_owner_database: Database) -> None:
    """While one's count is not committed yet, another's on another part of the terminal's limit goes through."""
    cards = [here.card(f"0912{number:07}") for number in range(40)]
    pans = {here.name_of(pan)[0] % SHARDS[Holder.TERMINAL]: pan for pan in cards}
    first, second = list(pans.values())[:2]
    assert here.ask(first).body["code"] == "ACCEPTED"
    with bank_owner_database.begin() as connection, ThreadPoolExecutor(1) as pool:
        held = connection.execute(text("SELECT FROM quota WHERE scope LIKE 'terminal|proven|%' FOR UPDATE")).all()
        assert len(held) == 1

        told = pool.submit(here.ask, second).result(timeout=20)

    assert told.body["code"] == "ACCEPTED"


def test_d19_a_strangers_full_mobile_limit_is_silent(here: Any) -> None:
    """The limit of a phone must not tell a stranger that the card has one: accepted, and nothing is sent."""
    pan = here.card()
    here.sql("INSERT INTO quota SELECT 'mobile|unproven|day|' || encode(mobile_token, 'hex'), "
             "date_trunc('day', house_now(), 'Asia/Tehran'), 10 FROM card")  # fmt: skip

    told = here.ask(pan, proof="none")

    assert told.body["code"] == "ACCEPTED"
    assert here.challenges() == []
    assert here.queued() == 0


def test_d21_the_same_request_gets_the_first_answer_and_does_nothing(here: Any) -> None:
    """A request id with the same body is answered from memory."""
    pan = here.card()
    request = here.request(pan)

    first = issue_code(here.bank, here.psp, request)
    here.age(30)
    second = issue_code(here.bank, here.psp, request)

    assert second == first
    assert here.queued() == 1


def test_d21_the_same_request_id_with_another_body_is_409(here: Any) -> None:
    """A request id serves one body only."""
    pan = here.card()
    request = here.request(pan)
    issue_code(here.bank, here.psp, request)

    told = issue_code(here.bank, here.psp, here.request(pan, request_id=request.request_id))

    assert (told.status, told.body["code"]) == (409, "REQUEST_ID_REUSED")


def test_d21_one_request_delivered_twelve_times_at_once_counts_once(here: Any) -> None:
    """Twelve copies of one request, for a known card and for an unknown one, get one answer and one effect."""
    known, unknown = here.card(), here.card()
    here.sql("DELETE FROM card WHERE card_id = (SELECT max(card_id) FROM card)")
    for pan in (known, unknown):
        request = here.request(pan, proof="none")

        told = at_once([lambda request=request: issue_code(here.bank, here.psp, request) for _ in range(12)])

        assert all(each == told[0] for each in told)
    assert len(here.challenges()) == 1
    assert {row["used"] for row in here.sql("SELECT used FROM quota WHERE scope LIKE 'card|%'")} == {1}


def test_a_request_that_cannot_be_written_leaves_nothing(here: Any) -> None:
    """A PSP that the database does not know breaks the whole write: no challenge, no message, no limit counted."""
    request = here.request(here.card())

    with pytest.raises(IntegrityError):
        issue_code(here.bank, replace(here.psp, psp_id="ghost"), request)

    assert here.challenges() == []
    assert here.queued() == 0
    assert here.sql("SELECT * FROM quota") == []


def test_d21_an_older_sequence_number_is_stale(here: Any) -> None:
    """A request that comes after a newer one of its transaction does nothing."""
    pan, binding = here.card(), here.binding()
    here.ask(pan, binding, sequence=3)

    told = [here.ask(pan, binding, sequence=sequence) for sequence in (2, 3)]

    assert [(each.status, each.body["code"]) for each in told] == [(409, "STALE")] * 2
    assert len(here.challenges()) == 1


def test_d5_a_fee_above_the_banks_table_is_refused(here: Any) -> None:
    """The bank's own dated table decides what a cardholder may be charged."""
    pan = here.card()

    told = [here.ask(pan, here.binding(fee=Rial(fee))) for fee in (12_000, 12_001)]

    assert [each.body["code"] for each in told] == ["ACCEPTED", "FEE_NOT_ALLOWED"]


def test_a_type_the_bank_does_not_serve_is_said_so(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A type without a row in the table of fees is part of the contract, and not served here."""
    monkeypatch.setattr("otp.services.issue_code.fee_ceiling", lambda *_: None)
    told = here.ask(here.card(), here.binding())

    assert (told.status, told.body["code"]) == (501, "UNSUPPORTED_OPERATION")


def make_unusable(here: Any, columns: dict[str, object]) -> Any:
    """Open a card and change its row."""
    pan = here.card()
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    here.sql(f"UPDATE card SET {changes} WHERE card_id = (SELECT max(card_id) FROM card)", **columns)
    return pan


def at_once(works: list[Callable[[], Told]]) -> list[Told]:
    """Run every work in a thread of its own, all let go at the same moment."""
    barrier = threading.Barrier(len(works))
    results: dict[int, Told] = {}

    def run(number: int, work: Callable[[], Told]) -> None:
        barrier.wait()
        results[number] = work()

    threads = [threading.Thread(target=run, args=(number, work)) for number, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(works))]
