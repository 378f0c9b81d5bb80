"""Keys are changed over the link while it works, and whatever is cut, both sides still understand each other (D22)."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from foundation.keys import UnknownKey
from gateway import wiring
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import Approved, Declined, Unknown
from gateway.ports import WrappedKeys
from gateway.services import change_keys as service
from gateway.services.authorise import Paid, pay
from gateway.services.change_keys import KeysNotChanged, change_keys
from gateway.services.gateway import Gateway
from gateway.store import link_keys
from otp.host.server import HostServer
from tests.fakes.pair import ACQUIRER, Pair, wired_switch

NAMES = "SELECT name, active_at IS NOT NULL AS active FROM link_key_set ORDER BY number"


class Dead(SystemExit):
    """The gateway's process ended here."""


def understood(pair: Pair, *, host: HostServer | None = None) -> bool:
    """Tell whether a purchase goes through with processes that know nothing but what is kept."""
    server, gateway = host or pair.host(), pair.another_gateway()
    payment, entry = pair.order()
    with gateway.database.begin() as connection:
        connection.execute(text("UPDATE issuer SET switch_port = :port"), {"port": server.port})
    return pay(gateway, payment.page_token, entry) == Paid()


def ids_used(pair: Pair) -> str:
    """Return DE 53 of what a new process would write."""
    switch = wired_switch(pair.another_gateway())
    return switch._keys(pair.issuer).ids(with_pin=True)  # noqa: SLF001 - what goes over the wire


def ids_of(gateway: Gateway) -> str:
    """Return DE 53 of what a running process writes now."""
    return wired_switch(gateway)._shelf.known("two").ids(with_pin=True)  # noqa: SLF001 - the same


def changed(pair: Pair) -> str:
    """Change the keys and let the minute between two changes be over."""
    name = change_keys(pair.gateway, wiring.key_exchange(pair.gateway), "two").name
    with pair.gateway.database.begin() as connection:
        connection.execute(text("UPDATE link_key_set SET active_at = active_at - interval '61 seconds'"))
    return name


def test_d22_keys_are_changed_and_the_old_ones_end_with_the_second_change(pair: Pair) -> None:
    """File, first set, second set: two live at a time at both ends, each used for MACs and PIN alike."""
    stranger = pair.another_gateway()
    assert understood(pair)
    assert ids_used(pair) == "gw-mac-1;gw-pin-1"
    assert stranger.switch.echo(pair.issuer)

    first = changed(pair)

    assert ids_used(pair) == f"{first}.req;{first}.pin"
    assert understood(pair)
    assert stranger.switch.echo(pair.issuer), "a process that has not read the new set goes on with the old"
    second = changed(pair)
    assert understood(pair)
    assert [row["name"] for row in pair.books(NAMES)] == [first, second]
    assert {row["name"] for row in pair.bank("SELECT name FROM link_key_set")} == {first, second}
    file_only = wiring.build(pair.settings.model_copy(update={"database_url": pair.settings.database_url}))
    wired_switch(file_only)._shelf._read = lambda _issuer_id: ()  # noqa: SLF001 - a gateway that missed both
    assert not file_only.switch.echo(pair.at(pair.host()))
    file_only.database.close()
    third = changed(pair)
    assert [row["name"] for row in pair.books(NAMES)] == [second, third]


