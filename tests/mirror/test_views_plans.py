"""How PostgreSQL finds what a view is asked for, with enough rows that reading them all would be dear."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from tests.web.console import world
from trueup.runtime import database

ROWS = 20_000
COPY = """
insert into {table} select one.* from {table} given cross join generate_series(1, %(rows)s) n (n)
cross join lateral jsonb_populate_record(
    given, jsonb_build_object('{key}', given.{key} || '_' || n.n, 'customer', given.customer || '_' || n.n)
) one
"""


@pytest.fixture(autouse=True)
def crowd(views: None) -> None:
    """Thousands of customers, subscriptions and invoices in one account of two."""
    world.connect("empty")
    world.told(
        world.connect(),
        world.event("customer.created", world.customer("cus", "Ada")),
        world.event("customer.subscription.created", world.subscription("sub", "cus")),
        world.event("invoice.paid", {"id": "in", "object": "invoice", "customer": "cus", "total": 5}),
    )
    for table, key in (("mirror_object", "object_id"), ("inbox_event", "event_id")):
        database.execute(COPY.format(table=table, key=key), {"rows": ROWS})
        database.execute(f"analyze {table}")


def plan(select: str, options: str = "verbose, costs off") -> list[str]:
    """The lines of the plan."""
    return [line for (line,) in database.execute(f"explain ({options}) {select}").fetchall()]


def pages(select: str) -> int:
    """How many pages of tables and indexes the select looks at when it runs."""
    (line,) = [
        line for line in plan(select, "analyze, buffers, costs off, timing off")[:2] if "Buffers: shared" in line
    ]
    return sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", line))


def index_condition(lines: Sequence[str], index: str) -> str:
    """What that index is searched for."""
    (place,) = [number for number, line in enumerate(lines) if index in line]
    return next(line for line in lines[place:] if "Index Cond" in line)


def test_one_object_is_found_through_an_index() -> None:
    held = f"from mirror_object where object_type = 'customer' and object_id || '' = 'cus_{ROWS // 2}'"
    selects = {
        f"select * from stripe.invoices where id = 'in_{ROWS // 2}'": "mirror_object_pkey",
        f"select email from stripe.customers where id = 'cus_{ROWS // 2}'": "mirror_object_pkey",
        f"select * from stripe.subscription_items where subscription = 'sub_{ROWS // 2}'": "mirror_object_pkey",
        f"select total from stripe.invoices where customer = 'cus_{ROWS // 2}'": "mirror_object_customer",
    }

    searched = {select: index_condition(plan(select), index) for select, index in selects.items()}

    assert [f"{ROWS // 2}'::text" in condition for condition in searched.values()] == [True] * 4
    assert [database.execute(select).fetchall() != [] for select in selects] == [True] * 4
    # The index alone has hundreds of pages, which a search for the end of its key would read.
    assert {select: looked_at for select in selects if (looked_at := pages(select)) > 50} == {}
    assert pages(f"select count(*) {held}") > 500


def test_the_log_is_searched_by_its_whole_key_and_only_for_a_column_of_the_payload() -> None:
    condition = index_condition(plan("select email from stripe.customers where id = 'cus'"), "inbox_event_other_pkey")

    assert all(f".{column} = " in condition for column in ("account_id", "livemode", "event_id", "created"))
    assert "inbox_event" not in "\n".join(plan("select count(*), max(_updated_at) from stripe.customers"))
