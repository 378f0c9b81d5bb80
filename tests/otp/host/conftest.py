"""A bank for the host's tests: a card with money, a code for a payment, and the purchase that spends it."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import text

from foundation.database import Database
from foundation.keys import Key, Keyring
from foundation.pan import Pan, with_check_digit
from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.binding import Binding, TransactionType
from otp.domain.cvv2 import cvv2_of
from otp.domain.financial import HostAnswer, MessageKey, Purchase, Reversal
from otp.domain.spending import Limits
from otp.services.authorise import authorise
from otp.services.desk import Desk

ACQUIRER = "581672"
EXPIRY = "2012"
A_DAY_OLDER = """
UPDATE authorisation
   SET created_at = created_at - interval '1 day', decided_at = decided_at - interval '1 day',
       capture_date = to_char((decided_at - interval '1 day') AT TIME ZONE 'Asia/Tehran', 'MMDD')
"""
"""Makes everything that was decided a day older."""


@dataclass
class HostWorld:
    """The bank's desk with makers of cards, codes and messages."""

    desk: Desk
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def sql(self, statement: str, **values: object) -> list[Mapping[str, Any]]:
        """Run one statement as the application role."""
        with self.desk.database.begin() as connection:
            result = connection.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def card(self, balance: int = 10_000_000, **columns: object) -> Pan:
        """Open a card account."""
        pan = Pan.parse(with_check_digit(f"999002{next(self.numbers):09}"))
        values = {
            "card_token": self.desk.card_tokens(pan)[0],
            "pan_sealed": b"x",
            "expiry": EXPIRY,
            "balance_rial": balance,
            "opened_rial": balance,
            **columns,
        }
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self.sql(f"INSERT INTO card ({names}) VALUES ({marks})", **values)
        return pan

    def row(self, pan: Pan) -> Mapping[str, Any]:
        """Return the card's row."""
        return self.sql("SELECT * FROM card WHERE card_token = :token", token=self.desk.card_tokens(pan)[0])[0]

    def challenges(self, pan: Pan) -> list[Mapping[str, Any]]:
        """Return the card's challenges, oldest first."""
        return self.sql(
            "SELECT * FROM challenge WHERE card_id = :card_id ORDER BY challenge_id", card_id=self.row(pan)["card_id"]
        )

    def purchase(self, pan: Pan, pin: str = "0000000", **changes: object) -> Purchase:
        """Make a purchase message with right card data and a key of its own."""
        number = next(self.numbers)
        now = self.sql("SELECT house_now() AS now")[0]["now"].astimezone(TEHRAN)
        key = MessageKey(ACQUIRER, "T0000001", f"{number:06}", f"{number:012}", now.strftime("%y%m%d%H%M%S"))
        purchase = Purchase(
            key=key,
            sent_at=now,
            processing_code="000000",
            type_word="PURCHASE",
            total=Rial(1_000_000),
            fee=Rial(0),
            merchant_id="000000000000123",
            payee_name="فروشگاه نمونه",
            payee_key="",
            transaction_ref="".join(secrets.choice("ABCDEFGH234567") for _ in range(16)),
            pan=pan,
            expiry=Sensitive(EXPIRY),
            cvv2=Sensitive(cvv2_of(self.desk.keys.material("cvk-1").reveal(), pan, EXPIRY)),
            pin=Sensitive(pin),
        )
        return replace(purchase, **changes)  # type: ignore[arg-type]  # fields by name

    def again(self, purchase: Purchase, **changes: object) -> Purchase:
        """Make the same purchase under a new key: another attempt."""
        key = replace(purchase.key, stan=f"{next(self.numbers):06}")
        return replace(purchase, key=key, **changes)  # type: ignore[arg-type]  # fields by name

    def issue(self, purchase: Purchase, code: str = "1234567", *, life_seconds: int = 120, **columns: object) -> int:
        """Issue a code for exactly this purchase, as the Harim side does."""
        assert purchase.pan is not None
        binding = Binding(
            TransactionType(purchase.type_word),
            purchase.total - purchase.fee,
            purchase.fee,
            purchase.key.acquirer_id,
            purchase.merchant_id,
            purchase.key.terminal_id,
            purchase.payee_name,
            purchase.payee_key,
            purchase.transaction_ref,
        )
        token = self.desk.card_tokens(purchase.pan)[0]
        values: dict[str, object] = {
            "card_id": self.row(purchase.pan)["card_id"],
            "psp_id": "pooya",
            "transaction_ref": purchase.transaction_ref,
            "nonce": secrets.token_bytes(16),
            "canonical": binding.canonical(),
            "binding_digest": binding.digest(),
            "code_mac": self.desk.code_macs(token, code)[-1],
            "key_id": "code-derive-1",
            "code_length": len(code),
            "proven": True,
            **columns,
        }
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        rows = self.sql(
            f"INSERT INTO challenge (correlation_id, issued_at, sent_at, expires_at, {names}) "
            f"SELECT gen_random_uuid(), at, at, at + make_interval(secs => :life + 120), {marks} "
            "FROM (SELECT house_now() - interval '2 minutes' AS at) AS clock RETURNING challenge_id",
            life=life_seconds,
            **values,
        )
        return int(rows[0]["challenge_id"])

    def pay(self, purchase: Purchase, pin: str | None = None) -> HostAnswer:
        """Authorise."""
        return authorise(self.desk, purchase if pin is None else replace(purchase, pin=Sensitive(pin)))

    def reversal(self, purchase: Purchase) -> Reversal:
        """Make a reversal of this purchase, with a key of its own."""
        return Reversal(purchase.key, f"{next(self.numbers):06}", purchase.key.local_time, purchase.total, purchase.pan)

    def unexplained(self) -> int:
        """Add up, over all cards, what balances and postings do not agree on; zero when no rial is lost."""
        rows = self.sql(
            "SELECT coalesce(sum(abs(balance_rial - opened_rial - coalesce(moved, 0))), 0) AS lost"
            " FROM card LEFT JOIN (SELECT account, sum(amount) AS moved FROM ("
            "  SELECT destination AS account, amount_rial AS amount FROM posting UNION ALL"
            "  SELECT source, -amount_rial FROM posting) AS lines GROUP BY account) AS sums"
            " ON account = 'card:' || card_id"
        )
        return int(rows[0]["lost"])


