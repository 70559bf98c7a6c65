from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import psycopg
import pytest
from django.db import connections

from tests import instance
from tests.inbox.conftest import Ask
from tests.inbox.store import keep, keep_all
from tests.instance import Json, customer, encoded, event
from trueup.accounts.types import Account
from trueup.customer import drain as customer_drain
from trueup.customer import service as customers
from trueup.inbox import dead_letters
from trueup.inbox import service as inbox
from trueup.mirror import drain as mirror_drain
from trueup.runtime import database as runtime_database
from trueup.runtime import drains, queues
from trueup.runtime.drains import Drain, Step
from trueup.runtime.queues import Claimed

pytestmark = pytest.mark.usefixtures("database")

MIRROR, CUSTOMER = mirror_drain.DRAIN, customer_drain.DRAIN


def drained() -> None:
    """Bring everything that is due through to the customers' states."""
    while drains.empty(MIRROR).claimed or drains.empty(CUSTOMER).claimed:
        continue


def due_now(ask: Ask) -> None:
    """Let the backoff of failed rows be over."""
    ask("update inbox_pending set due_at = now() where set_aside_at is null and due_at is not null returning 1")


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


def subscription(number: int, *, product: str = "prod_1", status: str = "active", amount: int = 4900) -> Json:
    price = {
        "id": "price_1",
        "object": "price",
        "currency": "usd",
        "product": product,
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        "billing_scheme": "per_unit",
        "type": "recurring",
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    }
    item = {
        "id": f"si_{number}",
        "object": "subscription_item",
        "price": price,
        "quantity": 1,
        "current_period_end": 1_792_000_000,
    }
    return {
        "id": f"sub_{number}",
        "object": "subscription",
        "customer": f"cus_{number}",
        "status": status,
        "currency": "usd",
        "items": {"object": "list", "data": [item]},
        "created": 1_700_000_000,
    }


def poison() -> bytes:
    """An event that the inbox takes and the mirror cannot: it tells of nothing, and quotes a name."""
    return encoded(event("customer.created", customer("cus_poison"), data={"subject": {"name": "Secretive"}}))


def test_one_poison_row_stops_nobody_else(account: Account, ask: Ask) -> None:
    keep_all(account, [*(encoded(event("customer.created", customer(f"cus_{n}"))) for n in range(10)), poison()])
    keep_all(account, [encoded(event("customer.created", customer(f"cus_{n}"))) for n in range(10, 20)])

    step = drains.step(MIRROR)

    assert step == Step(claimed=21, done=20, failed=1, set_aside=0)
    assert ask("select count(*) from mirror_object") == [(20,)]
    (pending,) = ask(
        "select attempts, last_error, due_at - now() between interval '0 s' and interval '1 s', set_aside_at"
        " from inbox_pending"
    )
    assert pending[0] == 1
    assert pending[1] == "unusable_event: The event has no data.object."
    assert pending[2:] == (True, None)


def test_a_row_that_is_not_due_yet_is_left_alone(account: Account, ask: Ask) -> None:
    keep(account, poison())
    drains.step(MIRROR)

    assert drains.step(MIRROR).claimed == 0
    assert ask("select attempts from inbox_pending") == [(1,)]


def test_the_wait_after_each_failure_doubles(account: Account, ask: Ask) -> None:
    keep(account, poison())
    waits = []
    for _ in range(5):
        drains.step(MIRROR)
        waits.append(ask("select round(extract(epoch from due_at - now())) from inbox_pending")[0][0])
        due_now(ask)

    assert waits == [1, 2, 4, 8, 16]


def test_a_row_that_fails_again_and_again_is_set_aside_with_its_error_and_can_be_tried_again(
    account: Account, ask: Ask
) -> None:
    keep(account, poison())
    steps = []
    for _ in range(MIRROR.max_attempts):
        steps.append(drains.step(MIRROR))
        due_now(ask)

    assert steps[-1] == Step(claimed=1, done=0, failed=0, set_aside=1)
    assert [step.failed for step in steps[:-1]] == [1] * (MIRROR.max_attempts - 1)
    assert drains.step(MIRROR).claimed == 0
    row = inbox.events().data[0]
    assert row.state == "set_aside"
    assert row.error == "unusable_event: The event has no data.object."
    assert inbox.stats().set_aside == 1
    assert dead_letters.retry(by=instance.TESTER).rows == {"mirror": 1}
    assert drains.step(MIRROR) == Step(claimed=1, done=0, failed=1, set_aside=0)


