"""Whatever a superuser changes is found, and named by its place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.audit.writing import BY, record, record_many, seal, seal_all, wait_as_before
from trueup.audit.verifying import service as verifying
from trueup.audit.verifying.types import Finding
from trueup.kernel.actor import Actor, ActorKind
from trueup.runtime import database

pytestmark = pytest.mark.usefixtures("db", "home")


def tamper(*statements: str) -> None:
    """What a superuser does, whom no trigger stops."""
    database.execute("set local session_replication_role = replica")
    for statement in ";".join(statements).split(";"):
        database.execute(statement)
    database.execute("set local session_replication_role = default")


def verify(*, livemode: bool = True) -> Finding:
    """Check the database."""
    return verifying.verify_database(database.connection(), livemode=livemode)


def fill() -> None:
    """A log of 613 entries with checkpoints of 1+300, 612 and 613."""
    record_many(300)
    seal()
    record_many(311)
    seal()
    record()
    seal()


ENTRY = "(select entry_id from audit_leaf where livemode and leaf_index = {})"
COLUMNS = (
    *("actor_kind", "actor_id", "behind_kind", "behind_id"),
    *("action", "object_type", "object_id", "request_id"),
)
OTHER = "overlay(hashes placing sha256('x') from {})"
SECOND = "(level, tile_index) = (0, 1)"
THIRD = "(level, tile_index) = (0, 2)"
MOVE = """
with e as (update audit_logentry set at = at - interval '1 us' where id = {} returning id, at)
update audit_leaf set at = e.at from e where entry_id = e.id
"""
SWAP_LEAVES = """
update audit_leaf set entry_id = -entry_id where leaf_index in (17, 500);
update audit_leaf t set entry_id = -o.entry_id, at = o.at{} from audit_leaf o
where (t.leaf_index, o.leaf_index) in ((17, 500), (500, 17))
"""
SWAP_BODIES = """
update audit_logentry t set body = o.body from audit_logentry o, audit_leaf a, audit_leaf b
where a.entry_id = t.id and b.entry_id = o.id and (a.leaf_index, b.leaf_index) in ((5, 9), (9, 5))
"""
SWAP_TILES = """
update audit_tile t set hashes = o.hashes from audit_tile o
where t.level = 0 and o.level = 0 and (t.tile_index, o.tile_index) in ((0, 1), (1, 0))
"""
SWAP_ROOTS = """
update audit_checkpoint t set root = o.root from audit_checkpoint o where (t.size, o.size) in ((301, 612), (612, 301))
"""
SWAP_NOTES = SWAP_ROOTS.replace("root", "note")

_CASES = [
    # Entries.
    ("entry_changed", 17, f"update audit_logentry set body = body || ' ' where id = {ENTRY.format(17)}"),
    ("entry_missing", 17, f"delete from audit_logentry where id = {ENTRY.format(17)}"),
    ("entry_missing", 0, "truncate audit_logentry"),
    ("entry_missing", 0, "delete from audit_logentry"),
    ("entry_changed", 5, SWAP_BODIES),
    ("entry_missing", 612, f"update audit_logentry set at = at + interval '1 us' where id = {ENTRY.format(612)}"),
    *(
        ("column_changed", 400, f"update audit_logentry set {column} = '9' where id = {ENTRY.format(400)}")
        for column in COLUMNS
    ),
    ("column_changed", 400, f"update audit_logentry set livemode = false where id = {ENTRY.format(400)}"),
    ("column_changed", 400, MOVE.format(ENTRY.format(400))),
    # Leaves.
    ("leaf_changed", 17, "update audit_leaf set leaf_hash = sha256('x') where leaf_index = 17"),
    ("leaf_missing", 17, "delete from audit_leaf where leaf_index = 17"),
    ("leaf_missing", 0, "truncate audit_leaf"),
    ("leaf_missing", 612, "delete from audit_leaf where leaf_index = 612"),
    ("tile_changed", 17, SWAP_LEAVES.format(", leaf_hash = o.leaf_hash")),
    ("entry_changed", 17, SWAP_LEAVES.format("")),
    ("entry_missing", 30, "update audit_leaf set entry_id = -1 where leaf_index = 30"),
    # Tiles.
    ("tile_changed", 258, f"update audit_tile set hashes = {OTHER.format(65)} where {SECOND}"),
    ("tile_changed", 256, f"update audit_tile set hashes = {OTHER.format(33)} where level = 1"),
    ("tile_missing", 256, f"delete from audit_tile where {SECOND}"),
    ("tile_missing", 0, "truncate audit_tile"),
    ("tile_missing", 512, f"update audit_tile set hashes = substring(hashes from 1 for 96) where {THIRD}"),
    ("tile_changed", 512, f"update audit_tile set hashes = hashes || sha256('x') where {THIRD}"),
    ("tile_changed", 1024, "insert into audit_tile values (true, 0, 4, sha256('x'))"),
    ("tile_changed", 0, SWAP_TILES),
    # Checkpoints.
    ("checkpoint_changed", 301, "update audit_checkpoint set root = sha256('x') where size = 301"),
    ("note_invalid", 301, "update audit_checkpoint set note = replace(note, '301', '302') where size = 301"),
    ("note_invalid", 301, SWAP_NOTES),
    ("note_invalid", 612, "update audit_checkpoint set note = 'a note' where size = 612"),
    ("checkpoint_missing", 301, "delete from audit_checkpoint where size = 301"),
    ("checkpoint_missing", 613, "delete from audit_checkpoint where size = 613"),
    ("checkpoint_missing", 613, "truncate audit_checkpoint"),
    ("checkpoint_changed", 301, SWAP_ROOTS),
    ("checkpoint_changed", 300, "update audit_checkpoint set size = 300 where size = 301"),
    # What is around them.
    ("key_changed", 1, "update audit_signingkey set verifier_key = 'x'"),
    (
        "key_changed",
        2,
        "insert into audit_signingkey select livemode, 2, verifier_key, -1, now() from audit_signingkey",
    ),
    ("minimum_changed", 100, "insert into audit_minimum values (true, 100, now())"),
]


@pytest.mark.parametrize(("code", "position", "statement"), _CASES)
def test_what_was_changed_is_named(code: str, position: int, statement: str) -> None:
    fill()
    tamper(statement)

    found = verify()

    assert found.first is not None
    assert (found.first.code.value.removeprefix("audit_"), found.first.position) == (code, position), found.first
    assert not found.verified
    assert found.problems >= 1
    noted = verifying.last(database.connection(), livemode=True)
    assert noted is not None
    assert (noted.verified, noted.code, noted.position) == (False, found.first.code, position)
    assert noted.finding == found.first.sentence


def test_a_log_that_nobody_touched_verifies() -> None:
    fill()
    record_many(20, livemode=False)
    seal_all()

    live, test = verify(), verify(livemode=False)

    assert (live.verified, live.size, live.entries, live.checkpoints) == (True, 613, 613, 3)
    assert (test.verified, test.size, test.entries, test.checkpoints) == (True, 21, 21, 1)
    noted = verifying.last(database.connection(), livemode=True)
    assert noted is not None
    assert (noted.verified, noted.finding, noted.position) == (True, "", None)
    assert verifying.last(database.connection(), livemode=False) != noted


def test_an_empty_log_verifies_and_what_waits_is_no_fault() -> None:
    assert verify().verified
    record()
    assert (verify().verified, verify().size) == (True, 0)


def test_one_that_goes_on_looks_at_what_is_new_and_finds_nothing_older() -> None:
    fill()
    tamper("update audit_leaf set leaf_hash = sha256('x') where leaf_index = 17")

    found = verifying.verify_database(database.connection(), livemode=True, since_size=600)
    assert (found.verified, found.since_size, found.entries, found.checkpoints) == (True, 512, 101, 2)

    tamper("delete from audit_tile where level = 1")
    later = verifying.verify_database(database.connection(), livemode=True, since_size=600)
    assert later.first is not None
    assert later.first.code == "audit_tile_missing"


@pytest.mark.parametrize("value", ["a\x1fb", "a\x1eb", "", "é\u2028", "a" * 2000])
def test_values_of_every_kind_are_no_fault_and_are_compared(value: str) -> None:
    entry_id = record(object_id=value)
    record(by=Actor(kind=ActorKind.TOKEN, id="t", behind=BY), at=datetime(2026, 11, 22, 1, 2, 0, 120_000, UTC))
    record(at=datetime(2026, 11, 22, 1, 2, 0, 0, UTC))
    seal()
    assert verify().verified

    tamper(f"update audit_logentry set object_id = object_id || 'c' where id = {entry_id}")

    found = verify()
    assert found.first is not None
    assert (found.first.code, found.first.position, found.problems) == ("audit_column_changed", 0, 1)


def test_a_separator_that_moves_from_one_column_to_the_next_is_seen() -> None:
    entry_id = record(object_id="a\x1fb", by=BY)
    seal()
    tamper(f"update audit_logentry set object_type = 'account\x1fa', object_id = 'b' where id = {entry_id}")

    found = verify()

    assert found.first is not None
    assert found.first.code == "audit_column_changed"
    assert "object_type" in found.first.sentence


def test_all_wrong_places_are_counted_and_the_first_is_named() -> None:
    fill()
    places = "select entry_id from audit_leaf where leaf_index in (70, 71, 500)"
    tamper(f"update audit_logentry set actor_id = '8' where id in ({places})")

    found = verify()

    assert found.first is not None
    assert (found.problems, found.first.position) == (3, 70)


def test_keys_that_are_gone_are_found_by_what_announced_them() -> None:
    fill()
    tamper("delete from audit_signingkey")

    found = verify()

    assert found.first is not None
    assert (found.first.code, found.first.position) == ("audit_key_changed", 1)
    assert found.problems == 2, "the keys of three notes are not known, and an entry announces one"


def test_an_entry_that_was_slipped_in_is_named() -> None:
    fill()
    tamper(
        "insert into audit_logentry (id, at, livemode, actor_kind, actor_id, action, object_type, object_id, body)"
        " select id + 100000, at, livemode, actor_kind, actor_id, action, object_type, object_id, body"
        " from audit_logentry order by id limit 1"
    )

    found = verify()

    assert found.first is not None
    assert found.first.code == "audit_entry_unplaced"
    assert str(found.first.position) in found.first.sentence


def test_an_entry_of_a_version_before_taken_away_before_it_had_a_place_is_named() -> None:
    fill()
    gone = record()
    wait_as_before(gone)
    tamper(f"delete from audit_logentry where id = {gone}")

    found = verify()

    assert found.first is not None
    assert (found.first.code, found.first.position) == ("audit_pending_orphaned", gone)


@pytest.mark.parametrize("column", [*COLUMNS, "livemode"])
def test_a_column_that_was_changed_before_the_entry_had_a_place_is_named(column: str) -> None:
    fill()
    changed = record()
    tamper(f"update audit_unsealed set {column} = {'false' if column == 'livemode' else repr('9')}")
    seal_all()

    found = [verify(livemode=livemode).first for livemode in (True, False)]

    (problem,) = [one for one in found if one is not None]
    place = database.execute("select leaf_index from audit_leaf where entry_id = %s", (changed,)).fetchone()
    assert (problem.code, (problem.position,)) == ("audit_column_changed", place)


def test_a_whole_history_that_was_shortened_is_found_by_what_the_signer_remembers() -> None:
    fill()
    tamper(
        "delete from audit_checkpoint where size > 301",
        "delete from audit_logentry where id in (select entry_id from audit_leaf where leaf_index >= 301)",
        "delete from audit_leaf where leaf_index >= 301",
        "delete from audit_tile where (level, tile_index) = (0, 2)",
        "update audit_tile set hashes = substring(hashes from 1 for 45 * 32) where (level, tile_index) = (0, 1)",
        "update audit_tile set hashes = substring(hashes from 1 for 32) where level = 1",
    )

    found = verify()

    assert found.first is not None
    assert (found.first.code, found.first.position) == ("audit_went_back", 613)


def test_the_progress_is_told() -> None:
    record_many(5000)
    seal_all()
    told: list[tuple[int, int]] = []

    verifying.verify_database(database.connection(), livemode=True, progress=lambda done, of: told.append((done, of)))

    assert told == [(4096, 5001), (5001, 5001)]
