"""The browser's own arithmetic against the numbers of the standards, and against Python's."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.ramznegar import code_of, derived, mac
from tests.ramznegar.conftest import Holder

pytestmark = pytest.mark.browser

Holders = Callable[..., Holder]
SEED = b"1234567890" * 7
PIN_HASH = hashlib.sha1(b"1234", usedforsecurity=False).hexdigest()
HASHES = {"SHA1": ("SHA-1", 20), "SHA256": ("SHA-256", 32), "SHA512": ("SHA-512", 64)}
"""What browsers call the hashes, and how much of the seed the standards' keys are."""
TOTP = {  # RFC 6238, appendix B; steps of 30 s
    "SHA1": ["94287082", "07081804", "14050471", "89005924", "69279037", "65353130"],
    "SHA256": ["46119246", "68084774", "67062674", "91819424", "90698825", "77737706"],
    "SHA512": ["90693936", "25091201", "99943326", "93441116", "38618901", "47863826"],
}
TOTP_SECONDS = [59, 1111111109, 1111111111, 1234567890, 2000000000, 20000000000]
REPEATED = [str(digit) * 8 for digit in range(10)]
OCRA: dict[str, tuple[str, list[str]]] = {  # RFC 6287, appendix C.1
    "OCRA-1:HOTP-SHA1-6:QN08": (
        "Q",
        ["237653", "243178", "653583", "740991", "608993", "388898", "816933", "224598", "750600", "294470"],
    ),
    "OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1": (
        "CqP",
        [
            "65347737",
            "86775851",
            "78192410",
            "71565254",
            "10104329",
            "65983500",
            "70069104",
            "91771096",
            "75011558",
            "08522129",
        ],
    ),
    "OCRA-1:HOTP-SHA256-8:QN08-PSHA1": ("QP", ["83238735", "01501458", "17957585", "86776967", "86807031"]),
    "OCRA-1:HOTP-SHA512-8:C-QN08": (
        "CQ",
        [
            "07016083",
            "63947962",
            "70123924",
            "25341727",
            "33203315",
            "34205738",
            "44343969",
            "51946085",
            "20403879",
            "31409299",
        ],
    ),
    "OCRA-1:HOTP-SHA512-8:QN08-T1M": ("QT", ["95209754", "55907591", "22048402", "24218844", "36209546"]),
}
MODULES = """async ([name, ...more]) => {
  const at = file => import(`/modules/${file}.js`);
  const codes = await at("codes"), keys = await at("keys"), text = await at("text"), bytes = await at("bytes");
  const mine = (hash, hex) => crypto.subtle.importKey("raw", bytes.fromHex(hex), {name: "HMAC", hash}, false, ["sign"]);
  const deeds = {
    totp: async (hash, hex, step) => codes.totp(await mine(hash, hex), step, 8),
    ocra: async (hash, hex, suite, data) => codes.ocra(await mine(hash, hex), suite, bytes.fromHex(data)),
    codes: async (root, card, step, question) => {
      const base = await codes.rootKey(bytes.fromHex(root));
      const key = purpose => codes.codeKey(base, purpose, card);
      return [await codes.secondPin(await key("second"), step), await codes.firstPin(await key("first"), step),
        await codes.boundCode(await key("bound"), question, step)];
    },
    root: async (pin, device, hex) => {
      const stretch = await keys.stretched(pin, device);
      const found = await keys.rootOf({device_key: await mine("SHA-256", hex)}, stretch);
      return [bytes.hex(stretch), bytes.hex(found), keys.pictureOf(stretch)];
    },
    part: async (typed) => text.partOf(typed),
    normalised: async (typed) => text.normalised(typed),
  };
  return deeds[name](...more);
}"""


@pytest.fixture
def ask(holder: Holders) -> Callable[..., Any]:
    """Give a way to ask the app's modules."""
    someone = holder()
    someone.open()
    return lambda name, *more: someone.page.evaluate(MODULES, [name, *more])


def data_of(kinds: str, number: int) -> bytes:
    """Write the parts of DataInput that a suite names: counter, question, PIN, minute."""
    question = bytes.fromhex(f"{int(REPEATED[number]):x}".ljust(256, "0"))
    parts = {
        "C": number.to_bytes(8),
        "Q": question,
        "q": bytes.fromhex(f"{12345678:x}".ljust(256, "0")),
        "P": bytes.fromhex(PIN_HASH),
        "T": 0x132D0B6.to_bytes(8),
    }
    return b"".join(parts[kind] for kind in kinds)


@pytest.mark.parametrize("algorithm", TOTP)
def test_totp_gives_the_numbers_of_its_standard(ask: Callable[..., Any], algorithm: str) -> None:
    """RFC 6238, eight digits, beyond the year 2600; the app's own keys are for SHA-256."""
    name, size = HASHES[algorithm]

    assert [ask("totp", name, SEED[:size].hex(), at // 30) for at in TOTP_SECONDS] == TOTP[algorithm]


@pytest.mark.parametrize("suite", OCRA)
def test_ocra_gives_the_numbers_of_its_standard(ask: Callable[..., Any], suite: str) -> None:
    """RFC 6287, one-way challenge: all five suites."""
    kinds, expected = OCRA[suite]
    name, size = HASHES[suite.split("-")[2]]

    found = [
        ask("ocra", name, SEED[:size].hex(), suite, data_of(kinds, number).hex()) for number in range(len(expected))
    ]

    assert found == expected


def test_the_codes_of_a_card_are_those_that_python_computes(ask: Callable[..., Any]) -> None:
    """The same root, card and minute give the same three codes; a bound one follows from every letter of its text."""
    root, card, question = bytes(range(32)), str(uuid.uuid4()), "v1|type=PURCHASE|amount=1|payee=فروشگاه نمونه"
    for step in (0, 29_500_000, 2**33):
        expected = [code_of(root, purpose, card, step, question) for purpose in ("second", "first", "bound")]
        assert ask("codes", root.hex(), card, step, question) == expected
    assert ask("codes", root.hex(), card, 7, question)[2] != ask("codes", root.hex(), card, 7, question + "2")[2]


def test_the_root_follows_from_pin_and_device(ask: Callable[..., Any]) -> None:
    """PBKDF2 with the device's id as salt, 600,000 rounds, then HMAC by the device's key."""
    device, key = uuid.uuid4(), derived(b"k", b"", b"device")
    stretch = hashlib.pbkdf2_hmac("sha256", b"482913", device.bytes, 600_000)

    assert ask("root", "482913", str(device), key.hex()) == [stretch.hex(), mac(key, stretch).hex(), stretch[31] & 7]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("7k3m9qxw", "7K3M9QXW"),
        ("۷k۳m-۹QXW", "7K3M9QXW"),
        (" 7K3M 9QXW ", "7K3M9QXW"),
        ("oilO 0110", "01100110"),
        ("بانک نمونه\nرمز فعال‌سازی رمزنگار: 7K3M-9QXW\nاین رمز را به کسی نگویید. ۲۴ ساعت", "7K3M9QXW"),
    ],
)
def test_parts_are_read_as_people_type_and_paste_them(ask: Callable[..., Any], typed: str, meant: str) -> None:
    """Any digits, any case, spaces and dashes, letters that look like digits, and the whole message."""
    assert ask("part", typed) == meant
