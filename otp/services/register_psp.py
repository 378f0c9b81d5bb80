"""Register a PSP: who may ask this bank for codes, how it is known, and what is open to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from foundation.certificates import Pinned, pinned_certificates
from otp.domain.binding import payee_name_allowed
from otp.domain.errors import InvalidPsp, UnknownPsp
from otp.domain.psp import Psp
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.store import psps

LIVE_MAX = 2
"""Keys, and certificates, that live at a time while one is being changed (D41)."""

PUBLIC_KEY_BYTES = 32

_PSP_ID = re.compile(r"[a-z0-9-]{1,32}")
_ACQUIRER_ID = re.compile(r"[0-9]{6,11}")
_WEBOTP_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?")


def register_psp(bank: Bank, psp: Psp, *, by: By | None = None) -> None:
    """Write a new PSP; it is known everywhere after ``OTP_DIRECTORY_SECONDS``.

    Raises:
        InvalidPsp: when a value is wrong, or a key or certificate is another PSP's.
        DuplicatePsp: when its id or its acquirer is taken.
        CertificateRefused: when its certificates cannot be used.
    """
    _check(psp)
    pinned = _pinned(psp.certificates)
    with bank.database.begin() as connection:
        psps.hold(connection)
        _check_of_nobody_else(psp, pinned, psps.active(connection))
        psps.add(connection, psp)
        details = {"acquirer_id": psp.acquirer_id, "disclosure": psp.disclosure, "known_by": _known_by(psp, pinned)}
        note(connection, bank.keys, by, "psp.registered", f"psp:{psp.psp_id}", details)


def pin(
    bank: Bank,
    psp_id: str,
    *,
    public_keys: Mapping[str, bytes] | None,
    certificates: str | None,
    by: By | None = None,
) -> None:
    """Know a PSP by these keys or certificates instead of those it had; ``None`` leaves them (D41).

    One that is shut out as well, so that a key which leaked is never good again.

    Raises:
        InvalidPsp: when a value is wrong, or a key or certificate is another PSP's.
        CertificateRefused: when its certificates cannot be used.
        UnknownPsp: when there is none with this id.
    """
    with bank.database.begin() as connection:
        psps.hold(connection)
        active = psps.active(connection)
        known = {psp.psp_id: psp for psp in (*active, *psps.shut_out(connection))}
        if psp_id not in known:
            raise UnknownPsp(psp_id)
        was = known[psp_id]
        psp = replace(
            was,
            public_keys=was.public_keys if public_keys is None else public_keys,
            certificates=was.certificates if certificates is None else certificates,
        )
        _check(psp)
        pinned = _pinned(psp.certificates)
        _check_of_nobody_else(psp, pinned, active)
        psps.identify(connection, psp)
        note(connection, bank.keys, by, "psp.pinned", f"psp:{psp_id}", {"known_by": _known_by(psp, pinned)})


def open_verify(bank: Bank, psp_id: str, *, enabled: bool, by: By | None = None) -> None:
    """Open VerifyDynamicPin to a PSP, or close it; known everywhere after ``OTP_DIRECTORY_SECONDS`` (D13).

    Raises:
        UnknownPsp: when there is none with this id.
    """
    _change(bank, psp_id, "verify_enabled", enabled, by)


def allow_unbound(bank: Bank, psp_id: str, ceiling_rial: int, *, by: By | None = None) -> None:
    """Let a PSP ask for codes that are not bound to every fact, up to so many rials each; 0 refuses them (D6, D14).

    Codes that are out keep the ceiling that they were made under, and the bank's own maximum holds besides.

    Raises:
        InvalidPsp: when the ceiling is above the bank's maximum.
        UnknownPsp: when there is none with this id.
    """
    most = bank.settings.unbound_code_max_rial
    _require(0 <= ceiling_rial <= most, f"a ceiling is 0 to {most} rials (OTP_UNBOUND_CODE_MAX_RIAL)")
    _change(bank, psp_id, "unbound_max_rial", ceiling_rial, by)


def shut_out(bank: Bank, psp_id: str, *, by: By | None = None) -> None:
    """Answer a PSP no more, everywhere after ``OTP_DIRECTORY_SECONDS``; codes that are out stay as they are.

    Raises:
        UnknownPsp: when there is none with this id, or it is shut out already.
    """
    with bank.database.begin() as connection:
        if not psps.set_active(connection, psp_id, active=False):
            raise UnknownPsp(psp_id)
        note(connection, bank.keys, by, "psp.shut_out", f"psp:{psp_id}")


def let_in(bank: Bank, psp_id: str, *, by: By | None = None) -> None:
    """Answer a PSP again that was shut out, everywhere after ``OTP_DIRECTORY_SECONDS``.

    Raises:
        InvalidPsp: when one of its keys or certificates has become another PSP's.
        UnknownPsp: when none with this id is shut out.
    """
    with bank.database.begin() as connection:
        psps.hold(connection)
        waiting = {psp.psp_id: psp for psp in psps.shut_out(connection)}
        if psp_id not in waiting:
            raise UnknownPsp(psp_id)
        psp = waiting[psp_id]
        pinned = _pinned(psp.certificates)
        _check_of_nobody_else(psp, pinned, psps.active(connection))
        psps.set_active(connection, psp_id, active=True)
        note(connection, bank.keys, by, "psp.let_in", f"psp:{psp_id}", {"known_by": _known_by(psp, pinned)})


def registered(bank: Bank) -> list[tuple[Psp, list[str]]]:
    """Return every active PSP with the SHA-256 of its certificates, hex."""
    with bank.database.single() as connection:
        found = psps.active(connection)
    return [(psp, [each.fingerprint for each in psps.pinned(psp)]) for psp in found]


def outsiders(bank: Bank) -> list[Psp]:
    """Return every PSP that is shut out."""
    with bank.database.single() as connection:
        return psps.shut_out(connection)


def _change(bank: Bank, psp_id: str, column: str, value: int, by: By | None) -> None:
    with bank.database.begin() as connection:
        if not psps.change(connection, psp_id, column, value):
            raise UnknownPsp(psp_id)
        note(connection, bank.keys, by, "psp.changed", f"psp:{psp_id}", {column: value})


def _known_by(psp: Psp, pinned: Iterable[Pinned]) -> str:
    return ", ".join((*psp.public_keys, *(each.fingerprint for each in pinned)))


def _check(psp: Psp) -> None:
    _require(_PSP_ID.fullmatch(psp.psp_id), "a PSP's id has small letters, digits and dashes, at most 32")
    _require(payee_name_allowed(psp.name), "a PSP's name has letters, spaces and single digits, at most 20 (D25)")
    _require(_ACQUIRER_ID.fullmatch(psp.acquirer_id), "an acquirer's id has 6 to 11 digits")
    _require(
        psp.webotp_host is None or _WEBOTP_HOST.fullmatch(psp.webotp_host), "a WebOTP host is a name, perhaps with port"
    )
    _require(psp.public_keys or psp.certificates, "a PSP is known by a key or by a certificate")
    _require(len(psp.public_keys) <= LIVE_MAX, f"at most {LIVE_MAX} keys live at a time")
    for raw in psp.public_keys.values():
        _require(len(raw) == PUBLIC_KEY_BYTES, f"a public key has {PUBLIC_KEY_BYTES} bytes (Ed25519)")


def _pinned(pem: str) -> tuple[Pinned, ...]:
    _require("PRIVATE KEY" not in pem, "hand over certificates only: a private key stays with its owner")
    pinned = pinned_certificates(pem) if pem else ()
    _require(len(pinned) <= LIVE_MAX, f"at most {LIVE_MAX} certificates live at a time")
    return pinned


def _check_of_nobody_else(psp: Psp, own: Iterable[Pinned], everybody: Iterable[Psp]) -> None:
    others = [other for other in everybody if other.psp_id != psp.psp_id]
    keys = {key_id for other in others for key_id in other.public_keys}
    _require(keys.isdisjoint(psp.public_keys), "a key id names one PSP only; another one has it")
    taken = {each.fingerprint for other in others for each in psps.pinned(other)}
    _require(taken.isdisjoint(each.fingerprint for each in own), "a certificate names one PSP only; another one has it")


def _require(holds: object, sentence: str) -> None:
    if not holds:
        raise InvalidPsp(sentence)
