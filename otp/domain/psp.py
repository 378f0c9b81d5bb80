"""A PSP as the bank knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Psp:
    """A company whose requests the bank answers.

    Args:
        acquirer_id: the only acquirer it may name in a request (DE 32).
        public_keys: raw Ed25519 public key by key id; two may live at a time (D41).
        certificates: PEM of the X.509 certificates that sign its SOAP messages, one after the other; likewise two.
        disclosure: ``open`` or ``proven`` (D19).
        webotp_host: host of its payment page; only then the SMS ends with ``@host #code`` (D25).
        verify_enabled: whether VerifyDynamicPin is open to it (D13).
        unbound_max_rial: the most one code may take that it asked for in a weak dialect; 0 refuses those (D6, D14).
    """

    psp_id: str
    name: str
    acquirer_id: str
    public_keys: Mapping[str, bytes]
    disclosure: str = "proven"
    webotp_host: str | None = None
    verify_enabled: bool = False
    certificates: str = ""
    unbound_max_rial: int = 0
