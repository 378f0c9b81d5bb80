"""The approvals trail: who asked, who approved or refused, what and why (D35)."""

from __future__ import annotations

import dataclasses
from contextlib import suppress

import pytest

from foundation.rial import Rial
from gateway.domain.errors import RefusedRow
from gateway.domain.four_eyes import Asked
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import Approved, AuthorisationAnswer, Unknown
from gateway.ports import WrappedKeys
from gateway.services import audit_trail, reconcile
from gateway.services.approve import approve, ask, refuse, waiting
from gateway.services.approve_refund import approve_refund, give_up_waiting, refuse_refund
from gateway.services.change_keys import KeysNotChanged, change_keys
from gateway.services.enrol import add_issuer
from gateway.services.ibans import add_iban, ask_again
from gateway.services.keys import new_key, revoke_key, rotate_key
from gateway.services.pause_issuer import pause, resume
from gateway.services.settle import returned, settle
from tests.fakes.clearing import Clearing, days
from tests.fakes.shop import ISSUER, MERCHANT, Shop

IBAN = "IR062960000000100324200001"


@dataclasses.dataclass(frozen=True)
class Exchange:
    """An exchange of keys whose host gives one answer."""

    answer: AuthorisationAnswer

    def new_keys(self, _issuer: Issuer) -> WrappedKeys:
        """Draw a set."""
        return WrappedKeys("ks-0000000001", "kek-1", bytes(32), bytes(24), bytes(24))

    def offer(self, _issuer: Issuer, _keys: WrappedKeys) -> AuthorisationAnswer:
        """Offer it."""
        return self.answer

    def check_values(self, _issuer: Issuer, _keys: WrappedKeys) -> tuple[str, str, str]:
        """Return what is compared on the telephone."""
        return ("1", "2", "3")


def told(shop: Shop, subject: str) -> list[tuple[str, str, str]]:
    """Return the acts about a subject, oldest first: who, what, why."""
    acts = audit_trail.acts(shop.gateway, subject=subject, most=50)
    return [(each.act.actor, each.act.action, each.act.reason) for each in reversed(acts)]


def planted(shop: Shop) -> int:
    """Plant a difference between the books and return its number."""
    clearing = Clearing(shop)
    shop.confirm(shop.paid())
    clearing.capture()
    shop.later(days(1))
    reconcile.import_file(shop.gateway, "two", clearing.written())
    return reconcile.list_exceptions(shop.gateway)[0].exception_id


def test_d35_an_iban_tells_who_asked_who_tried_and_who_approved(shop: Shop) -> None:
    """D35: with what was asked for, and the approval that was not possible as well."""
    request = add_iban(shop.gateway, MERCHANT.merchant_id, IBAN, parts=1, by="sara", reason="letter of the shop")
    with pytest.raises(RefusedRow, match="somebody else"):
        approve(shop.gateway, request, by="sara")
    approve(shop.gateway, request, by="ali")
    removal = ask(shop.gateway, Asked.REMOVE_IBAN, 1, by="ali", reason="account closed")
    approve(shop.gateway, removal, by="sara")

    assert told(shop, "iban:1") == [
        ("operator:sara", "approval.asked", "letter of the shop"),
        ("operator:sara", "approval.not_possible", "sara asked for this; somebody else approves it"),
        ("operator:ali", "approval.approved", ""),
        ("operator:ali", "approval.asked", "account closed"),
        ("operator:sara", "approval.approved", ""),
    ]
    (_, _, first, *_) = audit_trail.acts(shop.gateway, subject="iban:1", most=50)
    assert first.act.details == {
        "merchant": MERCHANT.merchant_id,
        "iban": IBAN,
        "asks": "iban.add",
        "request": request,
        "asked_by": "sara",
        "because": "letter of the shop",
    }


