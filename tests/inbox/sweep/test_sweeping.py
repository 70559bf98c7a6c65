from __future__ import annotations

import threading
from datetime import timedelta
from itertools import count

import pytest

from tests.inbox.conftest import Ask
from tests.inbox.sweep.conftest import TRAIL, customers, happened
from trueup.inbox import service as inbox
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.types import SweepRow
from trueup.inbox.types import Kind, Source
from trueup.kernel.errors import Conflict
from trueup.kernel.time import from_unix
from trueup.sandbox.server.running import Sandbox

pytestmark = pytest.mark.usefixtures("database", "account")

DAY = 86_400


class Killed(BaseException):
    """Ends a sweep where it is."""


def logged(ask: Ask, source: Source | None = None) -> set[str]:
    """The ids of the log's events, of all or of one source."""
    return {row[0] for row in ask("select event_id, source from inbox_event") if source in {None, row[1]}}


def how(kind: Kind = Kind.SNAPSHOT) -> SweepRow:
    """How the sweep stands."""
    return next(row for row in sweeps.sweeps() if row.kind is kind)


def calls(stripe: Sandbox) -> int:
    """How many times the list of events was asked for, since the first time this was asked."""
    met = [fault.met for fault in stripe.faults.all() if fault.path == "/v1/events" and fault.kind == "slow"]
    if not met:
        stripe.fail("slow", times=None, path="/v1/events", seconds=0.0)
    return sum(met)


def test_events_that_no_webhook_told_are_found_and_queued(stripe: Sandbox, ask: Ask) -> None:
    customers(stripe, 3)
    stripe.advance(seconds=TRAIL)

    swept = sweeps.sweep("acme")

    assert (swept.read, swept.found) == (3, 3)
    assert logged(ask, Source.SWEEP) == happened(stripe)
    assert ask("select count(*) from inbox_pending") == [(3,)]


def test_the_body_is_the_events_bytes_in_the_page(stripe: Sandbox) -> None:
    customers(stripe, 1, description="\u00fc\u20ac")
    stripe.advance(seconds=TRAIL)
    sweeps.sweep("acme")

    detail = inbox.events().data[0]
    body = inbox.event(detail.event_id).body

    assert body.startswith(b"{\n")
    assert body.endswith(b"}")
    assert inbox.event(detail.event_id).payload == stripe.request("GET", f"/v1/events/{detail.event_id}")
    assert detail.source is Source.SWEEP


def test_a_second_sweep_finds_nothing_and_goes_back_half_an_hour(stripe: Sandbox) -> None:
    customers(stripe, 2)
    stripe.advance(seconds=TRAIL)
    sweeps.sweep("acme")
    first = how().cursor

    again = sweeps.sweep("acme")

    assert (again.read, again.found, again.pages) == (2, 0, 1)
    assert first is not None
    assert again.since == first - timedelta(minutes=30)


def test_a_dropped_delivery_is_found_and_what_came_is_no_duplicate(stripe: Sandbox, told: str, ask: Ask) -> None:
    sweeps.sweep("acme")
    customers(stripe, 2)
    stripe.deliver()
    stripe.delivery(dropped=100)
    customers(stripe, 1)
    stripe.deliver()
    stripe.advance(seconds=TRAIL)

    swept = sweeps.sweep("acme")

    assert (swept.read, swept.found) == (3, 1)
    assert len(logged(ask, Source.WEBHOOK)) == 2
    assert logged(ask) == happened(stripe)
    assert how().missed_total == 1


def test_what_comes_by_webhook_after_the_sweep_is_no_duplicate(stripe: Sandbox, told: str, ask: Ask) -> None:
    stripe.delivery(held=True)
    customers(stripe, 2)
    stripe.advance(seconds=TRAIL)
    sweeps.sweep("acme")
    stripe.delivery()

    states = stripe.deliver(retries=True)

    assert states["delivered"] == 2
    assert len(ask("select from inbox_event")) == 2
    assert ask("select count(*) from inbox_pending") == [(2,)]


def test_what_is_too_new_is_left_to_the_next_sweep(stripe: Sandbox) -> None:
    customers(stripe, 1)
    stripe.advance(seconds=TRAIL - 2)
    early = sweeps.sweep("acme")
    stripe.advance(seconds=2)

    late = sweeps.sweep("acme")

    assert (early.found, late.found) == (0, 1)


def test_events_around_the_edge_of_a_slice_are_each_read_once(stripe: Sandbox, ask: Ask) -> None:
    begin = stripe.now
    # The sweep will begin thirty days before its present, which it takes for a second less than it is.
    edge = begin + 11 * DAY - 1
    for at in (edge - 1, edge, edge + 1):
        stripe.advance(at)
        customers(stripe, 2)
    stripe.advance(begin + 40 * DAY)

    swept = sweeps.sweep("acme")

    assert swept.since == from_unix(edge - DAY)
    assert (swept.read, swept.found) == (6, 6)
    assert logged(ask) == happened(stripe)


def test_events_of_the_second_in_which_a_sweep_ended_are_in_the_next(stripe: Sandbox, ask: Ask) -> None:
    sweeps.sweep("acme")
    for _ in range(4):
        customers(stripe, 1)
        stripe.advance(seconds=1)
        sweeps.sweep("acme")
    stripe.advance(seconds=TRAIL)
    sweeps.sweep("acme")

    assert logged(ask) == happened(stripe)
    assert len(logged(ask)) == 4


