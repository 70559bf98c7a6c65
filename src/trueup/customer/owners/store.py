"""Statements on who looks after customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from trueup.kernel.actor import Actor
from trueup.runtime import database

SET: Final = """
insert into customer_owner (customer_id, operator_id, since, actor_kind, actor_id)
select id, %(operator_id)s, clock_timestamp(), %(actor_kind)s, %(actor_id)s from unnest(%(ids)s::text[]) as k (id)
on conflict (customer_id) do update set
    operator_id = excluded.operator_id, since = excluded.since, actor_kind = excluded.actor_kind,
    actor_id = excluded.actor_id
"""


def of(ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """The owners' rows of customers (our ids): the person's number, since, who said so."""
    rows = database.execute(
        "select customer_id, operator_id, since, actor_kind, actor_id from customer_owner"
        " where customer_id = any(%(ids)s)",
        {"ids": list(ids)},
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


def lock(ids: Sequence[str]) -> None:
    """Hold the owners of these customers until the transaction ends."""
    database.execute("select pg_advisory_xact_lock_shared(hashtext('customer owners'))")
    database.execute(
        "select pg_advisory_xact_lock(hashtext('customer owner'), hashtext(id))"
        " from (select unnest(%(ids)s::text[]) as id order by 1) k",
        {"ids": list(ids)},
    )


def lock_all() -> None:
    """Hold the owners of all customers until the transaction ends: a lock for each would be more than there is room."""
    database.execute("select pg_advisory_xact_lock(hashtext('customer owners'))")


def put(ids: Sequence[str], operator_id: int | None, *, by: Actor) -> None:
    """Let a person look after these customers, or nobody."""
    if operator_id is None:
        database.execute("delete from customer_owner where customer_id = any(%(ids)s)", {"ids": list(ids)})
        return
    values = {"ids": list(ids), "operator_id": operator_id, "actor_kind": by.kind.value, "actor_id": by.id}
    database.execute(SET, values)


def numbers(operators: Sequence[int]) -> dict[int, int]:
    """How many customers each of these people looks after."""
    rows = database.execute(
        "select operator_id, count(*) from customer_owner where operator_id = any(%(ids)s) group by operator_id",
        {"ids": list(operators)},
    ).fetchall()
    return dict(rows)
