"""The golden messages of contracts/iso8583/v1 hold both codecs to one wire (D37)."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

import gateway.switch.iso8583 as gateway_codec
import gateway.switch.key_wrap as gateway_wrap
import gateway.switch.mac as gateway_mac
import otp.host.iso8583 as host_codec
import otp.host.key_wrap as host_wrap
import otp.host.mac as host_mac
from foundation.keys import Key, Keyring
from foundation.pan import Pan
from foundation.sensitive import Sensitive
from gateway.ports import WrappedKeys
from gateway.switch.pin_block import seal_pin
from otp.host.key_change import DATA
from otp.host.pin_block import open_pin

CONTRACT = Path(__file__).parents[2] / "contracts" / "iso8583" / "v1"
TABLE = json.loads((CONTRACT / "fields.json").read_text())
GOLDEN = [json.loads(path.read_text()) for path in sorted((CONTRACT / "golden").glob("*.json"))]
CODECS = [pytest.param(gateway_codec, id="gateway"), pytest.param(host_codec, id="host")]
MESSAGES = [pytest.param(message, id=message["name"]) for message in GOLDEN]
LENGTH_DIGITS = {"fixed": 0, "LLVAR": 2, "LLLVAR": 3}


def bytes_by_hand(message: dict[str, Any]) -> bytes:
    """Write a message without any codec, from the contract's table alone."""
    forms = {row["number"]: row for row in TABLE["fields"]}
    numbers = sorted(int(number) for number in message["fields"])
    bitmap = sum(1 << (64 - number) for number in [*numbers, 64])
    out = message["mti"].encode() + bitmap.to_bytes(8, "big")
    for number in numbers:
        text, row = message["fields"][str(number)], forms[number]
        raw = bytes.fromhex(text) if row["encoding"] == "binary" else text.encode(row["encoding"])
        digits = LENGTH_DIGITS[row["form"]]
        out += (f"{len(raw):0{digits}}".encode() if digits else b"") + raw
    return out


