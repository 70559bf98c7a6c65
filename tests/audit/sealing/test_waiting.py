"""An entry that waits for its place is one like all others, and moves into the log as it is."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
import pytest

from tests.audit.writing import BY, record, record_many, seal, seal_all, wait_as_before
from trueup.audit import service as audit
from trueup.audit import store
from trueup.audit.composing import LONGEST
from trueup.audit.errors import EntryInvalid
from trueup.audit.listing import service as listing
from trueup.audit.listing.service import Filters
from trueup.audit.listing.types import Mode
from trueup.audit.retention import erasing
from trueup.audit.types import Action, Phase
from trueup.audit.verifying import service as verifying
from trueup.kernel.actor import Actor, ActorKind
from trueup.runtime import database

pytestmark = pytest.mark.usefixtures("db", "home")

SEALED = "select count(*) from audit_logentry where id = %s"
TOKEN = Actor(kind=ActorKind.TOKEN, id="3", behind=BY)


def rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    return database.execute(statement, values or None).fetchall()


def listed(**filters: Any) -> list[int]:
    return [one.id for one in listing.entries(Filters(**filters)).data]


def verified() -> bool:
    return all(verifying.verify_database(database.connection(), livemode=one).verified for one in (True, False))


def test_what_waits_is_found_by_all_that_entries_are_found_by_between_those_that_have_places() -> None:
    first = record()
    seal_all()
    token = audit.REQUEST_ID.set("req_1")
    waits = record(
        by=TOKEN, action=Action.LINK_ADDED, object_type="customer", object_id="cus_1", livemode=False, why="Ada asked."
    )
    audit.REQUEST_ID.reset(token)
    assert rows(SEALED, waits) == [(0,)]

    for filters in (
        {"action": "customer.*"},
        {"actor": "token:3"},
        {"object": "customer:cus_1"},
        {"request_id": "req_1"},
        {"mode": Mode.TEST},
        {"since": audit.entry(database.connection(), waits).at},
    ):
        assert listed(**filters) == [waits], filters
    assert listed()[0] == waits
    assert listed()[-1] == first
    (newest,) = listing.entries(Filters(), limit=1).data
    assert (newest.id, newest.place) == (waits, None)
    before = audit.entry(database.connection(), waits, opened=True)
    assert (before.why, listing.entry(str(waits)).hidden) == ("Ada asked.", ("why",))

    seal_all()

    assert rows(SEALED, waits) == [(1,)]
    assert audit.entry(database.connection(), waits, opened=True) == before
    assert listed(object="customer:cus_1") == [waits]
    assert listing.entry(str(waits)).place is not None


def test_an_entry_moves_into_the_log_byte_for_byte_and_once() -> None:
    record_many(3, by=TOKEN, why="Ada asked.")
    record(livemode=False)
    before = rows(f"select * from {store.LOG} e order by id")

    seal_all()
    seal_all()

    ids = [row[0] for row in before]
    assert rows(f"select * from {store.LOG} e where id = any(%s) order by id", ids) == before
    assert rows("select id, at from audit_logentry where id = any(%s) order by id", ids) == [row[:2] for row in before]
    assert rows("select count(*) from audit_unsealed") == [(0,)]
    assert verified()


def test_an_outcome_names_the_intent_that_still_waits_by_the_id_that_it_keeps() -> None:
    intent = record(phase=Phase.INTENT)
    outcome = record(phase=Phase.SUCCEEDED, intent=intent)

    for _ in range(2):
        assert audit.entry(database.connection(), outcome).intent == intent
        assert audit.entry(database.connection(), intent).phase is Phase.INTENT
        seal_all()


def test_values_that_wait_are_erased_and_the_entry_gets_its_place() -> None:
    entry_id = record(object_type="customer", object_id="cus_1", why="Ada asked.")

    erasing.erase(subjects=["customer:cus_1"], why="She asked.", by=BY)
    assert rows("select count(*) from audit_unsealed where entry_id = %s", entry_id) == [(1,)]
    assert audit.entry(database.connection(), entry_id, opened=True).why == ""
    seal_all()

    assert audit.entry(database.connection(), entry_id, opened=True).why == ""
    assert rows("select count(*) from audit_disclosure where subject = 'customer:cus_1'") == [(0,)]
    assert verified()


def test_what_a_version_before_left_waiting_is_sealed_in_its_turn() -> None:
    before = record_many(3, why="Ada asked.")
    wait_as_before(*before)
    now = record_many(2, why="Grace asked.")
    assert sorted(listed()) == sorted([*before, *now])
    assert verified()
    erasing.erase(subjects=["operator:7"], why="They asked.", by=TOKEN)
    after = record(why="Elena asked.")
    wait_as_before(after)

    assert seal() == 8, "with the erasure and the log's key"

    places = rows("select entry_id from audit_leaf order by leaf_index")
    assert [one for (one,) in places[:5]] == [*before, *now]
    assert rows("select count(*), count(distinct id) from audit_logentry") == [(8, 8)]
    assert [audit.entry(database.connection(), one, opened=True).why for one in before] == ["", "", ""]
    assert audit.entry(database.connection(), after, opened=True).why == "Elena asked."
    assert verified()


@pytest.mark.parametrize(
    "given",
    [
        {"object_id": "é" * 1300},
        {"by": Actor(kind=ActorKind.TOKEN, id="x" * 2500)},
        {"object_type": "x" * 2000, "object_id": "y" * 501},
    ],
)
def test_what_the_logs_indexes_could_not_take_later_is_refused_with_its_change(given: dict[str, Any]) -> None:
    with pytest.raises(EntryInvalid, match="at most 2500 bytes"):
        record(**given)

    assert rows("select count(*) from audit_unsealed") == [(0,)]


def test_the_longest_that_is_taken_gets_its_place() -> None:
    # Of letters by chance, so that the index cannot make it shorter.
    long = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(40))[:LONGEST]
    token = audit.REQUEST_ID.set(long)
    by = Actor(kind=ActorKind.TOKEN, id=long[: -len("token")])
    entry_id = record(object_type="account", object_id=long[: -len("account")], by=by)
    audit.REQUEST_ID.reset(token)

    seal_all()

    assert rows(SEALED, entry_id) == [(1,)]
    assert verified()


def test_nobody_deletes_a_part_of_what_waits_beside_what_has_its_place() -> None:
    kept, _ = record_many(2)

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"), database.transaction():
        database.execute("delete from audit_unsealed where entry_id = %s", (kept,))

    seal_all()
    assert rows("select count(*) from audit_unsealed") == [(0,)]
