"""The ledger's chain: whatever is done to a posting after it was chained is found (D31)."""

from __future__ import annotations

import argparse
import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from foundation import audit_heads
from foundation.audit_heads import HeadRefused
from foundation.audit_proof import Fault
from foundation.keys import Key, Keyring
from foundation.monitor import open_reader
from foundation.sensitive import Sensitive
from foundation.settings import InvalidSettings
from gateway import ledger_commands
from gateway.domain.errors import RefusedRow
from gateway.services.gateway import Gateway
from gateway.services.ledger import examined, seal_ledger
from gateway.store import ledger_seals
from sandbox.postgres import Cluster, Roles
from tests.fakes.counting import counting
from tests.fakes.loose import loosen
from tests.fakes.shop import Shop


@pytest.fixture(scope="session")
def gateway_urls(cluster: Cluster, fresh_database: Callable[[str, str], str], worker_name: str) -> dict[str, str]:
    """A database of this module alone, in which anything can be done to the books."""
    roles, name = Roles("gateway"), fresh_database("gateway", f"gateway_chained_{worker_name}")
    loosen(cluster.url(name, roles.owner))
    names = {"owner": roles.owner, "application": roles.application, "reader": roles.reader}
    return {word: cluster.url(name, role) for word, role in names.items()}


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """The second place."""
    return tmp_path / "heads"


@pytest.fixture
def chained(shop: Shop, gateway_urls: dict[str, str], heads: Path) -> Iterator[Gateway]:
    """A gateway with three payments whose postings are chained."""
    reader = open_reader(gateway_urls["reader"], "tests-ledger")
    settings = shop.gateway.settings.model_copy(update={"ledger_head_file": heads})
    gateway = dataclasses.replace(shop.gateway, reader=reader, settings=settings, keyring=with_heads())
    for _ in range(3):
        shop.confirm(shop.paid())
    seal_ledger(gateway)
    yield gateway
    reader.close()


def with_heads(ledger: int = 7) -> Keyring:
    """Make a ledger's key and one that signs heads."""
    return Keyring(
        [
            Key("ledger-1", "ledger", Sensitive(bytes([ledger]) * 32)),
            Key("heads-1", audit_heads.PURPOSE, Sensitive(bytes(range(32)))),
        ]
    )


def faults(gateway: Gateway, heads: Path | None = None) -> set[str]:
    """Name what is wrong with the ledger."""
    with examined(gateway, heads) as found:
        return {str(each.fault) for each in found}


def test_d31_a_ledger_that_nobody_touched_is_as_it_was_chained(shop: Shop, chained: Gateway, heads: Path) -> None:
    """D31: six postings, one order, heads that fit; chaining again adds nothing but the next postings."""
    assert shop.rows("SELECT count(*), max(sealed_no) FROM ledger_seal") == [(6, 6)]
    shop.paid()
    seal_ledger(chained)
    seal_ledger(chained)

    assert shop.rows("SELECT count(*), max(sealed_no) FROM ledger_seal") == [(7, 7)]
    assert faults(chained, heads) == set()
    assert len(heads.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        ("UPDATE posting SET amount_rial = amount_rial + 1 WHERE posting_id = 3", {"changed"}),
        ("UPDATE posting SET destination = 'payable\\:somebody' WHERE posting_id = 2", {"changed"}),
        ("UPDATE posting SET at = at + interval '1 microsecond' WHERE posting_id = 6", {"changed"}),
        ("DELETE FROM posting WHERE posting_id = 3", {"missing"}),
        ("DELETE FROM ledger_seal WHERE sealed_no = 3", {"missing", "reordered"}),
        ("UPDATE ledger_seal SET posting_id = 9 - posting_id WHERE sealed_no IN (4, 5)", {"changed", "reordered"}),
        ("UPDATE ledger_seal SET key_id = 'nobody' WHERE sealed_no = 2", {"changed", "reordered"}),
    ],
)
def test_d31_a_posting_that_was_changed_taken_away_or_moved_is_found(
    shop: Shop, chained: Gateway, harm: str, found: set[str]
) -> None:
    """D31: each harm with its name."""
    shop.change("ALTER TABLE ledger_seal DROP CONSTRAINT IF EXISTS ledger_seal_posting_id_key")
    shop.change(harm)

    assert faults(chained) == found


def test_d31_a_tail_that_was_cut_with_its_links_is_found_by_a_head(shop: Shop, chained: Gateway, heads: Path) -> None:
    """D31: without heads nothing is seen; with them the cut is, and so is a forged head."""
    shop.change("DELETE FROM ledger_seal WHERE sealed_no > 4")
    shop.change("DELETE FROM posting WHERE posting_id > 4")

    assert faults(chained) == set()
    assert faults(chained, heads) == {"cut"}
    shop.change("UPDATE ledger_seal SET chain_mac = row_mac WHERE sealed_no = 4")
    audit_heads.export(heads, chained.keyring, audit_heads.Head(4, bytes(32)), shop.rows("SELECT house_now()")[0][0])
    assert faults(chained, heads) == {"cut", "changed", "reordered"}
    heads.write_text(heads.read_text().replace('"sealed_no": 6', '"sealed_no": 3'))
    with pytest.raises(HeadRefused):
        faults(chained, heads)


