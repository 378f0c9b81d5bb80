"""One message in, one answer out: who sent it, is it genuine, can it be read, what does the bank say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from foundation.logs import place_of
from otp.domain.action_codes import ActionCode
from otp.domain.financial import HostAnswer
from otp.host import iso8583, key_change
from otp.host.iso8583 import Malformed, Message
from otp.host.key_sets import KeySets
from otp.host.peers import Peer
from otp.host.translate import (
    FUNCTIONS,
    answer_to,
    card_present_of,
    credit_of,
    holder_question_of,
    is_card_present,
    is_credit,
    notice_about,
    original_of,
    purchase_of,
    reversal_of,
)
from otp.services.authorise import authorise
from otp.services.credit import take_credit
from otp.services.desk import Desk
from otp.services.inquire_authorisation import inquire_authorisation
from otp.services.link_keys import keep_keys, live_keys
from otp.services.present_card import judge_present_card
from otp.services.reverse import reverse
from otp.services.tell_holder import tell_holder

log = structlog.get_logger(__name__)

HOLDER_FUNCTION = "182"
"""DE 24 of a 1100 that asks for a name; the other kind checks a first PIN."""
_HOST_FAILED = HostAnswer(ActionCode.HOST_FAILED)


class LinkRefused(Exception):
    """Nothing can be answered to somebody unknown; ``reason`` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer's bytes, and the acquirer that this frame proved to come from, if it did."""

    frame: bytes
    proven: Peer | None


class Responder:
    """Answers frames for the bank."""

    def __init__(self, desk: Desk, peers: Mapping[str, Peer]) -> None:
        self._sets = KeySets(peers, partial(live_keys, desk))
        self._keep = partial(keep_keys, desk)
        self._meters = desk.meters
        self._actions: Mapping[str, Callable[[Message, Peer], HostAnswer]] = {
            "1100": partial(_question, desk),
            "1200": partial(_financial, desk),
            "1201": lambda message, peer: take_credit(desk, credit_of(message, peer)),
            "1420": lambda message, _: reverse(desk, reversal_of(message)),
            "1604": lambda message, _: inquire_authorisation(desk, original_of(message)),
            "1804": lambda message, peer: HostAnswer(self._manage(message, peer)),
        }

    def respond(self, frame: bytes, link_peer: Peer | None, *, certified: frozenset[str] | None = None) -> Reply:
        """Answer one frame.

        Args:
            frame: the message without its two bytes of length.
            link_peer: the acquirer that this link has proven to be, if any.
            certified: the acquirers that the link's certificate stands for; ``None`` on a link without TLS.

        Raises:
            LinkRefused: when the sender is not known or not the certificate's, so that the link must be closed.
        """
        try:
            message = iso8583.decode(frame)
        except Malformed as error:
            return self._unreadable(frame, error, link_peer)
        acquirer = self._sets.acquirer(message.text(32))
        if acquirer is None:
            raise LinkRefused("unknown_acquirer")
        if certified is not None and acquirer.acquirer_id not in certified:
            raise LinkRefused("acquirer_not_in_certificate")
        peer = self._sets.named(acquirer.acquirer_id, message.text(53))
        if peer is None or not peer.authenticates(message.text(53), *iso8583.signed_part(frame)):
            log.warning("message_refused", reason="mac", **_trace(message))
            speaker = peer or self._sets.newest(acquirer.acquirer_id)
            return Reply(_signed(notice_about(message.mti, message, speaker, ActionCode.MAC_WRONG), speaker), None)
        return Reply(self._answer(message, peer), peer)

    def _answer(self, message: Message, peer: Peer) -> bytes:
        try:
            answer, frame = self._decide_and_write(message, peer)
        except Malformed as error:
            log.warning("message_refused", reason="malformed", field=error.field, why=error.reason, **_trace(message))
            return _signed(notice_about(message.mti, message, peer, ActionCode.NOT_READABLE), peer)
        except Exception as error:  # noqa: BLE001 - the outermost handler of the process: no message may end it
            failed = {"error": type(error).__name__, "at": place_of(error)}
            log.error("message_failed", **failed, **_trace(message))  # noqa: TRY400 - its text may quote a PIN
            answer, frame = _HOST_FAILED, _signed(answer_to(message, peer, _HOST_FAILED), peer)
        self._meters.host_answers.labels(message.mti, answer.action_code).inc()
        log.info("message_answered", action_code=str(answer.action_code), **_trace(message))
        return frame

    def _decide_and_write(self, message: Message, peer: Peer) -> tuple[HostAnswer, bytes]:
        """Decide what a message is answered, and write that."""
        if message.text(24) not in FUNCTIONS.get(message.mti, ()):
            raise Malformed(24, "is not possible in this message")
        with self._meters.host_seconds.labels(message.mti).time():
            answer = self._actions[message.mti](message, peer)
        try:
            return answer, _signed(answer_to(message, peer, answer), peer)
        except Malformed as error:  # 904 would blame the question, and deny what was done
            log.error("message_failed", field=error.field, why=error.reason, **_trace(message))  # noqa: TRY400 - no trace
            return _HOST_FAILED, _signed(answer_to(message, peer, _HOST_FAILED), peer)

    def _manage(self, message: Message, peer: Peer) -> ActionCode:
        if message.text(24) == key_change.FUNCTION:
            return key_change.change_keys(message, peer, self._keep)
        if 48 in message:  # noqa: PLR2004 - a field's number
            raise Malformed(48, "belongs to a key change only")
        return ActionCode.APPROVED

    def _unreadable(self, frame: bytes, error: Malformed, link_peer: Peer | None) -> Reply:
        log.warning("message_refused", reason="malformed", field=error.field, why=error.reason)
        if link_peer is None:
            raise LinkRefused("malformed") from None
        mti = frame[:4].decode("ascii", errors="replace")
        return Reply(_signed(notice_about(mti, None, link_peer, ActionCode.NOT_READABLE), link_peer), None)


def _question(desk: Desk, message: Message, peer: Peer) -> HostAnswer:
    if message.text(24) == HOLDER_FUNCTION:
        return tell_holder(desk, holder_question_of(message, peer))
    if 48 in message:  # noqa: PLR2004 - a field's number
        raise Malformed(48, "belongs to a question for a name only")
    return judge_present_card(desk, card_present_of(message, peer))


def _financial(desk: Desk, message: Message, peer: Peer) -> HostAnswer:
    if is_credit(message):
        return take_credit(desk, credit_of(message, peer))
    if is_card_present(message):
        return judge_present_card(desk, card_present_of(message, peer))
    return authorise(desk, purchase_of(message, peer))


def _signed(message: Message, peer: Peer) -> bytes:
    return iso8583.encode(message, peer.sign)


def _trace(message: Message) -> dict[str, str]:
    return {
        "mti": message.mti,
        "acquirer_id": message.text(32),
        "terminal_id": message.text(41),
        "stan": message.text(11),
        "rrn": message.text(37),
    }
