"""The host's TCP side on real sockets: genuine messages, forged ones, broken ones, silent ones."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from foundation.database import Database
from foundation.keys import Keyring
from foundation.rial import Rial
from otp.config import HostPeer
from otp.domain.financial import HostAnswer
from otp.host import iso8583, respond
from otp.host.iso8583 import Message, write_tlv
from otp.host.link import LinkLimits
from otp.host.mac import mac_matches, mac_of
from otp.host.peers import PeerRefused, peers_of
from otp.host.server import HostServer

PEER = HostPeer(mac_in=["gw-mac-1", "gw-mac-2"], mac_out="bank-mac-1", pin=["gw-pin-1"])
ECHO = {11: "000001", 12: "261124120000", 24: "831", 32: "581672"}


class Acquirer:
    """A bare client that speaks frames."""

    def __init__(self, port: int, keys: Keyring) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.keys = keys

    def frame(self, mti: str, fields: dict[int, str], *, key_id: str = "gw-mac-1") -> bytes:
        """Write a signed message."""
        pin = "gw-pin-1" if 52 in fields else ""
        message = Message(mti, {**fields, 53: f"{key_id};{pin}"})
        return iso8583.encode(message, lambda data: mac_of(self.keys.material(key_id).reveal(), data))

    def send(self, frame: bytes) -> None:
        """Send one frame."""
        self.socket.sendall(len(frame).to_bytes(2, "big") + frame)

    def hear(self) -> Message | None:
        """Read one answer whose MAC must be right; ``None`` when the host closed."""
        header = self._exactly(2)
        if not header:
            return None
        frame = self._exactly(int.from_bytes(header, "big"))
        assert mac_matches(self.keys.material("bank-mac-1").reveal(), *iso8583.signed_part(frame))
        return iso8583.decode(frame)

    def ask(self, mti: str, fields: dict[int, str]) -> Message | None:
        """Send a message and read the answer."""
        self.send(self.frame(mti, fields))
        return self.hear()

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            try:
                piece = self.socket.recv(length - len(data))
            except ConnectionResetError:
                return b""
            if not piece:
                return b""
            data += piece
        return data


@pytest.fixture
def server(bank_world: Any) -> Iterator[HostServer]:
    """Give a host with short waits."""
    limits = LinkLimits(threads=8, in_flight_max=4, idle_seconds=1.5, frame_seconds=0.4, refused_max=3, links_max=5)
    peers = peers_of({"581672": PEER}, bank_world.desk.keys)
    running = HostServer(bank_world.desk, peers, host="127.0.0.1", port=0, limits=limits)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def acquirer(server: HostServer, bank_world: Any) -> Iterator[Acquirer]:
    """Give a link to it."""
    client = Acquirer(server.port, bank_world.desk.keys)
    yield client
    client.socket.close()


def test_d37_echo_and_sign_on_are_answered(acquirer: Acquirer) -> None:
    """An 1804 gets an 1814 that echoes it, authenticated under the bank's own key."""
    for function in ("801", "831", "802"):
        answer = acquirer.ask("1804", {**ECHO, 24: function})

        assert answer is not None
        assert (answer.mti, answer.text(39), answer.text(11), answer.text(24)) == ("1814", "000", "000001", function)


def test_answers_are_counted_by_type_and_action_code(acquirer: Acquirer, bank_world: Any) -> None:
    """What the host answers stands on the bank's page of numbers; what nobody genuine sent is no label."""
    acquirer.ask("1804", ECHO)
    acquirer.ask("1200", _purchase(bank_world.card().reveal()))
    acquirer.send(b"9999 no message of ours")
    acquirer.hear()

    said = bank_world.desk.meters.metrics.page().decode()

    assert 'bank_host_answers_total{action_code="000",message="1804"}' in said
    assert re.search(r'bank_host_answers_total\{action_code="\d{3}",message="1200"\} 1.0', said)
    assert 'bank_host_seconds_count{message="1200"} 1.0' in said
    assert 'message="9999"' not in said


def test_d22_both_live_keys_are_accepted_and_no_other(acquirer: Acquirer) -> None:
    """During a change of keys the old and the new one work; another id or a wrong MAC gets 916 and does nothing."""
    for key_id in ("gw-mac-1", "gw-mac-2"):
        acquirer.send(acquirer.frame("1804", ECHO, key_id=key_id))
        assert acquirer.hear().text(39) == "000"  # type: ignore[union-attr]  # where it is none the test fails
    frame = acquirer.frame("1804", ECHO)
    acquirer.send(frame[:-1] + bytes([frame[-1] ^ 1]))
    assert acquirer.hear().text(39) == "916"  # type: ignore[union-attr]  # where it is none the test fails
    acquirer.send(acquirer.frame("1804", ECHO, key_id="bank-mac-1"))
    assert acquirer.hear().text(39) == "916"  # type: ignore[union-attr]  # where it is none the test fails


