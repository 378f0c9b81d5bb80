"""What the app and the bank agree on: parts, keys, proofs, machines, codes, names, texts (D14, D23, D25)."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from foundation.machine import IllegalTransition, Machine
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain import activation, device, pairing
from otp.domain.activation import (
    ACTIVATION,
    ALPHABET,
    ActivationEvent,
    ActivationState,
    Channel,
    activation_key,
    judge,
    normalise_part,
    slip_part,
    sms_part,
)
from otp.domain.app_answers import APP_ANSWERS, AppCode, Refused, refusal_body
from otp.domain.app_code import Purpose, code_key, second_pin
from otp.domain.customer import check_national_code
from otp.domain.device import DEVICE, Clockwork, DeviceEvent, DeviceState, check_name, matched, wrong_code
from otp.domain.errors import InvalidNationalCode, InvalidPublicKey
from otp.domain.inbound import NOTICES as NOTICES_OF_MESSAGES
from otp.domain.notices import NOTICES, ActivationMessage, NoticeKind, activation_text, notice_text
from otp.domain.pairing import WrappedRoot, call_mac, check_public_key, pair, unwrapped
from otp.domain.quotas import Holder, activation_charges
from tests.otp import app_twin

NOW = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)
KEY, NONCE = Sensitive(bytes(range(32))), bytes(16)
DEVICE_ID = "6f1c3f0a-0d9d-4f0e-9d4e-5f4a3c2b1a00"
CARD_REF = "8a7b6c5d-4e3f-4a2b-8c1d-0e9f8a7b6c5d"
TWO_PARTS_OF_SMS = 134
"""Characters of two parts of a message in Persian."""


@pytest.mark.parametrize(
    ("machine", "states", "events", "by_clock"),
    [
        (ACTIVATION, ActivationState, ActivationEvent, activation.BY_CLOCK),
        (DEVICE, DeviceState, DeviceEvent, device.BY_CLOCK),
    ],
    ids=["activation", "device"],
)
def test_the_tables_are_complete(machine: Machine, states: type, events: type, by_clock: frozenset) -> None:  # type: ignore[type-arg]  # any machine
    """Every state is reached, every event used, and what was begun and not finished ends by the clock."""
    assert machine.states() == machine.reachable() == set(states)
    assert {row.event for row in machine.transitions} == set(events)
    first = machine.next(None, machine.transitions[0].event)
    assert any(machine.next(first, event) in machine.terminal() for event in by_clock)


@pytest.mark.parametrize("state", sorted(ACTIVATION.terminal()))
def test_d23_nothing_leads_out_of_a_decided_activation(state: ActivationState) -> None:
    """Used, locked, expired and superseded codes stay so, and so does a removed device."""
    for event in ActivationEvent:
        with pytest.raises(IllegalTransition):
            ACTIVATION.next(state, event)
    assert DEVICE.terminal() == {DeviceState.REMOVED}


def test_d23_parts_are_derived_and_differ() -> None:
    """The same nonce gives the same parts, another one others; shapes are those of slip and SMS."""
    slip, sms = slip_part(KEY, NONCE).reveal(), sms_part(KEY, NONCE).reveal()

    assert (slip, sms) == (slip_part(KEY, NONCE).reveal(), sms_part(KEY, NONCE).reveal())
    assert (len(slip), len(sms)) == (8, 8)
    assert slip.isdigit()
    assert set(sms) <= set(ALPHABET)
    assert not set("ILOU") & set(ALPHABET)
    assert len(set(ALPHABET)) == 32
    others = {slip_part(KEY, bytes([number]) + NONCE[1:]).reveal() for number in range(1, 200)}
    assert slip not in others
    assert len(others) == 199


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("۱۲۳۴-۵۶۷۸", "12345678"),
        (" 1234 5678 ", "12345678"),
        ("oO-iI lL", "001111"),
        ("abcd\u200cEFGH", "ABCDEFGH"),
        ("٠١٢٣٤٥٦٧", "01234567"),
    ],
)
def test_d23_parts_may_be_typed_in_many_ways(typed: str, read: str) -> None:
    """Persian and Arabic digits, small letters, spaces, dashes, and letters that look like digits."""
    assert normalise_part(typed) == read


@given(part=st.text(alphabet=ALPHABET, min_size=8, max_size=8))
def test_a_part_as_it_was_made_is_read_as_it_is(part: str) -> None:
    """Nothing of the alphabet is taken for something else."""
    assert normalise_part(part) == normalise_part(part.lower()) == part


def test_d23_keys_and_proofs_are_those_of_the_note() -> None:
    """Both sides written apart come to the same bytes: keys of a code, proofs, keys of an exchange, calls."""
    slip, sms = Sensitive("12345678"), Sensitive("ABCDEFGH")
    private, client = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    theirs = app_twin.public_point(client)
    key, twins = activation_key("00000017", slip, sms), app_twin.activation_key("00000017", "12345678ABCDEFGH")
    made = pair(private, check_public_key(theirs), key)
    shared = client.exchange(ec.ECDH(), check_public_key(made.public_key))

    assert key.reveal() == twins
    assert activation_key("00000017", Sensitive("۱۲۳۴-۵۶۷۸"), Sensitive("abcd-efgh")).reveal() == twins
    assert activation_key("00000017", sms).reveal() == app_twin.activation_key("00000017", "ABCDEFGH")
    said = {
        b"client|00000017|" + theirs: activation.client_proof(key, "00000017", theirs),
        b"server|" + theirs + made.public_key: activation.server_proof(key, theirs, made.public_key),
        b"add|" + DEVICE_ID.encode(): activation.add_proof(key, DEVICE_ID),
        b"ceiling|" + CARD_REF.encode(): activation.ceiling_proof(key, CARD_REF),
    }
    assert all(app_twin.mac(twins, b"ramznegar-v1|", what) == proof for what, proof in said.items())
    assert len(set(said.values())) == 4
    assert made.auth_key.reveal() == app_twin.hkdf(shared, twins, b"auth")
    assert made.wrap_key.reveal() == app_twin.hkdf(shared, twins, b"wrap")
    twin = app_twin.AppTwin(lambda *_: (0, None, {}), device_id=DEVICE_ID, auth_key=made.auth_key.reveal(), calls=7)
    mac = app_twin.b64(call_mac(made.auth_key, "PUT", "/ramznegar/api/pin", 7, b"{}"))
    assert twin.header("PUT", "/pin", b"{}").endswith(f"; n=7; mac={mac}")


def test_codes_are_those_of_the_app() -> None:
    """A key per card and purpose, seven digits a minute."""
    twin = app_twin.AppTwin(lambda *_: (0, None, {}), rounds=1, device_id=DEVICE_ID, device_key=bytes(32))
    key = code_key(Sensitive(twin.code_root()), Purpose.SECOND, CARD_REF)

    assert key.reveal() == twin.code_key("second", CARD_REF) != twin.code_key("first", CARD_REF)
    assert second_pin(key, 29_000_000).reveal() == twin.second_pin(CARD_REF, 29_000_000 * 60_000)


@pytest.mark.parametrize(
    ("seconds_left", "wrong_tries", "right", "event"),
    [
        (1, 0, True, ActivationEvent.PROVEN),
        (1, 4, True, ActivationEvent.PROVEN),
        (0, 0, True, ActivationEvent.LIFETIME_ELAPSED),
        (0, 4, False, ActivationEvent.LIFETIME_ELAPSED),
        (1, 3, False, ActivationEvent.MISTAKEN),
        (1, 4, False, ActivationEvent.LAST_TRY_MISTAKEN),
    ],
)
def test_d23_what_a_proof_does(seconds_left: int, wrong_tries: int, right: bool, event: ActivationEvent) -> None:  # noqa: FBT001 - a row of the table
    """Past its life a code is only ended; the fifth wrong try is the last."""
    expires_at = NOW + dt.timedelta(seconds=seconds_left)

    assert judge(now=NOW, expires_at=expires_at, wrong_tries=wrong_tries, right=right) is event


def test_d23_a_code_root_opens_for_its_own_device_only() -> None:
    """Another device, a changed text or another size: it does not open."""
    twin = app_twin.AppTwin(
        lambda *_: (0, None, {}), rounds=1, device_id=DEVICE_ID, device_key=bytes(32), wrap_key=bytes(range(32))
    )
    told = twin.wrapped("1")
    root = WrappedRoot(app_twin.unb64(told["iv"]), app_twin.unb64(told["text"]))

    assert unwrapped(KEY, DEVICE_ID, root) == Sensitive(twin.code_root("1"))
    assert unwrapped(KEY, CARD_REF, root) is None
    assert unwrapped(KEY, DEVICE_ID, WrappedRoot(root.iv, root.text[:-1] + b"\x00")) is None
    short = pairing.AESGCM(KEY.reveal()).encrypt(root.iv, b"short", DEVICE_ID.encode())
    assert unwrapped(KEY, DEVICE_ID, WrappedRoot(root.iv, short)) is None


@pytest.mark.parametrize("raw", [b"", bytes(65), b"\x04" + b"\xff" * 64, b"\x02" + bytes(32)])
def test_what_is_no_point_is_no_public_key(raw: bytes) -> None:
    """Wrong size, wrong form, not on the curve."""
    with pytest.raises(InvalidPublicKey):
        check_public_key(raw)


@pytest.mark.parametrize(
    ("step", "clock", "after"),
    [
        (100, Clockwork(0, 0), Clockwork(100, 0)),
        (99, Clockwork(0, 0), Clockwork(99, -1)),
        (101, Clockwork(0, 0), Clockwork(101, 1)),
        (102, Clockwork(0, 0), None),
        (98, Clockwork(0, 0), None),
        (102, Clockwork(0, 1), Clockwork(102, 2)),
        (98, Clockwork(0, -1), Clockwork(98, -2)),
        (100, Clockwork(0, 2), Clockwork(100, 0)),
        (100, Clockwork(0, -2), Clockwork(100, 0)),
        (103, Clockwork(0, 2), None),
        (97, Clockwork(0, -2), None),
        (100, Clockwork(100, 0), Clockwork(100, 0)),
        (99, Clockwork(100, 0), Clockwork(100, 0)),
    ],
)
def test_d14_a_step_serves_once_and_the_clock_is_followed(step: int, clock: Clockwork, after: Clockwork | None) -> None:
    """A step to either side of where it was last, two from the bank at most; one that is over changes nothing."""
    assert matched(KEY, second_pin(KEY, step), 100, clock) == after


def test_d23_the_tenth_wrong_code_suspends() -> None:
    """Nine leave a device as it is."""
    states = [wrong_code(DeviceState.ACTIVE, before) for before in range(10)]

    assert states == [DeviceState.ACTIVE] * 9 + [DeviceState.SUSPENDED]
    assert wrong_code(DeviceState.PENDING, 0) is DeviceState.PENDING


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  گوشیِ\nمن\u202e ", "گوشیِ من"),
        ("می\u200cنویسم", "می\u200cنویسم"),
        ("x" * 50, "x" * 40),
        ("\x00", ""),
    ],
)
def test_a_name_is_one_line_of_what_can_be_read(typed: str, name: str) -> None:
    """Control and direction characters go, half-spaces stay."""
    assert check_name(typed) == name


@pytest.mark.parametrize("code", ["0499370899", "۰۷۹۰۴۱۹۹۰۴", "0084575948", "0067749828", "4271467685", "0200203241"])
def test_national_codes_are_known_by_their_check_digit(code: str) -> None:
    """In any digits; the last one checks the others."""
    ascii_code = check_national_code(code)

    assert ascii_code.isascii()
    for digit in range(10):
        if str(digit) != ascii_code[-1]:
            with pytest.raises(InvalidNationalCode):
                check_national_code(ascii_code[:-1] + str(digit))


@pytest.mark.parametrize("text", ["", "1111111111", "049937089", "04993708991", "049937089x"])
def test_what_is_no_national_code_is_refused(text: str) -> None:
    """Wrong lengths, letters, and ten equal digits."""
    with pytest.raises(InvalidNationalCode, match="ten digits"):
        check_national_code(text)


NAMES_NO_CARD = set(NOTICES_OF_MESSAGES.values()) - {NoticeKind.SMS_CARD_REFUSED}


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_d25_every_notice_fits_in_two_parts(kind: NoticeKind) -> None:
    """With a long bank's name and a large amount; it names the card, unless it answers a message that named none."""
    facts = {"rial": 10_000_000, "sender": "30003303"}
    text = notice_text(kind, "بانک توسعهٔ تعاون نمونه", "9007", facts).reveal()

    assert len(text) <= TWO_PARTS_OF_SMS
    assert ("*9007" in text) != (kind in NAMES_NO_CARD)
    assert set(NOTICES) == set(NoticeKind)


