"""Fills an empty sandbox through the organisations' own services: cards, operators, PSP, merchant, key, issuer."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from foundation.keys import Keyring
from foundation.sensitive import Sensitive
from gateway import config as gateway_config
from gateway import wiring as gateway_wiring
from gateway.domain.issuers import Issuer
from gateway.services import enrol
from gateway.services.enrol import NewMerchant
from gateway.services.gateway import Gateway
from gateway.services.keys import new_key
from gateway.services.owed import add_biller
from gateway.services.owed import add_operator as add_operator_of_numbers
from otp import config as bank_config
from otp import wiring as bank_wiring
from otp.domain.cvv2 import cvv2_of
from otp.domain.errors import DuplicateCard, DuplicatePsp
from otp.domain.operators import Role
from otp.domain.psp import Psp
from otp.domain.purposes import CARD_VERIFICATION
from otp.services.bank import Bank as OpenBank
from otp.services.open_card import NewCard, block_card, open_card
from otp.services.operators import add_operator, every_operator
from otp.services.register_psp import allow_unbound, register_psp
from sandbox.balances import BALANCE_MERCHANT_ID, BALANCE_NAMES, BALANCE_PAYEE, BALANCE_TERMINAL_ID
from sandbox.banks import BANK_TWO, BANKS, BY_BIN, SERIES, Bank, Series
from sandbox.bills import BILL_MERCHANT_ID, BILL_NAMES, BILL_PAYEE, BILL_TERMINAL_ID, BILLERS
from sandbox.cards import SandboxCard, every_card
from sandbox.keys import GATEWAY_SIGNING_KEY_ID, certificate, public_key
from sandbox.top_ups import OPERATORS as OPERATORS_OF_NUMBERS
from sandbox.top_ups import TOP_UP_MERCHANT_ID, TOP_UP_NAMES, TOP_UP_PAYEE, TOP_UP_TERMINAL_ID
from sandbox.transfers import TRANSFER_MERCHANT_ID, TRANSFER_NAMES, TRANSFER_PAYEE, TRANSFER_TERMINAL_ID
from sandbox.world import (
    ACQUIRER_ID,
    ADDRESS,
    HANGING_BIN,
    HANGING_ISSUER_ID,
    HANGING_NAME,
    MERCHANT_ID,
    PSP_ID,
    TERMINAL_ID,
    UNBOUND_RIAL,
    World,
)

GATEWAY_SOAP_KEY_ID = "pooya-soap-1"
WEBOTP_HOST = "localhost"
OPERATORS = ("sara", "reza")
"""Two, because one asks for an unlock and another approves it."""
OPERATOR_PASSWORD = "sandbox-operator"  # noqa: S105 - of a sandbox, and told in its documents


def seed_bank(world: World, which: Bank) -> None:
    """Open the cards of :data:`sandbox.cards.CARDS` and register the gateway; what is there already stays as it is."""
    with bank_of(world, which) as bank:
        for card in every_card():
            if BY_BIN.get(card.bin) is which:
                _open(bank, card)
        _let_operators_in(bank)
        _register_gateway(bank, world)
        allow_unbound(bank, PSP_ID, UNBOUND_RIAL)


@contextmanager
def bank_of(world: World, which: Bank, *, process: str = "otp") -> Iterator[OpenBank]:
    """Open one bank as its own processes do; ``process`` is what its connections are called."""
    with _settings_of(world, which.organisation):
        bank = bank_wiring.build(bank_config.load(), process=process)
    try:
        yield bank
    finally:
        bank.database.close()
        if bank.reader is not None:
            bank.reader.close()


def seed_gateway(world: World) -> None:
    """Insert or correct the shop as a merchant, its key, and the bank as an issuer."""
    handed = world.handed_out()
    with gateway_of(world) as gateway:
        enrol.add_merchant(gateway, _merchant(world))
        new_key(gateway, TERMINAL_ID, secret=handed["secret_key"])
        _add_billers(gateway, world)
        _add_houses(gateway, world)
        for bank in BANKS:
            enrol.add_issuer(gateway, issuer_of(world, bank), (bank.bin,))
        for series in SERIES:
            enrol.add_issuer(gateway, _issuer_of_series(world, series), (series.bin,))
        enrol.add_issuer(gateway, _hanging_issuer(world), (HANGING_BIN,))


@contextmanager
def gateway_of(world: World) -> Iterator[Gateway]:
    """Open the gateway as its own commands do."""
    with _settings_of(world, "gateway"):
        gateway = gateway_wiring.build(gateway_config.load())
    try:
        yield gateway
    finally:
        gateway.database.close()
        if gateway.reader is not None:
            gateway.reader.close()


def more_terminals(world: World, count: int) -> tuple[str, ...]:
    """Give the shop so many more terminals in a sandbox that runs; returns their secret keys."""
    merchant = _merchant(world)
    terminals = (str(int(TERMINAL_ID) + number) for number in range(1, count + 1))
    return _enrolled(world, (replace(merchant, terminal_id=terminal_id) for terminal_id in terminals))


def more_merchants(world: World, count: int) -> tuple[str, ...]:
    """Enrol so many more merchants like the shop, each with one terminal, in a sandbox that runs; as above."""
    merchant = replace(_merchant(world), webhook_url=None, webhook_secret=None)
    numbers = range(1_000, 1_000 + count)
    return _enrolled(
        world,
        (replace(merchant, merchant_id=f"{number:015}", terminal_id=f"3{number:07}") for number in numbers),
    )


def _enrolled(world: World, merchants: Iterable[NewMerchant]) -> tuple[str, ...]:
    with gateway_of(world) as gateway:
        keys = []
        for merchant in merchants:
            enrol.add_merchant(gateway, merchant)
            keys.append(new_key(gateway, merchant.terminal_id))
        return tuple(keys)


def cvv2_of_card(world: World, card: SandboxCard) -> str:
    """Return the three digits on the back of a sandbox card."""
    keys = Keyring.from_file(world.key_file(BY_BIN.get(card.bin, BANK_TWO).organisation))
    cvk = keys.material(keys.active_id(CARD_VERIFICATION))
    return cvv2_of(cvk.reveal(), card.pan, card.expiry)


def _merchant(world: World) -> NewMerchant:
    return NewMerchant(
        merchant_id=MERCHANT_ID,
        terminal_id=TERMINAL_ID,
        name_fa="بازارچهٔ نمونه",
        name_en="Sample Bazaar",
        payee_name="بازارچه نمونه",
        site=world.address("shop"),
        webhook_url=f"http://localhost:{world.reached_at('shop')}/webhooks/pooya",
        webhook_secret=world.handed_out()["webhook_secret"],
    )


def _add_houses(gateway: Gateway, world: World) -> None:
    """Let people send money, top up numbers and ask for balances: the gateway's own terminals, and the operators."""
    site = world.address("gateway")
    houses = (
        (TRANSFER_MERCHANT_ID, TRANSFER_TERMINAL_ID, *TRANSFER_NAMES, TRANSFER_PAYEE),
        (TOP_UP_MERCHANT_ID, TOP_UP_TERMINAL_ID, *TOP_UP_NAMES, TOP_UP_PAYEE),
        (BALANCE_MERCHANT_ID, BALANCE_TERMINAL_ID, *BALANCE_NAMES, BALANCE_PAYEE),
    )
    for house in houses:
        enrol.add_merchant(gateway, NewMerchant(*house, site=site))
    for operator, row in OPERATORS_OF_NUMBERS.items():
        enrol.add_merchant(gateway, NewMerchant(*row, site="https://operators.example"))
        add_operator_of_numbers(gateway, operator, row[0])