def test_an_unknown_acquirer_is_closed_without_an_answer(acquirer: Acquirer) -> None:
    """Nobody unknown learns anything."""
    assert acquirer.ask("1804", {**ECHO, 32: "999999"}) is None


def test_a_malformed_message_closes_a_link_that_proved_nothing(acquirer: Acquirer) -> None:
    """Before the acquirer is known there is nobody to answer."""
    acquirer.send(b"1200 this is no message")

    assert acquirer.hear() is None


@pytest.mark.parametrize(
    ("frame", "mti"),
    [(b"1200\xff\xff\xff\xff\xff\xff\xff\xffrubbish", "1244"), (b"14", "1644"), (b"1804" + bytes(8), "1844")],
)
def test_a_malformed_message_gets_904_on_a_proven_link(acquirer: Acquirer, frame: bytes, mti: str) -> None:
    """The notice of its class, authenticated; the link stays."""
    acquirer.ask("1804", ECHO)
    acquirer.send(frame)

    notice = acquirer.hear()

    assert notice is not None
    assert (notice.mti, notice.text(39)) == (mti, "904")
    assert acquirer.ask("1804", ECHO).text(39) == "000"  # type: ignore[union-attr]  # where it is none the test fails


def test_a_message_that_means_nothing_gets_904_with_its_trace(acquirer: Acquirer) -> None:
    """A well-formed message with an impossible function code or time is named by its STAN."""
    wrong_function = acquirer.ask("1804", {**ECHO, 24: "999"})
    answer_as_question = acquirer.ask("1814", {**ECHO, 39: "000"})

    for notice in (wrong_function, answer_as_question):
        assert notice is not None
        assert (notice.mti, notice.text(39), notice.text(11)) == ("1844", "904", "000001")


def test_too_many_refused_messages_end_the_link(acquirer: Acquirer) -> None:
    """Somebody who keeps sending wrong MACs is not read any longer."""
    frame = acquirer.frame("1804", ECHO)[:-8] + bytes(8)
    for _ in range(3):
        acquirer.send(frame)

    codes = [answer.text(39) if answer else None for answer in (acquirer.hear(), acquirer.hear(), acquirer.hear())]

    assert codes == ["916"] * 3
    assert acquirer.hear() is None


@pytest.mark.parametrize("sent", [b"", b"\x00", b"\x00\x40half a frame", b"\x00\x00", b"\xff\xff" + b"x" * 10])
def test_a_link_that_stays_silent_or_breaks_its_framing_is_closed(acquirer: Acquirer, sent: bytes) -> None:
    """Idle, half a length, half a frame, an empty frame, a frame above the cap: the host does not wait for ever."""
    acquirer.socket.sendall(sent)

    assert acquirer.hear() is None


def test_links_above_the_cap_are_refused(server: HostServer, bank_world: Any) -> None:
    """The sixth link is closed at once, the others go on."""
    clients = [Acquirer(server.port, bank_world.desk.keys) for _ in range(5)]
    assert all(client.ask("1804", ECHO) is not None for client in clients)

    sixth = Acquirer(server.port, bank_world.desk.keys)

    assert sixth.socket.recv(1) == b""
    assert clients[0].ask("1804", ECHO) is not None
    for client in (*clients, sixth):
        client.socket.close()


def test_answers_overtake_a_slow_one_on_the_same_link(acquirer: Acquirer, bank_world: Any) -> None:
    """A purchase that waits for its card does not hold up an echo behind it (several in flight)."""
    pan = bank_world.card()
    holding, go_on = threading.Event(), threading.Event()

    def hold_the_card() -> None:
        with bank_world.desk.database.begin() as connection:
            connection.exec_driver_sql("SELECT 1 FROM card FOR UPDATE")
            holding.set()
            go_on.wait(10)

    holder = threading.Thread(target=hold_the_card)
    holder.start()
    holding.wait(10)
    now = bank_world.sql("SELECT to_char(house_now() AT TIME ZONE 'Asia/Tehran', 'YYMMDDHH24MISS') AS now")[0]["now"]
    acquirer.send(acquirer.frame("1200", {**_purchase(pan.reveal()), 12: now}))
    acquirer.send(acquirer.frame("1804", ECHO))

    first = acquirer.hear()
    go_on.set()
    second = acquirer.hear()
    holder.join()

    assert (first.mti, second.mti) == ("1814", "1210")  # type: ignore[union-attr]  # where it is none the test fails


