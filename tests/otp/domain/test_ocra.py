"""The published vectors: HOTP (RFC 4226), TOTP (RFC 6238), OCRA (RFC 6287), and what the bank makes of them."""

from __future__ import annotations

import hashlib

import pyotp
import pytest

from foundation.sensitive import Sensitive
from otp.domain.app_code import Purpose, bound_code, code_key, first_pin, second_pin, typed_purchase
from otp.domain.ocra import ocra
from tests.otp.app_twin import hkdf, totp

SEED_20 = b"12345678901234567890"
SEED_32 = b"12345678901234567890123456789012"
SEED_64 = b"1234567890123456789012345678901234567890123456789012345678901234"
SEEDS = {"SHA1": SEED_20, "SHA256": SEED_32, "SHA512": SEED_64}
TIME = 0x132D0B6
"""25 March 2008, 12:06:30, in minutes (RFC 6287 appendix C)."""

HOTP = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
NUMERIC = [digit * 8 for digit in "0123456789"]
OCRA_ROWS = [
    ("OCRA-1:HOTP-SHA1-6:QN08", NUMERIC, {},
     "237653 243178 653583 740991 608993 388898 816933 224598 750600 294470"),
    ("OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1", ["12345678"] * 10, {"counter": 0, "pin": "1234"},
     "65347737 86775851 78192410 71565254 10104329 65983500 70069104 91771096 75011558 08522129"),
    ("OCRA-1:HOTP-SHA256-8:QN08-PSHA1", NUMERIC[:5], {"pin": "1234"},
     "83238735 01501458 17957585 86776967 86807031"),
    ("OCRA-1:HOTP-SHA512-8:C-QN08", NUMERIC, {"counter": 0},
     "07016083 63947962 70123924 25341727 33203315 34205738 44343969 51946085 20403879 31409299"),
    ("OCRA-1:HOTP-SHA512-8:QN08-T1M", NUMERIC[:5], {"time": TIME},
     "95209754 55907591 22048402 24218844 36209546"),
    ("OCRA-1:HOTP-SHA256-8:QA08", [f"CLI2222{n}SRV1111{n}" for n in range(5)], {},
     "28247970 01984843 65387857 03351211 83412541"),
    ("OCRA-1:HOTP-SHA256-8:QA08", [f"SRV1111{n}CLI2222{n}" for n in range(5)], {},
     "15510767 90175646 33777207 95285278 28934924"),
    ("OCRA-1:HOTP-SHA512-8:QA08", [f"CLI2222{n}SRV1111{n}" for n in range(5)], {},
     "79496648 76831980 12250499 90856481 12761449"),
    ("OCRA-1:HOTP-SHA512-8:QA08-PSHA1", [f"SRV1111{n}CLI2222{n}" for n in range(5)], {"pin": "1234"},
     "18806276 70020315 01600026 18951020 32528969"),
    ("OCRA-1:HOTP-SHA256-8:QA08", [f"SIG1{n}000" for n in range(5)], {},
     "53095496 04110475 31331128 76028668 46554205"),
    ("OCRA-1:HOTP-SHA512-8:QA10-T1M", [f"SIG1{n}00000" for n in range(5)], {"time": TIME},
     "77537423 31970405 10235557 95213541 65360607"),
]  # fmt: skip


@pytest.mark.parametrize("row", OCRA_ROWS, ids=[f"{row[0]} {row[1][0]}" for row in OCRA_ROWS])
def test_rfc_6287_every_published_code(row: tuple[str, list[str], dict[str, object], str]) -> None:
    """One-way, mutual and signature suites of appendix C; counters count up."""
    suite, questions, data, codes = row
    key = SEEDS[suite.split("-")[2]]

    for number, (question, code) in enumerate(zip(questions, codes.split(), strict=True)):
        more = {**data, "counter": number} if "counter" in data else data
        assert ocra(suite, key, question=question, **more) == code  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("suite", "data"),
    [
        ("OCRA-2:HOTP-SHA1-6:QN08", {"question": "1"}),
        ("OCRA-1:HOTP-SHA1-6:QN08-S064", {"question": "1"}),
        ("OCRA-1:HOTP-SHA1-6:QN08", {"question": "1", "time": 1}),
        ("OCRA-1:HOTP-SHA1-6:QN08-T1M", {"question": "1"}),
        ("OCRA-1:HOTP-SHA1-6:C-QN08", {"question": "1"}),
        ("OCRA-1:HOTP-SHA1-6:QN08-PSHA1", {"question": "1"}),
        ("OCRA-1:HOTP-SHA1-6:QN08", {"question": "1" * 17}),
    ],
)
def test_data_that_are_not_the_suites_are_refused(suite: str, data: dict[str, object]) -> None:
    """Nothing is left out or made up in silence."""
    with pytest.raises(ValueError, match=r"OCRA suite|the data are not"):
        ocra(suite, SEED_20, **data)  # type: ignore[arg-type]  # fields by name


def test_an_amount_and_sixteen_times_it_are_alike_in_qn_and_not_in_ours() -> None:
    """Why the bank asks a hash in hexadecimal."""
    amounts = (1_000_000, 16_000_000)
    assert len({ocra("OCRA-1:HOTP-SHA1-7:QN08", SEED_20, question=str(amount)) for amount in amounts}) == 1
    key = Sensitive(SEED_32)
    codes = {bound_code(key, typed_purchase(amount, "10000001"), TIME).reveal() for amount in amounts}
    assert len(codes) == len(amounts)


@pytest.mark.parametrize(
    ("counter", "code"),
    list(
        enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])
    ),
)
def test_rfc_4226_appendix_d(counter: int, code: str) -> None:
    """The library this bank makes its codes with."""
    assert pyotp.HOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", digits=6, digest=hashlib.sha1).at(counter) == code


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "46119246"),
        (1111111109, "68084774"),
        (1111111111, "67062674"),
        (1234567890, "91819424"),
        (2000000000, "90698825"),
        (20000000000, "77737706"),
    ],
)
def test_rfc_6238_appendix_b_with_sha_256(seconds: int, code: str) -> None:
    """Eight digits in steps of thirty seconds, by our truncation as the app's twin has it; ours are its last digits."""
    step = seconds // 30
    assert totp(SEED_32, step, 8) == code
    assert second_pin(Sensitive(SEED_32), step).reveal() == code[1:]
    assert first_pin(Sensitive(SEED_32), step).reveal() == code[2:]


def test_every_purpose_and_card_has_a_key_of_its_own() -> None:
    """Written as the app writes it (RFC 5869)."""
    root = Sensitive(bytes(range(32)))
    refs = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
    keys = {(purpose, ref): code_key(root, purpose, ref).reveal() for purpose in Purpose for ref in refs}

    assert len(set(keys.values())) == len(keys)
    for (purpose, ref), key in keys.items():
        assert key == hkdf(root.reveal(), b"", f"ramznegar-v1|{purpose}|{ref}".encode())
