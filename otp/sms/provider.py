"""One account with one panel, as the bank's port wants it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence

from foundation.conversation import Heard, NoAnswer
from foundation.sensitive import Sensitive
from otp.ports import Fault, Receipt, SmsAccepted, SmsAnswer, SmsMessage, SmsRefused, SmsTemplate, SmsUnanswered
from otp.sms.panel import STATUSES, Account, Panel, Reply, Verdict
from otp.sms.sender import Sender

FAULTS: Mapping[Verdict, Fault] = {
    Verdict.ELSEWHERE: Fault.PROVIDER,
    Verdict.UNSUITED: Fault.MESSAGE,
    Verdict.TROUBLE: Fault.ACCOUNT,
}
_CODE = re.compile(r"[\w-]{1,16}", re.ASCII)
_MESSAGE_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_SENSELESS = (LookupError, TypeError, ValueError, AttributeError, RecursionError)


class HttpProvider:
    """Implements :class:`otp.ports.SmsProvider` and :class:`otp.ports.ProviderReceipts` for one account.

    Args:
        account: with this provider.
        panel: the provider's kind.
        sender: shared by all accounts.
        clock: seconds that only grow.

    Raises:
        ValueError: when a line number or a template's id is not of the form that this kind of provider has.
    """

    def __init__(
        self, account: Account, panel: Panel, sender: Sender, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._account = account
        self._panel = panel
        self._sender = sender
        self._clock = clock
        self._base = account.address or panel.base
        for specimen in (None, *account.templates):
            panel.send(account, self._base, _specimen(account, specimen))

    def send(self, message: SmsMessage) -> SmsAnswer:
        """Hand one message over; the body's verdict counts, whatever the HTTP status says."""
        request = self._panel.send(self._account, self._base, message)
        try:
            heard = self._sender.exchange(request, message.timeout_seconds)
        except NoAnswer as unanswered:
            return SmsUnanswered(str(unanswered))
        reply = self._reply(heard)
        verdict = self._verdict(heard, reply)
        why = f"HTTP {heard.status}" if reply is None else f"code {reply.code}"
        if verdict is Verdict.ACCEPTED:
            return SmsAccepted(reply.message_id if reply else "")
        return SmsRefused(why) if verdict is Verdict.REFUSED else SmsUnanswered(why, FAULTS[verdict])

    def receipts(self, message_ids: Sequence[str], timeout_seconds: float) -> Mapping[str, Receipt]:
        """Ask about messages, as many at once as the provider allows, until the time is up or it does not answer.

        An answer without sense says nothing of what was asked, and nothing against the next question.
        """
        until, found = self._clock() + timeout_seconds, dict[str, Receipt]()
        for start in range(0, len(message_ids), self._panel.ask_most):
            asked = message_ids[start : start + self._panel.ask_most]
            left = until - self._clock()
            if left <= 0:
                break
            try:
                heard = self._sender.exchange(self._panel.ask(self._account, self._base, asked), left)
                told = self._panel.told(json.loads(heard.body), asked)
            except NoAnswer:
                break
            except _SENSELESS:
                continue
            found |= {name: self._receipt(state) for name, state in told.items() if name in asked}
        return found

    def _receipt(self, state: str) -> Receipt:
        return self._account.states.get(state) or self._panel.receipts.get(state, Receipt.WAITING)

    def _reply(self, heard: Heard) -> Reply | None:
        try:
            reply = self._panel.read(json.loads(heard.body))
        except _SENSELESS:
            return None
        well = _CODE.fullmatch(reply.code) and (not reply.message_id or _MESSAGE_ID.fullmatch(reply.message_id))
        return reply if well else None

    def _verdict(self, heard: Heard, reply: Reply | None) -> Verdict:
        listed = None if reply is None else self._panel.codes.get(reply.code)
        if listed is Verdict.ACCEPTED and not (reply and reply.message_id):
            return Verdict.ELSEWHERE
        return listed or STATUSES.get(str(heard.status), Verdict.ELSEWHERE)


def _specimen(account: Account, template: str | None) -> SmsMessage:
    values = {} if template is None else {ours: Sensitive("1") for ours in account.templates[template].values.values()}
    filled = None if template is None else SmsTemplate(template, values)
    return SmsMessage("specimen", account.line or "30003303", Sensitive("09120000000"), Sensitive("1"), 1.0, filled)