def keyring() -> Keyring:
    """Make the keys a bank's host needs."""

    def key(key_id: str, purpose: str, size: int) -> Key:
        return Key(key_id, purpose, Sensitive(secrets.token_bytes(size)))

    return Keyring(
        [
            key("card-token-1", purposes.CARD_TOKEN, 32),
            key("pan-seal-1", purposes.PAN_SEAL, 32),
            key("code-mac-1", purposes.CODE_MAC, 32),
            key("code-mac-2", purposes.CODE_MAC, 32),
            key("audit-1", purposes.AUDIT, 32),
            key("device-seal-1", purposes.DEVICE_SEAL, 32),
            key("pin-verification-1", purposes.PIN_VERIFICATION, 32),
            key("cvk-1", purposes.CARD_VERIFICATION, 16),
            key("gw-mac-1", "iso-mac-in", 16),
            key("gw-mac-2", "iso-mac-in", 16),
            key("bank-mac-1", "iso-mac-out", 16),
            key("gw-pin-1", "iso-pin", 24),
        ]
    )


@pytest.fixture
def bank_world(bank_database: Database) -> HostWorld:
    """Give a bank with one PSP and no card yet."""
    limits = Limits(
        purchase_max=Rial(50_000_000),
        day_max=Rial(80_000_000),
        unbound_code_max=Rial(2_000_000),
        unbound_day_max=Rial(3_000_000),
        low_ceiling=Rial(200_000),
        static_day_max=Rial(1_000_000),
        transfer_max=Rial(40_000_000),
        transfer_day_max=Rial(60_000_000),
    )
    desk = Desk(bank_database, keyring(), limits)
    made = HostWorld(desk)
    made.sql(
        "INSERT INTO psp (psp_id, name, acquirer_id, public_keys) VALUES ('pooya', 'Pooya', :acquirer, '{}')",
        acquirer=ACQUIRER,
    )
    return made


@pytest.fixture
def yesterday() -> dt.timedelta:
    """Give a day and a little."""
    return dt.timedelta(days=1, seconds=5)
