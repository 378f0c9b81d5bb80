"""The switch client on real sockets: every way an issuer may answer, or not, is a value."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from foundation.database import Database, NetworkInTransaction
from foundation.keys import Keyring, UnknownKey
from gateway.domain.declines import DECLINES
from gateway.domain.outcome import Approved, Declined, NotFound, ReversalUnknown, Reversed, Unknown
from gateway.switch import iso8583
from gateway.switch.client import SwitchClient
from gateway.switch.iso8583 import Message, read_tlv


def until(condition: Any) -> None:
    """Wait until something is so, at most five seconds."""
    ends_at = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < ends_at, "it never came to be so"
        time.sleep(0.005)


def test_d3_an_approval_that_echoes_its_question_is_an_approval(client: Any, host: Any, issuer: Any, make: Any) -> None:
    """000 with the right echo and MAC; approval code and capture date (D7) come along."""
    host.play = lambda host, question: host.answer(question, "000", de38="000007", de17="1124")

    assert client.authorise(issuer, make.purchase()) == Approved("000007", "1124")


def test_d5_the_message_carries_total_fee_and_private_data(client: Any, host: Any, issuer: Any, make: Any) -> None:
    """DE 4 is principal and fee, DE 46 the fee, DE 48 what the bank rebuilds the binding from; ids are padded."""
    client.authorise(issuer, make.purchase())

    sign_on, message = host.heard
    assert (sign_on.mti, sign_on.text(24), sign_on.text(32)) == ("1804", "801", "581672")
    assert (message.text(4), message.text(46), message.text(42)) == ("000001012000", "000000012000", "123".ljust(15))
    private = read_tlv(message.secret(48).reveal(), {"01": ".*", "02": ".*", "04": ".*"})
    assert private == {"01": "123", "02": "PURCHASE", "04": "ABCDEFGH234567AB"}
    assert message.text(53) == "gw-mac-1;gw-pin-1"


@pytest.mark.parametrize(
    "change", [{"de4": "000000000001"}, {"de11": "999999"}, {"de37": "X" * 12}, {"de41": "T0000002"}, {"de3": "200000"}]
)
def test_d3_an_answer_with_another_echo_is_no_approval(
    client: Any, host: Any, issuer: Any, make: Any, change: dict[str, str]
) -> None:
    """DE 3, 4, 11, 12, 37 and 41 must come back equal; otherwise nothing is known."""
    host.play = lambda host, question: host.answer(question, "000", **change)

    assert isinstance(client.authorise(issuer, make.purchase()), Unknown)


@pytest.mark.parametrize("code", ["909", "911", "923", "999", "916", "400", "003"])
def test_d3_every_code_that_is_not_in_the_table_is_unknown(
    client: Any, host: Any, issuer: Any, make: Any, code: str
) -> None:
    """The default is unknown, not declined."""
    host.play = lambda host, question: host.answer(question, code)

    assert client.authorise(issuer, make.purchase()) == Unknown(f"action code {code}")


def test_d3_listed_codes_are_declines(client: Any, host: Any, issuer: Any, make: Any) -> None:
    """Each code of the decline table is an explicit no."""
    for number, code in enumerate(DECLINES, start=1):
        host.play = lambda host, question, code=code: host.answer(question, code)

        assert client.authorise(issuer, make.purchase(number)) == Declined(code)


def test_d3_a_forged_answer_is_not_heard(client: Any, host: Any, issuer: Any, make: Any) -> None:
    """A wrong MAC is counted and dropped; the question stays unanswered."""
    host.play = lambda host, question: host.send(host.answer(question, "000"), forge=True)

    assert client.authorise(issuer, make.purchase()) == Unknown("silent")
    assert client.counters()["two"].forged == 1


def test_d22_an_answer_under_either_live_key_is_genuine(client: Any, host: Any, issuer: Any, make: Any) -> None:
    """While the issuer changes its key both work; a key of another purpose does not."""
    assert isinstance(client.authorise(issuer, make.purchase(1)), Approved)
    host.mac_key_id = "bank-mac-2"
    assert isinstance(client.authorise(issuer, make.purchase(2)), Approved)
    host.mac_key_id = "gw-mac-1"
    assert client.authorise(issuer, make.purchase(3)) == Unknown("silent")


def test_a_message_the_host_cannot_read_was_not_executed(client: Any, host: Any, issuer: Any, make: Any) -> None:
    """A genuine 1244 with 904 is an explicit no; with another code it says nothing."""
    host.play = lambda host, question: host.answer(question, "904", mti="1244", de3="", de4="")
    assert client.authorise(issuer, make.purchase(1)) == Declined("904")
    host.play = lambda host, question: host.answer(question, "916", mti="1244", de3="", de4="")
    assert client.authorise(issuer, make.purchase(2)) == Unknown("notice 916")


def test_d2_silence_is_unknown_and_a_late_answer_is_only_counted(
    client: Any, host: Any, issuer: Any, make: Any
) -> None:
    """After the time-out the answer finds nobody; the next question works on the same link."""
    host.play = lambda *_: None
    assert client.authorise(issuer, make.purchase(1)) == Unknown("silent")

    host.send(host.answer(host.heard[-1], "000"))

    until(lambda: client.counters()["two"].unmatched == 1)
    host.play = lambda host, question: host.answer(question, "000")
    assert isinstance(client.authorise(issuer, make.purchase(2)), Approved)
    assert len(host.connections) == 1


def test_d1_a_purchase_that_never_left_is_declined(client: Any, make: Any, free_ports: Any) -> None:
    """Nobody listens: not one byte was sent, so the issuer is unreachable and nothing can have happened."""
    (port,) = free_ports(1)

    assert client.authorise(make.issuer_at(port), make.purchase()) == Declined("912")
    assert client.reverse(make.issuer_at(port), make.reversal()) == ReversalUnknown("back_off")
    assert isinstance(client.inquire(make.issuer_at(port), make.inquiry()), Unknown)
    assert client.echo(make.issuer_at(port)) is False


def test_a_host_that_does_not_take_the_sign_on_hears_no_purchase(
    client: Any, host: Any, issuer: Any, make: Any
) -> None:
    """Keys that do not agree show at sign-on; no card leaves the gateway."""
    host.answers_network = False

    assert client.authorise(issuer, make.purchase()) == Declined("912")
    assert [message.mti for message in host.heard] == ["1804"]


def test_d2_a_link_that_breaks_after_the_question_is_unknown(client: Any, host: Any, issuer: Any, make: Any) -> None:
    """The host dies with the purchase in its hands: at once unknown, and the next question opens a new link."""
    host.play = lambda host, _: host.drop()
    began = time.monotonic()

    assert client.authorise(issuer, make.purchase(1)) == Unknown("broken")

    assert time.monotonic() - began < 0.7
    host.play = lambda host, question: host.answer(question, "000")
    assert isinstance(client.authorise(issuer, make.purchase(2)), Approved)


@pytest.mark.parametrize("rubbish", [b"rubbish", b"1210" + b"\xff" * 30, bytes(8)])
def test_rubbish_on_the_link_is_counted_and_harms_nobody(
    client: Any, host: Any, issuer: Any, make: Any, rubbish: bytes
) -> None:
    """A malformed frame is dropped; the answer behind it is heard."""

    def play(host: Any, question: Message) -> Message:
        host.send_bytes(rubbish)
        return host.answer(question, "000")

    host.play = play

    assert isinstance(client.authorise(issuer, make.purchase()), Approved)
    assert client.counters()["two"].malformed == 1


@pytest.mark.parametrize("bytes_sent", [b"\x00\x00", b"\xff\xff", b"\x00\x20half"])
def test_broken_framing_breaks_the_link(client: Any, host: Any, issuer: Any, make: Any, bytes_sent: bytes) -> None:
    """A length of nothing, one above the cap, or half a frame: the link cannot be trusted any more."""
    host.play = lambda host, _: host.connections[-1].sendall(bytes_sent)

    assert client.authorise(issuer, make.purchase()) == Unknown("broken")


def test_d42_answers_in_any_order_find_their_questions(client: Any, host: Any, issuer: Any, make: Any) -> None:
    """Twenty purchases share one link; the host answers in reverse order."""
    count, waiting, guard = 20, [], threading.Lock()

    def play(host: Any, question: Message) -> None:
        with guard:
            waiting.append(question)
            if len(waiting) < count:
                return
        for each in reversed(waiting):
            host.send(host.answer(each, "000", de38=each.text(11)))

    host.play = play
    answers: dict[int, object] = {}
    slow = replace(issuer, switch_timeout_ms=5000)

    def ask(number: int) -> None:
        answers[number] = client.authorise(slow, make.purchase(number))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {number: Approved(f"{number:06}") for number in range(count)}
    assert len(host.connections) == 1


@pytest.mark.parametrize(
    ("code", "keeps", "outcome"),
    [
        ("400", False, Reversed()),
        ("914", True, Reversed()),
        ("914", False, ReversalUnknown("action code 914")),
        ("000", True, ReversalUnknown("action code 000")),
        ("909", True, ReversalUnknown("action code 909")),
        ("913", True, ReversalUnknown("action code 913")),
    ],
)
def test_d3_a_second_table_says_what_ends_a_reversal(
    client: Any,
    host: Any,
    make: Any,
    code: str,
    keeps: bool,  # noqa: FBT001 - a column of the table
    outcome: object,
) -> None:
    """400 ends it; 914 only where the issuer keeps tombstones (D2); nothing else does."""
    host.play = lambda host, question: host.answer(question, code)
    issuer = make.issuer_at(host.port, keeps_tombstones=keeps)

    assert client.reverse(issuer, make.reversal()) == outcome
    message = host.heard[-1]
    assert message.text(56) == "120000000126112412000006581672"
    assert (message.text(11), message.text(37)) == ("500001", "000000000001")
    assert 52 not in message
    assert 14 not in message


@pytest.mark.parametrize(
    ("code", "changes", "outcome"),
    [
        ("000", {"de4": "000001012000", "de38": "000007", "de17": "1124"}, Approved("000007", "1124")),
        ("000", {"de4": "000000000001"}, Unknown("incoherent")),
        ("000", {"de11": "000001", "de4": "000001012000"}, Unknown("silent")),
        ("117", {}, Declined("117")),
        ("482", {}, Reversed()),
        ("914", {}, NotFound()),
        ("923", {}, Unknown("action code 923")),
        ("912", {}, Unknown("action code 912")),
        ("904", {}, Unknown("action code 904")),
    ],
)
def test_d9c_an_inquiry_tells_of_the_original_only(  # noqa: PLR0917 - fixtures and a table
    client: Any, host: Any, issuer: Any, make: Any, code: str, changes: dict[str, str], outcome: object
) -> None:
    """Codes about the inquiry itself conclude nothing; "not found" is not a no (D2)."""
    host.play = lambda host, question: host.answer(question, code, **changes)

    assert client.inquire(issuer, make.inquiry()) == outcome
    assert 2 not in host.heard[-1]


def test_an_idle_link_is_kept_alive_by_echoes(keyring: Keyring, host: Any, issuer: Any, make: Any) -> None:
    """Echoes go out while nothing is to be said; a host that does not answer them is left."""
    client = SwitchClient(keyring, "581672", replace(make.times, echo_after_seconds=0.05, echo_answer_seconds=0.2))
    assert client.echo(issuer) is True

    until(lambda: sum(message.text(24) == "831" for message in host.heard) >= 3)
    assert client.counters()["two"].unmatched == 0
    host.answers_network = False
    until(lambda: not client._links["two"]._wire.alive)  # type: ignore[union-attr]  # noqa: SLF001 - nothing outside shows it

    host.answers_network = True
    assert isinstance(client.authorise(issuer, make.purchase()), Approved)
    client.close()
    until(lambda: host.heard[-1].text(24) == "802")


def test_a_link_whose_reading_fails_is_opened_again(
    keyring: Keyring, host: Any, issuer: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key to sign an echo with: whatever ends the reading closes the link, for nobody would hear an answer on it."""
    client = SwitchClient(keyring, "581672", replace(make.times, echo_after_seconds=0.05))
    assert client.echo(issuer) is True

    def missing(_: Keyring, purpose: str) -> str:
        raise UnknownKey(purpose)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Keyring, "active_id", missing)
        until(lambda: not client._links["two"]._wire.alive)  # type: ignore[union-attr]  # noqa: SLF001 - nothing outside shows it

    assert isinstance(client.authorise(issuer, make.purchase()), Approved)
    assert [message.mti for message in host.heard if message.text(24) != "831"] == ["1804", "1804", "1200"]
    client.close()


