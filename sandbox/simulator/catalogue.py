"""Which rows of the fault table a run shows, and by what; which rows of the state tables it cannot take, and why."""

from __future__ import annotations

from dataclasses import dataclass

Move = tuple[str, str, str]
"""Machine, state before, event."""


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One row of the fault table.

    Args:
        shown_by: happenings that a run counts; each of them has to come about.
        tries: the invariants it is a trial of.
    """

    number: str
    what: str
    shown_by: tuple[str, ...]
    tries: str


FAULTS: tuple[FaultRow, ...] = (
    FaultRow(
        "F1",
        "dies after the issuer debited",
        (
            "gateway.after_issuer_call",
            "gateway.after_pin_request",
            "bank.after_debit_before_answer",
            "died before a transaction",
        ),
        "I2 I5 I6",
    ),
    FaultRow("F2", "dies before the issuer is asked", ("gateway.before_issuer_call",), "I5 I6"),
    FaultRow("F3", "dies after COMMIT, before the answer", ("gateway.before_response", "died after COMMIT"), "I5 I10"),
    FaultRow(
        "F4",
        "the issuer's yes comes after the time-out",
        (
            "answer slow",
            "answer heard after the time-out",
            "late approval recorded",
            "late approval of an attempt unknown",
            "credit: given",
        ),
        "I2 I6 I7 I15",
    ),
    FaultRow(
        "F5",
        "the issuer never got it",
        ("message lost", "tombstone before the purchase", "credit: taken_back"),
        "I2 I6 I15",
    ),
    FaultRow(
        "F6",
        "the reversal is not answered",
        ("reversal not answered", "reversal overdue", "credit: refused", "credit: deadline_passed"),
        "I6 I11 I15 I18",
    ),
    FaultRow(
        "F7", "the same message again", ("message repeated", "message arrives long after", "webhook repeated"), "I2 I11"
    ),
    FaultRow("F8", "webhook and confirm together", ("confirmed while its webhook was under way",), "I8"),
    FaultRow("F9", "double click, second tab", ("second tab refused",), "I2"),
    FaultRow("F10", "a code is used again", ("bank: code_used",), "I2 I9"),
    FaultRow("F11", "a code for another payment", ("bank: code_foreign",), "I9"),
    FaultRow("F12", "Redis is away", ("bell not heard",), "I17"),
    FaultRow(
        "F15",
        "the connection is lost at COMMIT",
        ("connection lost before COMMIT", "connection lost after COMMIT"),
        "I5 I6 I10",
    ),
    FaultRow(
        "F17",
        "SMS lost, late, twice, refused, past its time",
        ("sms lost", "sms late", "sms twice", "sms refused", "sms not answered", "sms dropped"),
        "I9 I12",
    ),
    FaultRow("F18", "one bank hangs", ("paid while another bank hung",), "I6 I18"),
    FaultRow("F19", "an issuer flaps", ("issuer flapped", "not sent", "breaker open"), "I6 I18"),
    FaultRow("F20", "clocks jump and differ", ("clock went on", "clock went back", "clocks differ"), "I8 I9 I12"),
    FaultRow(
        "F22",
        "the merchant does not confirm, or at the last moment",
        ("not confirmed in time", "confirmed in the last moment", "confirmed too late"),
        "I3 I8",
    ),
    FaultRow(
        "F21",
        "a webhook's secret changes",
        ("webhook under two secrets", "webhook: stranger"),
        "I10 I11",
    ),
    FaultRow(
        "F23",
        "the merchant's endpoint is down, slow, elsewhere, off",
        (
            *("endpoint down", "endpoint breaks", "endpoint back", "webhook: redirects", "webhook: too late"),
            *("endpoint disabled: asked", "endpoint disabled: failing", "endpoint enabled again"),
            *("webhook dead", "webhook given up after three days", "event asked for again"),
        ),
        "I11 I12",
    ),
    FaultRow(
        "F24",
        "a worker dies in a job",
        (
            "worker.after_sms_before_mark",
            "worker.after_webhook_before_mark",
            "worker.after_inquiry_before_record",
            "worker.before_reversal",
            "worker.after_reversal_before_record",
            "worker.before_credit",
            "worker.after_credit_before_record",
            "worker.after_refund_before_record",
        ),
        "I6 I11 I12",
    ),
    FaultRow(
        "F25",
        "a worker outlives its lease",
        ("job taken twice", "lease lost", "webhook of two workers at once"),
        "I2 I11",
    ),
    FaultRow("F26", "a poison job", ("poison tried",), "I11"),
    FaultRow("F31", "the banks' files are cut or say otherwise", ("file cut", "file told otherwise"), "I13 I14"),
    FaultRow(
        "F33",
        "codes guessed and asked for again and again",
        ("bank: code_wrong", "bank: pin_locked", "bank: card_data_wrong", "TooManyPinRequests", "TooManyAttempts"),
        "I9",
    ),
)

_LIE = "needs a bank that says no and later yes to one message (F32); tests/gateway/services shows it"
_NO_PROOFS = "the simulated PSP has no codes verified apart from purchases; tests/otp shows it"
UNREACHED: dict[Move, str] = {
    ("attempt", "declined", "switch_approved"): _LIE,
    ("challenge", "issued", "code_verified"): _NO_PROOFS,
    ("challenge", "verified", "proof_spent"): _NO_PROOFS,
    ("challenge", "verified", "lifetime_elapsed"): _NO_PROOFS,
}
"""Rows that no run can take, and why."""