def cmac_by_hand(key: bytes, data: bytes) -> bytes:
    """AES-CMAC as RFC 4493 writes it, on the block cipher alone."""

    def block(value: bytes) -> bytes:
        encryptor = Cipher(AES(key), ECB()).encryptor()  # noqa: S305 - one block at a time
        return encryptor.update(value) + encryptor.finalize()

    def double(value: bytes) -> bytes:
        number = int.from_bytes(value, "big") << 1
        return ((number & (1 << 128) - 1) ^ (0x87 if number >> 128 else 0)).to_bytes(16, "big")

    subkey = double(block(bytes(16)))
    cut = max(0, (len(data) - 1) // 16 * 16)
    last = data[cut:]
    if len(last) < 16:
        subkey, last = double(subkey), (last + b"\x80").ljust(16, b"\0")
    state = bytes(16)
    for piece in [*(data[at : at + 16] for at in range(0, cut, 16)), xor(last, subkey)]:
        state = block(xor(state, piece))
    return state


def pin_block_by_hand(key: bytes, pin: str, pan: str) -> bytes:
    """ISO 9564 format 0 under E-D-E of three single DES keys."""
    value = xor(bytes.fromhex(f"0{len(pin):X}{pin}".ljust(16, "F")), bytes.fromhex("0000" + pan[3:15]))
    return triple_des_by_hand(key, value)


def triple_des_by_hand(key: bytes, value: bytes) -> bytes:
    """E-D-E of three single DES keys."""
    for part, forward in ((key[:8], True), (key[8:16], False), (key[16:], True)):
        cipher = Cipher(TripleDES(part * 3), ECB())  # noqa: S305 - one block
        context = cipher.encryptor() if forward else cipher.decryptor()
        value = context.update(value) + context.finalize()
    return value


def xor(left: bytes, right: bytes) -> bytes:
    """Add two strings of bytes without carry."""
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def test_d37_cmac_by_hand_is_that_of_rfc_4493() -> None:
    """The hand-made MAC of this file gives the RFC's own example."""
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")

    assert (
        cmac_by_hand(key, bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")).hex() == "070a16b46b4d4144f79bdd9dd04a287c"
    )


@pytest.mark.parametrize("message", MESSAGES)
def test_d37_golden_bytes_are_those_of_the_table(message: dict[str, Any]) -> None:
    """Each golden frame can be rebuilt from the field table and an independent MAC."""
    unsigned = bytes_by_hand(message)

    mac = cmac_by_hand(bytes.fromhex(message["keys"]["mac"]["hex"]), unsigned)[:8]

    assert (unsigned + mac).hex() == message["frame"]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("message", MESSAGES)
def test_d37_codec_writes_the_golden_bytes(codec: ModuleType, message: dict[str, Any]) -> None:
    """Each side's codec writes exactly the golden frame."""
    fields = {int(number): text for number, text in message["fields"].items()}
    mac_of = gateway_mac.mac_of if codec is gateway_codec else host_mac.mac_of
    key = bytes.fromhex(message["keys"]["mac"]["hex"])

    frame = codec.encode(codec.Message(message["mti"], fields), lambda data: mac_of(key, data))

    assert frame.hex() == message["frame"]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("message", MESSAGES)
def test_d37_codec_reads_the_golden_fields(codec: ModuleType, message: dict[str, Any]) -> None:
    """Each side's codec reads the golden fields back."""
    read = codec.decode(bytes.fromhex(message["frame"]))

    assert read.mti == message["mti"]
    for number, text in message["fields"].items():
        field = codec.FIELDS[int(number)]
        assert (read.secret(int(number)).reveal() if field.secret else read.text(int(number))) == text


@pytest.mark.parametrize("message", [message for message in GOLDEN if "pin" in message], ids=lambda m: m["name"])
def test_d38_pin_block_is_that_of_iso_9564(message: dict[str, Any]) -> None:
    """The gateway seals the golden PIN block, the host opens it, and both agree with the hand-made one (D22)."""
    key, pan = bytes.fromhex(message["keys"]["pin"]["hex"]), Pan.parse(message["fields"]["2"])
    expected = pin_block_by_hand(key, message["pin"], message["fields"]["2"])

    assert expected.hex().upper() == message["fields"]["52"]
    assert seal_pin(Sensitive(key), Sensitive(message["pin"]), pan) == expected
    assert open_pin(Sensitive(key), expected, pan).reveal() == message["pin"]


@pytest.mark.parametrize("codec", CODECS)
def test_d37_codec_tables_are_the_contracts(codec: ModuleType) -> None:
    """Field rows and message layouts of a codec equal fields.json."""
    encodings = {"binary": "b"}
    rows = {
        row["number"]: (
            LENGTH_DIGITS[row["form"]],
            row["max_bytes"],
            encodings.get(row["encoding"], row["encoding"]),
            row["secret"],
        )
        for row in TABLE["fields"]
    }

    assert {n: (f.length_digits, f.max_bytes, f.encoding, f.secret) for n, f in codec.FIELDS.items()} == rows
    assert {mti: (set(lay.required), set(lay.optional)) for mti, lay in codec.LAYOUTS.items()} == {
        mti: (set(row["required"]), set(row["optional"])) for mti, row in TABLE["messages"].items()
    }


def test_d37_the_readme_names_every_field_and_code() -> None:
    """What machines read and what people read name the same fields, messages and action codes."""
    readme = (CONTRACT / "README.md").read_text()

    for row in TABLE["fields"]:
        assert f"| {row['number']} | {row['name']} |" in readme
    for name in [*TABLE["messages"], *TABLE["action_codes"], *TABLE["private_data"]]:
        assert name in readme


def test_d22_the_golden_key_change_opens_at_both_ends() -> None:
    """Both sides unwrap the golden set, and the check values are those made by hand (D41)."""
    message = next(message for message in GOLDEN if message["name"] == "key-change")
    kek, clear = message["keys"]["kek"], message["keys"]["exchanged"]
    sizes = {"12": ("pin", 24), "13": ("request_mac", 16), "14": ("answer_mac", 16)}
    values = host_codec.read_tlv(message["fields"]["48"], DATA)
    wrapped = {name: bytes.fromhex(values[tag][:-6]) for tag, (name, _) in sizes.items()}
    offered = WrappedKeys(values["10"], values["11"], **wrapped)
    ring = Keyring([Key(kek["id"], "iso-kek:two", Sensitive(bytes.fromhex(kek["hex"])))])

    at_gateway = [key.reveal().hex() for key in gateway_wrap.opened(ring, offered)]
    at_host = [
        host_wrap.opened(Sensitive(bytes.fromhex(kek["hex"])), wrapped[name], size).reveal().hex()
        for name, size in sizes.values()
    ]

    assert at_gateway == at_host == [clear[name] for name, _ in sizes.values()]
    zeros = triple_des_by_hand(bytes.fromhex(clear["pin"]), bytes(8)).hex()
    macs = [cmac_by_hand(bytes.fromhex(clear[name]), bytes(16)).hex() for name in ("request_mac", "answer_mac")]
    by_hand = [zeros, *macs]
    assert [values[tag][-6:] for tag in sizes] == [value[:6].upper() for value in by_hand]
    assert list(gateway_wrap.check_values(ring, offered)) == [values[tag][-6:] for tag in sizes]