def test_a_changed_address_makes_a_new_link(client: Any, host: Any, issuer: Any, make: Any, keyring: Keyring) -> None:
    """An operator's new row takes effect with the next question."""
    client.echo(issuer)
    other = type(host)(keyring)

    assert isinstance(client.authorise(replace(issuer, switch_port=other.port), make.purchase()), Approved)
    assert [message.mti for message in other.heard] == ["1804", "1200"]
    other.close()


def test_a_missing_key_sends_nothing(host: Any, issuer: Any, make: Any) -> None:
    """Without keys for this issuer no question leaves, and none raises."""
    client = SwitchClient(Keyring([]), "581672", make.times)

    assert client.authorise(issuer, make.purchase()) == Declined("912")
    assert client.reverse(issuer, make.reversal()) == ReversalUnknown("UnknownKey")
    assert client.inquire(issuer, make.inquiry()) == Unknown("UnknownKey")
    assert client.echo(issuer) is False
    assert host.heard == []


def test_no_call_inside_a_transaction(client: Any, issuer: Any, make: Any, gateway_database: Database) -> None:
    """The guard stops every question while a transaction is open."""
    calls = (
        lambda: client.authorise(issuer, make.purchase()),
        lambda: client.reverse(issuer, make.reversal()),
        lambda: client.inquire(issuer, make.inquiry()),
        lambda: client.echo(issuer),
    )
    with gateway_database.begin():
        for call in calls:
            with pytest.raises(NetworkInTransaction):
                call()