def _add_billers(gateway: Gateway, world: World) -> None:
    """Let bills be paid: the gateway's own terminal for them, and the companies that send them."""
    house = NewMerchant(BILL_MERCHANT_ID, BILL_TERMINAL_ID, *BILL_NAMES, BILL_PAYEE, site=world.address("gateway"))
    enrol.add_merchant(gateway, house)
    for biller in BILLERS:
        enrol.add_merchant(
            gateway,
            NewMerchant(
                biller.merchant_id,
                biller.terminal_id,
                biller.name_fa,
                biller.name_en,
                biller.payee_name,
                site="https://bills.example",
            ),
        )
        for bill in biller.bills:
            add_biller(gateway, biller.merchant_id, int(bill.service), bill.company)


def _open(bank: OpenBank, card: SandboxCard) -> None:
    try:
        open_card(
            bank,
            NewCard(
                pan=card.pan,
                expiry=card.expiry,
                mobile=card.mobile,
                balance=card.balance,
                customer=card.customer,
                holder=card.holder,
                kind=card.kind,
                first_pin=Sensitive(card.pin1),
                static_second_pin=Sensitive(card.pin2) if card.pin2 else None,
            ),
        )
    except DuplicateCard:
        return
    if card.blocked:
        block_card(bank, card.pan)


