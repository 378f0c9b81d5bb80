"""The key that customers are known by changes while they open cards, add them to apps and use them (D23, D41)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from foundation.key_file import KeyState
from foundation.keys import Keyring
from foundation.pan import Pan
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.customer import national_code_place
from otp.domain.errors import InvalidNationalCode, KeyNotRotated
from otp.services import rehash, rotate_keys
from otp.services.cards import customer_tokens, pin_mac
from otp.services.customers import keep_national_codes, know_customer
from tests.otp.conftest import BankWorld
from tests.otp.test_rotate_keys import commands as commands
from tests.otp.test_rotate_keys import known, rotate
from tests.otp.test_rotate_keys import rotating as rotating
from tests.otp.test_rotate_lookups import Holder, Town, code_of, rotate_half
from tests.otp.test_rotate_lookups import town as town

PURPOSE = purposes.CUSTOMER_TOKEN
OLD = "customer-token-1"


def under(here: BankWorld) -> list[str | None]:
    """Return the key that each customer's hash was made under."""
    return [row["key"] for row in here.sql("SELECT customer_token_key AS key FROM customer ORDER BY customer_id")]


def customers_of(here: BankWorld, pans: list[Pan]) -> set[int]:
    """Return whose cards they are."""
    names = [here.name_of(pan) for pan in pans]
    return {
        row["id"] for row in here.sql("SELECT customer_id AS id FROM card WHERE card_name = ANY(:names)", names=names)
    }


def lives(town: Town, number: int, holder: Holder) -> None:
    """Let a customer do all that knows whose card it is, a card more and a device more than before."""
    town.serves(holder)
    second = town.here.card(holder.mobile, customer=code_of(number))
    assert customers_of(town.here, [holder.pan, second]) == customers_of(town.here, [holder.pan])

    addable = holder.app.call("GET", "/cards")[1]["addable"]
    assert [card["masked_pan"] for card in addable] == [second.masked]
    status, told = holder.app.call("POST", "/cards/requests", {"card_no": addable[0]["card_no"]})
    assert status == 202
    assert holder.app.add(told["activation_id"], town.hall.counter.texted())[0] == 200

    newer = town.hall.counter.activated(town.hall.card_id(second))
    shown = newer.call("GET", "/cards")[1]
    assert len(shown["devices"]) == 2
    assert holder.app.call("DELETE", f"/devices/{newer.device_id}")[0] == 200
    assert town.hall.visit(second, pin_of(town, second))


def pin_of(town: Town, pan: Pan) -> str:
    """Give a card a first PIN."""
    keys = town.here.bank.keys
    mac = pin_mac(keys, keys.active_id(purposes.PIN_VERIFICATION), town.here.name_of(pan), Sensitive("7351"))
    town.here.sql("UPDATE card SET first_pin_mac = :mac WHERE card_id = :id", mac=mac, id=town.hall.card_id(pan))
    return "7351"


