"""Between wire messages and the bank's own words: fields in, purchase, reversal, inquiry out, and answers back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from foundation.pan import InvalidPan, Pan
from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.credit import PROCESSING_CODES as CREDITS
from otp.domain.financial import CardPresent, Credit, HolderQuestion, HostAnswer, MessageKey, Purchase, Reversal
from otp.domain.holder import last_four_of
from otp.domain.proof import PROOF_SHAPE
from otp.host.iso8583 import Malformed, Message, read_tlv
from otp.host.peers import Peer
from otp.host.pin_block import PinBlockRefused, open_pin

PRIVATE_DATA = {
    "01": r"[0-9]{3,4}",
    "02": r"PURCHASE|CARD_TRANSFER|BILL_PAYMENT|TOP_UP|BALANCE_INQUIRY",
    "03": r"[0-9a-f]{64}",
    "04": r"[A-Z2-7]{16}",
    "05": PROOF_SHAPE,
    "06": r"[0-9]{16}",
    "08": r"[0-9]{8}",
}
"""Sub-fields of DE 48 by tag.

CVV2, type word, payee key, payment reference, proof instead of a PIN; the destination, and the end of one at another
bank.
"""

CREDIT_DATA = {tag: PRIVATE_DATA[tag] for tag in ("02", "04")}
HOLDER_DATA = {"07": r"[0-9a-f]{64}"}
"""The same of a credit, and of a question for a name: the acquirer's token of the card that asks."""

FUNCTIONS = {
    "1100": ("180", "182"),
    "1200": ("200",),
    "1201": ("200",),
    "1420": ("400",),
    "1604": ("680",),
    "1804": ("801", "802", "815", "831"),
}
"""DE 24 by message type."""

_EXPIRY, _POINT_OF_SERVICE, _PRIVATE, _PIN_BLOCK = 14, 22, 48, 52
_INSIDE, _OUT = "400000", "460000"
_TAIL_DIGITS = 8
"""So much of a destination is typed into an app for a code of one transfer (D24)."""
_BALANCE = "0002364C"
"""DE 54 before the twelve digits: of any account, what is available, in rials, to the holder's credit."""
_CARD_PRESENT = re.compile(r".{5}1.{6}")
"""DE 22, position 6: the card is in the machine."""

_ECHOED = (3, 4, 11, 12, 24, 32, 37, 41)
_ANSWERED = {
    "1100": ("1110", frozenset({3, 11, 12, 32, 37, 41})),
    "1200": ("1210", frozenset({3, 4, 11, 12, 32, 37, 41})),
    "1201": ("1210", frozenset({3, 4, 11, 12, 32, 37, 41})),
    "1420": ("1430", frozenset({3, 4, 11, 12, 32, 37, 41})),
    "1604": ("1614", frozenset({11, 12, 32, 37, 41})),
    "1804": ("1814", frozenset({11, 12, 24, 32})),
}
_NOTICED = frozenset({11, 12, 32, 37, 41})
_ORIGINAL = re.compile(r"1200(?P<stan>[0-9]{6})(?P<time>[0-9]{12})(?P<length>[0-9]{2})(?P<acquirer>[0-9]+)")


def is_card_present(message: Message) -> bool:
    """Tell by DE 22 whether a 1100 or 1200 is about a card in a machine, whose holder typed the first PIN."""
    return _CARD_PRESENT.fullmatch(message.text(_POINT_OF_SERVICE)) is not None


def card_present_of(message: Message, peer: Peer) -> CardPresent:
    """Read a 1100, or a 1200 whose card is in a machine: such a one has a PIN block, and nothing of DE 14 and DE 48.

    Raises:
        Malformed: when a field does not mean what it must.
    """
    if not is_card_present(message):
        raise Malformed(_POINT_OF_SERVICE, "does not say that the card is present")
    for number in (_EXPIRY, _PRIVATE):
        if number in message:
            raise Malformed(number, "belongs to a purchase without the card")
    if _PIN_BLOCK not in message:
        raise Malformed(_PIN_BLOCK, "is missing")
    pan, money = _pan(message), message.mti == "1200"
    return CardPresent(
        key=_own_key(message),
        sent_at=_instant(message.text(12), 12),
        processing_code=message.text(3),
        total=Rial(int(message.text(4))) if money else Rial(0),
        fee=Rial(int(message.text(46))) if money else Rial(0),
        merchant_id=message.text(42).rstrip(),
        payee_name=message.text(43),
        pan=pan,
        pin=_pin(message, peer, pan),
        money=money,
        trusted=peer.card_present,
    )


