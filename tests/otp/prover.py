"""A PSP whose authorisation runs elsewhere: it has codes checked, and its acquirer shows the proofs at the host."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from foundation.pan import Pan
from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp import worker
from otp.domain.binding import Binding
from otp.domain.financial import HostAnswer, MessageKey, Purchase, Reversal
from otp.domain.spending import Limits
from otp.services.authorise import authorise
from otp.services.desk import Desk
from otp.services.issue_code import Told
from otp.services.verify_code import Check, verify_code
from tests.otp.test_deliver import code_in

EXPIRY = "0812"


@dataclass
class Prover:
    """Drives one bank (``here`` of the bank's tests) from both sides."""

    here: Any
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def desk(self) -> Desk:
        """The bank's authorisation desk."""
        return Desk(self.here.bank.database, self.here.bank.keys, Limits(Rial(50_000_000), Rial(80_000_000)))

    def code(self, pan: Pan, binding: Binding) -> str:
        """Have a code sent, and read it from the phone."""
        assert self.here.ask(pan, binding, sequence=next(self.numbers)).body["code"] == "ACCEPTED"
        with ThreadPoolExecutor(1) as pool:
            worker.make(self.here.bank).tick(pool)
        return code_in(self.here.phone.texts[-1])

    def check(self, pan: Pan, binding: Binding, pin: str, **changes: Any) -> Check:
        """Make a request to check a code."""
        request_id = str(uuid.uuid4())
        check = Check(
            request_id=request_id,
            sequence=next(self.numbers),
            body_hash=hashlib.sha256(request_id.encode()).digest(),
            binding=binding,
            pan=pan,
            cvv2=self.here.cvv2(pan),
            expiry=Sensitive(EXPIRY),
            pin=Sensitive(pin),
        )
        return replace(check, **changes)

    def verify(self, pan: Pan, binding: Binding, pin: str, **changes: Any) -> Told:
        """Have a code checked."""
        return verify_code(self.here.bank, self.here.psp, self.check(pan, binding, pin, **changes))

    def proof(self, pan: Pan, binding: Binding) -> str:
        """Have a code sent and checked."""
        told = self.verify(pan, binding, self.code(pan, binding))
        assert told.body["code"] == "VERIFIED"
        return str(told.body["proof"])

    def purchase(self, pan: Pan, binding: Binding, proof: str | None, **changes: Any) -> Purchase:
        """Make the purchase that shows a proof, under a key of its own."""
        number = next(self.numbers)
        now = self.here.sql("SELECT house_now() AS now")[0]["now"].astimezone(TEHRAN)
        purchase = Purchase(
            key=MessageKey(
                binding.acquirer_id,
                binding.terminal_id,
                f"{number:06}",
                f"{number:012}",
                now.strftime("%y%m%d%H%M%S"),
            ),
            sent_at=now,
            processing_code="000000",
            type_word=binding.type,
            total=binding.amount + binding.fee,
            fee=binding.fee,
            merchant_id=binding.merchant_id,
            payee_name=binding.payee_name,
            payee_key=binding.payee_key,
            transaction_ref=binding.transaction_ref,
            pan=pan,
            expiry=Sensitive(EXPIRY),
            cvv2=self.here.cvv2(pan),
            pin=None,
            proof=None if proof is None else Sensitive(proof),
        )
        return replace(purchase, **changes)

    def spend(self, pan: Pan, binding: Binding, proof: str, **changes: Any) -> str:
        """Show a proof; return the action code."""
        return str(self.pay(self.purchase(pan, binding, proof, **changes)).action_code)

    def pay(self, purchase: Purchase) -> HostAnswer:
        """Authorise."""
        return authorise(self.desk, purchase)

    def undo(self, purchase: Purchase) -> Reversal:
        """Make the reversal of a purchase."""
        return Reversal(purchase.key, f"{next(self.numbers):06}", purchase.key.local_time, purchase.total, purchase.pan)

    def balance(self) -> int:
        """Add up what all cards have."""
        return int(self.here.sql("SELECT sum(balance_rial) AS n FROM card")[0]["n"])

    def unexplained(self) -> int:
        """Compare balances with postings; zero when no rial is lost."""
        signed = "CASE event WHEN 'purchase' THEN -amount_rial ELSE amount_rial END"
        moved = self.here.sql(f"SELECT coalesce(sum({signed}), 0) AS n FROM posting")[0]["n"]
        opened = self.here.sql("SELECT sum(opened_rial) AS n FROM card")[0]["n"]
        return self.balance() - int(opened) - int(moved)