def test_d35_a_resolution_can_be_refused_and_asked_for_again(shop: Shop) -> None:
    """D35: who said no, and why; nothing was done, and another request may follow."""
    number = planted(shop)
    first = ask(shop.gateway, Asked.RESOLVE, number, by="sara", reason="a mistake of ours", facts={"settle": True})

    done = refuse(shop.gateway, first, by="ali", reason="the bank has not answered")

    assert (done.request_id, waiting(shop.gateway)) == (first, [])
    assert [each.exception_id for each in reconcile.list_exceptions(shop.gateway)] == [number]
    with pytest.raises(RefusedRow, match="waits"):
        approve(shop.gateway, first, by="ali")
    with pytest.raises(RefusedRow, match="waits"):
        refuse(shop.gateway, first, by="ali", reason="once more")
    second = ask(shop.gateway, Asked.RESOLVE, number, by="sara", reason="now it has answered")
    approve(shop.gateway, second, by="ali")
    assert told(shop, f"exception:{number}") == [
        ("operator:sara", "approval.asked", "a mistake of ours"),
        ("operator:ali", "approval.refused", "the bank has not answered"),
        ("operator:sara", "approval.asked", "now it has answered"),
        ("operator:ali", "approval.approved", ""),
    ]


def test_d35_what_came_too_late_or_had_changed_stands_in_the_trail(shop: Shop) -> None:
    """D35: the word of whoever approved, and why it did not count."""
    late = add_iban(shop.gateway, MERCHANT.merchant_id, IBAN, parts=1, by="sara", reason="letter of the shop")
    shop.later(days(1) + 10)
    with pytest.raises(RefusedRow, match="more than a day"):
        approve(shop.gateway, late, by="ali")
    changed = ask_again(shop.gateway, 1, by="sara", reason="letter of the shop")
    shop.change("UPDATE merchant_iban SET parts = 2")
    with pytest.raises(RefusedRow, match="has changed"):
        approve(shop.gateway, changed, by="ali")

    refused = [
        (who, why.partition(";")[0]) for who, what, why in told(shop, "iban:1") if what == "approval.not_possible"
    ]
    assert refused == [
        ("operator:ali", "this request is more than a day old"),
        ("operator:ali", "what this is about has changed since it was asked for"),
    ]


def test_d35_large_refunds_tell_who_asked_and_who_decided(shop: Shop) -> None:
    """D35: by which key, and which of two people; one that nobody decided about is refused by the worker."""
    shop.gateway = dataclasses.replace(
        shop.gateway, settings=shop.gateway.settings.model_copy(update={"refund_four_eyes_rial": 1})
    )
    payment = shop.paid()
    shop.confirm(payment)
    for number in range(3):
        shop.refund(payment, 1_000, f"r-{number}")
    approve_refund(shop.gateway, 1, Rial(1_000), by="ali")
    refuse_refund(shop.gateway, 2, by="sara")
    key = told(shop, "refund:3")[0][0]
    with pytest.raises(RefusedRow, match="whoever asked"):
        approve_refund(shop.gateway, 3, Rial(1_000), by=key.replace(":", " "))
    shop.later(days(8))
    assert give_up_waiting(shop.gateway) == 1

    assert key == f"key:{shop.caller.key_id}"
    assert told(shop, "refund:1") == [(key, "refund.asked", ""), ("operator:ali", "refund.approved", "")]
    assert told(shop, "refund:2") == [(key, "refund.asked", ""), ("operator:sara", "refund.refused", "")]
    assert [(actor, action) for actor, action, _ in told(shop, "refund:3")] == [
        (key, "refund.asked"),
        (f"operator:{key.replace(':', ' ')}", "refund.not_decided"),
        ("worker:gateway", "refund.refused"),
    ]
    assert audit_trail.acts(shop.gateway, subject="refund:4", most=1) == []


def test_d35_a_refund_that_waits_for_nobody_is_no_act(shop: Shop) -> None:
    """The trail has what people decide, not what merchants do each second."""
    before = audit_trail.acts(shop.gateway, subject=None, most=50)
    payment = shop.paid()
    shop.confirm(payment)
    shop.refund(payment, 1_000, "r-1")

    assert audit_trail.acts(shop.gateway, subject=None, most=50) == before