def purchase_of(message: Message, peer: Peer) -> Purchase:
    """Read a 1200 without the card in a machine.

    Raises:
        Malformed: when a field does not mean what it must.
    """
    for number in (_EXPIRY, _PRIVATE):
        if number not in message:
            raise Malformed(number, "is missing")
    values = _private(message, PRIVATE_DATA, ("01", "02", "04"))
    by_proof = "05" in values
    if by_proof == (_PIN_BLOCK in message):
        raise Malformed(_PIN_BLOCK, "stands where DE 48.05 does not: one of them, never both")
    pan = _pan(message)
    told = _destination(message, values)
    return Purchase(
        key=_own_key(message),
        sent_at=_instant(message.text(12), 12),
        processing_code=message.text(3),
        type_word=values["02"],
        total=Rial(int(message.text(4))),
        fee=Rial(int(message.text(46))),
        merchant_id=message.text(42).rstrip(),
        payee_name=message.text(43),
        payee_key=values.get("03", ""),
        transaction_ref=values["04"],
        pan=pan,
        expiry=message.secret(14),
        cvv2=Sensitive(values["01"]),
        pin=None if by_proof else _pin(message, peer, pan),
        proof=Sensitive(values["05"]) if by_proof else None,
        destination=_card_number(values.get("06", "")),
        destination_tail=Sensitive(told[-_TAIL_DIGITS:]) if told else None,
    )


def is_credit(message: Message) -> bool:
    """Tell by type and DE 3 whether a message brings money to a card; a 1201 can be nothing else."""
    return message.mti == "1201" or message.text(3) in CREDITS


def credit_of(message: Message, peer: Peer) -> Credit:
    """Read a 1200 or 1201 that brings money to a card.

    Raises:
        Malformed: when it repeats no credit, has a code or card data, or a field does not mean what it must.
    """
    if message.text(3) not in CREDITS:
        raise Malformed(3, "is repeated by no 1201")
    for number in (_EXPIRY, _PIN_BLOCK):
        if number in message:
            raise Malformed(number, "does not belong in a credit")
    if _PRIVATE not in message:
        raise Malformed(_PRIVATE, "is missing")
    values = _private(message, CREDIT_DATA, tuple(CREDIT_DATA))
    return Credit(
        key=_own_key(message),
        sent_at=_instant(message.text(12), 12),
        processing_code=message.text(3),
        type_word=values["02"],
        total=Rial(int(message.text(4))),
        fee=Rial(int(message.text(46))),
        merchant_id=message.text(42).rstrip(),
        payee_name=message.text(43),
        transaction_ref=values["04"],
        pan=_pan(message),
        day_max=peer.credit_day,
    )


def holder_question_of(message: Message, peer: Peer) -> HolderQuestion:
    """Read a 1100 that asks for a holder's name.

    Raises:
        Malformed: when it has a PIN block, or does not say by a token who asks.
    """
    if _PIN_BLOCK in message:
        raise Malformed(_PIN_BLOCK, "does not belong in a question for a name")
    if _PRIVATE not in message:
        raise Malformed(_PRIVATE, "is missing")
    values = _private(message, HOLDER_DATA, ("07",))
    return HolderQuestion(
        acquirer_id=message.text(32),
        processing_code=message.text(3),
        asker=values["07"],
        pan=_pan(message),
        trusted=bool(peer.credit_day),
    )


def reversal_of(message: Message) -> Reversal:
    """Read a 1420.

    Raises:
        Malformed: when a field does not mean what it must.
    """
    return Reversal(
        original=original_of(message),
        own_stan=message.text(11),
        own_local_time=message.text(12),
        total=Rial(int(message.text(4))),
        pan=_pan(message),
    )


