"""Keys that rows are found by change while people buy, ask for codes, text and use the app (D41)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

from foundation.key_file import Key, KeyState
from foundation.keys import Keyring
from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.errors import DuplicateCard, KeyNotRotated
from otp.services import rehash, rotate_keys
from otp.services.authorise import authorise
from otp.services.card_history import find_card
from otp.services.card_services import set_static_pin
from otp.services.cards import card_tokens, mobile_tokens, open_mobile, open_pan
from otp.services.change_mobile import ask_mobile, confirm_mobile
from otp.services.desk import Desk
from otp.services.issue_code import issue_code
from otp.services.open_card import NewCard, block_card, open_card
from otp.services.receive_sms import InboundSms, receive_sms
from otp.store import accounts, tokens
from sandbox.cards import national_code
from sandbox.clock import set_offset
from tests.fakes.counting import counting
from tests.otp.app_twin import AppTwin
from tests.otp.conftest import BankWorld
from tests.otp.prover import Prover
from tests.otp.ramznegar import Counter
from tests.otp.test_cash_machine import Hall, pins
from tests.otp.test_deliver import tick
from tests.otp.test_rotate_keys import known, rotate, rotating

__all__ = ["rotating"]
LOOKED_UP = (purposes.CARD_TOKEN, purposes.MOBILE_TOKEN)
PIN, STATIC = "7351", "7351902864"


def code_of(number: int) -> str:
    """Return the national code of a holder."""
    return national_code(f"01{number:07d}")


@dataclass
class Holder:
    """Somebody with a card, a phone, an app and codes by text message."""

    pan: Pan
    mobile: str
    app: AppTwin


@dataclass
class Town:
    """A bank whose keys change, and its holders."""

    here: BankWorld
    hall: Hall
    prover: Prover
    texts: int = 0

    def holder(self, number: int) -> Holder:
        """Open a card with everything."""
        mobile = f"0912000000{number}"
        pan = self.hall.card(mobile=mobile, customer=code_of(number), sms_codes_active=True)
        return Holder(pan, mobile, self.hall.counter.activated(self.hall.card_id(pan)))

    def serves(self, holder: Holder) -> None:
        """Let somebody do everything that finds them by a token."""
        binding = self.here.binding()
        tick(self.here)
        code = self.prover.code(holder.pan, binding)
        assert self.pay(holder, code, binding) == "000"
        verified = self.here.binding()
        proof = self.prover.proof(holder.pan, verified)
        assert self.prover.spend(holder.pan, verified, proof) == "000"
        self.texts += 1
        text, sender = Sensitive(holder.pan.reveal()[-4:]), Sensitive(holder.mobile)
        assert receive_sms(self.here.bank, InboundSms("sandbox", str(self.texts), sender, text)) == "code"
        status, listed = holder.app.call("GET", "/cards")
        assert (status, listed["cards"][0]["masked_pan"]) == (200, holder.pan.masked)
        app_code = holder.app.second_pin(listed["cards"][0]["card_ref"], self.hall.counter.now_ms())
        assert self.pay(holder, app_code, self.here.binding()) == "000"
        assert self.hall.ask(holder.pan)[0] == "000"
        assert find_card(self.here.bank, holder.pan) == self.hall.card_id(holder.pan)

    def pay(self, holder: Holder, pin: str, binding: Any) -> str:
        """Buy something."""
        purchase = replace(self.prover.purchase(holder.pan, binding, None), pin=Sensitive(pin))
        desk = Desk(self.here.bank.database, self.here.bank.keys, self.here.bank.settings.limits())
        return str(authorise(desk, purchase).action_code)

    def under(self, column: str) -> list[str]:
        """Return the key that each card's hash was made under, in the cards' order."""
        return [row["key"] for row in self.here.sql(f"SELECT {column} AS key FROM card ORDER BY card_id")]


@pytest.fixture
def town(rotating: BankWorld, bank_urls: dict[str, str]) -> Iterator[Town]:
    """Give a bank whose keys change."""
    rotating.bank = replace(
        rotating.bank, settings=rotating.bank.settings.model_copy(update={"app_strangers_per_minute": 100_000})
    )
    yield Town(rotating, Hall(Counter(rotating, bank_urls)), Prover(rotating))
    set_offset(bank_urls["owner"], 0)


def rotate_half(here: BankWorld, purpose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change a key by a command that dies in its second transaction, when two rows are hashed anew."""
    real, batches = tokens.write, iter([True])

    def dying(*arguments: Any) -> None:
        real(*arguments)
        if not next(batches, False):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rehash, "HASHED_AT_ONCE", 2)
        patched.setattr(tokens, "write", dying)
        with pytest.raises(KeyboardInterrupt):
            rotate(here, purpose)


