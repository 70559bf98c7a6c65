"""The bucket of calls to Stripe that all processes share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests import instance
from trueup.accounts import budget
from trueup.accounts.budget import Taking
from trueup.runtime import database as connections

INVOICES = "GET /v1/invoices"
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def ask(database: str) -> Iterator[Ask]:
    """Ask the database beside everybody else."""
    with instance.rows(database) as question:
        yield question


def taken(endpoint: str = INVOICES, **given: Any) -> Taking:
    """Take from the buckets of account 1, in which nothing flows that a test would see."""
    told: dict[str, Any] = {"lane": "events", "account_limit": 100.0, "endpoint_limit": 50.0}
    return budget.take(1, endpoint, **(told | given))


def now(ask: Ask) -> float:
    """The database's clock."""
    [(seconds,)] = ask("select extract(epoch from clock_timestamp())::float8")
    return float(seconds)


def test_a_full_bucket_gives_a_fifth_of_the_limit_at_once_and_then_what_flows_in(ask: Ask) -> None:
    begun = now(ask)
    first = taken(account_limit=20.0, endpoint_limit=20.0, wanted=100)
    others = [taken(account_limit=20.0, endpoint_limit=20.0) for _ in range(5)]

    assert first.granted == 4
    assert sum(one.granted for one in others) <= (now(ask) - begun) * 16
    assert all(0 < one.wait <= 1 / 16 for one in others if not one.granted)


def test_an_endpoint_has_a_bucket_of_its_own_and_takes_of_the_accounts_too(ask: Ask) -> None:
    begun = now(ask)
    assert taken(wanted=100).granted == 10
    assert taken(wanted=100).granted <= (now(ask) - begun) * 40
    assert taken("GET /v1/charges", wanted=100).granted == 10
    # The account has 20 at once, whatever the endpoint.
    taken("GET /v1/refunds", wanted=100)
    [(everything,)] = ask("select (taken ->> 'events')::int from accounts_budget where endpoint = ''")
    assert everything <= 20 + (now(ask) - begun) * 80


def test_who_is_refused_takes_of_neither(ask: Ask) -> None:
    taken()
    ask("update accounts_budget set full_at = now() + interval '1 hour' where endpoint <> '' returning 1")
    before = ask("select endpoint, full_at, taken from accounts_budget order by endpoint")

    assert taken().granted == 0
    assert ask("select endpoint, full_at, taken from accounts_budget order by endpoint") == before


@pytest.mark.parametrize(("allowed", "granted"), [(1.0, 20), (0.75, 15), (0.5, 10), (0.25, 5)])
def test_a_lane_leaves_room_for_those_before_it(database: str, allowed: float, granted: int) -> None:
    assert taken(endpoint_limit=100.0, allowed=allowed, wanted=100).granted == granted


def test_the_most_urgent_gets_its_turn_where_the_last_has_to_wait(database: str) -> None:
    while taken(endpoint_limit=100.0, allowed=0.25, wanted=100).granted:
        pass

    assert taken(endpoint_limit=100.0, allowed=1.0).granted == 1


def test_nobody_gets_anything_while_stripe_wants_to_be_left_alone(database: str) -> None:
    budget.slow_down(1, "", cause="global-rate", pause=3000.0)

    told = taken()

    assert told.granted == 0
    assert 2000.0 < told.wait <= 3000.0
    [bucket] = [one for one in budget.buckets() if not one.endpoint]
    assert (bucket.cause, bucket.throttled) == ("global-rate", 1)
    assert bucket.held_until is not None
    assert bucket.left(100.0) == 0


def test_a_slow_endpoint_does_not_hold_up_the_others(database: str) -> None:
    taken()
    budget.slow_down(1, INVOICES, cause="endpoint-rate", pause=3000.0)

    assert taken().granted == 0
    assert taken("GET /v1/charges").granted == 1


def test_calls_that_meet_a_limit_together_halve_it_once(ask: Ask) -> None:
    for _ in range(5):
        budget.slow_down(1, "", cause="global-rate", pause=0.0)

    assert ask("select permille, throttled from accounts_budget where endpoint = ''") == [(500, 5)]


def test_one_limit_after_the_other_halves_it_again_and_time_gives_it_back(ask: Ask) -> None:
    budget.slow_down(1, "", cause="global-rate", pause=0.0)
    ask("update accounts_budget set slowed_at = slowed_at - interval '10.5 s' where endpoint = '' returning 1")
    [share] = [one.share for one in budget.buckets() if not one.endpoint]
    assert 0.605 <= share < 0.9

    budget.slow_down(1, "", cause="global-rate", pause=0.0)
    [(permille,)] = ask("select permille from accounts_budget where endpoint = ''")
    assert 302 <= permille < 450

    ask("update accounts_budget set slowed_at = slowed_at - interval '1 hour' where endpoint = '' returning 1")
    assert [one.share for one in budget.buckets() if not one.endpoint] == [1.0]


def test_it_is_never_slowed_down_to_nothing(ask: Ask) -> None:
    for _ in range(12):
        budget.slow_down(1, "", cause="global-rate", pause=0.0)
        ask("update accounts_budget set slowed_at = slowed_at - interval '1.1 s' where endpoint = '' returning 1")

    assert ask("select permille from accounts_budget where endpoint = ''") == [(budget.LEAST,)]


def test_threads_that_take_at_once_never_take_more_than_there_is(ask: Ask) -> None:
    limit, together = 50.0, threading.Barrier(8)
    taken(account_limit=limit, endpoint_limit=limit)
    begun = now(ask)

    def greedy() -> int:
        together.wait()
        got = sum(taken(account_limit=limit, endpoint_limit=limit).granted for _ in range(60))
        connections.close()
        return got

    with ThreadPoolExecutor(8) as pool:
        granted = sum(found.result() for found in [pool.submit(greedy) for _ in range(8)])

    assert 9 <= granted <= limit * budget.BURST + limit * budget.FLOW * (now(ask) - begun)
    assert ask("select (taken ->> 'events')::int from accounts_budget where endpoint = ''") == [(granted + 1,)]


def test_accounts_do_not_share(database: str) -> None:
    taken(wanted=100)
    assert budget.take(2, INVOICES, lane="events", account_limit=100.0, endpoint_limit=50.0).granted == 1
