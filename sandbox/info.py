"""What a program needs to drive a running sandbox, in the shape that is fixed for it."""

from __future__ import annotations

from sandbox.banks import BANKS, BY_BIN
from sandbox.bills import BILLERS
from sandbox.cards import CARDS, every_card
from sandbox.seed import cvv2_of_card
from sandbox.world import HANGING_BIN, HANGING_NAME, METERED, TERMINAL_ID, World

NAMES = {**{prefix: bank.name_en for prefix, bank in BY_BIN.items()}, HANGING_BIN: HANGING_NAME[1]}


def info_of(world: World) -> dict[str, object]:
    """Describe the sandbox: addresses, banks, merchant, cards, and the credentials of each PSP's door.

    Raises:
        CannotRun: when the sandbox was never started.
    """
    return {
        "gateway": world.address("gateway"),
        "shop": world.address("shop"),
        "banks": [
            *({"name": bank.name_en, "bin": bank.bin, "url": world.address(bank.web)} for bank in BANKS),
            {"name": HANGING_NAME[1], "bin": HANGING_BIN, "url": world.address("hanging_bank")},
        ],
        "metrics": [f"{world.address(name)}/metrics" for name in METERED],
        "merchant": {"terminal_id": TERMINAL_ID, **world.handed_out()},
        "cards": [
            {
                "pan": card.pan.reveal(),
                "cvv2": cvv2_of_card(world, card),
                "exp_month": card.expiry[2:],
                "exp_year": card.expiry[:2],
                "mobile": card.mobile,
                "pin1": card.pin1,
                "bank": NAMES[card.bin],
                "behaviour": card.behaviour,
            }
            for card in every_card()
        ],
        "bills": [
            {
                "bill_id": bill.bill_id,
                "payment_id": bill.payment_id,
                "barcode": bill.barcode,
                "amount": bill.amount.amount,
            }
            for biller in BILLERS
            for bill in biller.bills
        ],
        "doors": {},
    }


def guide_of(world: World) -> dict[str, object]:
    """Return what the sandbox's own pages tell people of all this: addresses and cards, no credential of a merchant."""
    names = {prefix: {"fa": bank.name_fa, "en": bank.name_en} for prefix, bank in BY_BIN.items()}
    names[HANGING_BIN] = dict(zip(("fa", "en"), HANGING_NAME, strict=True))
    cards = [
        {
            "pan": card.pan.reveal(),
            "cvv2": cvv2_of_card(world, card),
            "expiry": f"{card.expiry[2:]}/{card.expiry[:2]}",
            "mobile": card.mobile,
            "pin1": card.pin1,
            "pin2": card.pin2,
            "bank": names[card.bin],
            "behaviour": card.behaviour,
        }
        for card in CARDS
    ]
    return {"shop": world.address("shop"), "gateway": world.address("gateway"), "cards": cards}
