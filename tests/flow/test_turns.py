"""What time alone changes in a customer's state, on its whole way: noticed, folded, healed, told of and explained."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.flow.conftest import Ask
from tests.instance import TESTER, Door, customer, encoded, event
from trueup.accounts.types import Account
from trueup.customer import drain, merging
from trueup.customer import service as customers
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.customer.types import CustomerState, Stage
from trueup.kernel.time import from_unix
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.ops.tasks import sweep_once
from trueup.runtime import clock, database, drains
from trueup.runtime.crypto import Sealer

DAY = 86_400
LONG_AGO = 1_600_000_000
FAR = 4_000_000_000
"""In the year 2096: the clock of this machine has not come so far."""
TURNS = "select stripe_customer_id, at from customer_turn order by stripe_customer_id"

Json = dict[str, Any]
Tell = Callable[..., None]


@pytest.fixture
def tell(connect: Callable[..., Account], database: str, sealer: Sealer) -> Iterator[Tell]:
    """Deliver events in the order given, and let the drains read them."""
    connect("acme")
    with Door(database, sealer=sealer, path="/webhooks/stripe/acme") as door:

        def send(*events: Json) -> None:
            for one in events:
                assert door.post(encoded(one)).status == 200
            drain_all()

        yield send


def drain_all() -> None:
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)


def subscription(id: str, of: str, **more: Any) -> Json:  # noqa: A002 - the field's name
    price = {
        "id": "price_1",
        "object": "price",
        "currency": "usd",
        "type": "recurring",
        "billing_scheme": "per_unit",
        "unit_amount": 1000,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    }
    item = {"id": f"si_{id}", "object": "subscription_item", "price": price, "quantity": 1, "discounts": []}
    return {
        "id": id,
        "object": "subscription",
        "customer": of,
        "status": "active",
        "currency": "usd",
        "items": {"object": "list", "data": [item]},
        **more,
    }


def half(until: int) -> Json:
    """A discount of one half that ends."""
    coupon = {"id": "HALF", "object": "coupon", "percent_off": 50, "duration": "repeating"}
    source = {"type": "coupon", "coupon": coupon}
    return {"id": "di_1", "object": "discount", "source": source, "start": LONG_AGO, "end": until}


def subscribed(until: int, *, of: str = "cus_1", at: int = LONG_AGO, **more: Any) -> Json:
    about = subscription(f"sub_of_{of}", of, discounts=[half(until)], **more)
    return event("customer.subscription.created", about, at=at)


def state(of: str = "cus_1") -> CustomerState:
    return customers.get(of).state


def amounts(of: str = "cus_1") -> list[int]:
    return [mrr.minor for mrr in state(of).mrr]


def until_passed(moment: int) -> None:
    while clock.unix() < moment:
        time.sleep(0.05)


def test_a_discount_that_ends_while_nothing_happens_is_noticed_by_the_sweep(tell: Tell, ask: Ask) -> None:
    end = clock.unix() + 2
    tell(
        event("customer.created", customer("cus_1"), at=LONG_AGO),
        event("customer.created", customer("cus_2"), at=LONG_AGO),
        subscribed(end),
        subscribed(FAR, of="cus_2"),
    )
    assert (amounts(), amounts("cus_2")) == ([500], [500])
    assert ask(TURNS) == [("cus_1", from_unix(end)), ("cus_2", from_unix(FAR))]
    assert drain.mark_turned() == 0

    until_passed(end)
    assert amounts() == [500]
    sweep_once()
    drain_all()

    assert (amounts(), amounts("cus_2")) == ([1000], [500])
    assert (state().as_of, state().last_event_at) == (from_unix(end), from_unix(LONG_AGO))
    assert ask(TURNS) == [("cus_2", from_unix(FAR))]
    assert drain.mark_turned() == 0
    why = customers.why("cus_1", "mrr")
    assert (why.rule, why.since) == ("subscriptions.discount_ended", from_unix(end))
    assert "has ended" in why.reason
    assert f"{from_unix(end):%H:%M} UTC" in why.reason
    assert [fact.object_id for fact in why.facts] == ["sub_of_cus_1"]


def test_many_that_turned_while_no_worker_ran_are_healed_in_bounded_pieces(tell: Tell, database: str, ask: Ask) -> None:
    names = [f"cus_{number}" for number in range(7)]
    tell(*(subscribed(FAR, of=name) for name in names))
    # As if all had been folded before their discounts ended, and nobody had looked since.
    ended = [subscribed(LONG_AGO + DAY, of=name, at=LONG_AGO + 1) for name in names]
    tell(*ended)
    fresh = {name: state(name) for name in names}
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("update customer_customer set state = replace(state, '1000', '500')")
        other.execute(
            "insert into customer_turn (customer_id, account_id, livemode, stripe_customer_id, at) "
            "select id, account_id, livemode, stripe_customer_id, '2020-09-15' from customer_customer"
        )

    assert drain.mark_turned(limit=3) == 3
    assert drain.mark_turned(limit=3) == 0
    drain_all()
    assert drain.mark_turned(limit=3) == 3
    drain_all()
    sweep_once()
    drain_all()

    assert {name: state(name) for name in names} == fresh
    assert ask(TURNS) == []


def test_who_will_turn_is_found_by_an_index_and_forgotten_when_nothing_is_to_come(
    tell: Tell, database: str, ask: Ask
) -> None:
    tell(subscribed(FAR))
    assert ask(TURNS) == [("cus_1", from_unix(FAR))]
    with psycopg.connect(database, autocommit=True) as other:
        other.execute(
            "insert into customer_turn (customer_id, account_id, livemode, stripe_customer_id, at) "
            "select 'tc_' || n, 1, false, 'cus_other', now() + n * interval '1 day' from generate_series(1, 3000) n"
        )
        other.execute("analyze customer_turn")
        plan = other.execute("explain select * from customer_turn where at <= now() order by at limit 5000").fetchall()
        other.execute("delete from customer_turn where stripe_customer_id = 'cus_other'")
    assert "customer_turn_at" in str(plan)

    tell(event("customer.subscription.updated", subscribed(FAR + DAY)["data"]["object"], at=LONG_AGO + 1))
    assert ask(TURNS) == [("cus_1", from_unix(FAR + DAY))]
    tell(event("customer.subscription.updated", subscription("sub_of_cus_1", "cus_1"), at=LONG_AGO + 2))
    assert (ask(TURNS), amounts()) == ([], [1000])


def test_a_pause_that_ends_by_itself_is_over(tell: Tell) -> None:
    end = clock.unix() + 2
    about = subscription("sub_1", "cus_1", pause_collection={"behavior": "void", "resumes_at": end})
    tell(event("customer.subscription.created", about, at=LONG_AGO))
    assert (state().stage, amounts()) == (Stage.PAUSED, [])

    until_passed(end)
    sweep_once()
    drain_all()

    assert (state().stage, amounts()) == (Stage.ACTIVE, [1000])
    assert customers.why("cus_1", "stage").since == from_unix(end)


def test_a_customer_as_of_a_moment_knows_what_had_ended_by_then(tell: Tell) -> None:
    end = LONG_AGO + 40 * DAY
    tell(
        event("customer.created", customer("cus_1"), at=LONG_AGO),
        subscribed(end),
        event("customer.updated", customer("cus_1", name="Later"), at=LONG_AGO + 90 * DAY),
    )

    def then(moment: int) -> CustomerState:
        return customers.get_at("cus_1", at=from_unix(moment)).state

    before, after = then(end - 1), then(end)
    assert ([mrr.minor for mrr in before.mrr], before.as_of) == ([500], from_unix(LONG_AGO))
    assert ([mrr.minor for mrr in after.mrr], after.as_of) == ([1000], from_unix(end))
    assert after.why["mrr"].since == from_unix(end)
    # What was stored at a moment is what is told of it later.
    with database.transaction():
        (folded,) = drain.folded_as([[_key()]], now=end + 89 * DAY)
    assert then(LONG_AGO + 100 * DAY) == folded.state == state()
    assert customers.get_at("cus_1", at=clock.now() + timedelta(days=36_500)).state == state()


def test_a_moment_to_come_foretells_nothing(tell: Tell) -> None:
    tell(subscribed(FAR))

    assert [mrr.minor for mrr in customers.get_at("cus_1", at=from_unix(FAR + DAY)).state.mrr] == [500]


def _key() -> tuple[int, bool, str]:
    found = customers.get("cus_1")
    return found.account_id, found.livemode, found.stripe_customer_id


def clock_event(kind: str, shows: int, *, at: int) -> Json:
    about = {"id": "clock_1", "object": "test_helpers.test_clock", "frozen_time": shows, "status": "ready"}
    return event(f"test_helpers.test_clock.{kind}", about, at=at)


def on_clock(end: int, start: int) -> list[Json]:
    """A life on a test clock: its discount ends, the clock is advanced beyond, and nothing else happens."""
    return [
        clock_event("created", start, at=start),
        event("customer.created", customer("cus_1", test_clock="clock_1"), at=start),
        subscribed(end, at=start + 1, test_clock="clock_1"),
    ]


def test_who_is_on_a_test_clock_lives_by_it_and_not_by_ours(tell: Tell, ask: Ask) -> None:
    end = LONG_AGO + 30 * DAY
    tell(*on_clock(end, LONG_AGO))

    # The machine's clock is years beyond the end, which changes nothing here.
    assert amounts() == [500]
    assert ask(TURNS) == []
    sweep_once()
    drain_all()
    assert amounts() == [500]

    tell(clock_event("ready", end - 1, at=end - 1))
    assert amounts() == [500]
    tell(clock_event("ready", end, at=end))
    assert (amounts(), state().as_of) == ([1000], from_unix(end))
    assert customers.why("cus_1", "mrr").since == from_unix(end)


def test_a_clock_in_the_future_is_believed_and_looked_back_on(tell: Tell) -> None:
    end = FAR + 30 * DAY
    tell(*on_clock(end, FAR), clock_event("ready", end + DAY, at=end + DAY))

    assert amounts() == [1000]
    assert [mrr.minor for mrr in customers.get_at("cus_1", at=from_unix(end - 1)).state.mrr] == [500]
    assert customers.get_at("cus_1", at=from_unix(end + DAY)).state == state()


def test_a_clock_whose_events_bear_our_time_is_looked_back_on_all_the_same(tell: Tell) -> None:
    end = FAR + 30 * DAY
    tell(*on_clock(end, FAR)[1:], clock_event("ready", end + DAY, at=LONG_AGO))

    assert amounts() == [1000]
    assert [mrr.minor for mrr in customers.get_at("cus_1", at=from_unix(end - 1)).state.mrr] == [500]


@pytest.mark.parametrize("_case_seed", range(4))
def test_every_order_with_duplicates_gives_the_state_of_the_moment(_case_seed: int, tell: Tell) -> None:
    end = LONG_AGO + 30 * DAY
    events = [
        *on_clock(end, LONG_AGO),
        clock_event("ready", end - 1, at=end - 1),
        clock_event("ready", end + 5, at=end + 5),
        event("customer.created", customer("cus_2"), at=LONG_AGO),
        subscribed(LONG_AGO + 9 * DAY, of="cus_2", at=LONG_AGO + 2),
    ]
    shuffle = random.Random(_case_seed)
    told = events + shuffle.sample(events, 3)
    shuffle.shuffle(told)
    for one in told:
        tell(one)

    first, second = state(), state("cus_2")
    assert first.last_event_at == from_unix(LONG_AGO + 1)
    assert ([mrr.minor for mrr in first.mrr], first.as_of) == ([1000], from_unix(end))
    assert ([mrr.minor for mrr in second.mrr], second.as_of) == ([1000], from_unix(LONG_AGO + 9 * DAY))
    assert {first.why["mrr"].rule, second.why["mrr"].rule} == {"subscriptions.discount_ended"}


def test_customers_that_are_one_turn_as_one(tell: Tell, ask: Ask) -> None:
    end = clock.unix() + 3
    tell(
        event("customer.created", customer("cus_1"), at=LONG_AGO),
        event("customer.created", customer("cus_2"), at=LONG_AGO),
        subscribed(end, of="cus_2"),
    )
    assert ask(TURNS) == [("cus_2", from_unix(end))]
    merging.merge(id="cus_1", others=["cus_2"], by=TESTER)
    assert (amounts(), ask(TURNS)) == ([500], [("cus_1", from_unix(end))])

    until_passed(end)
    sweep_once()
    drain_all()

    assert amounts() == [1000]
    assert customers.why("cus_1", "mrr").since == from_unix(end)
