"""The operators' page as browsers meet it: who is let in, what is shown, and what never is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from foundation.pan import Pan
from foundation.sensitive import Sensitive
from otp.app import create_app
from otp.console.door import HEADERS
from otp.console.wording import WORDS
from otp.domain.operators import Role
from otp.ports import Receipt
from otp.ramznegar.shell import STATIC
from otp.services.ask_receipts import keep_receipt
from otp.services.audit_trail import By, note
from otp.services.cards import card_tokens
from otp.services.operators import add_operator
from otp.services.overview import overview
from otp.services.wrong_codes import wrong_codes
from tests.otp.conftest import ACQUIRER, BankWorld
from tests.otp.prover import Prover
from tests.otp.test_deliver import tick

PASSWORD = "a long password"
WHY = "دارندهٔ کارت در شعبه شناسایی شد"
_PROOF = re.compile(r'name="csrf_token" type="hidden" value="([0-9a-f]{64})"')
_ALLOWED_DELIVERY = (
    "SELECT pg_get_constraintdef(oid) AS words FROM pg_constraint WHERE conname = 'challenge_delivery_check'"
)


class Desk:
    """Somebody's browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self.client.get(f"/console{path}")

    def send(self, path: str, shown: str, **fields: str) -> TestResponse:
        """Send a form that ``shown``, a page, has."""
        proof = _PROOF.search(self.get(shown).text)
        assert proof
        return self.client.post(f"/console{path}", data={"csrf_token": proof[1], **fields})

    def log_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        """Log in."""
        return self.send("/log-in", "/log-in", name=name, password=password)


@pytest.fixture
def bank_world(make_bank: Callable[..., BankWorld]) -> BankWorld:
    """Give a bank with the page, two operators and a viewer."""
    here = make_bank(console=True, mode="sandbox")
    for name, role in (("sara", Role.OPERATOR), ("reza", Role.OPERATOR), ("omid", Role.VIEWER)):
        add_operator(here.bank, name, Sensitive(PASSWORD), role)
    return here


@pytest.fixture
def desk(bank_world: BankWorld) -> Callable[[str], Desk]:
    """Give a maker of desks where somebody has logged in."""

    def make(name: str) -> Desk:
        found = Desk(create_app(bank=bank_world.bank).test_client())
        assert found.log_in(name).status_code == 303
        return found

    return make


def _id(here: BankWorld, pan: Pan) -> int:
    rows = here.sql("SELECT card_id FROM card WHERE card_token = :token", token=card_tokens(here.bank.keys, pan)[0])
    return int(rows[0]["card_id"])


def _accepted(here: BankWorld, challenge_id: int, message: str, seconds: float) -> None:
    here.sql(
        "UPDATE challenge SET delivery = 'accepted', provider_message_id = :message,"
        " delivery_at = sent_at + make_interval(secs => :seconds),"
        " accepted_at = sent_at + make_interval(secs => :seconds) WHERE challenge_id = :id",
        message=message,
        seconds=seconds,
        id=challenge_id,
    )


def _purchases(here: BankWorld, pan: Pan, terminal: str, reason: str, count: int, acquirer: str = "581672") -> None:
    state, code = ("approved", "000") if reason == "approved" else ("declined", "117")
    here.sql(
        "INSERT INTO authorisation (acquirer_id, terminal_id, stan, rrn, local_time, kind, card_id, amount_rial,"
        " fee_rial, action_code, reason, state, code_channel, decided_at)"
        " SELECT :acquirer, :terminal, '000001', gen_random_uuid(), '051201120000', 'purchase', :card_id, 250000,"
        " 0, :code, :reason, :state, 'harim', house_now() FROM generate_series(1, :count)",
        acquirer=acquirer,
        terminal=terminal,
        card_id=_id(here, pan),
        code=code,
        reason=reason,
        state=state,
        count=count,
    )


def test_a_bank_that_does_not_want_the_page_has_none(here: BankWorld) -> None:
    """The setting is off unless a deployment says otherwise."""
    assert create_app(bank=here.bank).test_client().get("/console/log-in").status_code == 404


def test_a_nul_is_the_callers_mistake_and_no_fault_of_ours(bank_world: BankWorld) -> None:
    """The database holds no such text, in a name as in an address."""
    found = Desk(create_app(bank=bank_world.bank).test_client())
    assert found.log_in("sara\0").status_code == 400
    assert found.get("/\0").status_code == 404
    assert found.get("/log-in?lang=%00").status_code == 400


