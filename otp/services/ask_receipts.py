"""Ask providers what became of the messages of codes, and notice those of which nothing is ever heard."""

from __future__ import annotations

from otp.ports import Receipt, SmsLines
from otp.services.bank import Bank
from otp.store import receipts

EVERY_SECONDS = 10.0
PAUSE_SECONDS = 9.0
"""Between two questions about one message, at least."""
SECONDS_MAX = 8.0
AT_ONCE_MAX = 500
GIVE_UP_AT_ONCE_MAX = 1_000


def ask_receipts(bank: Bank) -> None:
    """Ask about a bounded number of messages and keep what is told.

    Accepted is not delivered: an account can accept for hours and deliver nothing. Whose messages end without a word is
    trusted less with the next ones; a code that was used has arrived, whatever its provider says.
    """
    if bank.sms_lines is not None and bank.sms_lines.tells:
        _ask(bank, bank.sms_lines)
        _give_up(bank, bank.sms_lines)


def keep_receipt(bank: Bank, message_id: str, receipt: Receipt) -> None:
    """Keep what a centre told by itself, if it is final and a code's message is waiting for it."""
    if receipt is Receipt.WAITING:
        return
    with bank.database.single() as connection:
        kept = receipts.record_by_message(connection, message_id, receipt)
    if kept and bank.sms_lines is not None:
        bank.sms_lines.reported(message_id)
        _count(bank, message_id, receipt)


def _ask(bank: Bank, providers: SmsLines) -> None:
    with bank.database.single() as connection:
        waiting = receipts.claim(connection, pause_seconds=PAUSE_SECONDS, most=AT_ONCE_MAX)
    if not waiting:
        return
    found = providers.receipts([message.message_id for message in waiting], SECONDS_MAX)
    told = [(message, found.get(message.message_id, Receipt.WAITING)) for message in waiting]
    final = [(message, receipt) for message, receipt in told if receipt is not Receipt.WAITING]
    if final:
        with bank.database.single() as connection:
            receipts.record(connection, final)
    for message, receipt in final:
        _count(bank, message.message_id, receipt)


def _give_up(bank: Bank, providers: SmsLines) -> None:
    with bank.database.single() as connection:
        missing = receipts.give_up(connection, GIVE_UP_AT_ONCE_MAX)
    for message_id in missing:
        if providers.missing(message_id):
            _count(bank, message_id, "missing")


def _count(bank: Bank, message_id: str, receipt: str) -> None:
    bank.meters.sms_receipts.labels(message_id.partition(":")[0], receipt).inc()