def test_d22_no_message_in_flight_is_lost_while_keys_change(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two gateways ask a host each from four threads, two changes pass, and every question is answered."""
    monkeypatch.setattr("gateway.switch.client.KEYS_SECONDS", 0.05)
    gateways = [pair.another_gateway(), pair.another_gateway()]
    hosts = [pair.at(pair.hosts[0]), pair.at(pair.host())]
    over = threading.Event()
    answers: list[bool] = []

    def ask(gateway: Gateway, issuer: Issuer) -> None:
        while not over.is_set():
            answers.append(gateway.switch.echo(issuer))

    pairs = list(zip(gateways, hosts, strict=True)) * 4
    threads = [threading.Thread(target=ask, args=each) for each in pairs]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            name = changed(pair)
            while any(not ids_of(gateway).startswith(name) for gateway in gateways):
                over.wait(0.01)
            seen = len(answers)
            while len(answers) < seen + 200:
                over.wait(0.01)
    finally:
        over.set()
        for thread in threads:
            thread.join()

    assert len(answers) >= 400
    assert all(answers)
    assert understood(pair)


def test_d22_keys_travel_and_rest_wrapped(pair: Pair) -> None:
    """Neither database holds a key in clear: what is kept opens only under the key-exchange key."""
    name = changed(pair)
    ring = wired_switch(pair.another_gateway())._keys(pair.issuer).keyring  # noqa: SLF001 - the keys in use
    clear = {ring.material(f"{name}.{part}").reveal() for part in ("pin", "req", "ans")}
    kept = [
        row for read in (pair.books, pair.bank) for row in read("SELECT pin, request_mac, answer_mac FROM link_key_set")
    ]

    assert {len(key) for key in clear} == {24, 16}
    assert len(kept) == 2
    assert not [1 for row in kept for wrapped in row.values() for key in clear if key in bytes(wrapped)]


def dead(*_: object) -> None:
    """End the process."""
    raise Dead


def test_d22_cut_before_the_set_is_sent(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The set is committed, nothing left: both go on with the old keys; run again, the same set is taken."""
    exchange = wiring.key_exchange(pair.gateway)
    with monkeypatch.context() as cut:
        cut.setattr(exchange, "offer", dead)
        with pytest.raises(Dead):
            change_keys(pair.gateway, exchange, "two")

    (row,) = pair.books(NAMES)
    assert not row["active"]
    assert ids_used(pair) == "gw-mac-1;gw-pin-1"
    assert understood(pair)
    assert changed(pair) == row["name"]
    assert understood(pair)


def test_d22_cut_before_the_host_keeps_the_set(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's database fails: 909 concludes nothing, the set stays on offer, the old keys work."""
    with monkeypatch.context() as cut:
        cut.setattr("otp.services.link_keys.link_keys.keep", dead_database)
        with pytest.raises(KeysNotChanged, match="909"):
            change_keys(pair.gateway, wiring.key_exchange(pair.gateway), "two")

    assert pair.bank("SELECT 1 FROM link_key_set") == []
    assert understood(pair)
    (row,) = pair.books(NAMES)
    assert changed(pair) == row["name"]
    assert understood(pair)


def dead_database(*_: object) -> bool:
    """Fail as a lost database does."""
    raise ConnectionError


def test_d22_cut_after_the_host_kept_the_set(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host has the set, its answer is lost: the gateway writes with the old keys, which are still taken."""
    exchange = wiring.key_exchange(pair.gateway)
    offer = exchange.offer
    with monkeypatch.context() as cut:
        cut.setattr(exchange, "offer", lambda *question: Unknown("silent") if offer(*question) else None)
        with pytest.raises(KeysNotChanged, match="silent"):
            change_keys(pair.gateway, exchange, "two")

    (row,) = pair.books(NAMES)
    assert not row["active"]
    assert [kept["name"] for kept in pair.bank("SELECT name FROM link_key_set")] == [row["name"]]
    assert ids_used(pair) == "gw-mac-1;gw-pin-1"
    assert understood(pair)
    assert changed(pair) == row["name"], "the same set again is the same question"
    assert ids_used(pair) == f"{row['name']}.req;{row['name']}.pin"
    assert understood(pair)


def test_d22_cut_after_the_answer_before_it_is_recorded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway dies with 000 in its hands; the next run is told 000 again."""
    with monkeypatch.context() as cut:
        cut.setattr(service.link_keys, "taken", dead)
        with pytest.raises(Dead):
            change_keys(pair.gateway, wiring.key_exchange(pair.gateway), "two")

    assert understood(pair)
    (row,) = pair.books(NAMES)
    assert not row["active"]
    assert changed(pair) == row["name"]
    assert understood(pair)


def test_d22_a_set_on_offer_outlives_many_cuts(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut three times after the host kept it, also with a set in use before: never is a live set lost."""
    changed(pair)
    for _ in range(3):
        with monkeypatch.context() as cut:
            cut.setattr(service.link_keys, "taken", dead)
            with pytest.raises(Dead):
                change_keys(pair.gateway, wiring.key_exchange(pair.gateway), "two")
        assert understood(pair)
    changed(pair)
    assert understood(pair)


class Bent:
    """An exchange whose offer is bent on its way: another key-exchange key, check value, or name."""

    def __init__(self, pair: Pair, **changes: str) -> None:
        self._exchange = wiring.key_exchange(pair.gateway)
        self._changes = changes
        self.new_keys = self._exchange.new_keys
        self.check_values = self._exchange.check_values

    def offer(self, issuer: Issuer, keys: WrappedKeys) -> Approved | Declined | Unknown:
        """Offer something else."""
        bent = replace(keys, **{name: value for name, value in self._changes.items() if name != "check"})  # type: ignore[arg-type]  # fields by name
        wrong = {"check_values": lambda *_: ("000000",) * 3} if "check" in self._changes else {}
        pin, request, answer = self._exchange.check_values(issuer, keys)
        values = wrong.get("check_values", lambda *_: (pin, request, answer))
        self._exchange.check_values = values  # type: ignore[method-assign]  # put in its place for this test
        return self._exchange.offer(issuer, bent)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"kek_id": "kek-9"}, "918"), ({"check": "wrong"}, "919"), ({"name": "ks-0000000000"}, "913")],
)
def test_d22_refused_keys_are_kept_nowhere(pair: Pair, changes: dict[str, str], code: str) -> None:
    """An unknown key-exchange key, a wrong check value, a name that is another set's: the old keys go on."""
    pair.bank(
        "INSERT INTO link_key_set (acquirer_id, name, kek_id, pin, request_mac, answer_mac)"
        " VALUES (:acquirer, 'ks-0000000000', 'kek-1', :pin, :mac, :mac)",
        acquirer=ACQUIRER,
        pin=bytes(32),
        mac=bytes(24),
    )

    with pytest.raises(KeysNotChanged, match=f"refused the keys with {code}"):
        change_keys(pair.gateway, Bent(pair, **changes), "two")

    assert pair.books(NAMES) == []
    assert len(pair.bank("SELECT 1 FROM link_key_set")) == 1
    assert understood(pair)


def test_d22_keys_wrapped_under_another_key_do_not_open(pair: Pair) -> None:
    """The same id with other bytes at the two ends shows at once: 919, nothing kept."""
    exchange = wiring.key_exchange(pair.gateway)
    drawn = exchange.new_keys(pair.issuer)
    crossed = replace(drawn, request_mac=drawn.request_mac[:-1] + bytes([drawn.request_mac[-1] ^ 1]))
    exchange.check_values = lambda *_: ("000000",) * 3  # type: ignore[method-assign]  # put in its place for this test

    assert exchange.offer(pair.issuer, crossed) == Declined("919")
    assert pair.bank("SELECT 1 FROM link_key_set") == []


def test_d22_two_changes_need_a_minute_between_them(pair: Pair) -> None:
    """Every process must have read the first set before a second one ends the keys before it."""
    exchange = wiring.key_exchange(pair.gateway)
    change_keys(pair.gateway, exchange, "two")

    with pytest.raises(KeysNotChanged, match="less than 60 seconds"):
        change_keys(pair.gateway, exchange, "two")
    with pytest.raises(KeysNotChanged, match="no issuer nine"):
        change_keys(pair.gateway, exchange, "nine")
    assert understood(pair)


def test_d22_without_a_key_exchange_key_nothing_is_offered(pair: Pair) -> None:
    """The command says which key is missing; nothing is committed."""
    with pytest.raises(UnknownKey, match="iso-kek:three"):
        wiring.key_exchange(pair.gateway).new_keys(replace(pair.issuer, issuer_id="three"))
    with pytest.raises(LookupError, match="kek-9"):
        wiring.key_exchange(pair.gateway).check_values(
            pair.issuer, WrappedKeys("ks-0000000000", "kek-9", b"", b"", b"")
        )


def test_d22_the_database_away_changes_no_keys_in_use(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that cannot read the sets goes on with those it knows; one that never could sends nothing."""
    changed(pair)
    monkeypatch.setattr("gateway.switch.client.KEYS_SECONDS", 0.0)
    switch = pair.another_gateway().switch
    assert switch.echo(pair.issuer)
    monkeypatch.setattr(link_keys, "_ALL", text("SELECT 1 / 0"))

    assert switch.echo(pair.issuer)
    assert not pair.another_gateway().switch.echo(pair.issuer)
