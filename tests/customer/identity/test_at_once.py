"""Merges, splits and folds at the same moment; and what suggestions cost when there are many customers."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import psycopg
import pytest
from django.db import connections

from tests import instance
from tests.customer.identity.told import ADA, paying, tell
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.customer import drain, merging
from trueup.customer import service as customers
from trueup.customer.identity import merged, suggestions
from trueup.customer.identity import service as identity
from trueup.customer.rules.identity import WEIGHTS
from trueup.kernel.errors import Conflict
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.runtime import database as runtime_database
from trueup.runtime import drains

pytestmark = pytest.mark.usefixtures("database")

NUMBER = 20_000


def threads(*works: Callable[[], object]) -> None:
    """Run all at once, each with a database connection of its own; the first error is raised."""
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)
        finally:
            connections.close_all()

    started = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(60)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


def stored(address: str) -> dict[str, str]:
    """The states as they stand, by the leading Stripe customer."""
    with instance.rows(address) as ask:
        return dict(ask("select stripe_customer_id, state from customer_customer"))


def test_folds_merges_and_splits_at_once_end_as_if_one_after_the_other(database: str) -> None:
    account: Account = world.connect()
    names = [f"cus_{number}" for number in range(6)]
    tell(account, *(world.customer(name, name) for name in names))
    for name in names:
        paying(account, name, amount=1000)

    def work() -> None:
        for turn in range(2, 12):
            events = [
                world.event(
                    "customer.subscription.updated",
                    world.subscription(f"sub_{name}", name, amount=1000 * turn),
                    at=world.START + turn,
                    previous={"quantity": 1},
                )
                for name in names
            ]
            world.told(account, *events)

    def decide(seed: int) -> None:
        luck = random.Random(seed)
        for _ in range(12):
            leader, other = luck.sample(names, 2)
            try:
                merging.merge(id=leader, others=[other], by=ADA)
                if luck.random() < 0.6:
                    merging.split(id=leader, by=ADA)
            except Conflict:
                continue

    threads(work, lambda: decide(1), lambda: decide(2))
    drains.empty(MIRROR)
    drains.empty(drain.DRAIN)

    held = stored(database)
    units = {group.keys for group in merged.groups([(account.id, False, name) for name in names]).values()}
    alone = set(names) - {key[2] for keys in units for key in keys}
    assert set(held) == alone | {keys[0][2] for keys in units}
    for name in held:
        drain.fold_customers([(account.id, False, name)])
    assert stored(database) == held
    assert sum(customers.get(name).mrr[0].minor for name in held) == 6 * 11_000


def test_a_fold_that_waited_for_a_merge_folds_what_was_merged(database: str) -> None:
    account = world.connect()
    tell(account, world.customer("cus_a", "A"), world.customer("cus_b", "B"))
    about = world.subscription("sub_b", "cus_b")
    world.told(account, world.event("customer.subscription.created", about, at=world.START + 5), drain=False)
    drains.empty(MIRROR)
    waiting = threading.Event()

    def fold() -> None:
        waiting.wait(20)
        drains.empty(drain.DRAIN)

    def merge() -> None:
        with runtime_database.transaction():
            merging.merge(id="cus_a", others=["cus_b"], by=ADA)
            waiting.set()
            with instance.rows(database) as ask:
                waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
                instance.eventually(lambda: ask(waits) != [(0,)], "the fold waits for the merge")

    threads(merge, fold)

    assert set(stored(database)) == {"cus_a"}
    assert customers.get("cus_b").mrr[0].minor == 4900
    with instance.rows(database) as ask:
        assert ask("select count(*) from mirror_changed") == [(0,)]


def test_whoever_merges_what_another_one_merges_at_that_moment_is_told_so(database: str) -> None:
    account = world.connect()
    tell(account, *(world.customer(f"cus_{letter}", letter) for letter in "abc"))
    codes: list[str] = []
    merged_first = threading.Event()

    def first() -> None:
        with runtime_database.transaction():
            merging.merge(id="cus_a", others=["cus_b"], by=ADA)
            merged_first.set()
            with instance.rows(database) as ask:
                waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
                instance.eventually(lambda: ask(waits) != [(0,)], "the second merge waits for the first")

    def second() -> None:
        merged_first.wait(20)
        with pytest.raises(Conflict) as raised:
            merging.merge(id="cus_c", others=["cus_b"], by=ADA)
        codes.append(raised.value.code)

    threads(first, second)

    assert codes == ["merge_raced"]
    assert set(stored(database)) == {"cus_a", "cus_c"}


def many(address: str, account: Account) -> None:
    """Twenty thousand customers as the fold leaves them; a tenth has another's address, and domains are few."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            b"""
            insert into customer_trait
                (customer_id, account_id, livemode, kind, system, value, source, rule, person_id, since)
            select 'tc_' || n, %(account)s, false, kind, '', case kind
                       when 'email' then (case when n %% 10 = 0 then n + 1 else n end) || '@x.example'
                       else 'x' || n %% 40 || '.example name' || n end,
                   'stripe', kind, case kind when 'email' then 'tp_' || n end, now()
            from generate_series(1, %(number)s) n, unnest(array['email', 'company']) kind
            """,
            {"account": account.id, "number": NUMBER},
        )
        connection.execute(
            b"""
            insert into customer_customer (id, account_id, livemode, stripe_customer_id, sort_name, stage, mrr_sort,
                                           last_event_at, fold_version, state)
            select 'tc_' || n, %(account)s, false, 'cus_' || n, '', 'lead', 0, now(), 3, ''
            from generate_series(1, %(number)s) n
            """,
            {"account": account.id, "number": NUMBER},
        )
        connection.execute(b"vacuum analyze customer_trait")


def test_suggestions_among_twenty_thousand_read_an_index_once_and_pair_only_what_is_shared(database: str) -> None:
    account = world.connect()
    many(database, account)
    asked = {
        "accounts": [account.id],
        "kinds": list(WEIGHTS),
        "weights": list(WEIGHTS.values()),
        "score": -(2**31),
        "first_id": "",
        "second_id": "",
        "limit": 51,
    }

    explained = runtime_database.execute(f"explain (analyze, costs off, timing off) {suggestions.SUGGESTIONS}", asked)
    plan = "\n".join(row[0] for row in explained.fetchall())

    assert "Index Only Scan using customer_trait_said on customer_trait" in plan
    assert "Seq Scan on customer_trait" not in plan
    # Each row is read once; what is joined with itself is only what is shared.
    largest = max(
        int(line.partition("rows=")[2].partition(".")[0].partition(" ")[0])
        for line in plan.splitlines()
        if "rows=" in line
    )
    assert largest <= 2 * NUMBER

    page = identity.duplicates(limit=200)
    assert len(page.data) == 200
    assert {one.score for one in page.data} == {40}
    seen = len(page.data)
    while page.next:
        page = identity.duplicates(limit=200, after=page.next)
        seen += len(page.data)
    assert seen == NUMBER // 10 - 1
