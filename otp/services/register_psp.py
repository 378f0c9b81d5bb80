"""Register a PSP: who may ask this bank for codes, and by which keys it is known."""

from __future__ import annotations

from foundation.certificates import pinned_certificates
from otp.domain.errors import UnknownPsp
from otp.domain.psp import Psp
from otp.services.bank import Bank
from otp.store import psps


def register_psp(bank: Bank, psp: Psp) -> None:
    """Write a new PSP; it is known everywhere after ``OTP_DIRECTORY_SECONDS``.

    Raises:
        DuplicatePsp: when its id or its acquirer is taken.
        CertificateRefused: when its certificates cannot be used.
    """
    if psp.certificates:
        pinned_certificates(psp.certificates)
    with bank.database.begin() as connection:
        psps.add(connection, psp)


def open_verify(bank: Bank, psp_id: str, *, enabled: bool) -> None:
    """Open VerifyDynamicPin to a PSP, or close it; known everywhere after ``OTP_DIRECTORY_SECONDS`` (D13).

    Raises:
        UnknownPsp: when there is none with this id.
    """
    with bank.database.begin() as connection:
        if not psps.open_verify(connection, psp_id, enabled=enabled):
            raise UnknownPsp(psp_id)