def _let_operators_in(bank: OpenBank) -> None:
    known = {operator.name for operator in every_operator(bank)}
    for name in OPERATORS:
        if name not in known:
            add_operator(bank, name, Sensitive(OPERATOR_PASSWORD), Role.OPERATOR)


def _register_gateway(bank: OpenBank, world: World) -> None:
    key = public_key(world.key_file("gateway"), GATEWAY_SIGNING_KEY_ID)
    try:
        register_psp(
            bank,
            Psp(
                psp_id=PSP_ID,
                name="Pooya",
                acquirer_id=ACQUIRER_ID,
                public_keys={GATEWAY_SIGNING_KEY_ID: key},
                disclosure="open",
                webotp_host=WEBOTP_HOST,
                certificates=certificate(world.key_file("gateway"), GATEWAY_SOAP_KEY_ID),
            ),
        )
    except DuplicatePsp:
        return


def issuer_of(world: World, bank: Bank) -> Issuer:
    """Return the row by which the gateway knows a bank."""
    key_file, key_id = world.key_file(bank.organisation), f"{bank.issuer_id}-harim-1"
    return Issuer(
        issuer_id=bank.issuer_id,
        name_fa=bank.name_fa,
        name_en=bank.name_en,
        harim_dialect=bank.dialect,
        harim_url=f"http://localhost:{world.reached_at(bank.web)}",
        harim_key_id=key_id,
        harim_public_key=public_key(key_file, key_id),
        harim_certificates=certificate(key_file, f"{bank.issuer_id}-soap-1"),
        harim_timeout_ms=8_000,
        switch_host=ADDRESS,
        switch_port=world.reached_at(bank.front),
        switch_timeout_ms=10_000,
        code_life_seconds=120,
        resend_wait_seconds=60,
        keeps_tombstones=True,
    )


def _issuer_of_series(world: World, series: Series) -> Issuer:
    """Return the row of a bank's further cards: asked about in another dialect, authorised over the same link."""
    row = issuer_of(world, series.bank)
    return replace(row, issuer_id=series.issuer_id, harim_dialect=series.dialect, switch_of=row.issuer_id)


def _hanging_issuer(world: World) -> Issuer:
    """A bank whose machines accept every connection and never answer (F18)."""
    return replace(
        issuer_of(world, BANK_TWO),
        issuer_id=HANGING_ISSUER_ID,
        name_fa=HANGING_NAME[0],
        name_en=HANGING_NAME[1],
        harim_url=f"http://localhost:{world.ports['hanging_bank']}",
        switch_port=world.ports["hanging_bank"],
    )


@contextmanager
def _settings_of(world: World, organisation: str) -> Iterator[None]:
    """Let one organisation's settings be read from its own environment, and put ours back.

    Its numbers are not this process's to count: those would hold for whatever runs here afterwards.
    """
    before = dict(os.environ)
    own = world.environment(organisation).items()
    os.environ.update({name: text for name, text in own if not name.endswith("_METRICS_DIRECTORY")})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
