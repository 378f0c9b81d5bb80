"""The approvals trail is append-only: whatever is done to it afterwards is found, by its name (D31)."""

from __future__ import annotations

import argparse
import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from foundation import audit, audit_heads
from foundation.audit import Act
from foundation.keys import Key, Keyring
from foundation.monitor import open_reader
from foundation.sensitive import Sensitive
from foundation.settings import InvalidSettings
from gateway import audit_commands
from gateway.domain.errors import RefusedRow
from gateway.services import audit_trail
from gateway.services.gateway import Gateway
from gateway.services.pause_issuer import pause, resume
from sandbox.postgres import Cluster, Roles
from tests.fakes.loose import loosen
from tests.fakes.shop import Shop

IBAN = "IR062960000000100324200001"


@pytest.fixture(scope="session")
def gateway_urls(cluster: Cluster, fresh_database: Callable[[str, str], str], worker_name: str) -> dict[str, str]:
    """A database of this module alone, in which anything can be done to the trail."""
    roles, name = Roles("gateway"), fresh_database("gateway", f"gateway_trail_{worker_name}")
    loosen(cluster.url(name, roles.owner))
    names = {"owner": roles.owner, "application": roles.application, "reader": roles.reader}
    return {word: cluster.url(name, role) for word, role in names.items()}


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """The second place."""
    return tmp_path / "heads"


@pytest.fixture
def kept(shop: Shop, gateway_urls: dict[str, str], heads: Path) -> Iterator[Gateway]:
    """A gateway whose trail can be examined and has heads elsewhere."""
    reader = open_reader(gateway_urls["reader"], "tests-trail")
    settings = shop.gateway.settings.model_copy(update={"audit_head_file": heads})
    signing = Key("heads-1", audit_heads.PURPOSE, Sensitive(bytes(range(32))))
    keyring = Keyring([*shop.gateway.keyring.of_purpose(audit.PURPOSE), signing])
    yield dataclasses.replace(shop.gateway, reader=reader, settings=settings, keyring=keyring)
    reader.close()


@pytest.fixture
def written(kept: Gateway) -> Gateway:
    """A trail of eight acts, chained: of the issuer and the key that the shop begins with, and six."""
    for number in range(3):
        pause(kept, "two", by="sara", reason=f"letter {number}")
        resume(kept, "two", by="ali")
    audit_trail.seal_trail(kept)
    return kept


def faults(gateway: Gateway, heads: Path | None = None) -> set[str]:
    """Name what is wrong with the trail."""
    with audit_trail.examined(gateway, heads) as found:
        return {str(each.fault) for each in found}


def test_d31_a_trail_that_nobody_touched_is_as_it_was_written(shop: Shop, written: Gateway, heads: Path) -> None:
    """D31: one order, a head a minute, and no act without its place in it."""
    audit_trail.seal_trail(written)

    assert shop.rows("SELECT count(*), max(sealed_no) FROM audit_seal") == [(8, 8)]
    assert faults(written, heads) == set()
    assert len(heads.read_text().splitlines()) == 2
    pause(written, "two", by="sara", reason="once more")
    assert faults(written, heads) == set()
    shop.later(200)
    assert faults(written, heads) == {"not_sealed"}


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        ("UPDATE audit_entry SET actor = 'operator\\:ali' WHERE entry_id = 3", {"changed"}),
        ("UPDATE audit_entry SET reason = 'another' WHERE entry_id = 1", {"changed"}),
        ("DELETE FROM audit_entry WHERE entry_id = 3", {"missing"}),
        ("DELETE FROM audit_seal WHERE sealed_no = 3", {"missing", "reordered"}),
        ("UPDATE audit_seal SET entry_id = 9 - entry_id WHERE sealed_no IN (4, 5)", {"reordered"}),
    ],
)
def test_d31_a_row_that_was_changed_taken_away_or_moved_is_found(
    shop: Shop, written: Gateway, harm: str, found: set[str]
) -> None:
    """D31: each harm with its name."""
    shop.change("ALTER TABLE audit_seal DROP CONSTRAINT IF EXISTS audit_seal_entry_id_key")
    shop.change(harm)

    assert faults(written) == found


def test_d31_a_tail_that_was_cut_with_its_links_is_found_by_a_head(shop: Shop, written: Gateway, heads: Path) -> None:
    """D31: whoever takes the last acts away, their links and their numbers, is betrayed by the second place alone."""
    last = "SELECT writer, max(counter) AS last FROM audit_entry GROUP BY writer"
    for statement in (
        "DELETE FROM audit_seal WHERE sealed_no > 4",
        "DELETE FROM audit_entry WHERE entry_id > 4",
        f"UPDATE audit_writer SET counter = own.last FROM ({last}) AS own WHERE own.writer = audit_writer.writer",
        "DELETE FROM audit_writer WHERE writer NOT IN (SELECT writer FROM audit_entry)",
    ):
        shop.change(statement)

    assert faults(written) == set()
    assert faults(written, heads) == {"cut"}


def test_d31_one_sealer_works_at_a_time_and_late_acts_are_chained(shop: Shop, written: Gateway) -> None:
    """D31: an act whose transaction began early and committed late is in the chain all the same."""
    with written.database.begin() as connection:
        audit.append(connection, written.keyring, Act("operator:sara", "test.late", "nothing"))
        other = threading.Thread(
            target=lambda: (pause(written, "two", by="ali", reason="meanwhile"), audit_trail.seal_trail(written))
        )
        other.start()
        other.join(timeout=20)
    audit_trail.seal_trail(written)

    rows = shop.rows("SELECT action FROM audit_seal JOIN audit_entry USING (entry_id) ORDER BY sealed_no DESC LIMIT 2")
    assert rows == [("test.late",), ("issuer.paused",)]
    assert faults(written) == set()


def test_d39_the_trail_is_append_only_and_examined_by_the_reader(shop: Shop, written: Gateway) -> None:
    """D39: the application has no right to change or delete; without the reader nothing is examined."""
    for statement in (
        "UPDATE audit_entry SET reason = 'x'",
        "DELETE FROM audit_entry",
        "UPDATE audit_seal SET key_id = 'x'",
        "DELETE FROM audit_seal",
    ):
        with pytest.raises(Exception, match="permission denied"), shop.gateway.database.single() as connection:
            connection.execute(text(statement))
    with pytest.raises(InvalidSettings, match="READER"):
        faults(dataclasses.replace(written, reader=None))


def test_d31_an_operator_verifies_and_reads_the_trail(
    shop: Shop, written: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """D31: a word when all is well; a sentence for each finding and a refusal that ends with 1."""
    parser = argparse.ArgumentParser()
    audit_commands.add_to(parser.add_subparsers(), lambda command: lambda chosen: command(written, chosen))

    def said(*words: str) -> str:
        chosen = parser.parse_args(words)
        chosen.run(chosen)
        return capsys.readouterr().out

    assert said("verify") == "audit trail: as it was written\n"
    shown = said("show", "--subject", "issuer:two").splitlines()
    assert shown[1].endswith("operator:sara issuer.paused issuer:two  because letter 2")
    assert len(shown) == 7
    shop.change("DELETE FROM audit_entry WHERE entry_id = 3")
    with pytest.raises(RefusedRow, match="2 findings"):
        said("verify")
    assert "missing: the row of link 3 is gone" in capsys.readouterr().out
