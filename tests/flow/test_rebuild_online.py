"""Tables are made again from the log beside the live ones, compared, and put in place while everything runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from typing import Any

import psycopg
import pytest
from django.db import connections

from tests.flow.conftest import Ask, Lived
from tests.flow.laying import lay
from tests.flow.rebuilds import SHADOWS, no, settle, yes
from tests.flow.tables import differences, kept, stored
from tests.flow.test_rebuild import lives, tell
from tests.instance import TESTER, Door, post_all
from trueup.accounts.types import Account
from trueup.customer import drain, merging
from trueup.customer import service as customers
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.customer.fold import fold
from trueup.customer.types import CustomerState
from trueup.kernel.errors import Conflict, Unavailable
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.ops.rebuilding import building
from trueup.ops.rebuilding.running import rebuild
from trueup.ops.rebuilding.types import Reason, Target
from trueup.runtime import database as runtime
from trueup.runtime import drains, shadows
from trueup.runtime.crypto import Sealer

CUSTOMERS = "select count(*) from mirror_object where object_type = 'customer'"
SCHEMA = """
select c.relname, c.relkind::text, c.reloptions::text, (
    select string_agg(pg_get_indexdef(i.indexrelid), ';' order by i.indexrelid::regclass::text)
    from pg_index i where i.indrelid = c.oid
), (
    select string_agg(conname || pg_get_constraintdef(k.oid), ';' order by conname) from pg_constraint k
    where k.conrelid = c.oid
), (
    select string_agg(concat_ws(chr(32), attname, format_type(atttypid, atttypmod), attnotnull, attstorage,
                                attcollation), ';' order by attname)
    from pg_attribute a where a.attrelid = c.oid and attnum > 0 and not attisdropped
), (
    select array_agg(a::text order by 1) from aclexplode(c.relacl) a where a.grantee <> c.relowner
)
from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r' and relname ~ '^(mirror|customer)_'
order by 1
"""


@pytest.fixture
def settled(connect: Callable[..., Account], database: str, sealer: Sealer, lived: Lived) -> None:
    """A log with all sorts of lives, all of it read, and what people said of it."""
    lay("settled", database, lambda: settle(connect("lived"), database, sealer=sealer, lived=lived))


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("target", [Target.ALL, Target.MIRROR, Target.CUSTOMERS])
def test_what_is_as_the_log_says_is_made_again_as_it_was(target: Target, ask: Ask) -> None:
    before, beside, built = stored(ask), kept(ask), ask(SCHEMA)

    found = rebuild(target, by=TESTER, agreed=yes)

    assert found.swapped
    assert found.same, found.tables
    assert list(islice(differences(stored(ask), before), 20)) == []
    assert list(islice(differences(kept(ask), beside), 20)) == []
    assert ask(SCHEMA) == built
    assert ask(SHADOWS) == [(0,)]
    assert ask("select count(*) from stripe.customers") == ask(CUSTOMERS)
    assert ask("select object_id from audit_entries where action = 'customer.tables.rebuilt'") == [(target.value,)]
    assert {one.table for one in found.tables if one.rows and one.rows == one.rebuilt} >= {
        Target.ALL: {"mirror_object", "mirror_version", "customer_customer", "customer_lookup"},
        Target.MIRROR: {"mirror_object", "mirror_version"},
        Target.CUSTOMERS: {"customer_customer", "customer_lookup"},
    }[target]


def test_what_the_live_tables_missed_and_what_was_done_to_them_is_told_apart(ask: Ask, settled: None) -> None:
    del settled
    before = stored(ask)
    (lost,) = ask(
        "delete from mirror_version where object_type = 'charge' and object_id = (select min(object_id) from "
        "mirror_object where object_type = 'charge') returning object_id, event_id"
    )[:1]
    ask("delete from mirror_object where object_type = 'charge' and object_id = %s returning 1", lost[0])
    (bent,) = ask(
        "update mirror_object set essence = jsonb_set(essence::jsonb, '{status}', '\"bent\"')::text where "
        "object_type = 'subscription' and essence::jsonb ? 'status' and object_id = (select min(object_id) "
        "from mirror_object where object_type = 'subscription') returning object_id"
    )
    ask(
        "insert into mirror_object select account_id, livemode, object_type, 'in_stray', customer, deleted, created, "
        "event_id, event_type, verdict, head, shape_version, essence, data from mirror_object "
        "where object_type = 'invoice' limit 1 returning 1"
    )
    (named,) = ask(
        "update customer_customer set name = 'nobody' where name is not null and id = (select min(id) from "
        "customer_customer where name is not null) returning stripe_customer_id"
    )

    found = rebuild(Target.ALL, by=TESTER, agreed=no)

    causes = {
        (table.table, cause.change, cause.reason): " ".join(cause.examples)
        for table in found.tables
        for cause in table.causes
    }
    assert lost[0] in causes["mirror_object", "added", Reason.NEVER_APPLIED]
    assert lost[1] in causes["mirror_version", "added", Reason.NEVER_APPLIED]
    assert bent[0] in causes["mirror_object", "changed", Reason.DIFFERS]
    assert "in_stray" in causes["mirror_object", "removed", Reason.STRAY]
    told = [key for key, names in causes.items() if key[0] == "customer_customer" and named[0] in names]
    assert told in (
        [("customer_customer", "changed", Reason.DIFFERS)],
        [("customer_customer", "changed", Reason.OBJECTS)],
    )
    objects = {one.table: one for one in found.tables}["mirror_object"]
    (status,) = [field for field in objects.fields if field.field == "essence.status"]
    assert (status.rows, status.examples[0].before) == (1, "bent")

    rebuild(Target.ALL, by=TESTER, agreed=yes)

    assert list(islice(differences(stored(ask), before), 20)) == []


@pytest.mark.parametrize("moment", ["Reading the log", "Folding customers", "Comparing"])
def test_a_rebuild_that_is_interrupted_leaves_no_trace(moment: str, ask: Ask, settled: None) -> None:
    del settled
    before = stored(ask)

    def interrupt(what: str, done: int, total: int) -> None:
        del total
        if what == moment and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(Target.ALL, by=TESTER, agreed=yes, progress=interrupt)

    assert ask(SHADOWS) == [(0,)]
    assert list(islice(differences(stored(ask), before), 20)) == []


def test_where_the_rules_fail_nothing_is_exchanged(ask: Ask, settled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    del settled
    before = stored(ask)
    # One Stripe customer alone: of those that are one person each is a row that fails.
    stripe = "cus_4"

    def failing(customer: str, *given: Any, **more: Any) -> CustomerState:
        if customer == stripe:
            raise ZeroDivisionError
        return fold(customer, *given, **more)

    monkeypatch.setattr(drain, "fold", failing)

    shown = rebuild(Target.CUSTOMERS, by=TESTER, agreed=no)
    with pytest.raises(Conflict) as refused:
        rebuild(Target.CUSTOMERS, by=TESTER, agreed=yes)

    assert (shown.failed, shown.failures[0].key) == (1, f"customer {stripe}")
    assert "ZeroDivisionError" in shown.failures[0].error
    assert refused.value.code == "rebuild_fails"
    assert list(islice(differences(stored(ask), before), 20)) == []
    assert ask("select count(*) from mirror_changed") == [(0,)]

    # Who is set aside anyway keeps the last state.
    ask(
        "insert into mirror_changed (account_id, livemode, object_type, object_id, attempts, set_aside_at) select "
        "account_id, livemode, 'customer', %s, 8, now() from customer_customer limit 1 returning 1",
        stripe,
    )
    again = rebuild(Target.CUSTOMERS, by=TESTER, agreed=yes)
    assert (again.swapped, again.failed) == (True, 0)
    assert list(islice(differences(stored(ask) | {"mirror_changed": []}, before), 20)) == []


def test_what_others_built_and_were_granted_goes_on_or_is_a_refusal(ask: Ask, settled: None) -> None:
    del settled
    before = stored(ask)
    runtime.execute("grant select on mirror_object to public")
    runtime.execute("create view mine with (security_barrier) as select object_id from mirror_object where not deleted")
    try:
        (expected,) = ask("select count(*) from mine")
        assert rebuild(Target.ALL, by=TESTER, agreed=yes).swapped
        assert ask("select count(*) from mine") == [expected]
        assert ask("select reloptions from pg_class where relname = 'mine'") == [(["security_barrier=true"],)]
        assert ask("select has_table_privilege('public', 'mirror_object', 'select')") == [(True,)]
        runtime.execute("create materialized view counted as select count(*) from mirror_object")

        with pytest.raises(Conflict) as refused:
            rebuild(Target.MIRROR, by=TESTER, agreed=yes)

        assert refused.value.code == "rebuild_in_use"
        assert "counted" in refused.value.message
    finally:
        runtime.execute("drop materialized view if exists counted")
        runtime.execute("drop view mine")
        runtime.execute("revoke select on mirror_object from public")
    assert ask(SHADOWS) == [(0,)]
    assert list(islice(differences(stored(ask), before), 20)) == []


def test_nobody_waits_behind_the_exchange_for_a_transaction_that_is_long_open(
    settled: None, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settled
    monkeypatch.setattr(building, "PATIENCE", timedelta(0))
    monkeypatch.setattr(building, "SWAP_TRIES", 3)
    with psycopg.connect(database) as report:
        report.execute("select count(*) from mirror_object")

        with pytest.raises(Unavailable) as refused:
            rebuild(Target.ALL, by=TESTER, agreed=yes)

        assert refused.value.code == "rebuild_busy"
        # Whoever holds it lets go at once: the live tables were not locked while it waited.
        assert report.execute("select count(*) from customer_customer").fetchone() is not None
    assert rebuild(Target.ALL, by=TESTER, agreed=yes).swapped


def leave() -> None:
    """What a rebuild that was killed leaves."""
    runtime.execute("create schema trueup_rebuild")
    runtime.execute("create table trueup_rebuild.mirror_object (id int)")


def test_one_rebuild_at_a_time_and_what_a_killed_one_left_is_removed(settled: None) -> None:
    del settled
    leave()

    with shadows.held(), pytest.raises(Conflict) as refused:
        rebuild(Target.ALL, by=TESTER, agreed=no)

    assert refused.value.code == "rebuild_running"
    leave()
    assert rebuild(Target.MIRROR, by=TESTER, agreed=no).same


def test_everything_goes_on_while_tables_are_made_anew_and_exchanged(
    ask: Ask, connect: Callable[..., Account], database: str, sealer: Sealer, lived: Lived
) -> None:
    connect("lived")
    events = lives(lived(1_200))
    first, rest = events[: len(events) // 3], events[len(events) // 3 :]
    stop, faults = threading.Event(), list[BaseException]()

    def work(task: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - told to the test
                faults.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def drained() -> None:
        while not stop.is_set():
            if not drains.step(MIRROR).claimed + drains.step(CUSTOMER).claimed:
                stop.wait(0.01)
        connections.close_all()

    with Door(database, sealer=sealer) as door:
        tell(door, "lived", first)
        worker = work(drained)

        def post() -> None:
            for start in range(0, len(rest), 60):
                answers = post_all(door.port, "/webhooks/stripe/lived", rest[start : start + 60])
                assert {answer.status for answer in answers} == {200}

        poster = work(post)
        exchanged = 0
        while poster.is_alive() or exchanged < 3:
            found = rebuild((Target.ALL, Target.MIRROR, Target.CUSTOMERS)[exchanged % 3], by=TESTER, agreed=yes)
            assert found.swapped
            exchanged += 1
            if exchanged == 2:
                merging.merge(id="cus_1", others=["cus_2"], by=TESTER)
        poster.join()
        stop.set()
        worker.join()
    assert faults == []
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)

    found = rebuild(Target.ALL, by=TESTER, agreed=no)

    assert found.same, found.tables
    assert found.events == ask("select count(*) from inbox_event")[0][0]
    after = stored(ask)
    customers.rebuild(by=TESTER)
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)
    assert list(islice(differences(stored(ask), after), 20)) == []