@pytest.mark.parametrize("path", ["/", "/wrong-codes", "/cards", "/cards/1"])
def test_nobody_sees_a_page_without_a_log_in(bank_world: BankWorld, path: str) -> None:
    """Every page sends a stranger to the log-in, whatever cookie is made up."""
    client = create_app(bank=bank_world.bank).test_client()
    client.set_cookie("console", "made-up.cookie", path="/console")

    answer = client.get(f"/console{path}")

    assert (answer.status_code, answer.location) == (303, "/console/log-in")


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(make_bank: Callable[..., BankWorld]) -> None:
    """HttpOnly, SameSite=Strict, under /console only, and Secure outside the sandbox; no answer is kept or framed."""
    bank = make_bank(console=True, public_url="https://bank.test").bank
    answer = create_app(bank=bank).test_client().get("/console/log-in")

    cookie = answer.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/console"))
    assert "Max-Age" not in cookie
    assert "Expires" not in cookie
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert "<script" not in answer.text


def test_a_log_in_gets_a_token_of_its_own_and_ends_at_log_out(bank_world: BankWorld) -> None:
    """The cookie from before the log-in opens nothing after it, and the one after it nothing once it has ended."""
    found = Desk(create_app(bank=bank_world.bank).test_client())
    found.get("/log-in")
    before = found.client.get_cookie("console", path="/console")
    assert found.log_in("sara", "not the password").status_code == 403
    assert found.log_in("sara").location == "/console/"
    inside = found.client.get_cookie("console", path="/console")
    assert found.get("/").status_code == 200

    assert found.send("/log-out", "/").status_code == 303
    for cookie in (before, inside):
        assert cookie
        found.client.set_cookie("console", cookie.value, path="/console")
        assert found.get("/").status_code == 303


def test_d20_too_many_tries_are_told_how_long_to_wait(bank_world: BankWorld) -> None:
    """The eleventh try of a name from one address is not looked at."""
    bank_world.sql(
        "INSERT INTO quota SELECT 'log-in|pair|sara|127.0.0.1', date_trunc('hour', house_now(), 'Asia/Tehran'), 10"
    )

    answer = Desk(create_app(bank=bank_world.bank).test_client()).log_in("sara")

    assert answer.status_code == 429
    assert "دوباره امتحان کنید" in answer.text


@pytest.mark.parametrize("path", ["/cards", "/cards/1/unlock", "/unlocks/1/approve", "/log-out"])
def test_a_form_of_another_log_in_does_nothing(desk: Callable[[str], Desk], bank_world: BankWorld, path: str) -> None:
    """A POST without the proof, or with that of somebody else's page, is refused."""
    card_id = _id(bank_world, bank_world.card(status="blocked", pin_failures=15))
    sara, reza = desk("sara"), desk("reza")
    foreign = _PROOF.search(reza.get("/cards").text)
    assert foreign

    for proof in ("", foreign[1]):
        path = path.replace("/1/", f"/{card_id}/")
        answer = sara.client.post(f"/console{path}", data={"csrf_token": proof, "card": str(card_id), "reason": WHY})
        assert answer.status_code in (400, 409, 303)
    assert sara.get("/").status_code == 200
    assert bank_world.sql("SELECT count(*) AS n FROM unlock_request")[0]["n"] == 0


def test_the_overview_shows_how_codes_reach_phones(desk: Callable[[str], Desk], bank_world: BankWorld) -> None:
    """Half of a provider's messages are accepted within p50, 95 of a hundred within p95; a name comes from the id."""
    for _ in range(4):
        bank_world.ask(bank_world.card())
    rows = bank_world.challenges()
    for row, (message, seconds) in zip(rows, (("one:1", 1), ("one:2", 2), ("one:3", 9), ("box-1", 4)), strict=True):
        _accepted(bank_world, row["challenge_id"], message, seconds)

    seen = overview(bank_world.bank)
    text = desk("omid").get("/?lang=en").text

    assert [(row.provider, row.accepted, row.accepted_p50_seconds) for row in seen.deliveries] == [
        ("one", 3, 2.0),
        (None, 1, 4.0),
    ]
    assert seen.deliveries[0].accepted_p95_seconds == pytest.approx(8.3)
    assert seen.deliveries[0].delivered_p50_seconds is None
    assert (seen.work.live_codes, seen.work.waiting) == (4, 4)
    assert all(words in text for words in ("Database", "has not looked yet", "unnamed", "8.3"))


