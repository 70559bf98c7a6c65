"""Entries of before there was a tree."""

from __future__ import annotations

from datetime import UTC, datetime

from trueup.audit import former
from trueup.audit import service as audit
from trueup.runtime import database

FORMER = """
with entry as (
    insert into audit_entry (at, actor_kind, actor_id, action, object_type, object_id, why, before, after, request_id)
    select timestamptz '2026-11-01 10:00Z' + n * interval '1 s', 'operator', '7', 'accounts.account.changed', 'account',
           '1', 'Because ' || n, null, jsonb_build_object('access', 'act', 'slug', 'acme'), 'req_' || n
    from generate_series(1, 5) n returning id
)
insert into audit_pending select id from entry
"""


def test_former_entries_are_taken_over_piece_by_piece_with_all_they_said(db: None) -> None:
    database.execute(FORMER)

    assert [former.move(limit=2) for _ in range(4)] == [2, 2, 1, 0]

    found = audit.entries(database.connection(), opened=True)
    assert [one.why for one in found] == [f"Because {n}" for n in (5, 4, 3, 2, 1)]
    assert found[0].at == datetime(2026, 11, 1, 10, 0, 5, tzinfo=UTC)
    assert (found[0].after, found[0].before) == ({"access": "act", "slug": "acme"}, None)
    assert (found[0].request_id, found[0].actor_id) == ("req_5", "7")
    left = database.execute(
        "select (select count(*) from audit_entry), (select count(*) from audit_pending)"
    ).fetchone()
    assert left == (0, 0), "what told of people in the clear is gone"
    assert database.execute("select count(*) from audit_unsealed").fetchone() == (5,)


def test_nothing_is_emptied_while_something_waits(db: None) -> None:
    database.execute(FORMER)

    assert former.move(limit=5) == 5
    assert database.execute("select count(*) from audit_entry").fetchone() == (5,)
    assert former.move() == 0
    assert former.move() == 0
