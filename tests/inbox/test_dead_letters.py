"""What was set aside is found by its cause over all queues, tried again, given up, and forgotten once it is done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest

from tests.inbox.conftest import Ask
from tests.inbox.store import keep_all
from tests.inbox.test_drains import drained, poison, subscription
from tests.instance import TESTER, Door, customer, encoded, event
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.customer import drain as customer_drain
from trueup.customer import service as customers
from trueup.inbox import dead_letters
from trueup.inbox import service as inbox
from trueup.kernel.errors import NotFound, Refused
from trueup.mirror.service import mark_changed
from trueup.mirror.types import ObjectKey
from trueup.ops import health
from trueup.runtime import database
from trueup.runtime import database as runtime_database
from trueup.runtime.dead_letters import cause_of

pytestmark = pytest.mark.usefixtures("database")


def poisons(number: int) -> list[bytes]:
    """Events that the inbox takes and the mirror cannot."""
    return [
        encoded(event("customer.updated", customer(f"cus_poison{n}"), data={"subject": {"n": n}}, at=1_790_000_100 + n))
        for n in range(number)
    ]


def exhaust(ask: Ask) -> None:
    """Let every row fail until it is set aside."""
    for _ in range(9):
        drained()
        for table in ("inbox_pending", "mirror_changed"):
            ask(f"update {table} set due_at = null where set_aside_at is null returning 1")


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, customer_id: str) -> Any:
    """The fold of one customer fails."""
    fold = customer_drain.fold  # type: ignore[attr-defined]

    def broken(key: str, *given: Any, **named: Any) -> Any:
        if key == customer_id:
            raise KeyError(f"{customer_id} has no plan 17")
        return fold(key, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(customer_drain, "fold", broken)
        yield


def test_rows_of_all_queues_are_grouped_by_what_stopped_them(
    door: Door, account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_all(account, [*poisons(3), encoded(event("customer.created", customer("cus_1")))])
    assert door.post(b"{no json").status == 200
    with failing(monkeypatch, "cus_1"):
        exhaust(ask)

    found = {group.queue: group for group in dead_letters.groups()}

    assert {queue: (group.rows, group.things) for queue, group in found.items()} == {
        "mirror": (3, 3),
        "customer": (1, 1),
        "quarantine": (1, 1),
    }
    assert found["mirror"].cause.startswith("unusable_event-")
    assert found["mirror"].error == "unusable_event: The event has no data.object."
    assert found["mirror"].accounts == ("acme",)
    assert len(found["mirror"].examples) == 3
    assert found["customer"].cause.startswith("key_error-")
    assert found["customer"].examples == ("customer cus_1",)
    assert found["quarantine"].cause.startswith("not_json-")


@pytest.mark.parametrize(
    ("_case", "one", "other", "same"),
    [
        ("ids", "key_error: no sub_1AbC here", "key_error: no sub_9zY here", True),
        ("numbers", "TypeError: at position 12", "TypeError: at position 7", True),
        ("fields", "KeyError: 'customer'", "KeyError: 'items'", False),
        ("classes", "KeyError: 'customer'", "ValueError: 'customer'", False),
        ("long names", "KeyError: 'invoice_settings'", "KeyError: 'payment_settings'", False),
    ],
)
def test_a_cause_is_made_from_the_error_without_ids_and_numbers(
    ask: Ask, _case: str, one: str, other: str, same: bool
) -> None:
    ((first, second),) = ask(
        f"select {cause_of('a')}, {cause_of('b')} from (select %s::text as a, %s::text as b) s", one, other
    )

    assert (first == second) is same
    assert first == first.lower()


def test_the_rows_of_a_cause_come_in_pages_newest_first(account: Account, ask: Ask) -> None:
    keep_all(account, poisons(5))
    exhaust(ask)
    (group,) = dead_letters.groups()

    pages = [dead_letters.letters(group.cause, limit=2)]
    while pages[-1].next:
        pages.append(dead_letters.letters(group.cause, limit=2, after=pages[-1].next))

    rows = [one for page in pages for one in page.data]
    assert [len(page.data) for page in pages] == [2, 2, 1]
    assert len({one.id for one in rows}) == 5
    assert {(one.kind, one.account_slug, one.attempts) for one in rows} == {("event", "acme", 8)}
    assert [one.set_aside_at for one in rows] == sorted((one.set_aside_at for one in rows), reverse=True)
    assert pages[0].total == 5


def test_a_preview_tells_what_a_retry_does_and_writes_nothing(account: Account, ask: Ask) -> None:
    keep_all(account, poisons(2))
    exhaust(ask)
    cause = dead_letters.groups()[0].cause
    before = ask("select to_jsonb(p)::text from inbox_pending p order by id")

    shown = dead_letters.retry(cause=cause, by=TESTER, dry_run=True)

    assert (shown.rows, shown.done) == ({"mirror": 2}, False)
    assert ask("select to_jsonb(p)::text from inbox_pending p order by id") == before
    assert dead_letters.retry(cause=cause, by=TESTER).rows == shown.rows
    assert dead_letters.groups() == ()
    assert inbox.stats().waiting == 2
    assert ask("select action, object_id, after from audit_entries order by id desc limit 1") == [
        ("inbox.dead_letters.retried", cause, {"rows": {"mirror": 2}})
    ]


def test_giving_up_needs_a_reason_keeps_the_events_and_says_so(account: Account, ask: Ask) -> None:
    keep_all(account, poisons(2))
    exhaust(ask)
    cause = dead_letters.groups()[0].cause
    with pytest.raises(Refused) as refused:
        dead_letters.discard(cause=cause, why=" ", by=TESTER)
    assert refused.value.code == "reason_missing"
    assert dead_letters.discard(cause=cause, why="", by=TESTER, dry_run=True).rows == {"mirror": 2}
    assert len(dead_letters.groups()) == 1

    done = dead_letters.discard(cause=cause, why="A test of ours.", by=TESTER)

    assert (done.rows, done.done) == ({"mirror": 2}, True)
    assert dead_letters.groups() == ()
    assert ask("select count(*) from inbox_event") == [(2,)]
    assert {(row.state.value, row.error) for row in inbox.events().data} == {
        ("discarded", "unusable_event: The event has no data.object.")
    }
    assert inbox.events(state="folded").total == 0
    assert inbox.events(state="discarded").total == 2
    assert audit.entries(database.connection(), limit=1, opened=True)[0].why == "A test of ours."
    with pytest.raises(NotFound):
        dead_letters.discard(cause=cause, why="Again.", by=TESTER)


def test_a_poison_event_stops_neither_its_customers_other_objects_nor_other_customers(
    account: Account, ask: Ask
) -> None:
    about = encoded(event("customer.subscription.updated", subscription(1), data={"subject": 1}, at=1_790_000_001))
    keep_all(
        account,
        [
            about,
            poison(),
            encoded(event("customer.created", customer("cus_1"))),
            encoded(event("customer.subscription.created", subscription(1))),
            encoded(event("customer.created", customer("cus_2", name="Beta"))),
        ],
    )

    drained()

    assert ask("select attempts, set_aside_at from inbox_pending") == [(1, None)] * 2
    assert customers.get("cus_1").stage.value == "active"
    assert customers.get("cus_2").name == "Beta"


def test_a_fold_that_was_set_aside_is_forgotten_when_its_customer_folds_again(
    account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_all(account, [encoded(event("customer.created", customer(f"cus_{n}"))) for n in (1, 2)])
    with failing(monkeypatch, "cus_1"):
        exhaust(ask)
        assert [group.examples for group in dead_letters.groups()] == [("customer cus_1",)]
        assert customers.get("cus_2").name == "Acme"

    keep_all(account, [encoded(event("customer.updated", customer("cus_1", name="Beta"), at=1_790_000_500))])
    drained()

    assert customers.get("cus_1").name == "Beta"
    assert dead_letters.groups() == ()
    assert ask("select count(*) from mirror_changed") == [(0,)]


def test_a_fold_of_another_customer_forgets_nothing(
    account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_all(account, [encoded(event("customer.created", customer("cus_1")))])
    with failing(monkeypatch, "cus_1"):
        exhaust(ask)

    mark_changed([ObjectKey(account_id=account.id, livemode=False, object_type="customer", object_id="cus_2")])
    drained()

    assert [group.things for group in dead_letters.groups()] == [1]


def test_quarantined_bodies_are_read_again_once_the_account_is_right(
    door: Door, ask: Ask, connect: Callable[..., Account]
) -> None:
    live = encoded(event("customer.created", customer("cus_live"), livemode=True))
    assert door.post(live).status == 200
    assert door.post(b"{no json").status == 200
    causes = {group.error.partition(":")[0]: group.cause for group in dead_letters.groups()}
    assert dead_letters.retry(cause=causes["wrong_mode"], by=TESTER).refused == 1

    ask("update accounts_account set livemode = true returning 1")
    moved = dead_letters.retry(by=TESTER)
    drained()

    assert (moved.rows, moved.refused) == ({"quarantine": 1}, 1)
    assert customers.get("cus_live").livemode is True
    assert ask("select body, source, signature is not null from inbox_event") == [(live, "webhook", True)]
    assert [group.cause for group in dead_letters.groups()] == [causes["not_json"]]


def test_a_body_that_is_given_up_stays_in_the_quarantine_and_is_counted_no_more(door: Door, ask: Ask) -> None:
    assert door.post(b"{no json").status == 200
    (group,) = dead_letters.groups()

    dead_letters.discard(cause=group.cause, why="Somebody's experiment.", by=TESTER)

    assert dead_letters.groups() == ()
    assert inbox.stats().quarantined == 0
    assert ask("select body, discarded_why from inbox_quarantined") == [(b"{no json", "Somebody's experiment.")]


def test_looking_writes_nothing(account: Account, ask: Ask) -> None:
    keep_all(account, poisons(1))
    exhaust(ask)

    with runtime_database.transaction() as connection:
        connection.execute("set transaction read only")
        assert len(dead_letters.groups()) == 1
        assert dead_letters.letters(dead_letters.groups()[0].cause).total == 1


def test_an_object_whose_event_was_set_aside_is_read_from_stripe_instead(
    connect: Callable[..., Account], ask: Ask
) -> None:
    told = subscription(1)
    with_key = connect("keyed", api_key="sk_test_" + "1" * 24)
    keep_all(
        with_key,
        [
            encoded(event("customer.subscription.updated", told, data={"object": None}, at=1_790_000_001)),
            encoded(event("customer.subscription.created", told)),
        ],
    )
    ask(
        "update inbox_event set object_type = 'subscription', object_id = 'sub_1'"
        " where type = 'customer.subscription.updated' returning 1"
    )

    exhaust(ask)

    assert ask("select object_type, object_id, reason from mirror_fetch") == [("subscription", "sub_1", "set_aside")]


def test_what_was_read_from_stripe_and_cannot_be_mirrored_is_not_read_for_ever(
    connect: Callable[..., Account], ask: Ask
) -> None:
    keep_all(connect("keyed", api_key="sk_test_" + "1" * 24), poisons(1))
    ask("update inbox_event set type = 'trueup.read', object_type = 'customer', object_id = 'cus_1' returning 1")

    exhaust(ask)

    assert [group.rows for group in dead_letters.groups()] == [1]
    assert ask("select count(*) from mirror_fetch") == [(0,)]


@pytest.mark.parametrize(
    ("queue", "row"),
    [
        (
            "fetch",
            (
                "insert into mirror_fetch (account_id, livemode, object_type, object_id, reason, attempts, last_error,"
                " set_aside_at)"
                " values (%s, false, 'invoice', 'in_1', 'gap', 8, 'stripe_refused: No.', now()) returning 1"
            ),
        ),
        (
            "thin",
            (
                "insert into inbox_awaitingfetch (account_id, livemode, event_id, created, attempts, last_error,"
                " set_aside_at) values (%s, false, 'evt_thin', now(), 8, 'stripe_refused: No.', now()) returning 1"
            ),
        ),
    ],
)
def test_what_could_not_be_fetched_is_listed_and_due_at_once_when_tried_again(
    account: Account, ask: Ask, queue: str, row: str
) -> None:
    ask(row, account.id)
    (group,) = dead_letters.groups()
    assert (group.queue, group.rows) == (queue, 1)
    assert f'trueup_queue_set_aside{{queue="{queue}"}} 1.0' in health.exposition().decode()
    assert group.examples in (("invoice in_1",), ("event evt_thin",))

    dead_letters.retry(cause=group.cause, by=TESTER)

    due = "select count(*) from {} where set_aside_at is null and attempts = 0 and due_at <= now()"
    found = [ask(due.format(table))[0][0] for table in ("mirror_fetch", "inbox_awaitingfetch")]
    assert sorted(found) == [0, 1]
    assert dead_letters.groups() == ()
