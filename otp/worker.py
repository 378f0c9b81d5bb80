"""The bank's worker: derives each code as it sends it, and ends what is past its life."""

from __future__ import annotations

from foundation import monitor
from foundation.outbox import Outbox
from foundation.settings import InvalidSettings
from foundation.worker import Periodic, Topic, Worker
from otp.services import ask_receipts, audit_trail, deliver, erase
from otp.services.bank import Bank
from otp.services.hear_centres import Hearing
from otp.services.watch import watch
from otp.store.activations import ACTIVATION_TOPIC
from otp.store.deliveries import CODE_TOPIC, LAST_TRY_TOPIC
from otp.store.mobile_changes import FORMER_MOBILE_TOPIC, MOBILE_CODE_TOPIC
from otp.store.notices import NOTICE_TOPIC

CODE_BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0)
"""A code lives two minutes: tries are close together and end when too little life is left."""

WARNING_BACKOFF_SECONDS = (5.0, 30.0, 120.0, 600.0)
WARNING_TRIES_MAX = 10
ACTIVATION_BACKOFF_SECONDS = (2.0, 5.0, 15.0, 60.0)
ACTIVATION_TRIES_MAX = 10
"""Its holder waits at the cash machine or with the app in hand."""
EXPIRE_EVERY_SECONDS = 5.0
END_EVERY_SECONDS = 60.0
FORGET_EVERY_SECONDS = 3600.0
ERASE_EVERY_SECONDS = 3600.0
THREADS = 8


def make(bank: Bank) -> Worker:
    """Make the worker of this bank.

    Raises:
        InvalidSettings: when no SMS provider is wired.
    """
    if bank.sms is None:
        raise InvalidSettings("set OTP_SMS_FILE: a worker without a provider sends nothing")
    lease = bank.settings.sms_timeout_seconds * 3 + 5
    topics = (
        Topic(CODE_TOPIC, lambda job: deliver.send_code(bank, job), CODE_BACKOFF_SECONDS, None, lease),
        Topic(
            LAST_TRY_TOPIC,
            lambda job: deliver.send_last_try_warning(bank, job),
            WARNING_BACKOFF_SECONDS,
            WARNING_TRIES_MAX,
            lease,
        ),
        Topic(
            ACTIVATION_TOPIC,
            lambda job: deliver.send_activation(bank, job),
            ACTIVATION_BACKOFF_SECONDS,
            ACTIVATION_TRIES_MAX,
            lease,
        ),
        Topic(
            MOBILE_CODE_TOPIC,
            lambda job: deliver.send_mobile_code(bank, job),
            ACTIVATION_BACKOFF_SECONDS,
            ACTIVATION_TRIES_MAX,
            lease,
        ),
        Topic(
            FORMER_MOBILE_TOPIC,
            lambda job: deliver.send_to_former(bank, job),
            WARNING_BACKOFF_SECONDS,
            WARNING_TRIES_MAX,
            lease,
        ),
        Topic(
            NOTICE_TOPIC, lambda job: deliver.send_notice(bank, job), WARNING_BACKOFF_SECONDS, WARNING_TRIES_MAX, lease
        ),
    )
    periodics: tuple[Periodic, ...] = (
        Periodic("expire_challenges", EXPIRE_EVERY_SECONDS, lambda: deliver.expire_challenges(bank)),
        Periodic("end_activations", END_EVERY_SECONDS, lambda: deliver.end_activations(bank)),
        Periodic("forget_quotas", FORGET_EVERY_SECONDS, lambda: deliver.forget_quotas(bank)),
        Periodic("erase", ERASE_EVERY_SECONDS, lambda: _erase(bank)),
        Periodic("seal_trail", audit_trail.SEAL_EVERY_SECONDS, lambda: audit_trail.seal_trail(bank)),
    )
    if bank.sms_lines is not None:
        every = ask_receipts.EVERY_SECONDS
        periodics += (Periodic("ask_receipts", every, lambda: ask_receipts.ask_receipts(bank), aside=True),)
    if bank.reader is not None:
        periodics += (Periodic("monitor", monitor.EVERY_SECONDS, lambda: watch(bank), aside=True),)
    return Worker(Outbox(bank.database), topics, periodics, wake=bank.wake, threads=THREADS)


def _erase(bank: Bank) -> None:
    erase.erase(bank)


def run(bank: Bank) -> None:
    """Work until SIGTERM or SIGINT."""
    worker = make(bank)
    if bank.sms_lines is None:
        worker.run()
        return
    bank.sms_lines.start(Hearing(bank))
    try:
        worker.run()
    finally:
        bank.sms_lines.stop()
