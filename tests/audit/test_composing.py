"""What stands in an entry as it is, what is kept apart, and the bytes that the tree has the hash of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.writing import BY, record
from trueup.audit import canonical, disclosures, store, subjects
from trueup.audit import service as audit
from trueup.audit.catalogue import CATALOGUE
from trueup.audit.errors import EntryInvalid
from trueup.audit.retention import waiting
from trueup.audit.types import Action, AuditEntry, Phase
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import NotFound
from trueup.runtime import database


def newest(*, opened: bool = False) -> AuditEntry:
    return audit.entries(database.connection(), limit=1, opened=opened)[0]


def test_what_the_catalogue_does_not_call_plain_is_a_digest_in_the_log_and_opens_for_who_may_see_it(db: None) -> None:
    record(why="Ada Lovelace asked.", before={"access": "watch", "note": "Ada"}, after={"access": "act", "note": None})

    closed, opened = newest(), newest(opened=True)

    assert b"Ada" not in closed.body
    assert (closed.before, closed.after, closed.why) == ({"access": "watch"}, {"access": "act", "note": None}, "")
    assert closed.hidden == ("before.note", "why")
    assert (opened.before, opened.why) == ({"access": "watch", "note": "Ada"}, "Ada Lovelace asked.")
    assert opened.hidden == ()


def test_nothing_of_a_personal_value_stands_in_any_row_as_it_is(db: None) -> None:
    record(why="Ada Lovelace asked.", after={"note": "ada@example.com"})

    for table in ("audit_logentry", "audit_disclosure", "audit_subjectkey", "audit_unsealed"):
        for (row,) in database.execute(f"select t::text from {table} t").fetchall():
            assert "Lovelace" not in row
            assert b"Lovelace".hex() not in row
            assert "ada@example.com" not in row
            assert b"ada@example.com".hex() not in row


def test_the_same_value_twice_has_two_digests_so_nobody_can_try_what_it_was(db: None) -> None:
    record(why="yes")
    first = json.loads(newest().body)["_sd"]["why"]
    record(why="yes")

    assert json.loads(newest().body)["_sd"]["why"] != first


def test_an_entry_says_from_where_and_who_stands_behind_whoever_acts(db: None) -> None:
    told = audit.ORIGIN.set("192.0.2.7")
    record(by=Actor(kind=ActorKind.TOKEN, id="3", behind=BY), livemode=False, facts=["evt_1", "evt_2"])
    audit.ORIGIN.reset(told)

    found = newest(opened=True)

    assert (found.actor_kind, found.actor_id, found.behind_kind, found.behind_id) == ("token", "3", "operator", "7")
    assert (found.origin, found.facts, found.livemode) == ("192.0.2.7", ("evt_1", "evt_2"), False)
    subject = database.execute(f"select subject from {store.VALUES} d").fetchone()
    assert subject == ("operator:7",), "an address speaks of the person, not of the token"


def test_values_belong_to_the_person_they_are_about_or_to_who_acts(db: None) -> None:
    record(object_type="customer", object_id="cus_1", why="a")
    record(object_type="account", object_id="1", why="b")
    record(object_type="account", object_id="1", why="c", subject="customer:cus_2")

    found = database.execute(f"select subject from {store.VALUES} d order by entry_id").fetchall()

    assert found == [("customer:cus_1",), ("operator:7",), ("customer:cus_2",)]


def test_an_effect_outside_has_an_intent_and_its_outcome(db: None) -> None:
    intent = record(phase=Phase.INTENT)
    outcome = record(phase=Phase.FAILED, intent=intent)

    assert audit.entry(database.connection(), intent).phase is Phase.INTENT
    found = audit.entry(database.connection(), outcome)
    assert (found.phase, found.intent) == (Phase.FAILED, intent)


def test_an_entry_nobody_wrote_is_not_found(db: None) -> None:
    with pytest.raises(NotFound, match="no entry 12"):
        audit.entry(database.connection(), 12)


def test_a_key_destroyed_while_it_was_at_hand_is_replaced_and_opens_nothing_old(db: None) -> None:
    record(why="before")
    assert newest(opened=True).why == "before"
    assert subjects.at_hand(["operator:7"])
    database.execute("delete from audit_subjectkey")

    record(why="after")

    assert [entry.why for entry in audit.entries(database.connection(), opened=True)] == ["after", ""]
    assert audit.entries(database.connection(), opened=True)[1].hidden == ("why",)


def test_a_disclosure_moved_to_another_digest_does_not_open(db: None) -> None:
    record(why="one")
    record(why="two")
    waiting.take(database.connection())
    a, b = database.execute("select entry_id, ciphertext from audit_disclosure order by entry_id").fetchall()
    database.execute("update audit_disclosure set ciphertext = %b where entry_id = %b", (b[1], a[0]))

    assert [entry.why for entry in audit.entries(database.connection(), opened=True)] == ["two", ""]


def test_a_large_value_is_kept_apart_so_that_entries_stay_small(db: None) -> None:
    record(action=Action.DEAD_LETTERS_RETRIED, after={"rows": {f"queue {n}": n for n in range(5_000)}})

    assert len(newest().body) < 1_000
    assert newest(opened=True).after["rows"]["queue 4999"] == 4999


def test_an_entry_too_large_is_refused_and_the_change_with_it(db: None) -> None:
    with pytest.raises(EntryInvalid, match="65535"):
        record(object_id="x" * 70_000)


def test_moments_of_entries_have_microseconds_in_their_text(db: None) -> None:
    at = datetime(2026, 11, 22, 1, 2, 3, 4, tzinfo=UTC)
    record(at=at)

    assert json.loads(newest().body)["at"] == "2026-11-22T01:02:03.000004Z"
    assert newest().at == at


def test_entries_are_found_by_what_they_say(db: None) -> None:
    first = record(livemode=False, at=datetime(2026, 11, 1, tzinfo=UTC))
    second = record(action=Action.TOKEN_REVOKED, at=datetime(2026, 11, 2, tzinfo=UTC))
    third = record(by=Actor(kind=ActorKind.TOKEN, id="9"), at=datetime(2026, 11, 3, tzinfo=UTC))

    def ids(**wanted: Any) -> list[int]:
        return [entry.id for entry in audit.entries(database.connection(), **wanted)]

    assert ids(livemode=False) == [first]
    assert ids(action="operators.token.revoked") == [second]
    assert ids(actor_kind="token", actor_id="9") == [third]
    assert ids(since=datetime(2026, 11, 2, tzinfo=UTC), until=datetime(2026, 11, 3, tzinfo=UTC)) == [second]


@pytest.mark.parametrize("action", list(Action))
def test_every_action_is_described(action: Action) -> None:
    assert CATALOGUE[action].meaning.endswith(".")


# --- bytes -----------------------------------------------------------------------------------------------------------

WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_bytes_are_those_of_another_implementation_of_rfc_8785(value: Any) -> None:
    assert canonical.canonical(canonical.plain(value)) == rfc8785.dumps(value)


@given(VALUES)
def test_bytes_read_back_are_the_value_and_the_same_bytes(value: Any) -> None:
    found = canonical.canonical(value)

    assert msgspec.json.decode(found) == value
    assert canonical.canonical(msgspec.json.decode(found)) == found


def test_names_are_sorted_by_their_utf_16_units() -> None:
    value = {"\U0001f600": 1, "\ufb33": 2, "a": 3, "nested": [{"\U0001f600": 1, "\ufb33": 2}]}

    assert list(json.loads(canonical.canonical(value))) == ["a", "nested", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical.canonical(value))["nested"][0]) == ["\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**60), "-1152921504606846976"),
        ("a\ud800b", "a?b"),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, {"at": "2026-01-01T00:00:00Z"}),
        (("a", Action.TOKEN_REVOKED), ["a", "operators.token.revoked"]),
    ],
)
def test_values_are_made_exact(value: Any, expected: Any) -> None:
    assert canonical.plain(value) == expected


def test_a_fraction_is_refused() -> None:
    with pytest.raises(EntryInvalid, match="float"):
        canonical.plain({"share": 0.1})


def test_a_disclosure_tells_its_name_and_value_and_has_the_digest_of_its_text() -> None:
    one = disclosures.disclosed("after.name", {"given": "Ada", "n": 2**60})

    assert disclosures.read(one.text) == ("after.name", {"given": "Ada", "n": 2**60})
    assert disclosures.digest_of(one.text) == one.digest