def test_d31_another_key_makes_no_history(chained: Gateway) -> None:
    """D31: whoever has the database and not the key cannot write links that fit."""
    forger = dataclasses.replace(chained, keyring=with_heads(8))
    assert faults(forger) == {"changed", "reordered"}


def test_d31_the_proof_goes_over_the_ledger_page_by_page(
    shop: Shop, chained: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D31: unchained postings are found behind pages of chained ones, and no statement runs over more than a page."""
    monkeypatch.setattr(ledger_seals, "AT_ONCE", 2)
    shop.change("DELETE FROM ledger_seal WHERE posting_id = 6")
    shop.change("UPDATE posting SET at = at - interval '3 minutes'")
    assert chained.reader is not None
    with counting(chained.reader) as counted, examined(chained, None) as found:
        loose = [each.says for each in found if each.fault is Fault.NOT_SEALED]

    assert [says.partition(" is not")[0] for says in loose] == ["posting 6"]
    over_postings = [statement for statement in counted.statements if "FROM posting" in statement]
    assert len(over_postings) == 4, "three pages of two, and the end"


def test_d31_a_posting_that_nobody_chained_is_told(shop: Shop, chained: Gateway) -> None:
    """D31: two minutes after its commit a posting is in the chain, or no worker runs."""
    shop.paid()
    assert faults(chained) == set()
    shop.later(200)
    assert faults(chained) == {"not_sealed"}


def test_d31_a_posting_that_commits_late_is_chained_all_the_same(shop: Shop, chained: Gateway) -> None:
    """D31: its id is lower than that of postings that were chained before it."""
    late = text(
        "INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial) "
        "SELECT payment_id, attempt_id, 'x', 'a', 'b', 1 FROM attempt LIMIT 1"
    )
    with shop.gateway.database.begin() as connection:
        connection.execute(late)
        other = threading.Thread(target=lambda: (shop.paid(), seal_ledger(chained)))
        other.start()
        other.join(timeout=20)
    seal_ledger(chained)

    assert shop.rows("SELECT posting_id FROM ledger_seal ORDER BY sealed_no DESC LIMIT 2") == [(7,), (8,)]
    assert faults(chained) == set()


def test_d31_one_sealer_works_at_a_time(shop: Shop, chained: Gateway) -> None:
    """D31: while another seals nothing is chained twice, and nothing waits."""
    shop.paid()
    with shop.owner.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": 0x4C6564676572})
        other = threading.Thread(target=lambda: seal_ledger(chained))
        other.start()
        other.join(timeout=20)
        assert connection.execute(text("SELECT count(*) FROM ledger_seal")).scalar_one() == 6
    seal_ledger(dataclasses.replace(chained, settings=shop.gateway.settings))
    assert shop.rows("SELECT count(*) FROM ledger_seal") == [(7,)]


def test_d39_the_chain_is_append_only_and_examined_by_the_reader(shop: Shop, chained: Gateway) -> None:
    """D39: the application has no right to change or delete a link; without the reader nothing is examined."""
    for statement in ("UPDATE ledger_seal SET key_id = 'x'", "DELETE FROM ledger_seal"):
        with pytest.raises(Exception, match="permission denied"), shop.gateway.database.single() as connection:
            connection.execute(text(statement))
    with pytest.raises(InvalidSettings, match="READER"), examined(dataclasses.replace(chained, reader=None), None):
        pass


def test_d31_an_operator_verifies_the_ledger(
    shop: Shop, chained: Gateway, heads: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """D31: a word when all is well; otherwise a sentence each, at most a hundred, and a refusal that ends with 1."""
    parser = argparse.ArgumentParser()
    ledger_commands.add_to(parser.add_subparsers(), lambda command: lambda chosen: command(chained, chosen))

    def verify(*words: str) -> str:
        chosen = parser.parse_args(["verify", *words])
        chosen.run(chosen)
        return capsys.readouterr().out

    assert verify("--heads", str(heads)).endswith("ledger: as it was chained\n")
    shop.change("UPDATE posting SET amount_rial = amount_rial + 1 WHERE posting_id = 3")
    with pytest.raises(RefusedRow, match="1 findings"):
        verify()
    assert "changed: posting 3 (attempt_approved) is not as it was chained" in capsys.readouterr().out
    chained = dataclasses.replace(chained, settings=shop.gateway.settings)
    shop.change(
        "INSERT INTO ledger_seal SELECT n, n, 'x', row_mac, row_mac FROM ledger_seal, generate_series(7, 120) AS n "
        "WHERE sealed_no = 1"
    )
    with pytest.raises(RefusedRow, match="100 findings"):
        verify()
    said = capsys.readouterr().out
    assert "100 are shown" in said
    assert "no heads were given" in said