def original_of(message: Message) -> MessageKey:
    """Read the original's key from DE 56, with DE 37 and DE 41 of the message itself.

    Raises:
        Malformed: when DE 56 is not of this acquirer or not well-formed.
    """
    parts = _ORIGINAL.fullmatch(message.text(56))
    if parts is None or int(parts["length"]) != len(parts["acquirer"]) or parts["acquirer"] != message.text(32):
        raise Malformed(56, "does not name an original of this acquirer")
    _instant(parts["time"], 56)
    return MessageKey(
        acquirer_id=parts["acquirer"],
        terminal_id=message.text(41),
        stan=parts["stan"],
        rrn=message.text(37),
        local_time=parts["time"],
    )


def answer_to(message: Message, peer: Peer, answer: HostAnswer) -> Message:
    """Write the answer to a message, echoing what its contract says."""
    mti, echoed = _ANSWERED[message.mti]
    fields = {number: message.text(number) for number in _ECHOED if number in echoed}
    fields |= {39: str(answer.action_code), 53: f"{peer.mac_out_id};"}
    extras = {17: answer.capture_date, 38: answer.approval_code, 43: answer.holder}
    fields |= {number: text for number, text in extras.items() if text is not None}
    if answer.balance is not None:
        fields[54] = f"{_BALANCE}{answer.balance.reveal().amount:012}"
    if answer.total is not None:
        fields[4] = f"{answer.total.amount:012}"
    return Message(mti, fields)


def notice_about(mti: str, message: Message | None, peer: Peer, action_code: str) -> Message:
    """Write the notice that a message could not be read, with what is known of it."""
    kind = mti[1] if re.fullmatch(r"1[12468][0-9]{2}", mti) else "6"
    known = {} if message is None else {number: message.text(number) for number in _NOTICED if number in message}
    return Message(f"1{kind}44", {**known, 39: action_code, 53: f"{peer.mac_out_id};"})


def _private(message: Message, allowed: Mapping[str, str], needed: tuple[str, ...]) -> dict[str, str]:
    values = read_tlv(message.secret(48).reveal(), allowed)
    for tag in needed:
        if tag not in values:
            raise Malformed(48, f"sub-field {tag} is missing")
    return values


def _destination(message: Message, values: Mapping[str, str]) -> str:
    """Return what is told of the card that a transfer goes to: all digits, the last eight, or none.

    The holder was told the last four by DE 43.
    """
    if (message.text(3) == _INSIDE) != ("06" in values):
        raise Malformed(48, "sub-field 06 belongs to a transfer within the bank, and to no other message")
    if message.text(3) != _OUT and "08" in values:
        raise Malformed(48, "sub-field 08 belongs to a transfer to another bank, and to no other message")
    digits = values.get("06") or values.get("08", "")
    if digits and last_four_of(message.text(43)) != digits[-4:]:
        raise Malformed(43, "does not name the card of DE 48")
    return digits


def _own_key(message: Message) -> MessageKey:
    return MessageKey(
        acquirer_id=message.text(32),
        terminal_id=message.text(41),
        stan=message.text(11),
        rrn=message.text(37),
        local_time=message.text(12),
    )


def _instant(local_time: str, field: int) -> dt.datetime:
    try:
        return dt.datetime.strptime(local_time, "%y%m%d%H%M%S").replace(tzinfo=TEHRAN)
    except ValueError:
        raise Malformed(field, "is no date and time") from None


def _pan(message: Message) -> Pan | None:
    return _card_number(message.secret(2).reveal())


def _card_number(digits: str) -> Pan | None:
    try:
        return Pan.parse(digits)
    except InvalidPan:
        return None


def _pin(message: Message, peer: Peer, pan: Pan | None) -> Sensitive[str] | None:
    key = peer.pin_key(message.text(53))
    if key is None:
        raise Malformed(53, "names no PIN key of this acquirer")
    if pan is None:
        return None
    try:
        return open_pin(key, bytes.fromhex(message.secret(_PIN_BLOCK).reveal()), pan)
    except PinBlockRefused:
        return None