def test_customers_are_one_before_during_and_after_a_change(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of them are hashed anew when the command dies; cards are opened and added for either half."""
    holders = {number: town.holder(number) for number in range(1, 5)}
    lives(town, 1, holders[1])
    rotate_half(town.here, PURPOSE, monkeypatch)
    new = town.here.bank.keys.active_id(PURPOSE)
    assert under(town.here) == [new, new, OLD, OLD]
    lives(town, 2, holders[2])
    assert rehash.remaining(town.here.bank, PURPOSE) == 2
    lives(town, 3, holders[3])
    assert under(town.here) == [new, new, new, OLD]  # whoever opens a card is hashed anew with it

    assert rotate_keys.renew(town.here.bank, PURPOSE) == 1

    lives(town, 4, holders[4])
    with pytest.raises(KeyNotRotated, match="not retired 25 hours ago"):
        rotate_keys.remove(town.here.bank, OLD)
    town.here.forge("UPDATE audit_entry SET at = at - interval '26 hours'")
    rotate_keys.remove(town.here.bank, OLD)
    known(town.here)(0)
    assert under(town.here) == [town.here.bank.keys.active_id(PURPOSE)] * len(holders)
    again = [town.here.card(customer=code_of(number)) for number in holders]
    assert len(customers_of(town.here, [*again, *(holder.pan for holder in holders.values())])) == len(holders)


def test_a_change_under_load_splits_nobody(rotating: BankWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards are opened for new and old customers by four threads all along, while rows move one by one."""
    monkeypatch.setattr(rehash, "HASHED_AT_ONCE", 1)
    for number in range(20):
        rotating.card(customer=code_of(number))
    stop, opened = threading.Event(), list[tuple[str, int]]()

    def open_cards() -> None:
        for turn in range(10_000):
            if stop.is_set():
                return
            code = code_of(turn % 60)
            with rotating.bank.database.begin() as connection:
                opened.append((code, know_customer(rotating.bank.keys, connection, code)))

    with ThreadPoolExecutor(4) as pool:
        threads = [pool.submit(open_cards) for _ in range(4)]
        rotate(rotating, PURPOSE)
        rotate_keys.renew(rotating.bank, PURPOSE)
        stop.set()
        for thread in threads:
            thread.result(30)

    assert len(opened) > 60
    codes = {code for code, _ in opened}
    assert len(set(opened)) == len(codes)
    rows = rotating.sql("SELECT customer_id, customer_token, national_code_sealed FROM customer")
    assert len(rows) == max(20, len(codes))
    keys = rotating.bank.keys
    for row in rows:
        code = keys.open(row["national_code_sealed"], bound_to=national_code_place(row["customer_id"])).decode()
        assert row["customer_token"] == customer_tokens(keys, code)[0]
    assert rehash.remaining(rotating.bank, PURPOSE) == 0


STATES = {
    "before and after a key begins to write": (
        {OLD: KeyState.ACTIVE, "customer-token-2": KeyState.COMING},
        {OLD: KeyState.RETIRED, "customer-token-2": KeyState.ACTIVE},
    ),
    "before and after the old key is gone": (
        {OLD: KeyState.RETIRED, "customer-token-2": KeyState.ACTIVE},
        {"customer-token-2": KeyState.ACTIVE},
    ),
    "before and after a new key is known": (
        {OLD: KeyState.ACTIVE},
        {OLD: KeyState.ACTIVE, "customer-token-2": KeyState.COMING},
    ),
}


@pytest.fixture
def two_processes(rotating: BankWorld) -> Callable[[str], tuple[Keyring, Keyring]]:
    """Give the keys of two processes, of which one has read the file again and the other has not."""
    rotate(rotating, PURPOSE)
    keys = [key for purpose in purposes.ALL for key in rotating.bank.keys.of_purpose(purpose)]

    def ring(states: dict[str, KeyState]) -> Keyring:
        others = [key for key in keys if key.purpose != PURPOSE]
        return Keyring([*others, *(replace(key, state=states[key.id]) for key in keys if key.id in states)])

    return lambda when: (ring(STATES[when][0]), ring(STATES[when][1]))


@pytest.mark.parametrize("when", STATES)
def test_two_processes_that_do_not_know_the_same_keys_make_one_customer(
    rotating: BankWorld, two_processes: Callable[[str], tuple[Keyring, Keyring]], when: str
) -> None:
    """Both open the first card of somebody in the same moment, twenty times over."""
    for number in range(20):
        together = threading.Barrier(2)

        def open_first(keys: Keyring, together: threading.Barrier = together, number: int = number) -> int:
            together.wait(10)
            with rotating.bank.database.begin() as connection:
                return know_customer(keys, connection, code_of(number))

        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(open_first, two_processes(when))
        assert first == second

    assert len(rotating.sql("SELECT FROM customer")) == 20


@pytest.fixture
def from_before(rotating: BankWorld) -> BankWorld:
    """Three customers whose national codes were not kept."""
    for number in range(3):
        rotating.card(customer=code_of(number))
    rotating.sql("UPDATE customer SET national_code_sealed = NULL, customer_token_key = NULL")
    return rotating


def test_customers_from_before_stay_under_the_old_key_until_their_codes_are_kept(
    from_before: BankWorld, commands: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One opens another card, the codes of the others come from a file; only then the old key goes."""
    here = from_before
    assert (rotate(here, PURPOSE).remaining, rotate_keys.renew(here.bank, PURPOSE)) == (3, 0)
    here.forge("UPDATE audit_entry SET at = at - interval '26 hours'")
    with pytest.raises(KeyNotRotated, match=r"3 rows are found by it.*need: keys customers FILE"):
        rotate_keys.remove(here.bank, OLD)

    here.card(customer=code_of(0))
    assert rehash.remaining(here.bank, PURPOSE) == 2
    file = tmp_path / "codes"
    file.write_text(f"{code_of(0)}\n{code_of(1)}\n\n{code_of(77)}\n")
    assert commands("customers", str(file)) == 0
    assert "1 national codes were sealed, 1 customers remain under an old key" in capsys.readouterr().out
    assert keep_national_codes(here.bank, [code_of(2)]) == 1
    assert keep_national_codes(here.bank, [code_of(2)]) == 0

    rotate_keys.remove(here.bank, OLD)
    assert len(here.sql("SELECT FROM customer WHERE national_code_sealed IS NOT NULL")) == 3


def test_a_file_with_a_wrong_national_code_is_refused(
    from_before: BankWorld, commands: Callable[..., int], tmp_path: Path
) -> None:
    """What stood before it is kept; the sentence does not repeat the code. A file that is not there is said so."""
    assert commands("customers", str(tmp_path / "nowhere")) == 1
    file = tmp_path / "codes"
    file.write_text(f"{code_of(1)}\n1234567890\n")
    assert commands("customers", str(file)) == 1
    with pytest.raises(InvalidNationalCode):
        keep_national_codes(from_before.bank, ["1234567890"])
    assert len(from_before.sql("SELECT FROM customer WHERE national_code_sealed IS NOT NULL")) == 1


def test_national_codes_are_sealed_anew_with_the_key_of_card_numbers(rotating: BankWorld) -> None:
    """They open in their own rows as before."""
    rotating.card(customer=code_of(5))
    assert rotate(rotating, purposes.PAN_SEAL).renewed == 2
    (row,) = rotating.sql("SELECT customer_id, national_code_sealed AS sealed FROM customer")
    keys = rotating.bank.keys
    assert row["sealed"].startswith(f"v1|{keys.active_id(purposes.PAN_SEAL)}|".encode())
    assert keys.open(row["sealed"], bound_to=national_code_place(row["customer_id"])).decode() == code_of(5)