def test_a_receipt_takes_nothing_from_what_was_accepted(desk: Callable[[str], Desk], bank_world: BankWorld) -> None:
    """What a provider reports it had accepted, and when; its receipts have numbers and times of their own."""
    for _ in range(4):
        bank_world.ask(bank_world.card())
    rows = bank_world.challenges()
    for row, seconds in zip(rows, (1, 2, 9, 4), strict=True):
        _accepted(bank_world, row["challenge_id"], f"one:{row['challenge_id']}", seconds)
    bank_world.sql("UPDATE challenge SET sent_at = sent_at - interval '20 seconds'")
    bank_world.sql("UPDATE challenge SET accepted_at = accepted_at - interval '20 seconds'")
    for row, receipt in zip(rows, (Receipt.DELIVERED, Receipt.DELIVERED, Receipt.UNDELIVERED), strict=False):
        keep_receipt(bank_world.bank, f"one:{row['challenge_id']}", receipt)

    (row,) = overview(bank_world.bank).deliveries
    text = desk("omid").get("/?lang=en").text

    assert (row.asked, row.accepted, row.delivered, row.undelivered) == (4, 4, 2, 1)
    assert (row.accepted_p50_seconds, row.accepted_p95_seconds) == (3.0, pytest.approx(8.25))
    assert row.delivered_p50_seconds == pytest.approx(20, abs=15)
    assert row.delivered_p50_seconds >= 20
    assert row.delivered_p95_seconds >= row.delivered_p50_seconds
    assert all(words in text for words in ("Undelivered", "Delivered after: p50 / p95", "3.0 / 8."))


def test_a_code_that_is_sent_again_counts_from_then(bank_world: BankWorld) -> None:
    """Neither the moments of its first message, nor a time before it was asked for."""
    pan, binding = bank_world.card(), bank_world.binding()
    bank_world.ask(pan, binding)
    tick(bank_world)
    bank_world.age(61)
    bank_world.ask(pan, binding, sequence=2)
    (between,) = bank_world.challenges()
    tick(bank_world)

    (row,) = overview(bank_world.bank).deliveries

    assert (between["delivery"], between["delivery_at"], between["accepted_at"]) == ("queued", None, None)
    assert (row.asked, row.accepted) == (1, 1)
    assert row.accepted_p50_seconds is not None
    assert 0 <= row.accepted_p50_seconds < 60


def test_a_terminal_where_codes_are_guessed_is_an_alarm(desk: Callable[[str], Desk], bank_world: BankWorld) -> None:
    """More than 20 wrong of a hundred in at least fifty: neither a share below, nor a few tries; codes or card data."""
    pan = bank_world.card()
    for terminal, wrong, right in (("T-BAD", 11, 39), ("T-EDGE", 10, 40), ("T-FEW", 40, 9), ("T-CALM", 1, 99)):
        _purchases(bank_world, pan, terminal, "code_wrong", wrong)
        _purchases(bank_world, pan, terminal, "approved", right)
    _purchases(bank_world, pan, "T-DATA", "card_data_wrong", 80)
    _purchases(bank_world, pan, "T-DATA", "card_unknown", 20)
    _purchases(bank_world, pan, "T-OTHER", "not_supported", 80)
    _purchases(bank_world, pan, "T-OLD", "code_wrong", 80)
    bank_world.sql(
        "UPDATE authorisation SET created_at = created_at - interval '61 minutes' WHERE terminal_id = 'T-OLD'"
    )

    found = {row.terminal_id: (row.tried, row.wrong, row.alarming) for row in wrong_codes(bank_world.bank)}

    assert found == {
        "T-DATA": (100, 100, True),
        "T-BAD": (50, 11, True),
        "T-EDGE": (50, 10, False),
        "T-FEW": (49, 40, False),
        "T-CALM": (100, 1, False),
    }
    assert list(found)[:2] == ["T-DATA", "T-BAD"]
    assert desk("omid").get("/wrong-codes?lang=en").text.count("Alarm: guessing") == 2


