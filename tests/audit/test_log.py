"""The audit log: written with the change, never changed itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.audit.writing import BY, record, seal_all
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.runtime import database


class Interrupted(Exception):
    """What breaks a change off in the middle."""


def counts() -> tuple[int, int]:
    """How many entries and how many pending rows there are."""
    row = database.execute(
        "select (select count(*) from audit_entries), (select count(*) from audit_unsealed)"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_an_entry_says_who_did_what_to_which_object_why_and_what_it_was(db: None) -> None:
    token = audit.REQUEST_ID.set("req_12345678")
    identifier = record(why="Ada asked.", before={"access": "watch"}, after={"access": "act", "at": [1, None]})
    audit.REQUEST_ID.reset(token)

    (entry,) = audit.entries(database.connection(), opened=True)

    assert (entry.id, entry.actor_kind, entry.actor_id) == (identifier, "operator", "7")
    assert (entry.action, entry.object_type, entry.object_id) == ("accounts.account.changed", "account", "1")
    assert (entry.why, entry.request_id) == ("Ada asked.", "req_12345678")
    assert (entry.before, entry.after) == ({"access": "watch"}, {"access": "act", "at": [1, None]})
    assert abs(entry.at - datetime.now(UTC)) < timedelta(minutes=1)  # noqa: TID251 - beside the database's clock


def test_a_moment_in_an_entry_is_kept_as_text(db: None) -> None:
    record(after={"expires_at": datetime(2027, 1, 1, tzinfo=UTC)})

    assert audit.entries(database.connection(), opened=True)[0].after == {"expires_at": "2027-01-01T00:00:00Z"}


def test_entries_read_the_same_on_a_plain_connection(db: None) -> None:
    record(before={"access": "act"})
    plain = database.connection()

    assert audit.entries(plain)[0].before == {"access": "act"}
    with psycopg.connect(plain.info.dsn, password=plain.info.password) as other:
        assert audit.entries(other) == []


def test_every_entry_waits_for_its_place_in_the_tree(db: None) -> None:
    identifiers = {record() for _ in range(3)}

    found = {row[0] for row in database.execute("select entry_id from audit_unsealed").fetchall()}

    assert found == identifiers
    assert counts() == (3, 3)


def test_an_entry_dies_with_the_change_it_describes(db: None) -> None:
    def change() -> None:
        with database.transaction() as connection:
            audit.record(connection, by=BY, action=Action.TOKEN_REVOKED, object_type="token", object_id="1")
            assert counts() == (1, 1)
            raise Interrupted

    with pytest.raises(Interrupted):
        change()
    assert counts() == (0, 0)


def test_a_change_whose_entry_cannot_be_written_does_not_happen(db: None) -> None:
    database.execute("create temporary table thing (n int)")

    def change() -> None:
        with database.transaction() as connection:
            connection.execute("insert into thing values (1)")
            audit.record(connection, by=BY, action=Action.TOKEN_REVOKED, object_type="token", object_id="a\x00b")

    with pytest.raises(psycopg.DataError):
        change()
    assert database.execute("select count(*) from thing").fetchone() == (0,)
    assert counts() == (0, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_logentry set body = ''",
        "update audit_logentry set id = id",
        "delete from audit_logentry",
        "delete from audit_logentry where id = (select min(id) from audit_logentry)",
        "truncate audit_logentry cascade",
        "update audit_unsealed set body = ''",
        "update audit_unsealed set object_id = '2'",
        "update audit_unsealed set entry_id = entry_id + 1",
        "delete from audit_unsealed",
        "truncate audit_unsealed",
    ],
)
def test_nobody_changes_what_was_recorded(db: None, home: object, statement: str) -> None:
    record()
    seal_all()
    record()

    def attempt() -> None:
        with database.transaction():
            database.execute(statement)

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        attempt()
    assert counts() == (3, 1)


def test_entries_are_read_newest_first_page_by_page_and_by_object(db: None) -> None:
    identifiers = [record(object_id=str(number % 2)) for number in range(5)]
    read: Callable[..., list[Any]] = audit.entries

    def ids(**given: Any) -> list[int]:
        return [entry.id for entry in read(database.connection(), **given)]

    assert ids() == identifiers[::-1]
    assert ids(limit=2) == identifiers[:2:-1]
    assert ids(limit=2, before_id=identifiers[3]) == [identifiers[2], identifiers[1]]
    assert ids(object_type="account", object_id="1") == [identifiers[3], identifiers[1]]
    assert ids(object_type="token") == []


@pytest.mark.parametrize("action", list(Action))
def test_an_action_is_named_as_domain_noun_and_past_verb(action: Action) -> None:
    domain, noun, verb = action.value.split(".")

    assert domain in {"accounts", "operators", "inbox", "mirror", "customer", "notices", "ops", "audit"}
    assert noun.replace("_", "").isalpha()
    assert verb.replace("_", "").isalpha()