def _purchase(pan: str) -> dict[int, str]:
    private = {"01": "123", "02": "PURCHASE", "04": "ABCDEFGH234567AB"}
    return {
        2: pan, 3: "000000", 4: "000001000000", 11: "000042", 12: "261124120000", 14: "2012", 22: "61005061500C",
        24: "200", 32: "581672", 37: "000000000042", 41: "T0000001", 42: "000000000000123", 43: "Shop",
        46: "000000000000", 48: write_tlv(private), 49: "364", 52: "0011223344556677",
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {48: "01003123"},
        {48: write_tlv({"01": "12", "02": "PURCHASE", "04": "ABCDEFGH234567AB"})},
        {48: write_tlv({"01": "123", "02": "PURCHASE", "04": "ABCDEFGH234567AB", "09": "x"})},
        {12: "260230120000"},
    ],
)
def test_fields_that_mean_nothing_get_904_and_are_not_kept(
    acquirer: Acquirer, bank_world: Any, change: dict[int, str]
) -> None:
    """A private sub-field that is missing, misshapen or unknown, or a day that does not exist, executes nothing."""
    notice = acquirer.ask("1200", {**_purchase(bank_world.card().reveal()), **change})

    assert notice is not None
    assert (notice.mti, notice.text(39), notice.text(11)) == ("1244", "904", "000042")
    assert bank_world.sql("SELECT 1 FROM authorisation") == []


def test_a_reversal_that_names_another_acquirers_original_is_refused(acquirer: Acquirer, bank_world: Any) -> None:
    """DE 56 must be of the acquirer who asks."""
    fields = {
        n: text
        for n, text in _purchase(bank_world.card().reveal()).items()
        if n in {2, 3, 4, 11, 12, 32, 37, 41, 42, 49}
    }
    foreign = {**fields, 24: "400", 25: "4021", 56: "120000004226112412000006999999"}

    assert acquirer.ask("1420", foreign).text(39) == "904"  # type: ignore[union-attr]  # where it is none the test fails
    assert bank_world.sql("SELECT 1 FROM authorisation") == []


def test_d2_a_failing_database_is_909_and_the_host_goes_on(bank_world: Any) -> None:
    """A message that cannot be worked on ends in "nothing can be concluded", never in a crash."""
    nowhere = Database("postgresql+psycopg://nobody@/none?host=/nowhere", pool_size=1)
    peers = peers_of({"581672": PEER}, bank_world.desk.keys)
    server = HostServer(replace(bank_world.desk, database=nowhere), peers, host="127.0.0.1", port=0)
    server.start()
    acquirer = Acquirer(server.port, bank_world.desk.keys)
    inquiry = {n: text for n, text in _purchase("").items() if n in {11, 12, 32, 37, 41}}

    with capture_logs() as logs:
        answer = acquirer.ask("1604", {**inquiry, 24: "680", 56: "120000004226112412000006581672"})
    echo = acquirer.ask("1804", ECHO)
    server.stop()

    assert (answer.text(39), echo.text(39)) == ("909", "000")  # type: ignore[union-attr]  # where it is none the test fails
    assert "message_failed" in {entry["event"] for entry in logs}
    assert acquirer.hear() is None
    acquirer.socket.close()


def test_d2_an_answer_that_cannot_be_written_is_909_and_in_the_log(
    acquirer: Acquirer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done stands, so it is neither denied nor kept quiet: "nothing can be concluded", and why."""
    monkeypatch.setattr(respond, "inquire_authorisation", lambda *_: HostAnswer("000", total=Rial(10**12)))
    inquiry = {n: text for n, text in _purchase("").items() if n in {11, 12, 32, 37, 41}}

    with capture_logs() as logs:
        answer = acquirer.ask("1604", {**inquiry, 24: "680", 56: "120000004226112412000006581672"})

    assert (answer.mti, answer.text(39)) == ("1614", "909")  # type: ignore[union-attr]  # where it is none the test fails
    (failed,) = (entry for entry in logs if entry["event"] == "message_failed")
    assert (failed["field"], failed["stan"]) == (4, "000042")
    assert [entry["action_code"] for entry in logs if entry["event"] == "message_answered"] == ["909"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (HostPeer(mac_in=[], mac_out="bank-mac-1", pin=["gw-pin-1"]), "at least one"),
        (HostPeer(mac_in=["gw-mac-9"], mac_out="bank-mac-1", pin=["gw-pin-1"]), "no key gw-mac-9"),
        (HostPeer(mac_in=["bank-mac-1"], mac_out="bank-mac-1", pin=["gw-pin-1"]), "no key bank-mac-1"),
    ],
)
def test_d22_a_wrong_peer_row_stops_the_start_with_a_sentence(bank_world: Any, row: HostPeer, why: str) -> None:
    """Keys differ per direction: a key of the other direction is refused like a missing one."""
    with pytest.raises(PeerRefused, match=why):
        peers_of({"581672": row}, bank_world.desk.keys)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=st.binary(max_size=200) | st.binary(max_size=120).map(lambda tail: b"1200" + tail))
def test_no_bytes_crash_the_codec(frame: bytes) -> None:
    """Whatever comes, the codec answers with a message or with its one typed error."""
    with pytest.raises(iso8583.Malformed) as refusal:
        iso8583.decode(frame)

    assert refusal.value.field is None or 1 <= refusal.value.field <= 128
