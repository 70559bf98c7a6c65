"""From pending entries to a signed tree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.audit.writing import bodies, record, record_many, root, seal, seal_all, signed, signers, wait_as_before
from trueup.audit import service as audit
from trueup.audit import store
from trueup.audit.merkle.hashing import leaf_hash
from trueup.audit.notes.checkpoints import parse_checkpoint
from trueup.audit.notes.signed import parse_note
from trueup.audit.sealing import service as sealing
from trueup.audit.sealing import trees
from trueup.audit.signing import keys
from trueup.runtime import database, installation

pytestmark = pytest.mark.usefixtures("db", "home")


def test_nothing_is_made_before_anything_is_recorded(home: Path) -> None:
    assert seal() == 0

    assert database.execute("select count(*) from audit_signingkey").fetchone() == (0,)
    assert not (home / "audit" / "keys").exists()


def test_what_is_pending_gets_places_and_a_signed_root() -> None:
    wrote = record_many(3)

    assert seal() == 4, "the log's own key is announced in it"

    rows = database.execute("select entry_id, leaf_hash from audit_leaf where livemode order by leaf_index").fetchall()
    assert [row[0] for row in rows][:3] == wrote
    assert [bytes(row[1]) for row in rows] == [leaf_hash(body) for body in bodies()]
    newest = signed()
    assert (newest.size, newest.root) == (4, root())
    told = parse_checkpoint(parse_note((newest.note or "").encode()).text)
    assert (told.origin, told.size, told.root) == (f"{installation.identifier()}/audit/live", 4, root())
    assert [str(key) for key in signers(newest)] == [str(keys.announced(database.connection(), livemode=True)[0].key)]
    assert database.execute("select count(*) from audit_unsealed").fetchone() == (0,)


def test_the_modes_have_trees_of_their_own() -> None:
    record_many(2)
    record_many(5, livemode=False)

    assert seal() == 2 + 1 + 5 + 1

    assert (signed().size, signed().root) == (3, root())
    assert (signed(livemode=False).size, signed(livemode=False).root) == (6, root(livemode=False))
    assert keys.origin(database.connection(), livemode=False).endswith("/audit/test")


def test_the_tree_grows_through_full_tiles() -> None:
    for count in (1, 254, 1, 1, 300):
        record_many(count)
        seal()

    assert (signed().size, signed().root) == (558, root())
    stored = database.execute(
        "select level, tile_index, octet_length(hashes) / 32 from audit_tile where livemode order by 1, 2"
    ).fetchall()
    assert stored == [(0, 0, 256), (0, 1, 256), (0, 2, 46), (1, 0, 2)]
    read = trees.reader(database.connection(), 558, livemode=True)
    sizes = database.execute("select size, root from audit_checkpoint where livemode").fetchall()
    assert [trees.root_at(read, size) for size, _ in sizes] == [bytes(one) for _, one in sizes]


def test_a_piece_is_bounded_and_the_next_goes_on() -> None:
    record_many(10)

    assert [seal(limit=4) for _ in range(4)] == [4, 4, 3, 0]
    assert (signed().size, signed().root) == (11, root())


def test_an_entry_that_commits_late_is_placed_behind_those_that_did_not() -> None:
    first, second, third = record_many(3)
    database.execute("create temporary table late as select * from audit_unsealed where entry_id = %s", (first,))
    database.execute("set local session_replication_role = replica")
    database.execute("delete from audit_unsealed where entry_id = %s", (first,))
    database.execute("set local session_replication_role = default")
    seal()
    database.execute("insert into audit_unsealed select * from late")
    seal()

    places = dict(database.execute("select entry_id, leaf_index from audit_leaf").fetchall())
    assert (places[second], places[third], places[first]) == (0, 1, 3)
    assert signed().root == root()


def test_a_clock_that_steps_back_changes_nothing_about_the_order() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    wrote = [record(at=now + timedelta(days=days)) for days in (0, -40, 400, -4000, 1)]
    seal()

    places = database.execute("select entry_id from audit_leaf order by leaf_index").fetchall()
    assert [row[0] for row in places][:5] == wrote
    assert (signed().size, signed().root) == (6, root())


def test_text_of_every_script_and_each_microsecond_is_hashed_as_it_was_written() -> None:
    moments = [datetime(2026, 11, 22, 1, 2, 3, microsecond, UTC) for microsecond in (0, 1, 999_999, 120_000)]
    texts = ["é", "e\u0301", "\N{RECEIPT} \U00020bb7", '\u2028\u00a0\\"', "مرحبا"]
    for at in moments:
        record(at=at, object_id=texts[0], after={"slug": texts})
    seal()

    found = bodies()
    stamps = [f'"at":"2026-11-22T01:02:03.{at.microsecond:06}Z"'.encode() for at in moments]
    assert [stamp in body for stamp, body in zip(stamps, found[:4], strict=True)] == [True] * 4
    assert all("\u2028\u00a0".encode() in body and "\N{RECEIPT} \U00020bb7".encode() in body for body in found[:4])
    assert signed().root == root()


def test_an_entry_of_a_version_before_that_was_taken_away_stays_on_the_list() -> None:
    gone, left = record_many(2)
    wait_as_before(gone, left)
    database.execute("set local session_replication_role = replica")
    database.execute("delete from audit_logentry where id = %s", (gone,))

    seal()

    assert database.execute("select entry_id from audit_unsealed").fetchall() == [(gone,)]
    assert database.execute("select entry_id from audit_leaf where leaf_index = 0").fetchall() == [(left,)]
    assert sealing.state(database.connection(), livemode=True).waiting == 1


def test_the_state_tells_what_waits_and_what_is_signed() -> None:
    before = sealing.state(database.connection(), livemode=True)
    assert (before.size, before.signed, before.waiting, before.code) == (0, None, 0, "")

    record()
    waiting = sealing.state(database.connection(), livemode=True)
    assert (waiting.waiting, waiting.oldest_waiting is not None) == (1, True)

    seal_all()
    after = sealing.state(database.connection(), livemode=True)
    assert after.signed is not None
    assert (after.size, after.signed.size, after.waiting, after.unsigned_since) == (2, 2, 0, None)


def test_personal_values_wait_beside_their_entry_and_the_sequencer_puts_them_in_their_table() -> None:
    first = record(why="Ada asked.")
    record()
    assert database.execute("select count(*) from audit_disclosure").fetchone() == (0,)
    before = database.execute(f"select * from {store.VALUES} d").fetchall()

    seal_all()

    found = database.execute("select entry_id, digest, subject, key_id, ciphertext from audit_disclosure").fetchall()
    assert found == before
    assert [row[0] for row in found] == [first]
    assert audit.entry(database.connection(), first, opened=True).why == "Ada asked."


def test_a_value_whose_key_was_destroyed_while_it_waited_is_put_nowhere() -> None:
    record(why="Ada asked.")
    database.execute("delete from audit_subjectkey")

    seal_all()

    left = database.execute(
        f"select (select count(*) from {store.VALUES} d), count(*) from audit_logentry where action like 'acc%'"
    )
    assert left.fetchone() == (0, 1)