@pytest.mark.parametrize(
    ("channel", "ceiling", "says"),
    [
        (Channel.ATM, None, "فعال‌سازی"),
        (Channel.SMS, None, "افزودن کارت *9007"),
        (Channel.SMS, Rial(10_000_000), "10,000,000 ریال"),
    ],
)
def test_d25_an_activations_message_says_what_it_does(channel: Channel, ceiling: Rial | None, says: str) -> None:
    """In two parts, with the code in two groups and the warning."""
    message = ActivationMessage("بانک توسعهٔ تعاون نمونه", "9007", channel, ceiling)
    text = activation_text(message, Sensitive("ABCDEFGH")).reveal()

    assert len(text) <= TWO_PARTS_OF_SMS
    assert says in text
    assert "\nABCD-EFGH\n" in text
    assert "به هیچ‌کس نگویید" in text


def test_every_refusal_has_its_words() -> None:
    """A row for each code, in both languages, and the wait only where it is known."""
    assert set(APP_ANSWERS) == set(AppCode)
    assert all(row.fa and row.en and 400 <= row.status < 600 for row in APP_ANSWERS.values())
    assert "retry_after_seconds" not in refusal_body(Refused(AppCode.CODE_WRONG))
    assert refusal_body(Refused(AppCode.TOO_MANY_REQUESTS, 9))["retry_after_seconds"] == 9


def test_d20_activations_are_counted_apart_from_codes_and_the_budget_together() -> None:
    """A card that had its codes for today may still be activated; the bank's budget of messages is one."""
    names = {Holder.CARD: "c", Holder.MOBILE: "m"}
    rows = activation_charges("atm", names, sms_per_day=1_600, shard=3)

    assert [(row.scope, row.most) for row in rows] == [
        ("bank|proven|day|sms|3", 100),
        ("card|activation-atm|day|c", 5),
        ("mobile|activation-atm|day|m", 10),
    ]