def test_d35_who_registered_an_issuer_and_as_what_is_told(shop: Shop) -> None:
    """Its addresses decide whose word about money is believed; the same again is no act."""
    moved = dataclasses.replace(ISSUER, switch_port=9)
    for issuer in (moved, moved, ISSUER):
        add_issuer(shop.gateway, issuer, ("999002",), by="sara")
    add_issuer(shop.gateway, ISSUER, ("999002", "999003"), by="sara")

    assert told(shop, "issuer:two")[1:] == [("operator:sara", "issuer.registered", "")] * 3
    switches = [each.act.details["switch"] for each in audit_trail.acts(shop.gateway, subject="issuer:two", most=3)]
    assert switches == ["localhost:8182", "localhost:8182", "localhost:9"]


def test_d35_a_keys_whole_life_is_told_and_never_the_key(shop: Shop) -> None:
    """D35: made with which scopes, rotated to which successor, revoked; by whom."""
    secret = new_key(shop.gateway, MERCHANT.terminal_id, scopes=["payments:read"], by="sara")
    key_id = shop.rows("SELECT key_id FROM api_key ORDER BY created_at DESC LIMIT 1")[0][0]
    successor, _ = rotate_key(shop.gateway, key_id, overlap_hours=1, by="ali")
    revoke_key(shop.gateway, key_id, by="omid")
    with pytest.raises(RefusedRow):
        revoke_key(shop.gateway, key_id, by="omid")

    assert told(shop, f"key:{key_id}") == [
        ("operator:sara", "key.made", ""),
        ("operator:ali", "key.rotated", ""),
        ("operator:omid", "key.revoked", ""),
    ]
    acts = audit_trail.acts(shop.gateway, subject=None, most=50)
    made = {"terminal": MERCHANT.terminal_id, "scopes": "payments:read", "expires_days": None}
    assert made in [each.act.details for each in acts]
    assert {"replaces": key_id} in [each.act.details for each in acts]
    assert not any(each in str(acts) for each in (secret, successor))


def test_d35_a_change_of_a_links_keys_is_told(shop: Shop) -> None:
    """D35: once the host has taken them, by name; what it did not take is no act."""
    for answer in (Unknown("silent"), Approved()):
        exchange = Exchange(answer)
        with suppress(KeysNotChanged):
            change_keys(shop.gateway, exchange, "two", by="sara")

    assert told(shop, "issuer:two")[1:] == [("operator:sara", "link_keys.changed", "")]
    (newest,) = audit_trail.acts(shop.gateway, subject="issuer:two", most=1)
    assert newest.act.details == {"name": "ks-0000000001", "key_exchange_key": "kek-1"}


def test_d35_pauses_of_issuers_tell_who_and_why(shop: Shop) -> None:
    """One that changed nothing is no act."""
    pause(shop.gateway, "two", by="sara", reason="the bank asked for it")
    resume(shop.gateway, "two", by="ali")
    with pytest.raises(RefusedRow, match="not paused"):
        resume(shop.gateway, "two", by="ali")

    assert told(shop, "issuer:two")[1:] == [
        ("operator:sara", "issuer.paused", "the bank asked for it"),
        ("operator:ali", "issuer.resumed", ""),
    ]


def test_d35_settlement_tells_of_its_batch_and_of_what_came_back(shop: Shop) -> None:
    """D35: closed by the worker, sent back by two people's word, with the sums."""
    approve(
        shop.gateway,
        add_iban(shop.gateway, MERCHANT.merchant_id, IBAN, parts=1, by="sara", reason="letter of the shop"),
        by="ali",
    )
    clearing = Clearing(shop)
    payment = shop.paid()
    shop.confirm(payment)
    clearing.capture()
    shop.later(days(6))
    reconcile.import_file(shop.gateway, "two", clearing.written(clearing.line(payment)))
    settle(shop.gateway)
    request, _ = returned(shop.gateway, 1, by="sara", reason="account is closed")
    approve(shop.gateway, request, by="ali")

    assert told(shop, "batch:1") == [("worker:gateway", "batch.closed", "")]
    assert told(shop, "payout:1") == [
        ("operator:sara", "approval.asked", "account is closed"),
        ("operator:ali", "approval.approved", ""),
    ]
    (back, _) = audit_trail.acts(shop.gateway, subject="payout:1", most=2)
    facts = {"merchant": MERCHANT.merchant_id, "iban": IBAN, "rial": 250_000}
    asked = {"asks": "payout.return", "request": request, "asked_by": "sara", "because": "account is closed"}
    assert back.act.details == facts | asked
