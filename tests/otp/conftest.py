"""A bank on the real database, with keys of its own, a phone box instead of an SMS panel, and one PSP."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from foundation.database import Database
from foundation.keys import Keyring
from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from foundation.signatures import public_key_of
from otp import wiring
from otp.config import Settings
from otp.domain import purposes
from otp.domain.binding import Binding, TransactionType
from otp.domain.cvv2 import cvv2_of
from otp.domain.psp import Psp
from otp.ports import SmsAccepted, SmsMessage, SmsRefused, SmsUnanswered
from otp.services.bank import Bank
from otp.services.cards import card_tokens
from otp.services.issue_code import CodeRequest, Told, issue_code
from otp.services.open_card import NewCard, open_card
from otp.services.register_psp import register_psp
from sandbox.certificates import certificate_of, new_identity
from tests.fakes.loose import unguarded

EXPIRY = "0812"
ACQUIRER = "581672061"
PSP_PRIVATE_KEY = hashlib.sha256(b"test key of the PSP").digest()
PSP_IDENTITY, BANK_IDENTITY = new_identity("psp"), new_identity("bank")
REF_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class PhoneBox:
    """An SMS provider with a memory; ``answers`` are given first, then every message is accepted."""

    def __init__(self) -> None:
        self.sent: list[SmsMessage] = []
        self.answers: list[SmsAccepted | SmsRefused | SmsUnanswered] = []
        self._lock = threading.Lock()

    def send(self, message: SmsMessage) -> SmsAccepted | SmsRefused | SmsUnanswered:
        """Keep the message, and give the next answer."""
        with self._lock:
            answer = self.answers.pop(0) if self.answers else SmsAccepted(f"box-{len(self.sent)}")
            if isinstance(answer, SmsAccepted):
                self.sent.append(message)
            return answer

    @property
    def texts(self) -> list[str]:
        """What the phones show, oldest first."""
        return [message.text.reveal() for message in self.sent]


class BankWorld:
    """A bank with helpers for arranging and looking."""

    def __init__(self, bank: Bank, phone: PhoneBox, psp: Psp, owner: Database) -> None:
        self.bank = bank
        self.phone = phone
        self.psp = psp
        self.owner = owner

    def sql(self, statement: str, **values: object) -> list[Mapping[str, Any]]:
        """Run one statement as the owner and return its rows."""
        with self.owner.begin() as connection:
            result = connection.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def forge(self, statement: str, **values: object) -> None:
        """Run one statement that the tables refuse to their owner too."""
        with self.owner.begin() as connection, unguarded(connection.exec_driver_sql, statement):
            connection.execute(text(statement), values)

    def card(self, mobile: str | None = "09121234567", *, customer: str | None = None, **columns: object) -> Pan:
        """Open a card account."""
        pan = Pan.parse(with_check_digit("999002" + "".join(secrets.choice("0123456789") for _ in range(9))))
        card_id = open_card(self.bank, NewCard(pan, EXPIRY, mobile, Rial(10_000_000), customer=customer))
        for name, value in columns.items():
            self.sql(f"UPDATE card SET {name} = :value WHERE card_id = :card_id", value=value, card_id=card_id)
        return pan

    def name_of(self, pan: Pan) -> bytes:
        """Return what a card's codes and PINs are bound to."""
        tokens = list(card_tokens(self.bank.keys, pan))
        return bytes(
            self.sql("SELECT card_name FROM card WHERE card_token = ANY(:tokens)", tokens=tokens)[0]["card_name"]
        )

    def ref(self) -> str:
        """Make a fresh payment reference."""
        return "".join(secrets.choice(REF_ALPHABET) for _ in range(16))

    def binding(self, **changes: Any) -> Binding:
        """Make a purchase of 250,000 rials."""
        values: dict[str, Any] = {
            "type": TransactionType.PURCHASE,
            "amount": Rial(250_000),
            "fee": Rial(0),
            "acquirer_id": ACQUIRER,
            "merchant_id": "000000000012345",
            "terminal_id": "00012345",
            "payee_name": "فروشگاه نمونه",
            "payee_key": "",
            "transaction_ref": self.ref(),
        }
        return Binding(**{**values, **changes})

    def cvv2(self, pan: Pan, expiry: str = EXPIRY) -> Sensitive[str]:
        """Return the card's right CVV2."""
        keys = self.bank.keys
        return Sensitive(cvv2_of(keys.material(keys.active_id(purposes.CARD_VERIFICATION)).reveal(), pan, expiry))

    def request(
        self, pan: Pan, binding: Binding | None = None, *, proof: str = "right", sequence: int = 1, **changes: Any
    ) -> CodeRequest:
        """Make a request: ``proof`` is ``right``, ``none`` or ``wrong``."""
        right = self.cvv2(pan).reveal()
        cvv2 = {"right": right, "wrong": f"{(int(right) + 1) % 1000:03}"}.get(proof)
        request_id = str(uuid.uuid4())
        values: dict[str, Any] = {
            "request_id": request_id,
            "sequence": sequence,
            "body_hash": hashlib.sha256(request_id.encode()).digest(),
            "binding": binding or self.binding(),
            "pan": pan,
            "cvv2": None if cvv2 is None else Sensitive(cvv2),
            "expiry": None if cvv2 is None else Sensitive(EXPIRY),
        }
        return CodeRequest(**{**values, **changes})

    def ask(self, pan: Pan, binding: Binding | None = None, **changes: Any) -> Told:
        """Send a request to the service."""
        return issue_code(self.bank, self.psp, self.request(pan, binding, **changes))

    def age(self, seconds: float) -> None:
        """Make every challenge so much older."""
        columns = ("issued_at", "sent_at", "expires_at")
        moves = ", ".join(f"{column} = {column} - make_interval(secs => :seconds)" for column in columns)
        self.sql(f"UPDATE challenge SET {moves}", seconds=seconds)

    def challenges(self) -> list[Mapping[str, Any]]:
        """Return every challenge, oldest first."""
        return self.sql("SELECT * FROM challenge ORDER BY challenge_id")

    def queued(self) -> int:
        """Count the messages in the outbox."""
        return int(self.sql("SELECT count(*) AS n FROM outbox")[0]["n"])


