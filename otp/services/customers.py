"""Whose card it is: known by the national code once, when a card is opened, and by the customer's number ever after.

The code is kept sealed for one use alone: its hash can be made anew when the key of the hashes changes (D41).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from foundation.keys import Keyring
from otp.domain import purposes
from otp.domain.customer import check_national_code, national_code_place
from otp.services.bank import Bank
from otp.services.cards import customer_tokens, lasting_mac
from otp.store import customers
from otp.store.customers import Hashes, KnownCustomer


def know_customer(keys: Keyring, connection: Connection, national_code: str) -> int:
    """Return the customer's number; the first card of a customer makes one.

    Raises:
        InvalidNationalCode: when the code is none.
    """
    code = check_national_code(national_code)
    known = customers.know(connection, _hashes(keys, code))
    _keep_sealed(keys, connection, known, code)
    return known.customer_id


def keep_national_codes(bank: Bank, national_codes: Iterable[str]) -> int:
    """Seal the codes of customers from before codes were kept, and hash them anew; return how many had none.

    Each is a commit of its own; a code of nobody changes nothing, and done again it does nothing.

    Raises:
        InvalidNationalCode: at the first that is none; those before it are kept.
    """
    number = 0
    for national_code in national_codes:
        code = check_national_code(national_code)
        with bank.database.begin() as connection:
            known = customers.find(connection, _hashes(bank.keys, code))
            if known is not None:
                number += known.unsealed
                _keep_sealed(bank.keys, connection, known, code)
    return number


def _hashes(keys: Keyring, code: str) -> Hashes:
    held_by = lasting_mac(keys, purposes.CUSTOMER_TOKEN, code.encode())
    key_id = keys.active_id(purposes.CUSTOMER_TOKEN)
    return Hashes(customer_tokens(keys, code, writing=key_id), key_id, held_by)


def _keep_sealed(keys: Keyring, connection: Connection, known: KnownCustomer, code: str) -> None:
    if known.unsealed:
        place = national_code_place(known.customer_id)
        sealed = keys.seal(purposes.PAN_SEAL, code.encode(), bound_to=place)
        customers.seal(connection, known.customer_id, sealed)