def test_a_lone_surrogate_in_a_name_reaches_the_customer_without_a_crash(account: Account, ask: Ask) -> None:
    body = encoded(event("customer.created", customer(name="@"))).replace(b'"@"', b'"\\ud800 Inc"')
    keep(account, body)

    drained()

    assert ask("select body from inbox_event") == [(body,)]
    assert (customers.get("cus_1").name or "").endswith(" Inc")


def _broken() -> bytes:
    return encoded(event("customer.created", customer(name="@"))).replace(b'"@"', b'"\xff"')


def _deep() -> bytes:
    return encoded(event("customer.created", customer(name="@"))).replace(b'"@"', b"[" * 900 + b"]" * 900)


@pytest.mark.parametrize(("body", "fault"), [(_broken, "UnicodeDecodeError"), (_deep, "TypeError: Recursion")])
def test_a_body_that_nobody_can_read_is_kept_and_its_row_says_why_case(
    account: Account, ask: Ask, body: Callable[[], bytes], fault: str
) -> None:
    keep(account, body())

    assert drains.step(MIRROR).failed == 1

    assert ask("select body from inbox_event") == [(body(),)]
    ((error,),) = ask("select last_error from inbox_pending")
    assert error.startswith(fault)


def _long_product(account: Account) -> bytes:
    return encoded(
        event(
            "customer.subscription.created",
            subscription(1, product="prod_" + "".join(chr(0x4E00 + n) for n in range(5000))),
        )
    )


def _long_names(account: Account) -> bytes:
    name = "".join(chr(0x1F600 + n) for n in range(500))
    return encoded(event("customer.created", {"id": name, "object": "customer", "name": "Long"}))


@pytest.mark.parametrize("body", [_long_product, _long_names])
def test_a_value_too_large_for_an_index_is_its_rows_fault_and_no_outage_case(
    account: Account, ask: Ask, body: Callable[[Account], bytes]
) -> None:
    keep_all(account, [body(account), encoded(event("customer.created", customer("cus_2")))])

    drained()

    waiting = ask("select last_error from inbox_pending union all select last_error from mirror_changed")
    assert all("ProgramLimitExceeded" in error for (error,) in waiting)
    assert customers.get("cus_2").name == "Acme"


def test_a_dry_run_counts_and_writes_nothing(account: Account, ask: Ask) -> None:
    keep_all(account, [encoded(event("customer.created", customer(f"cus_{n}"))) for n in range(5)] + [poison()])
    before = ask("select p::text from inbox_pending p order by id")

    step = drains.step(MIRROR, dry_run=True)

    assert step == Step(claimed=6, done=5, failed=1, set_aside=0)
    assert ask("select p::text from inbox_pending p order by id") == before
    assert ask(
        "select (select count(*) from mirror_object) + (select count(*) from mirror_version)"
        " + (select count(*) from mirror_changed)"
    ) == [(0,)]
    assert drains.empty(MIRROR).done == 5
    assert drains.step(CUSTOMER, dry_run=True).done == 5
    assert ask("select count(*) from customer_customer") == [(0,)]


def test_the_same_events_twice_change_nothing(account: Account, ask: Ask) -> None:
    bodies = [
        encoded(event("customer.created", customer("cus_1"))),
        encoded(event("customer.subscription.created", subscription(1))),
    ]
    keep_all(account, bodies)
    drained()
    tables = (
        "select o::text from mirror_object o union all select v::text from mirror_version v"
        " union all select state::text from customer_customer"
    )
    before = sorted(ask(tables))

    # The log refuses duplicates; a reader that is told again all the same must not be misled either.
    keep_all(account, bodies)
    ask(
        "insert into inbox_pending (account_id, livemode, event_id, created, received_at)"
        " select account_id, livemode, event_id, created, received_at from inbox_event returning 1"
    )
    drained()

    assert sorted(ask(tables)) == before
    assert ask("select count(*) from mirror_changed") == [(0,)]