@pytest.mark.parametrize("purpose", LOOKED_UP)
def test_everybody_is_served_before_during_and_after_a_change(
    town: Town, purpose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the cards are hashed anew when the command dies: both halves are served; done again, it ends the work."""
    first, second, third, fourth = (town.holder(number) for number in range(1, 5))
    column, old = {"card-token": "card_token_key", "mobile-token": "mobile_token_key"}[purpose], f"{purpose}-1"
    town.serves(first)
    rotate_half(town.here, purpose, monkeypatch)
    new = town.here.bank.keys.active_id(purpose)
    assert town.under(column) == [new, new, old, old]
    town.serves(second)
    town.serves(third)

    assert rotate_keys.renew(town.here.bank, purpose) == 2

    assert town.under(column) == [new] * 4
    town.serves(fourth)
    assert town.prover.unexplained() == 0
    with pytest.raises(KeyNotRotated, match=r"not retired (25|841) hours ago"):
        rotate_keys.remove(town.here.bank, old)
    town.here.forge("UPDATE audit_entry SET at = at - interval '36 days'")
    rotate_keys.remove(town.here.bank, old)
    known(town.here)(0)
    assert len(town.here.bank.keys.of_purpose(purpose)) == 1
    assert town.hall.ask(first.pan)[0] == "000"


def test_what_is_sealed_and_its_hashes_agree_afterwards(rotating: BankWorld) -> None:
    """Each token is the hash of the sealed value beside it under the new key; a card from before names gets one."""
    pans = [rotating.card(f"0912000000{number}") for number in range(3)]
    rotating.sql("UPDATE card SET card_token_key = NULL, mobile_token_key = NULL")
    for purpose in LOOKED_UP:
        assert rotate(rotating, purpose).renewed == len(pans)

    keys = rotating.bank.keys
    for row, pan in zip(rotating.sql("SELECT * FROM card ORDER BY card_id"), pans, strict=True):
        assert open_pan(keys, row["card_name"], row["pan_sealed"]) == pan
        assert row["card_token"] == card_tokens(keys, pan)[0]
        mobile = open_mobile(keys, row["card_name"], row["mobile_sealed"])
        assert row["mobile_token"] == mobile_tokens(keys, mobile.reveal())[0]


class Turning(Keyring):
    """Keys of which another one writes from one question to the next."""

    def __init__(self, keys: Keyring) -> None:
        held = [key for purpose in purposes.ALL for key in keys.of_purpose(purpose)]
        labelled = (*LOOKED_UP, purposes.CUSTOMER_TOKEN)
        coming = [Key(f"{purpose}-9", purpose, Sensitive(bytes(32)), KeyState.COMING) for purpose in labelled]
        super().__init__([*held, *coming])
        self.asked: set[str] = set()

    def active_id(self, purpose: str) -> str:
        """Name another key the second time."""
        writing = self.ids(purpose)[-1] if purpose in self.asked else super().active_id(purpose)
        self.asked.add(purpose)
        return writing


def test_a_hash_is_kept_with_the_name_of_its_own_key(rotating: BankWorld) -> None:
    """Though another key begins to write meanwhile: a wrong name would be passed over when hashes are made anew."""
    keys = Turning(rotating.bank.keys)
    rotating.bank = replace(rotating.bank, keys=keys)

    pan = rotating.card("09121234567", customer=code_of(1))

    (row,) = rotating.sql(
        "SELECT card_token, card_token_key, mobile_token, mobile_token_key, customer_token, customer_token_key"
        " FROM card JOIN customer USING (customer_id)"
    )
    for name, value in (("card", pan.reveal()), ("mobile", "09121234567"), ("customer", code_of(1))):
        assert row[f"{name}_token"] == keys.mac_with(row[f"{name}_token_key"], value.encode())


def test_a_card_without_a_name_goes_on_under_the_token_it_had(rotating: BankWorld) -> None:
    """Cards from before cards had names: their codes, PINs and seals stay bound to their first token."""
    pan = rotating.card()
    (row,) = rotating.sql("SELECT * FROM card")
    keys = rotating.bank.keys
    token = row["card_token"]
    sealed = keys.seal("pan-seal", pan.reveal().encode(), bound_to=f"card|pan|{token.hex()}")
    rotating.sql("UPDATE card SET card_name = NULL, pan_sealed = :sealed", sealed=sealed)

    rotate(rotating, purposes.CARD_TOKEN)

    (row,) = rotating.sql("SELECT * FROM card")
    assert row["card_name"] == token != row["card_token"]
    assert open_pan(keys, row["card_name"], row["pan_sealed"]) == pan


def test_who_waits_for_a_card_that_is_hashed_anew_gets_it(rotating: BankWorld) -> None:
    """A purchase that waits for the lock while the card's token changes goes on with the same card."""
    pan = rotating.card()
    rotate_cut_before_hashing(rotating)
    hashes, database = card_tokens(rotating.bank.keys, pan), rotating.bank.database
    written, waiting = threading.Event(), threading.Event()

    def hash_slowly() -> None:
        with database.begin() as connection:
            held = accounts.lock_card(connection, hashes)
            connection.exec_driver_sql(
                "UPDATE card SET card_token = %s, card_token_key = 'card-token-2' WHERE card_id = %s",
                (hashes[0], held.card_id),
            )
            written.set()
            waiting.wait(10)

    def buy() -> int | None:
        with database.begin() as connection:
            return accounts.lock_card(connection, hashes).card_id

    with ThreadPoolExecutor(2) as pool:
        hashing = pool.submit(hash_slowly)
        assert written.wait(10)
        buying = pool.submit(buy)
        threading.Timer(0.3, waiting.set).start()
        hashing.result(10)
        assert buying.result(10) is not None


def rotate_cut_before_hashing(here: BankWorld) -> None:
    """Change the card's key up to the point where cards are hashed anew."""
    steps = iter([known(here)])

    def settle(seconds: float) -> None:
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step(seconds)

    with pytest.raises(KeyboardInterrupt):
        rotate_keys.rotate(here.bank, purposes.CARD_TOKEN, settle=settle)
    known(here)(0)


def test_a_card_under_the_old_key_is_not_opened_twice_and_can_be_blocked(rotating: BankWorld) -> None:
    """While its token waits for the new key, the account is known by both."""
    pan = rotating.card()
    rotate_cut_before_hashing(rotating)

    with pytest.raises(DuplicateCard):
        reopen(rotating, pan)
    assert block_card(rotating.bank, pan)


def reopen(here: BankWorld, pan: Pan) -> None:
    """Open an account for a card again."""
    open_card(here.bank, NewCard(pan, "0812", None, Rial(0)))


@pytest.mark.parametrize("purpose", LOOKED_UP)
def test_an_old_key_stays_while_a_row_is_found_by_it(rotating: BankWorld, purpose: str) -> None:
    """Neither is it removed, nor does a third key come: every look-up tries two at most."""
    rotating.card()
    rotate(rotating, purpose)
    column = {"card-token": "card_token_key", "mobile-token": "mobile_token_key"}[purpose]
    rotating.forge("UPDATE audit_entry SET at = at - interval '36 days'")
    rotating.sql(f"UPDATE card SET {column} = :key", key=f"{purpose}-1")

    with pytest.raises(KeyNotRotated, match=rf"1 rows are found by it; run: python -m otp keys reseal {purpose}"):
        rotate_keys.remove(rotating.bank, f"{purpose}-1")
    with pytest.raises(KeyNotRotated, match="remove it first"):
        rotate(rotating, purpose)

    assert [key.state for key in rotating.bank.keys.of_purpose(purpose)] == [KeyState.RETIRED, KeyState.ACTIVE]


def test_a_number_that_waits_for_its_code_is_hashed_when_it_is_decided(town: Town) -> None:
    """Its code hangs on the hash: it is right after the change of key as before, and the card is renewed later."""
    pan = town.hall.card()
    visit = town.hall.visit(pan)
    assert ask_mobile(town.here.bank, visit, "09351112233") is None
    code = "".join(filter(str.isdigit, town.hall.texts("09351112233")[-1].split(":")[1]))[:6]

    done = rotate(town.here, purposes.MOBILE_TOKEN)

    assert (done.renewed, done.remaining) == (1, 1)
    assert confirm_mobile(town.here.bank, visit, Sensitive(code)) is None
    assert town.under("mobile_token_key") == ["mobile-token-1"]
    assert rotate_keys.renew(town.here.bank, purposes.MOBILE_TOKEN) == 2
    assert rehash.remaining(town.here.bank, purposes.MOBILE_TOKEN) == 0


def test_d27_pins_move_when_the_right_one_is_shown(town: Town) -> None:
    """First and static PIN: wrong ones move nothing; the command says how many remain; the old key stays for them."""
    pan, idle = town.hall.card(), town.hall.card(mobile="09120000099")
    assert set_static_pin(town.here.bank, town.hall.visit(pan), *pins(STATIC)) is None
    assert town.hall.visit(idle)  # its first PIN has the id of its key now

    assert rotate(town.here, purposes.PIN_VERIFICATION).remaining == 3
    assert town.hall.ask(pan, "1111")[0] == "117"
    holder = Holder(pan, "", town.hall.counter.app())
    assert town.pay(holder, "1111111111", town.here.binding()) == "117"
    assert rehash.remaining(town.here.bank, purposes.PIN_VERIFICATION) == 3
    town.here.forge("UPDATE audit_entry SET at = at - interval '36 days'")
    with pytest.raises(KeyNotRotated, match="3 PINs are kept under it"):
        rotate_keys.remove(town.here.bank, "pin-verification-1")

    assert town.hall.ask(pan)[0] == "000"
    assert town.pay(holder, STATIC, town.here.binding()) == "000"
    assert rehash.remaining(town.here.bank, purposes.PIN_VERIFICATION) == 1
    assert town.hall.ask(idle)[0] == "000"

    rotate_keys.remove(town.here.bank, "pin-verification-1")
    known(town.here)(0)
    assert town.hall.ask(pan)[0] == "000"
    assert town.pay(holder, STATIC, town.here.binding()) == "000"


def test_d9_d21_a_repetition_after_a_change_gets_its_first_answer(rotating: BankWorld) -> None:
    """A purchase and a request for a code that are repeated over a change of the card's key are known again."""
    prover, pan = Prover(rotating), rotating.card()
    binding = rotating.binding()
    code = prover.code(pan, binding)
    purchase = replace(prover.purchase(pan, binding, None), pin=Sensitive(code))
    first, mark = prover.pay(purchase), rotating.bank.body_mark(b"said")

    rotate(rotating, purposes.CARD_TOKEN)

    assert prover.pay(purchase) == first
    assert rotating.bank.body_mark(b"said") == mark
    assert prover.unexplained() == 0


def test_look_ups_ask_one_statement_by_every_key(rotating: BankWorld, statements: Callable[..., int]) -> None:
    """The lock of a card is one statement before a change, and while two keys live."""
    pan = rotating.card()
    before = statements(pan)
    rotate(rotating, purposes.CARD_TOKEN)

    assert statements(pan) == before == 3


@pytest.fixture
def statements(rotating: BankWorld) -> Callable[[Pan], int]:
    """Count what a request for a code asks of the database."""

    def count(pan: Pan) -> int:
        request = rotating.request(pan)
        with counting(rotating.bank.database) as counted:
            issue_code(rotating.bank, rotating.psp, request)
        return len(counted.statements)

    return count
