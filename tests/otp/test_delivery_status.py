"""GetDeliveryStatus on the real database: the last message's state, for the PSP that asked, and no oracle (D19)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from foundation.pan import Pan, with_check_digit
from foundation.signatures import RequestToSign, Signer, public_key_of
from otp.domain.psp import Psp
from otp.ports import SmsRefused
from otp.services.register_psp import register_psp
from otp.services.tell_delivery import tell_delivery
from tests.otp.conftest import BANK_IDENTITY, PSP_IDENTITY, PSP_PRIVATE_KEY
from tests.otp.soap_caller import SoapCaller, caller_of
from tests.otp.test_deliver import tick


def state(here: Any, correlation_id: str) -> str:
    """Ask as the PSP that asked for the code."""
    return tell_delivery(here.bank, here.psp, correlation_id)


def test_the_state_follows_the_last_message_of_a_code(here: Any) -> None:
    """Queued, taken over; sent again: queued once more, and refused by the operator."""
    pan, binding = here.card(), here.binding()
    correlation_id = here.ask(pan, binding).body["correlation_id"]
    seen = [state(here, correlation_id)]
    tick(here)
    seen.append(state(here, correlation_id))
    here.age(61)
    assert here.ask(pan, binding, sequence=2).body["correlation_id"] == correlation_id
    seen.append(state(here, correlation_id))
    here.phone.answers = [SmsRefused("blacklisted")]
    tick(here)
    seen.append(state(here, correlation_id))

    assert seen == ["queued", "accepted", "queued", "refused"]


def test_a_message_that_came_too_late_is_told_as_dropped(here: Any) -> None:
    """The worker sends no code that is nearly over."""
    correlation_id = here.ask(here.card()).body["correlation_id"]
    here.age(110)
    tick(here)

    assert state(here, correlation_id) == "dropped"


def test_d19_the_id_of_an_unproven_request_tells_no_card_from_another(here: Any) -> None:
    """Known, unknown, blocked, without mobile, mistyped, sent or not: the same state, as for an id of nobody."""
    stranger = Pan.parse(with_check_digit("999002999999999"))
    cards = [here.card(), here.card(mobile=None), here.card(status="blocked"), stranger]
    ids = [here.ask(pan, proof="none").body["correlation_id"] for pan in cards]
    ids.append(here.ask(here.card(), proof="wrong").body["correlation_id"])
    before = {state(here, each) for each in ids}
    tick(here)

    assert len(here.phone.sent) == 2
    assert before | {state(here, each) for each in [*ids, str(uuid.uuid4())]} == {"undisclosed"}


def test_d19_an_open_profile_is_told_without_proof(make_bank: Callable[..., Any]) -> None:
    """The sandbox's profile; the bank's own setting and the PSP's row must both be open."""
    here = make_bank(profile="open", disclosure="open")
    correlation_id = here.ask(here.card(), proof="none").body["correlation_id"]

    assert state(here, correlation_id) == "queued"
    assert tell_delivery(here.bank, replace(here.psp, disclosure="proven"), correlation_id) == "undisclosed"


def test_only_the_psp_that_asked_is_told(here: Any) -> None:
    """Another PSP, its profile as open as can be, hears what it would hear about nothing."""
    other = Psp("other", "Other", "581699", {"other-1": public_key_of(bytes(32))}, disclosure="open")
    register_psp(here.bank, other)
    correlation_id = here.ask(here.card()).body["correlation_id"]

    assert (state(here, correlation_id), tell_delivery(here.bank, other, correlation_id)) == ("queued", "undisclosed")


@pytest.fixture
def caller(here: Any) -> SoapCaller:
    """Give the PSP on both wires."""
    return caller_of(here, PSP_IDENTITY, BANK_IDENTITY)


def by_rest(caller: SoapCaller, correlation_id: str) -> tuple[int, dict[str, Any]]:
    """Ask over REST."""
    address = f"/harim/v1/dynamic-pins/{correlation_id}/delivery"
    asked = RequestToSign("GET", f"http://bank.test{address}", {"Content-Type": "application/json"})
    Signer("pooya-1", PSP_PRIVATE_KEY).sign_request(asked, b"")
    answer = caller.client.get(address, headers=asked.headers)
    assert "Signature" in answer.headers
    return answer.status_code, answer.get_json()


def test_both_wires_tell_the_same(here: Any, caller: SoapCaller) -> None:
    """A code asked for over SOAP is known on REST, and the other way round."""
    correlation_id = caller.call(caller.message(here.card())).said["correlation_id"]
    told = {"correlation_id": correlation_id, "state": "queued"}

    by_soap = caller.call({"correlation_id": correlation_id}, operation="GetDeliveryStatus")

    assert by_rest(caller, correlation_id) == (200, told)
    assert (by_soap.part, by_soap.said, by_soap.signed) == ("delivery", told, True)


@pytest.mark.parametrize("wrong", ["1", "8C7A52A1-52E5-4F6B-A0F4-9F7E0F1F6F0D", "8c7a52a152e54f6ba0f49f7e0f1f6f0d"])
def test_an_id_that_is_none_is_malformed(caller: SoapCaller, wrong: str) -> None:
    """By the contract's own pattern, on REST as by the XSD."""
    status, body = by_rest(caller, wrong)

    assert (status, body["code"], body["field"]) == (400, "MALFORMED", "correlation_id")
