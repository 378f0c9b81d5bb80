"""The gateway's switch: one link per issuer, and every way an issuer may answer as a value (D42)."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

import structlog

from foundation.database import guard_no_transaction
from foundation.keys import Keyring, UnknownKey
from gateway.bulkhead import Gates, NotAdmitted
from gateway.domain.breaker import BreakerState, Heard
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import (
    AuthorisationAnswer,
    Declined,
    HolderAnswer,
    InquiryAnswer,
    ReversalAnswer,
    ReversalUnknown,
    Unknown,
)
from gateway.ports import (
    AuthorisationRequest,
    CreditRequest,
    HolderInquiry,
    InquiryRequest,
    RefundRequest,
    ReversalRequest,
    UnmatchedAnswer,
)
from gateway.switch.iso8583 import Malformed, Message
from gateway.switch.key_shelf import KeyShelf, Reader, nothing_exchanged
from gateway.switch.keys import LinkKeys
from gateway.switch.link import Counters, Ends, IssuerLink
from gateway.switch.messages import (
    credit_message,
    holder_message,
    inquiry_message,
    purchase_message,
    refund_message,
    reversal_message,
    total_of,
)
from gateway.switch.network import ECHO
from gateway.switch.outcomes import (
    credit_outcome_of,
    holder_of,
    inquiry_outcome_of,
    outcome_of,
    refund_outcome_of,
    reversal_outcome_of,
)
from gateway.switch.pin_block import PinRefused
from gateway.switch.wire import LinkTimes, NoAnswer, NothingSent

log = structlog.get_logger(__name__)

ISSUER_UNREACHABLE = "912"
"""Action code under which a purchase is declined that provably never left this process."""

PURCHASES_AT_ONCE = 32
RECOVERIES_AT_ONCE = 4
"""Questions to one issuer at once, in one process; inquiries, reversals and refunds have places of their own."""

UNREACHABLE = frozenset({"unreachable", "back_off", "no_time"})
"""Ways of not sending that are the host's silence, not our own mistake."""

KEYS_SECONDS = 5.0
"""How long exchanged link keys are remembered."""

_MS = 1000
NOT_SENT = (NotAdmitted, NothingSent, UnknownKey, Malformed, PinRefused)
"""Ways of not sending anything: no place, no link, no key, or a question that does not fit the contract."""