@pytest.mark.parametrize("reason", ["transfer_limit", "transfer_day_limit", "balance_limit", "cannot_receive"])
def test_right_codes_of_transfers_and_balances_count_as_right(bank_world: BankWorld, reason: str) -> None:
    """Else a few wrong ones at a terminal for transfers would be a large share."""
    pan = bank_world.card()
    _purchases(bank_world, pan, "T-SEND", reason, 90)
    _purchases(bank_world, pan, "T-SEND", "code_wrong", 10)

    (row,) = wrong_codes(bank_world.bank)

    assert (row.tried, row.wrong, row.alarming) == (100, 10, False)


def test_d13_codes_tried_without_a_purchase_count_at_their_terminal(bank_world: BankWorld) -> None:
    """Guessing by VerifyDynamicPin shows beside purchases at one terminal, of codes and of card data."""
    prover, binding = Prover(bank_world), bank_world.binding()
    pan, other = bank_world.card(), bank_world.card("09121112233")
    _purchases(bank_world, pan, binding.terminal_id.ljust(15), "approved", 1, ACQUIRER)
    code = prover.code(pan, binding)
    assert prover.verify(pan, binding, "1111111").body["code"] == "CARD_OR_CODE_WRONG"
    assert prover.verify(pan, binding, code).body["code"] == "VERIFIED"
    wrong = prover.verify(other, bank_world.binding(), "1111111", expiry=Sensitive("0811"))
    assert wrong.body["code"] == "CARD_OR_CODE_WRONG"

    (row,) = wrong_codes(bank_world.bank)

    assert (row.acquirer_id, row.terminal_id, row.tried, row.wrong) == (ACQUIRER, binding.terminal_id, 4, 2)


def test_locked_cards_are_shown_with_their_reason(desk: Callable[[str], Desk], bank_world: BankWorld) -> None:
    """Blocked, locked by codes, paused by card data; masked. A card that is open is not there."""
    open_pan, blocked, locked, paused = (
        bank_world.card(),
        bank_world.card(status="blocked", pin_failures=15),
        bank_world.card(),
        bank_world.card(),
    )
    later = "house_now() + interval '10 minutes'"
    bank_world.sql(
        f"UPDATE card SET pin_locked_until = {later}, pin_failures = 5 WHERE card_id = :id", id=_id(bank_world, locked)
    )
    bank_world.sql(
        f"UPDATE card SET card_not_present_paused_until = {later} WHERE card_id = :id", id=_id(bank_world, paused)
    )

    text = desk("omid").get("/cards?lang=en").text

    assert all(pan.masked in text for pan in (blocked, locked, paused))
    assert open_pan.masked not in text
    assert all(
        words in text for words in ("blocked by wrong codes", "locked by wrong codes until", "pauses after wrong")
    )


@pytest.mark.parametrize("number", ["pan", "at_bank"])
def test_a_cards_history_is_found_by_either_number_and_tells_no_secret(
    desk: Callable[[str], Desk], bank_world: BankWorld, number: str
) -> None:
    """Codes, purchases and acts are there; no card number, mobile or code; and the trail says who looked."""
    pan = bank_world.card("09121234567")
    bank_world.ask(pan)
    _purchases(bank_world, pan, "T1", "code_wrong", 1)
    _purchases(bank_world, pan, "T1", "funds", 1)
    card_id = _id(bank_world, pan)
    reza = desk("reza")

    found = reza.send("/cards?lang=en", "/cards", card=pan.reveal() if number == "pan" else str(card_id))
    assert (found.status_code, found.location) == (303, f"/console/cards/{card_id}?lang=en")
    text = reza.get(f"/cards/{card_id}?lang=en").text

    assert all(
        words in text for words in (pan.masked, "ending in 67", "wrong code", "not enough money", "250,000", "T1")
    )
    assert "requested by PSP" in text
    assert not any(secret in text for secret in (pan.reveal(), "09121234567", "9121234"))
    looked = bank_world.sql("SELECT actor FROM audit_entry WHERE action = 'card.shown'")
    assert [row["actor"] for row in looked] == ["operator:reza"]


