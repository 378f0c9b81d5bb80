"""An acquirer offers new link keys (1804, DE 24 = 815): read, unwrapped, checked, kept (contracts/iso8583/v1, §3)."""

from __future__ import annotations

from collections.abc import Callable

from foundation.sensitive import Sensitive
from otp.domain.action_codes import ActionCode
from otp.domain.link_keys import KeySet
from otp.host import mac, pin_block
from otp.host.iso8583 import Malformed, Message, read_tlv
from otp.host.key_wrap import NotUnwrapped, opened
from otp.host.peers import Peer

FUNCTION = "815"
CHECK_DIGITS = 6
DATA = {
    "10": r"ks-[0-9a-f]{10}",
    "11": r"[a-z0-9.-]{1,23}",
    "12": r"[0-9A-F]{70}",
    "13": r"[0-9A-F]{54}",
    "14": r"[0-9A-F]{54}",
}
"""Sub-fields of DE 48 by tag: set, key-exchange key, and three wrapped keys with their check values."""


def change_keys(message: Message, peer: Peer, keep: Callable[[KeySet], bool]) -> ActionCode:
    """Check an offered set and keep it; whatever is not 000 left nothing behind.

    Args:
        message: the 1804.
        peer: the acquirer, with the set it wrote this message under.
        keep: keeps a set for good before it returns; ``False`` when its name is another set's.

    Raises:
        Malformed: when DE 48 is not what a key change needs.
    """
    values = _values(message)
    kek = peer.kek.get(values["11"])
    if kek is None:
        return ActionCode.KEK_UNKNOWN
    keys = KeySet(
        acquirer_id=peer.acquirer_id,
        name=values["10"],
        kek_id=values["11"],
        pin=_wrapped(values["12"]),
        request_mac=_wrapped(values["13"]),
        answer_mac=_wrapped(values["14"]),
        replaces=peer.set_name,
    )
    checks = {"12": pin_block.check_value, "13": mac.check_value, "14": mac.check_value}
    sizes = {"12": pin_block.KEY_BYTES, "13": mac.KEY_BYTES, "14": mac.KEY_BYTES}
    if not all(_agrees(kek, values[tag], sizes[tag], check) for tag, check in checks.items()):
        return ActionCode.KEYS_REFUSED
    return ActionCode.APPROVED if keep(keys) else ActionCode.KEY_REUSED


def _values(message: Message) -> dict[str, str]:
    if 48 not in message:  # noqa: PLR2004 - a field's number
        raise Malformed(48, "is missing")
    values = read_tlv(message.secret(48).reveal(), DATA)
    for tag in DATA:
        if tag not in values:
            raise Malformed(48, f"sub-field {tag} is missing")
    return values


def _wrapped(text: str) -> bytes:
    return bytes.fromhex(text[:-CHECK_DIGITS])


def _agrees(kek: Sensitive[bytes], text: str, size: int, check_value: Callable[[Sensitive[bytes]], str]) -> bool:
    try:
        return check_value(opened(kek, _wrapped(text), size)) == text[-CHECK_DIGITS:]
    except NotUnwrapped:
        return False
