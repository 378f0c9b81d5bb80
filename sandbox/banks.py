"""The banks of the sandbox: one application, run once for each row, with a database, keys and processes of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bank:
    """One issuing bank.

    Args:
        organisation: the name of its database and of its key file.
        bin: what its card numbers begin with; no real bank has it.
        dialect: how the gateway speaks Harim with it.
        web: what its web door is called among the ports; ``<web>_host`` and ``<web>_front`` are its switch.
        program: what its processes are called.
        keys: what it is called in the ids of its link keys, which have at most 20 characters.
    """

    organisation: str
    issuer_id: str
    bin: str
    name_fa: str
    name_en: str
    dialect: str
    web: str
    program: str
    keys: str

    @property
    def host(self) -> str:
        """What its authorisation host is called among the ports."""
        return f"{self.web}_host"

    @property
    def front(self) -> str:
        """What stands in front of the host."""
        return f"{self.web}_front"


@dataclass(frozen=True, slots=True)
class Series:
    """Cards of a bank that the gateway asks about in another dialect: an issuer's row of its own, the same processes.

    Args:
        bin: what these numbers begin with; longer than the bank's own, it is found first.
    """

    bank: Bank
    bin: str
    dialect: str

    @property
    def issuer_id(self) -> str:
        """What the gateway calls it."""
        return f"{self.bank.issuer_id}-{self.dialect}"


BANK_TWO = Bank(
    "bank_two", "bank-two", "999002", "بانک دو (آزمایشی)", "Bank Two (sandbox)", "harim-v1-rest", "bank", "bank", "bank"
)
BANK_ONE = Bank(
    "bank_one",
    "bank-one",
    "999001",
    "بانک یک (آزمایشی)",
    "Bank One (sandbox)",
    "harim-v1-soap",
    "bank_one",
    "bank-one",
    "one",
)
BANKS = (BANK_TWO, BANK_ONE)
SERIES = (Series(BANK_ONE, "99900104", "tosan-yaghut"), Series(BANK_TWO, "99900205", "sadad-adaptor"))
BY_BIN = {**{bank.bin: bank for bank in BANKS}, **{series.bin: series.bank for series in SERIES}}
BY_ORGANISATION = {bank.organisation: bank for bank in BANKS}