def test_a_card_shows_what_became_of_each_message(desk: Callable[[str], Desk], bank_world: BankWorld) -> None:
    """Whatever the table of codes may say of a message has words, a provider's receipt among them."""
    pan = bank_world.card()
    bank_world.ask(pan)
    states = re.findall(r"'(\w+)'", bank_world.sql(_ALLOWED_DELIVERY)[0]["words"])
    omid = desk("omid")

    shown = []
    for state in states:
        bank_world.sql("UPDATE challenge SET delivery = :state, delivery_at = house_now()", state=state)
        shown.append(omid.get(f"/cards/{_id(bank_world, pan)}?lang=en"))

    assert {"queued", "delivered", "undelivered"} < set(states)
    assert [page.status_code for page in shown] == [200] * len(states)
    assert all(WORDS[f"delivery.{state}"].en in page.text for state, page in zip(states, shown, strict=True))


@pytest.mark.parametrize(
    ("typed", "status"), [("9990021234567890", 400), ("hello", 400), ("", 400), ("123456789", 404)]
)
def test_a_card_that_cannot_be_found_is_told_and_not_repeated(
    desk: Callable[[str], Desk], typed: str, status: int
) -> None:
    """What was typed does not stand in the answer, which is the same page, and its tab says so."""
    answer = desk("omid").send("/cards", "/cards", card=typed)

    assert answer.status_code == status
    assert "خطا:" in answer.text
    assert 'href="/console/cards" aria-current="page"' in answer.text
    assert not typed or typed not in answer.text


def test_d35_two_desks_unlock_a_card(desk: Callable[[str], Desk], bank_world: BankWorld) -> None:
    """A viewer sees no button, the maker cannot approve, a colleague can, and once is enough."""
    card_id = _id(bank_world, bank_world.card(status="blocked", pin_failures=15))
    card = f"/cards/{card_id}"
    sara, reza, omid = desk("sara"), desk("reza"), desk("omid")

    assert "/unlock" not in omid.get(card).text
    assert omid.send(f"{card}/unlock", card, reason=WHY).status_code == 409
    assert sara.send(f"{card}/unlock", card, reason="x").status_code == 409
    assert sara.send(f"{card}/unlock", card, reason=WHY).status_code == 200
    path = f"/unlocks/{bank_world.sql('SELECT unlock_id FROM unlock_request')[0]['unlock_id']}/approve"
    assert path not in sara.get("/cards").text
    assert path in reza.get("/cards").text
    assert sara.send(path, "/cards").status_code == 409
    assert reza.send(path, "/cards").status_code == 200
    assert reza.send(path, "/cards").status_code == 409

    assert bank_world.sql("SELECT status FROM card")[0]["status"] == "active"
    assert WORDS["act.card.unlock_approved"].fa in reza.get(card).text


def test_an_act_of_an_earlier_release_keeps_its_own_name(desk: Callable[[str], Desk], bank_world: BankWorld) -> None:
    """The trail is never rewritten, so that the page may meet a name that nothing writes any more."""
    card_id = _id(bank_world, bank_world.card())
    with bank_world.bank.database.begin() as connection:
        note(connection, bank_world.bank.keys, By("operator:sara"), "card.framed", f"card:{card_id}")

    assert "card.framed" in desk("reza").get(f"/cards/{card_id}").text


def test_what_is_not_there_is_a_page(desk: Callable[[str], Desk]) -> None:
    """A card nobody has is told in words, also where its number is beyond all numbers of cards."""
    assert desk("sara").get("/cards/4711").status_code == 404
    assert desk("sara").get(f"/cards/{10**30}").status_code == 404


def test_the_style_is_kept_under_the_address_of_its_own_version_only(bank_world: BankWorld) -> None:
    """While two releases run side by side, the old style must not stay under the new one's address."""
    browser = create_app(bank=bank_world.bank).test_client()
    address = re.search(r'href="(/console/static/[^"]+)"', browser.get("/console/log-in").text)
    assert address
    for at, kept in ((address[1], True), (address[1].partition("?")[0] + "?v=00000000", False)):
        with browser.get(at) as style:
            assert style.status_code == 200
            assert ("immutable" in style.headers["Cache-Control"]) is kept


def test_the_page_has_the_apps_font_before_anybody_logged_in(bank_world: BankWorld) -> None:
    """One file serves both, under an address of the page, whose policy lets it in."""
    client = create_app(bank=bank_world.bank).test_client()

    with client.get("/console/static/vz.woff2") as answer:
        assert (answer.status_code, answer.content_type) == (200, "font/woff2")
        assert answer.data == (STATIC / "vz.woff2").read_bytes()
        assert "immutable" in answer.headers["Cache-Control"]
    assert "font-src 'self'" in client.get("/console/log-in").headers["Content-Security-Policy"]
