"""Who is owed what is paid for bills and for numbers: a first by one person, another by two (D35)."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.domain.errors import RefusedRow
from gateway.domain.four_eyes import Asked
from gateway.services import audit_trail
from gateway.services.approve import approve, waiting
from gateway.services.enrol import add_merchant
from gateway.services.owed import add_biller, add_operator
from gateway.store import owed
from tests.fakes.shop import MERCHANT, Shop

OTHER = dataclasses.replace(MERCHANT, merchant_id="000000000000002", terminal_id="00000002")
WHO = {"by": "sara", "reason": "contract 18"}


@pytest.fixture
def two(shop: Shop) -> Shop:
    """A gateway with two merchants, the first of which is owed both kinds of money."""
    add_merchant(shop.gateway, OTHER)
    assert add_biller(shop.gateway, MERCHANT.merchant_id, 4, "001") is None
    assert add_operator(shop.gateway, "mci", MERCHANT.merchant_id) is None
    return shop


def owed_to(shop: Shop) -> list[str]:
    """Return who is owed bills, and who numbers."""
    query = "SELECT merchant_id FROM biller UNION ALL SELECT merchant_id FROM top_up_operator"
    return [merchant_id for (merchant_id,) in shop.rows(query)]


def test_d35_another_merchant_is_owed_what_two_people_say(two: Shop) -> None:
    """D35: asked for with both merchants, done with the approval, and each act in the trail; the same again is none."""
    biller = add_biller(two.gateway, OTHER.merchant_id, 4, "001", **WHO)
    operator = add_operator(two.gateway, "mci", OTHER.merchant_id, **WHO)
    assert owed_to(two) == [MERCHANT.merchant_id] * 2
    facts = {"merchant": OTHER.merchant_id, "was": MERCHANT.merchant_id}
    assert [(each.subject, each.facts) for each in waiting(two.gateway)] == [
        ("biller:4001", facts),
        ("operator:mci", facts),
    ]
    for request in (biller, operator):
        assert request is not None
        with pytest.raises(RefusedRow, match="somebody else"):
            approve(two.gateway, request, by="sara")
        approve(two.gateway, request, by="ali")

    assert owed_to(two) == [OTHER.merchant_id] * 2
    assert add_operator(two.gateway, "mci", OTHER.merchant_id) is None
    acts = audit_trail.acts(two.gateway, subject="operator:mci", most=9)
    assert [each.act.action for each in reversed(acts)] == [
        "operator.added",
        "approval.asked",
        "approval.not_possible",
        "approval.approved",
    ]


def test_d35_a_change_needs_a_name_a_reason_and_a_merchant_that_is_there(two: Shop) -> None:
    """D35: each with its sentence, and nothing is changed."""
    with pytest.raises(RefusedRow, match="two people"):
        add_operator(two.gateway, "mci", OTHER.merchant_id)
    with pytest.raises(RefusedRow, match="reason"):
        add_operator(two.gateway, "mci", OTHER.merchant_id, by="sara")
    with pytest.raises(RefusedRow, match="no merchant"):
        add_biller(two.gateway, "999999999999999", 4, "002")
    assert owed_to(two) == [MERCHANT.merchant_id] * 2


def test_d35_one_that_changed_meanwhile_is_asked_for_anew(two: Shop) -> None:
    """D35: what is approved is what was asked for."""
    request = add_operator(two.gateway, "mci", OTHER.merchant_id, **WHO)
    assert request is not None
    two.change("ALTER TABLE top_up_operator DISABLE TRIGGER four_eyes")
    two.change("UPDATE top_up_operator SET merchant_id = :other", other=OTHER.merchant_id)
    two.change("ALTER TABLE top_up_operator ENABLE TRIGGER four_eyes")

    with pytest.raises(RefusedRow, match="changed"):
        approve(two.gateway, request, by="ali")


def test_d35_the_database_itself_insists_on_two_people(two: Shop) -> None:
    """D35: without a request, with one that nobody approved, and with one about something else."""
    request = add_operator(two.gateway, "mci", OTHER.merchant_id, **WHO)
    assert request is not None
    with pytest.raises(Exception, match="two people"):
        two.change("UPDATE biller SET merchant_id = :other", other=OTHER.merchant_id)
    for asks, name in ((Asked.MOVE_OPERATOR, "mci"), (Asked.MOVE_BILLER, "4001")):
        with pytest.raises(Exception, match="two people"), two.gateway.database.begin() as connection:
            owed.move(connection, asks, name, OTHER.merchant_id, request)
    approve(two.gateway, request, by="ali")
    with pytest.raises(Exception, match="two people"), two.gateway.database.begin() as connection:
        owed.move(connection, Asked.MOVE_BILLER, "4001", OTHER.merchant_id, request)
    with pytest.raises(Exception, match="permission denied"), two.gateway.database.begin() as connection:
        connection.exec_driver_sql("UPDATE biller SET company = '002'")


def test_one_that_was_switched_off_is_on_again(two: Shop) -> None:
    """By the command that added it; with the merchant that it has."""
    two.change("UPDATE top_up_operator SET active = false")

    assert add_operator(two.gateway, "mci", MERCHANT.merchant_id) is None

    assert two.rows("SELECT active FROM top_up_operator") == [(True,)]
