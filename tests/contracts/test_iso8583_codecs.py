"""Both codecs, strictly: what one writes the other reads, and no bytes do anything but parse or be refused (D37)."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gateway.switch.iso8583 as gateway_codec
import otp.host.iso8583 as host_codec

GOLDEN = Path(__file__).parents[2] / "contracts" / "iso8583" / "v1" / "golden"
FRAMES = [bytes.fromhex(json.loads(path.read_text())["frame"]) for path in sorted(GOLDEN.glob("*.json"))]
CODECS = (gateway_codec, host_codec)
codecs = st.sampled_from(CODECS)
values = {
    number: st.from_regex(rf"\A(?:{field.pattern})\Z").filter(
        lambda text, field=field: len(text.encode()) <= field.max_bytes
    )
    for number, field in gateway_codec.FIELDS.items()
}


def no_mac(_: bytes) -> bytes:
    """Stand in for a key."""
    return bytes(8)


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, dict[int, str]]:
    """Make any message the contract allows."""
    mti = draw(st.sampled_from(sorted(gateway_codec.LAYOUTS)))
    layout = gateway_codec.LAYOUTS[mti]
    chosen = (
        layout.required | draw(st.sets(st.sampled_from(sorted(layout.optional))))
        if layout.optional
        else layout.required
    )
    return mti, {number: draw(values[number]) for number in sorted(chosen - {64})}


@settings(max_examples=150, deadline=None)
@given(message=messages(), writer=codecs, reader=codecs)
def test_d37_what_one_side_writes_the_other_reads(
    message: tuple[str, dict[int, str]], writer: ModuleType, reader: ModuleType
) -> None:
    """Every allowed message comes back field by field, and written again gives the same bytes."""
    mti, fields = message
    frame = writer.encode(writer.Message(mti, fields), no_mac)

    read = reader.decode(frame)

    assert read.mti == mti
    for number, text in fields.items():
        assert (read.secret(number).reveal() if reader.FIELDS[number].secret else read.text(number)) == text
    assert reader.encode(reader.Message(mti, fields), no_mac) == frame


@settings(max_examples=400, deadline=None)
@given(data=st.data(), frame=st.sampled_from(FRAMES), codec=codecs)
def test_a_changed_message_is_read_or_refused_by_field_without_its_content(
    data: st.DataObject, frame: bytes, codec: ModuleType
) -> None:
    """Bytes changed, cut or added give another message or the one typed error; the error quotes nothing."""
    at = data.draw(st.integers(0, len(frame) - 1))
    change = data.draw(st.binary(max_size=3))
    changed = frame[:at] + change + frame[at + data.draw(st.integers(0, 3)) :]
    try:
        codec.decode(changed)
    except codec.Malformed as error:
        reason = str(error)
    else:
        reason = ""
    assert "6219" not in reason
    assert "9990" not in reason


@pytest.mark.parametrize("codec", CODECS, ids=["gateway", "host"])
def test_there_is_one_way_to_write_a_length(codec: ModuleType) -> None:
    """A length with a sign or a space is refused although a careless reader would take it."""
    frame = next(frame for frame in FRAMES if frame.startswith(b"1804"))
    assert frame[30:32].isdigit()
    place = frame.index(b"06581672")

    for length in (b"+6", b" 6", b"-1"):
        with pytest.raises(codec.Malformed):
            codec.decode(frame[:place] + length + frame[place + 2 :])


@pytest.mark.parametrize("codec", CODECS, ids=["gateway", "host"])
@pytest.mark.parametrize(
    "text", ["01", "010031", "01003123" * 2, "0200212" + "01003123", "09001x", "01003abc", "0100x123"]
)
def test_private_data_are_read_strictly(codec: ModuleType, text: str) -> None:
    """Cut, repeated, unordered, unknown or misshapen sub-fields are refused by DE 48."""
    with pytest.raises(codec.Malformed) as refusal:
        codec.read_tlv(text, {"01": "[0-9]{3}", "02": "[0-9]{2}"})

    assert refusal.value.field == 48


@pytest.mark.parametrize("codec", CODECS, ids=["gateway", "host"])
def test_private_data_round_trip(codec: ModuleType) -> None:
    """Sub-fields come back as they were written; empty ones are left out."""
    text = codec.write_tlv({"02": "12", "01": "123", "03": ""})

    assert text == "010031230200212"
    assert codec.read_tlv(text, {"01": "[0-9]{3}", "02": "[0-9]{2}"}) == {"01": "123", "02": "12"}