def test_killed_between_pages_it_goes_on_after_the_last(stripe: Sandbox, ask: Ask) -> None:
    customers(stripe, 450)
    stripe.advance(seconds=TRAIL)
    pages = count(1)

    def kill(_sweep: object, _done: float) -> None:
        if logged(ask) and next(pages) == 2:
            raise Killed

    with pytest.raises(Killed):
        sweeps.sweep("acme", on_page=kill)
    assert len(logged(ask)) == 200
    cursor = how().cursor
    assert calls(stripe) == 0

    swept = sweeps.sweep("acme")

    assert logged(ask) == happened(stripe)
    assert swept.found == 450
    assert calls(stripe) == 5, "one to learn the time, three pages, and one for test clocks"
    assert cursor is not None
    assert cursor < from_unix(stripe.now - DAY), "the slice was not finished when it was killed"


def test_two_do_not_sweep_an_account_at_once_and_a_dead_ones_lease_runs_out(stripe: Sandbox, ask: Ask) -> None:
    sweeps.sweep("acme")
    ask(
        "update inbox_sweep set lease = gen_random_uuid(), leased_until = now() + interval '1 minute', due_at = now() "
        "returning 1"
    )

    with pytest.raises(Conflict, match="being swept"):
        sweeps.sweep("acme")
    assert sweeps.run(threading.Event()) == 0

    ask("update inbox_sweep set leased_until = now() returning 1")
    assert sweeps.run(threading.Event()) == 1


def test_who_lost_the_lease_keeps_nothing(stripe: Sandbox, ask: Ask) -> None:
    customers(stripe, 150)
    stripe.advance(seconds=TRAIL)

    def rob(_sweep: object, _done: float) -> None:
        ask("update inbox_sweep set lease = gen_random_uuid() returning 1")

    with pytest.raises(Conflict, match="took the sweep"):
        sweeps.sweep("acme", on_page=rob)

    assert logged(ask) == set()


def test_since_goes_back_again_and_the_cursor_stays(stripe: Sandbox, ask: Ask) -> None:
    customers(stripe, 3)
    stripe.advance(days=10)
    sweeps.sweep("acme")
    ask("delete from inbox_event returning 1")
    cursor = how().cursor

    nothing = sweeps.sweep("acme")
    swept = sweeps.sweep("acme", since=from_unix(stripe.now - 11 * DAY))

    assert (nothing.found, swept.found) == (0, 3)
    assert swept.since == from_unix(stripe.now - 11 * DAY)
    assert how().cursor == cursor


def test_throttling_and_broken_connections_are_waited_out(stripe: Sandbox, ask: Ask) -> None:
    customers(stripe, 250)
    stripe.advance(seconds=TRAIL)
    stripe.fail("drop", times=1, path="/v1/events")
    stripe.fail("lock_timeout", times=1, path="/v1/events")

    swept = sweeps.sweep("acme")

    assert swept.found == 250
    assert logged(ask) == happened(stripe)


def test_the_worker_sweeps_both_kinds_once_and_rests(stripe: Sandbox, ask: Ask) -> None:
    customers(stripe, 1)
    stripe.advance(seconds=TRAIL)
    stop = threading.Event()

    done = [sweeps.run(stop) for _ in range(3)]

    assert done == [1, 1, 0]
    assert {row.kind for row in sweeps.sweeps() if row.swept_at} == {Kind.SNAPSHOT, Kind.THIN}
    assert logged(ask) == happened(stripe)
    due = "select kind, round(extract(epoch from due_at - now()) / 60) from inbox_sweep order by kind"
    assert [(kind, int(minutes)) for kind, minutes in ask(due)] == [("snapshot", 5), ("thin", 15)]


def test_told_to_stop_the_worker_stops_after_a_page_and_is_due_again(stripe: Sandbox, ask: Ask) -> None:
    customers(stripe, 150)
    stripe.advance(seconds=TRAIL)
    stop = threading.Event()
    stop.set()

    sweeps.run(stop)

    assert how().under_way
    assert how().pages == 1
    assert ask("select due_at <= now(), lease is null from inbox_sweep where kind = 'snapshot'") == [(True, True)]


def test_a_turned_test_clocks_events_are_found_though_they_lie_ahead(stripe: Sandbox, ask: Ask) -> None:
    turned = stripe.request("POST", "/v1/test_helpers/test_clocks", {"frozen_time": stripe.now})["id"]
    (customer,) = customers(stripe, 1, test_clock=turned)
    sweeps.sweep("acme")
    stripe.advance(days=20, clock=turned)
    for place in range(150):
        stripe.request("POST", f"/v1/customers/{customer}", {"name": f"Turn {place}"})
    stripe.advance(seconds=TRAIL)

    sweeps.sweep("acme")

    assert logged(ask) == {event["id"] for event in stripe.events()}
    assert len(logged(ask)) > 150


def test_two_thousand_events_of_a_month_are_all_read(stripe: Sandbox, ask: Ask) -> None:
    for _ in range(20):
        customers(stripe, 100)
        stripe.advance(days=1)

    swept = sweeps.sweep("acme")

    assert (swept.read, swept.found) == (2_000, 2_000)
    assert logged(ask) == happened(stripe)
