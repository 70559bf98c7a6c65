"""Rows that somebody removed, invented or changed by hand: said to be damaged, and right again after a repair."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flow.beside import Beside, beside
from tests.flow.conftest import Ask
from tests.flow.test_reconcile import compare, found, live, lose
from trueup.customer.drain import fold_customers
from trueup.customer.healing import Watch
from trueup.mirror.reconcile.types import Cause, Kind, Status
from trueup.ops.rebuilding import checking
from trueup.runtime.database import transaction

INVENT = (
    "insert into mirror_object select account_id, livemode, object_type, given.id, given.customer, deleted, created,"
    " 'evt_ghost', event_type, verdict, head, shape_version, replace(essence, object_id, given.id), data"
    " from mirror_object o, (select %s as id, %s as customer) given where object_type = %s limit 1 returning 1"
)


@pytest.fixture
def stripe(database: str) -> Iterator[Beside]:
    with beside(database, seed="damage") as made:
        yield made


def checked() -> list[str]:
    """What ``rebuild --check --all`` finds."""
    return [f"{one.table} {one.key}: {one.what}" for one in checking.check(sample=None).findings]


def test_a_row_that_is_gone_while_the_log_tells_of_it_is_damaged_and_made_again(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    before = ask("select essence, data, customer, created, event_id from mirror_object order by object_type, object_id")
    newest: dict[str, str] = dict(ask("select object_id, event_id from mirror_object"))
    ask("delete from mirror_object where object_type in ('subscription', 'price') returning 1")

    compare(stripe)

    told = found()
    assert {(one.type, one.kind, one.cause) for one in told.values()} == {
        ("subscription", Kind.MISSING, Cause.DAMAGED),
        ("price", Kind.MISSING, Cause.DAMAGED),
    }
    assert newest[known["subscription"]] in told[known["subscription"]].why
    assert "never" not in told[known["subscription"]].why.lower()
    assert told[known["subscription"]].customer == known["customer"]
    assert not told[known["subscription"]].since_exact
    # That the log knows it as Stripe has it does not make it right.
    assert Watch().look() == 0
    run = compare(stripe, repair=True)
    assert (run.left, run.status) == (0, Status.COMPLETE)
    after = ask("select essence, data, customer, created, event_id from mirror_object order by object_type, object_id")
    assert after == before
    assert checked() == []
    assert compare(stripe).counts.found == {}


def test_a_row_that_is_gone_and_was_behind_too_ends_equal(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    ask("delete from mirror_object where object_id = %s returning 1", known["subscription"])
    lose(stripe)
    stripe.post(f"/v1/subscriptions/{known['subscription']}", cancel_at_period_end=True)

    run = compare(stripe, repair=True)

    assert (run.left, run.status) == (0, Status.COMPLETE)
    assert stripe.equal("subscription", known["subscription"])
    assert ask("select count(*) from inbox_event where source = 'reconcile'") == [(1,)]
    assert checked() == []


def test_what_was_erased_is_not_brought_back_where_its_row_is_gone(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    ask(
        "update inbox_event set redacted_at = now(), body = convert_to(replace(convert_from(body, 'utf8'), 'Ada', ''),"
        " 'utf8') where object_id = %s returning 1",
        known["customer"],
    )
    ask("delete from mirror_object where object_id = %s returning 1", known["customer"])

    run = compare(stripe, repair=True)

    assert (run.counts.found.get("missing"), run.left) == (1, 0)
    assert ask("select count(*) from inbox_event where source = 'reconcile'") == [(0,)]
    assert ask("select essence like '%%Ada%%' from mirror_object where object_id = %s", known["customer"]) == [(False,)]


@pytest.mark.parametrize("of", ["customer", "subscription"])
def test_a_row_that_nothing_supports_is_damaged_and_removed(stripe: Beside, ask: Ask, of: str) -> None:
    known = live(stripe)
    ghost = {"customer": "cus_ghost", "subscription": "sub_ghost"}[of]
    owner = ghost if of == "customer" else known["customer"]
    ask(INVENT, ghost, owner, of)

    compare(stripe)

    (told,) = found().values()
    assert (told.object_id, told.kind, told.cause) == (ghost, Kind.ORPHANED, Cause.DAMAGED)
    assert "evt_ghost" in told.why
    assert found(states=True) == {}
    run = compare(stripe, repair=True)
    assert (run.left, run.status) == (0, Status.COMPLETE)
    assert ask("select count(*) from mirror_object where object_id = %s", ghost) == [(0,)]
    assert ask("select count(*) from inbox_event where source = 'reconcile'") == [(0,)]
    stripe.read()
    assert checked() == []
    assert compare(stripe).counts.found == {}


def test_a_state_that_followed_from_nothing_else_goes_with_the_row(stripe: Beside, ask: Ask) -> None:
    live(stripe)
    ask(INVENT, "cus_ghost", "cus_ghost", "customer")
    with transaction():
        fold_customers([(stripe.account.id, stripe.account.livemode, "cus_ghost")])
    assert ask("select count(*) from customer_customer where stripe_customer_id = 'cus_ghost'") == [(1,)]

    compare(stripe)

    assert [(one.kind, one.cause) for one in found(states=True).values()] == [(Kind.ORPHANED, Cause.OBJECTS)]
    assert compare(stripe, repair=True).left == 0
    stripe.read()
    assert checked() == []


@pytest.mark.parametrize(
    ("column", "value", "theirs"),
    [
        ("name", "'Tampered'", "Ada"),
        ("email", "null", "ada@example.com"),
        ("sort_name", "'zz'", "ada"),
        ("stage", "'churned'", "active"),
        ("mrr_sort", "999", "20.00000000"),
        ("last_event_at", "last_event_at - interval '1 day'", None),
    ],
)
def test_columns_that_do_not_follow_from_their_state_are_damaged(
    stripe: Beside, ask: Ask, column: str, value: str, theirs: str | None
) -> None:
    known = live(stripe)
    columns = "name, email, sort_name, stage, mrr_sort, last_event_at, state"
    before = ask(f"select {columns} from customer_customer")
    ask(f"update customer_customer set {column} = {value} returning 1")

    compare(stripe)

    ((name, told),) = found(states=True).items()
    assert (name, told.kind, told.cause) == (known["customer"], Kind.STALE, Cause.DAMAGED)
    assert [field.path for field in told.fields] == [f"columns.{column}"]
    assert theirs in {None, told.fields[0].theirs}
    assert Watch().look() == 0
    assert compare(stripe, repair=True).left == 0
    assert ask(f"select {columns} from customer_customer") == before


def test_a_row_that_nothing_supports_and_stripe_has_is_read_anew(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    lose(stripe)
    new = stripe.post("/v1/customers", name="New")
    ask(INVENT, new["id"], new["id"], "customer")

    compare(stripe)

    (told,) = found().values()
    assert (told.object_id, told.kind, told.cause) == (new["id"], Kind.STALE, Cause.DAMAGED)
    assert compare(stripe, repair=True).left == 0
    assert stripe.equal("customer", new["id"])
    assert stripe.equal("customer", known["customer"])
    assert checked() == []
