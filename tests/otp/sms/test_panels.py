"""Each provider as documented: recorded exchanges, over a real socket, and what they mean to the bank."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from otp.ports import Fault, SmsAccepted, SmsAnswer, SmsRefused, SmsUnanswered
from otp.sms.accounts import PANELS
from otp.sms.panel import Verdict
from tests.fakes.http import Reply, Request, serving
from tests.otp.sms.accounts import TEXT, message, provider

CORPUS = Path(__file__).parents[2] / "corpus" / "sms"
EXCHANGES = sorted(CORPUS.glob("*/*.json"))
SENDS = [path for path in EXCHANGES if "receipt" not in path.stem]
QUESTIONS = [path for path in EXCHANGES if "receipt" in path.stem]


def named(path: Path) -> str:
    """Call an exchange by its provider and its file."""
    return f"{path.parent.name}-{path.stem}"


def replayed(exchange: dict[str, Any]) -> Reply:
    """Give the recorded answer."""
    recorded = exchange["response"]
    body = recorded["text"] if "text" in recorded else json.dumps(recorded["body"], ensure_ascii=False)
    return Reply(recorded["status"], {"Content-Type": "application/json; charset=utf-8"}, body.encode())


def meant(means: dict[str, Any]) -> SmsAnswer:
    """Give the answer that the exchange means."""
    match means:
        case {"accepted": message_id}:
            return SmsAccepted(message_id)
        case {"refused": why}:
            return SmsRefused(why)
    return SmsUnanswered(means["unanswered"], Fault(means["fault"]))


def check_request(arrived: Request, recorded: dict[str, Any]) -> None:
    """Hold what arrived beside what was recorded."""
    assert (arrived.method, arrived.path) == (recorded["method"], recorded["path"])
    assert {name: arrived.headers.get(name) for name in recorded.get("headers", {})} == recorded.get("headers", {})
    if "json" in recorded:
        assert json.loads(arrived.body) == recorded["json"]
        assert arrived.headers["Content-Type"] == "application/json"
    if "form" in recorded:
        assert dict(parse_qsl(arrived.body.decode(), strict_parsing=True)) == recorded["form"]


@pytest.mark.parametrize("path", SENDS, ids=named)
def test_a_message_is_sent_and_its_answer_understood_as_recorded(path: Path) -> None:
    """The request is the documented one, and the body's verdict counts, whatever the HTTP status says."""
    exchange = json.loads(path.read_text())
    with serving(lambda _: replayed(exchange)) as site:
        answer = provider(path.parent.name, site.url).send(message(templated=exchange["message"] == "code"))

    (arrived,) = site.requests
    check_request(arrived, exchange["request"])
    assert answer == meant(exchange["means"])


@pytest.mark.parametrize("path", QUESTIONS, ids=named)
def test_a_question_about_messages_is_asked_and_understood_as_recorded(path: Path) -> None:
    """States become the bank's words; nothing is said of a message that was not asked about."""
    exchange = json.loads(path.read_text())
    with serving(lambda _: replayed(exchange)) as site:
        found = provider(path.parent.name, site.url).receipts(exchange["message"], 5.0)

    (arrived,) = site.requests
    check_request(arrived, exchange["request"])
    assert found == exchange["means"]["receipts"]


@pytest.mark.parametrize("kind", PANELS)
def test_every_kind_has_its_important_exchanges_recorded(kind: str) -> None:
    """Accepted, refused or unsuited, trouble of the account, and what became of a message."""
    means = [json.loads(path.read_text())["means"] for path in EXCHANGES if path.parent.name == kind]
    faults = {row.get("fault") for row in means}

    assert any("accepted" in row for row in means)
    assert any("receipts" in row for row in means)
    assert {"account", "message", "provider"} <= faults
    assert Verdict.ACCEPTED in PANELS[kind].codes.values()


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("kavenegar", {"code": "48 39"}),
        ("kavenegar", {"payee": "یک دو سه چهار پنج شش هفت"}),
        ("kavenegar", {"until": "14_05"}),
        ("smsir", {"payee": "نام پذیرنده‌ای که از بیست و پنج نویسه درازتر است"}),
        ("melipayamak", {"payee": "الف;ب"}),
    ],
)
def test_words_that_do_not_fit_into_a_template_go_as_plain_text(kind: str, changed: dict[str, str]) -> None:
    """What a provider would refuse in a template is not tried: the holder gets the whole text instead."""
    with serving(lambda _: Reply(500)) as site:
        provider(kind, site.url).send(message(**changed))

    (arrived,) = site.requests
    sent = dict(parse_qsl(arrived.body.decode())) if kind == "kavenegar" else json.loads(arrived.body)
    assert TEXT in sent.values()


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"7", b'"ok"', b"{}", b"\xff\xfe", b"[" * 60_000, b"<html>"])
@pytest.mark.parametrize("kind", PANELS)
def test_an_answer_without_sense_is_no_answer(kind: str, body: bytes) -> None:
    """Neither accepted nor an error of ours: the next provider is asked."""
    with serving(lambda _: Reply(200, body=body)) as site:
        here = provider(kind, site.url)
        assert here.send(message()) == SmsUnanswered("HTTP 200", Fault.PROVIDER)
        assert here.receipts(["1"], 5.0) == {}


def test_a_message_id_is_kept_only_if_it_looks_like_one() -> None:
    """What a provider calls a message is stored and logged, so it may be no text of any length."""
    for strange in ("x" * 65, "a\nb", "<b>"):
        said = {"return": {"status": 200}, "entries": [{"messageid": strange}]}
        with serving(lambda _, said=said: Reply(200, body=json.dumps(said).encode())) as site:
            assert provider("kavenegar", site.url).send(message()) == SmsUnanswered("HTTP 200", Fault.PROVIDER)


def test_messages_are_asked_about_in_the_numbers_a_provider_allows() -> None:
    """SMS.ir answers for one at a time; what it does not answer any more is left for later."""
    states = iter([1, 2, None])

    def answer(_: Request) -> Reply:
        state = next(states)
        return Reply(200, body=json.dumps({"status": 1, "data": {"deliveryState": state}}).encode())

    with serving(answer) as site:
        found = provider("smsir", site.url).receipts(["11", "12", "13"], 5.0)

    assert [request.path for request in site.requests] == ["/v1/send/11", "/v1/send/12", "/v1/send/13"]
    assert found == {"11": "delivered", "12": "undelivered", "13": "waiting"}


def test_an_answer_without_sense_about_one_message_does_not_end_the_questions() -> None:
    """As a message that the provider has lost, or a page of its proxy; silence does end them."""
    answers = iter([b"<html>", json.dumps({"status": 1, "data": {"deliveryState": 1}}).encode()])
    with serving(lambda _: Reply(200, body=next(answers))) as site:
        found = provider("smsir", site.url).receipts(["11", "12"], 5.0)

    assert found == {"12": "delivered"}
    assert provider("smsir", site.url).receipts(["11", "12"], 5.0) == {}, "nobody is there any more"