def write_key_file(path: Path) -> Path:
    """Write a key file with a key of every purpose."""
    rows = [(purpose, 32) for purpose in purposes.SYMMETRIC]
    rows += [(purposes.CARD_VERIFICATION, 16), (purposes.HARIM_SIGNING, 32)]
    keys = [
        {
            "id": f"{purpose}-1",
            "purpose": purpose,
            "material": base64.b64encode(hashlib.sha256(f"test {purpose}".encode()).digest()[:size]).decode(),
        }
        for purpose, size in rows
    ]
    soap_key = {"id": "harim-soap-signing-1", "purpose": purposes.HARIM_SOAP_SIGNING}
    keys.append({**soap_key, "material": base64.b64encode(BANK_IDENTITY).decode()})
    path.write_text(json.dumps({"keys": keys}))
    path.chmod(0o600)
    return path


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a key file."""
    return write_key_file(tmp_path_factory.mktemp("keys") / "bank.json")


@pytest.fixture
def settings(key_file: Path, bank_urls: dict[str, str]) -> Settings:
    """Give the bank's settings; profiles disclose to proven requests only (D19)."""
    return make_settings(key_file, bank_urls)


def make_settings(key_file: Path, bank_urls: dict[str, str], **changes: Any) -> Settings:
    """Make settings for tests."""
    values: dict[str, Any] = {
        "database_url": bank_urls["application"],
        "owner_database_url": bank_urls["owner"],
        "key_file": key_file,
        "public_url": "http://bank.test",
        "bank_name_fa": "بانک نمونه",
        "bank_name_en": "Sample Bank",
        "directory_seconds": 0,
    }
    return Settings(**{**values, **changes})


@pytest.fixture
def phone() -> PhoneBox:
    """Give the box in which every SMS lands."""
    return PhoneBox()


@pytest.fixture
def make_bank(
    settings: Settings, bank_database: Database, bank_owner_database: Database, phone: PhoneBox
) -> Callable[..., BankWorld]:
    """Give a maker of banks: keyword arguments change the settings."""

    def make(*, profile: str = "proven", webotp_host: str | None = None, **changes: Any) -> BankWorld:
        chosen = settings.model_copy(update=changes)
        bank = wiring.build(chosen, sms=phone, database=bank_database)
        keys = {"pooya-1": public_key_of(PSP_PRIVATE_KEY)}
        psp = Psp(
            "pooya",
            "درگاه پویا",
            ACQUIRER,
            keys,
            disclosure=profile,
            webotp_host=webotp_host,
            certificates=certificate_of(PSP_IDENTITY),
        )
        register_psp(bank, psp)
        return BankWorld(bank, phone, psp, bank_owner_database)

    return make


@pytest.fixture
def here(make_bank: Callable[..., BankWorld]) -> BankWorld:
    """Give a bank whose profile discloses to proven requests only: the production default."""
    return make_bank()


@pytest.fixture
def keys(key_file: Path) -> Keyring:
    """Give the bank's keys."""
    return Keyring.from_file(key_file)