class SwitchClient:
    """Implements :class:`gateway.ports.Switch` over ISO 8583.

    Args:
        keyring: holds the link keys of every issuer by the purposes of :mod:`gateway.switch.keys`.
        acquirer_id: who signs on; DE 32 of network messages.
        tls: our certificate and whom we believe; without it links are plain TCP (D22).
        exchanged: reads the keys exchanged with an issuer since the key file was written.
        lost_and_found: takes an answer nobody waits for, without waiting; ``False`` when it has no room.
    """

    def __init__(
        self,
        keyring: Keyring,
        acquirer_id: str,
        times: LinkTimes | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        exchanged: Reader = nothing_exchanged,
        lost_and_found: Callable[[UnmatchedAnswer], bool] = bool,
    ) -> None:
        self._shelf = KeyShelf(keyring, exchanged, seconds=KEYS_SECONDS)
        self._lost_and_found = lost_and_found
        self._acquirer_id = acquirer_id
        self._times = times or LinkTimes()
        self._tls = tls
        self._links: dict[str, IssuerLink] = {}
        self._guard = threading.Lock()
        self.gates = Gates("switch", room=PURCHASES_AT_ONCE)
        self._recoveries = Gates("recovery", room=RECOVERIES_AT_ONCE, breaks=False)

    def authorise(self, issuer: Issuer, request: AuthorisationRequest) -> AuthorisationAnswer:
        """Ask for the money, once; what never left this process is declined, other silence is unknown (D1, D2)."""
        guard_no_transaction()
        ends_at = _deadline(issuer)
        try:
            question = purchase_message(request, self._keys(issuer))
            answer = self._purchase(issuer, question, ends_at)
        except NOT_SENT as error:
            why = why_of(error)
            log.warning("purchase_not_sent", issuer_id=issuer.issuer_id, rrn=request.trace.rrn, why=why)
            return Declined(ISSUER_UNREACHABLE)
        except NoAnswer as error:
            log.warning("purchase_unanswered", issuer_id=issuer.issuer_id, rrn=request.trace.rrn, why=error.why)
            return Unknown(error.why)
        return outcome_of(question, answer)

    def reverse(self, issuer: Issuer, request: ReversalRequest) -> ReversalAnswer:
        """Ask for the money to be given back, or never to be taken."""
        guard_no_transaction()
        ends_at = _deadline(issuer)
        try:
            question = reversal_message(request, self._keys(issuer))
            with self._recoveries.of(issuer.issuer_id).admitted():
                answer = self._link(issuer).ask(question, ends_at)
        except (*NOT_SENT, NoAnswer) as error:
            return ReversalUnknown(why_of(error))
        return reversal_outcome_of(question, answer, keeps_tombstones=issuer.keeps_tombstones)

    def credit(self, issuer: Issuer, request: CreditRequest) -> AuthorisationAnswer:
        """Give money to a card; whatever is no explicit answer, sent or not, is unknown and asked again (D7)."""
        guard_no_transaction()
        ends_at = _deadline(issuer)
        try:
            question = credit_message(request, self._keys(issuer))
            with self._recoveries.of(issuer.issuer_id).admitted():
                answer = self._link(issuer).ask(question, ends_at)
        except (*NOT_SENT, NoAnswer) as error:
            return Unknown(why_of(error))
        return credit_outcome_of(question, answer)

    def ask_holder(self, issuer: Issuer, request: HolderInquiry) -> HolderAnswer:
        """Ask whose card it is; a person waits, so it takes a purchase's place and trusts the same breaker."""
        guard_no_transaction()
        ends_at = _deadline(issuer)
        try:
            question = holder_message(request, self._keys(issuer))
            answer = self._purchase(issuer, question, ends_at)
        except (*NOT_SENT, NoAnswer) as error:
            return Unknown(why_of(error))
        return holder_of(question, answer)

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Ask what became of an original."""
        guard_no_transaction()
        ends_at = _deadline(issuer)
        try:
            question = inquiry_message(request, self._keys(issuer))
            with self._recoveries.of(issuer.issuer_id).admitted():
                answer = self._link(issuer).ask(question, ends_at)
        except (*NOT_SENT, NoAnswer) as error:
            return Unknown(why_of(error))
        return inquiry_outcome_of(question, answer, total=total_of(request.order))

    def refund(self, issuer: Issuer, request: RefundRequest) -> AuthorisationAnswer:
        """Ask for money to be given to the card; what did not leave this process goes out the next time."""
        guard_no_transaction()
        ends_at = _deadline(issuer)
        try:
            question = refund_message(request, self._keys(issuer))
            with self._recoveries.of(issuer.issuer_id).admitted():
                answer = self._link(issuer).ask(question, ends_at)
        except (*NOT_SENT, NoAnswer) as error:
            return Unknown(why_of(error))
        return refund_outcome_of(question, answer)

    def echo(self, issuer: Issuer) -> bool:
        """Tell whether the host answers now."""
        guard_no_transaction()
        try:
            self.manage(issuer, ECHO)
        except (*NOT_SENT, NoAnswer):
            return False
        return True

    def manage(self, issuer: Issuer, function: str, private: str = "") -> Message:
        """Send an 1804 and return its answer; raises what :meth:`gateway.switch.link.IssuerLink.ask` does."""
        ends_at = _deadline(issuer)
        self._keys(issuer)
        return self._link(issuer).manage(function, ends_at, private)

    def breaker_state(self, issuer_id: str) -> BreakerState:
        """Tell whether this process holds purchases to this issuer back."""
        return self.gates.of(issuer_id).state

    def counters(self) -> Mapping[str, Counters]:
        """Return what each issuer's link threw away."""
        with self._guard:
            return {issuer_id: link.counters for issuer_id, link in self._links.items()}

    def close(self) -> None:
        """Sign off everywhere."""
        with self._guard:
            links, self._links = list(self._links.values()), {}
        for link in links:
            link.close()

    def _purchase(self, issuer: Issuer, question: Message, ends_at: float) -> Message:
        """Ask through the issuer's breaker, which is looked at before anything is written and never after."""
        with self.gates.of(issuer.issuer_id).admitted() as visit:
            try:
                answer = self._link(issuer).ask(question, ends_at)
            except NoAnswer:
                visit.heard = Heard.SILENCE
                raise
            except NothingSent as error:
                visit.heard = Heard.SILENCE if error.why in UNREACHABLE else Heard.NOTHING
                raise
            visit.heard = Heard.ANSWER
            return answer

    def _keys(self, issuer: Issuer) -> LinkKeys:
        return self._shelf.now(issuer.link_id)

    def _link(self, issuer: Issuer) -> IssuerLink:
        """Return the issuer's link; a changed address makes a new one."""
        address = (issuer.switch_host, issuer.switch_port)
        with self._guard:
            link = self._links.get(issuer.link_id)
            if link is not None and link.address == address:
                return link
            if link is not None:
                threading.Thread(target=link.close, name="switch-close", daemon=True).start()
            ends = Ends(partial(self._shelf.known, issuer.link_id), self._lost_and_found)
            link = IssuerLink(address, self._acquirer_id, ends, self._times, self._tls)
            self._links[issuer.link_id] = link
            return link


def _deadline(issuer: Issuer) -> float:
    """Say until when a question of now may take: reading keys, opening the link, writing and waiting together."""
    return time.monotonic() + issuer.switch_timeout_ms / _MS


def why_of(error: Exception) -> str:
    """Say in a word why a question was not sent or not answered."""
    return error.why if isinstance(error, (NotAdmitted, NothingSent, NoAnswer)) else type(error).__name__