def test_a_message_shows_no_secret(host: Any, client: Any, issuer: Any, make: Any) -> None:
    """PAN, expiry, private data and PIN block come out only as sensitive values."""
    client.authorise(issuer, make.purchase())
    message = host.heard[-1]

    assert "6219861034529007" not in f"{message} {message!r} {message.secret(2)}"
    for number in (2, 14, 48, 52):
        with pytest.raises(TypeError, match="secret"):
            message.text(number)


def test_a_refused_connection_backs_off(client: Any, make: Any, free_ports: Any) -> None:
    """After a failure nobody knocks again at once, and the next ones fail without waiting."""
    (port,) = free_ports(1)
    issuer = make.issuer_at(port)
    client.echo(issuer)
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(0)

        assert client.echo(issuer) is False
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_the_codec_refuses_to_write_what_the_contract_does_not_allow() -> None:
    """A field too many, one missing, or content out of shape is named by its number."""
    fields = {11: "000001", 12: "261124120000", 24: "831", 32: "581672", 53: "k;"}
    for change, field in (({38: "000000"}, 38), ({11: ""}, 11), ({12: "999999999999"}, 12), ({32: "1"}, 32)):
        with pytest.raises(iso8583.Malformed) as refusal:
            iso8583.encode(Message("1804", {**fields, **change}), lambda _: bytes(8))
        assert refusal.value.field == field
    with pytest.raises(iso8583.Malformed, match="type"):
        iso8583.encode(Message("1300", fields), lambda _: bytes(8))


def test_two_issuer_rows_of_one_bank_share_its_link(client: Any, host: Any, issuer: Any, make: Any) -> None:
    """The second row's messages go through the first one's connection, under its keys: one sign-on, two purchases."""
    other = replace(issuer, issuer_id="two-by-another-wire", switch_of="two")

    answers = [client.authorise(row, make.purchase(number)) for number, row in ((1, issuer), (2, other))]

    assert [type(answer) for answer in answers] == [Approved, Approved]
    assert [message.mti for message in host.heard] == ["1804", "1200", "1200"]
    assert list(client.counters()) == ["two"]