def test_several_drains_at_once_neither_lose_nor_deadlock(account: Account, ask: Ask) -> None:
    told = []
    for number in range(400):
        about = number % 40
        told.append(
            encoded(
                event("customer.updated", customer(f"cus_{about}", name=f"Name {number}"), at=1_790_000_000 + number)
            )
        )
        told.append(
            encoded(
                event(
                    "customer.subscription.updated", subscription(about, amount=number + 1), at=1_790_000_000 + number
                )
            )
        )
    small = Drain(
        name="mirror", topic=MIRROR.topic, queue=MIRROR.queue, since=MIRROR.since, apply=MIRROR.apply, batch=7
    )
    folds = Drain(
        name="customer", topic=CUSTOMER.topic, queue=CUSTOMER.queue, since=CUSTOMER.since, apply=CUSTOMER.apply, batch=7
    )
    done = threading.Event()

    def store_all() -> None:
        for start in range(0, len(told), 20):
            keep_all(account, told[start : start + 20])
        done.set()

    def read() -> None:
        while not done.is_set() or ask_pending() or ask_changed():
            drains.empty(small)
            drains.empty(folds)

    def ask_pending() -> int:
        with runtime_database.transaction() as connection:
            return queues.depth(connection, MIRROR.queue, MIRROR.since).waiting

    def ask_changed() -> int:
        with runtime_database.transaction() as connection:
            return queues.depth(connection, CUSTOMER.queue, CUSTOMER.since).waiting

    threads(store_all, read, read, read)

    assert ask("select count(*) from mirror_version") == [(800,)]
    assert ask("select (select count(*) from inbox_pending) + (select count(*) from mirror_changed)") == [(0,)]
    assert ask(
        "select object_id, essence::jsonb->>'name' from mirror_object where object_type = 'customer'"
        ' order by object_id collate "C" limit 2'
    ) == [
        ("cus_0", "Name 360"),
        ("cus_1", "Name 361"),
    ]
    for number in (0, 7, 39):
        state = customers.get(f"cus_{number}")
        assert state.name == f"Name {360 + number}"
        assert [(mrr.numerator, mrr.denominator, mrr.currency) for mrr in state.mrr] == [(361 + number, 1, "usd")]


def test_a_deadlock_is_tried_again_and_charged_to_no_row(account: Account, ask: Ask, database: str) -> None:
    keep_all(account, [encoded(event("customer.created", customer(f"cus_{n}"))) for n in range(3)])
    entered, tries = threading.Event(), list[int]()

    def apply(rows: Sequence[Claimed]) -> None:
        tries.append(len(rows))
        connection = runtime_database.connection()
        connection.execute("set local deadlock_timeout = '100ms'")
        connection.execute("select pg_advisory_xact_lock(11)")
        if len(tries) == 1:
            entered.set()
            while not ask("select 1 from pg_locks where locktype = 'advisory' and objid = 11 and not granted"):
                time.sleep(0.01)
        connection.execute("select pg_advisory_xact_lock(12)")

    def other() -> None:
        with psycopg.connect(database) as connection:
            connection.execute("set local deadlock_timeout = '60s'")
            connection.execute("select pg_advisory_xact_lock(12)")
            entered.wait(30)
            connection.execute("select pg_advisory_xact_lock(11)")

    contested = Drain(name="contested", topic="t", queue=MIRROR.queue, since=MIRROR.since, apply=apply, batch=10)
    result: list[Step] = []

    threads(other, lambda: result.append(drains.step(contested)))

    assert tries == [3, 3]
    assert result == [Step(claimed=3, done=3, failed=0, set_aside=0)]


def test_a_changed_product_reaches_also_the_customer_that_is_being_folded_meanwhile(account: Account, ask: Ask) -> None:
    product = {"id": "prod_1", "object": "product", "name": "Old", "created": 1_700_000_000}
    keep_all(
        account, [encoded(event("product.created", product)), encoded(event("customer.created", customer("cus_1")))]
    )
    drained()
    keep(account, encoded(event("customer.subscription.created", subscription(1))))
    drains.empty(MIRROR)
    folded, told = threading.Event(), threading.Event()

    def slow() -> None:
        with runtime_database.transaction():
            assert drains.step(CUSTOMER).done
            folded.set()
            told.wait(30)

    def change() -> None:
        folded.wait(30)
        keep(account, encoded(event("product.updated", product | {"name": "New"}, at=1_790_000_100)))
        drains.empty(MIRROR)
        waiter = threading.Timer(0.5, told.set)
        waiter.start()
        drains.step(CUSTOMER)
        waiter.join()

    threads(slow, change)
    drained()

    assert customers.get("cus_1").state.plans[0].product_name == "New"


def test_a_product_of_many_customers_is_told_to_all_of_them(account: Account) -> None:
    product = {"id": "prod_1", "object": "product", "name": "Old", "created": 1_700_000_000}
    keep_all(account, [encoded(event("product.created", product))])
    keep_all(account, [encoded(event("customer.subscription.created", subscription(n))) for n in range(150)])
    keep_all(account, [encoded(event("customer.created", customer(f"cus_{n}"))) for n in range(150)])
    drained()

    keep(account, encoded(event("product.updated", product | {"name": "New"}, at=1_790_000_100)))
    drained()

    names = {customers.get(f"cus_{n}").state.plans[0].product_name for n in range(150)}
    assert names == {"New"}
