from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.inbox.sweep.conftest import TRAIL, customers
from trueup.accounts.types import Account
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.inbox.sweep import rules
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.rules import Shown
from trueup.inbox.sweep.types import Code, Endpoint, EndpointState, Sweep
from trueup.inbox.types import Kind, Source
from trueup.kernel.time import from_unix
from trueup.runtime import clock
from trueup.sandbox.server.running import Sandbox

NOW = from_unix(1_790_000_000)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENABLED = Endpoint(state=EndpointState.ENABLED, checked_at=NOW, id="we_1", events=("*",))


def made(**fields: Any) -> Sweep:
    """A sweep at rest, all well."""
    well: dict[str, Any] = {
        "id": 1,
        "account_id": 1,
        "kind": Kind.SNAPSHOT,
        "enrolled_at": NOW - 50 * DAY,
        "cursor": NOW - timedelta(minutes=2),
        "reaching_back": False,
        "begun": NOW - 40 * DAY,
        "webhook": NOW - HOUR,
        "newest": NOW - HOUR,
        "endpoint": ENABLED,
    }
    return Sweep(**(well | fields))


def codes(sweep: Sweep, *, sandbox: bool = False) -> list[str]:
    """The alarms that follow."""
    return [alarm.code for alarm in rules.standing(sweep, now=NOW, slug="acme", sandbox=sandbox)]


def page(sweep: Sweep, *shown: tuple[timedelta, bool, Source], type_: str = "customer.updated") -> Sweep:
    """The sweep after a page of events, each so long ago."""
    events = [Shown(type=type_, created=NOW - ago, fresh=fresh, source=source) for ago, fresh, source in shown]
    return rules.turned(sweep, shown=events, listed=len(events), after="evt_1", ended_at=NOW)


def test_all_well_is_no_alarm() -> None:
    assert codes(made()) == []


@pytest.mark.parametrize(
    ("_case", "fields", "expected"),
    [
        ("found by the sweep alone", {"missed": NOW - HOUR, "missed_run": 1}, [Code.ENDPOINT_DEAD]),
        ("missed, and webhooks came since", {"missed": NOW - 2 * HOUR}, [Code.EVENTS_MISSED]),
        ("missed long ago", {"missed": NOW - 25 * HOUR}, []),
        ("no webhook for six hours", {"webhook": NOW - 7 * HOUR}, []),
        ("and Stripe has events", {"webhook": NOW - 8 * HOUR}, [Code.WEBHOOKS_SILENT]),
        ("never any webhook", {"webhook": None}, [Code.WEBHOOKS_SILENT]),
        ("right after a restore", {"webhook": NOW - 8 * HOUR, "begun": None}, []),
        ("nor any event", {"webhook": None, "newest": None}, []),
        ("25 days behind", {"cursor": NOW - 25 * DAY}, []),
        ("more than that", {"cursor": NOW - 25 * DAY - HOUR}, [Code.CURSOR_OLD]),
        ("on purpose", {"cursor": NOW - 29 * DAY, "reaching_back": True}, []),
        ("a clock a minute away", {"skew_seconds": 60}, []),
        ("more than that", {"skew_seconds": -61}, [Code.CLOCK_SKEW]),
        ("Stripe away twice", {"failures": 2, "error_code": "stripe_unavailable"}, []),
        ("three times", {"failures": 3, "error_code": "stripe_unavailable"}, [Code.FAILING]),
        ("a refusal", {"failures": 1, "error_code": "stripe_forbidden"}, [Code.FAILING]),
        (
            "lost",
            {"lost_since": NOW - 40 * DAY, "lost_until": NOW - 30 * DAY, "backfill_wanted_at": NOW},
            [Code.EVENTS_LOST],
        ),
        ("no endpoint", {"endpoint": Endpoint(state=EndpointState.MISSING, checked_at=NOW)}, [Code.ENDPOINT_MISSING]),
        (
            "a disabled one",
            {"endpoint": Endpoint(state=EndpointState.DISABLED, checked_at=NOW)},
            [Code.ENDPOINT_DISABLED],
        ),
        ("one we may not see", {"endpoint": Endpoint(state=EndpointState.UNREADABLE, checked_at=NOW)}, []),
    ],
)
def test_an_alarm_follows_from_how_the_sweep_stands(_case: str, fields: dict[str, Any], expected: list[str]) -> None:
    assert codes(made(**fields)) == expected


def test_a_sandboxes_clock_may_be_turned_and_stripes_may_not() -> None:
    turned = made(skew_seconds=86_400 * 300)

    assert codes(turned, sandbox=True) == []
    assert codes(turned) == [Code.CLOCK_SKEW]


def test_what_only_the_sweep_found_is_missed_until_a_newer_one_comes_by_webhook() -> None:
    sweep = page(made(), (HOUR / 2, True, Source.SWEEP), (HOUR, False, Source.WEBHOOK))
    assert (sweep.missed_run, sweep.missed_total, codes(sweep)) == (1, 1, [Code.ENDPOINT_DEAD])

    seen_again = page(sweep, (HOUR / 2, False, Source.SWEEP))
    assert (seen_again.missed_run, seen_again.missed_total) == (1, 1)

    well = page(seen_again, (HOUR / 4, False, Source.WEBHOOK))
    assert (well.missed_run, well.missed_total, codes(well)) == (0, 1, [Code.EVENTS_MISSED])


def test_what_nobody_was_to_send_is_not_missed() -> None:
    narrow = made(endpoint=msgspec.structs.replace(ENABLED, events=("invoice.paid",)))
    before = made(begun=NOW)
    thin = made(kind=Kind.THIN)

    for sweep in (narrow, before, thin):
        after = page(sweep, (HOUR / 2, True, Source.SWEEP))
        assert (after.missed_total, after.found) == (0, 1)
    assert page(narrow, (HOUR / 2, True, Source.SWEEP), type_="invoice.paid").missed_total == 1


def test_a_sweep_left_lying_until_stripe_dropped_what_it_read_begins_anew() -> None:
    fresh = rules.begin(made(cursor=None), now=NOW, started_at=NOW)

    assert not rules.stale(fresh, now=NOW + HOUR)
    assert rules.stale(fresh, now=NOW + 2 * HOUR)


def test_going_back_on_purpose_never_goes_further_than_stripe_keeps() -> None:
    back = rules.begin(made(), now=NOW, started_at=NOW, back_to=NOW - 90 * DAY)
    ahead = rules.begin(made(), now=NOW, started_at=NOW, back_to=NOW)

    assert (back.since, back.reaching_back, back.lost_since) == (NOW - 30 * DAY, True, None)
    assert ahead.since == NOW - timedelta(minutes=32)


@pytest.mark.usefixtures("database")
class TestStanding:
    """Alarms in the database."""

    def test_they_stand_since_the_first_time_until_they_are_not_said_again(self, account: Account) -> None:
        first, second = Alarm(code="a", message="A.", remedy="Do."), Alarm(code="b", message="B.", remedy="Do.")
        alarms.settle(source="test", account_id=account.id, alarms=[first])
        (before,) = alarms.standing()

        alarms.settle(
            source="test", account_id=account.id, alarms=[msgspec.structs.replace(first, message="Still."), second]
        )
        again, other = alarms.standing(account_id=account.id)
        assert (again.code, again.since, again.message) == ("a", before.since, "Still.")
        assert again.seen_at > before.seen_at

        alarms.settle(source="test", account_id=account.id, alarms=[second])
        assert alarms.standing() == (msgspec.structs.replace(other, seen_at=alarms.standing()[0].seen_at),)

    def test_sources_and_accounts_do_not_clear_each_others(self, account: Account) -> None:
        alarm = Alarm(code="a", message="A.", remedy="Do.")
        for source, account_id in (("one", account.id), ("two", account.id), ("one", None)):
            alarms.settle(source=source, account_id=account_id, alarms=[alarm])
            alarms.settle(source=source, account_id=account_id, alarms=[alarm, alarm])

        alarms.settle(source="one", account_id=None, alarms=[])

        assert [(one.source, one.account_id) for one in alarms.standing()] == [("one", account.id), ("two", account.id)]
        assert alarms.counts() == {"a": 2}


def standing() -> set[str]:
    """The codes that stand."""
    return {alarm.code for alarm in alarms.standing()}


@pytest.mark.usefixtures("account")
def test_a_dead_endpoint_is_seen_and_its_return_too(stripe: Sandbox, told: str) -> None:
    customers(stripe, 1)
    stripe.deliver()
    stripe.advance(seconds=TRAIL)
    sweeps.sweep("acme")
    assert standing() == set()

    stripe.delivery(dropped=100)
    stripe.request("POST", f"/v1/webhook_endpoints/{told}", {"disabled": True})
    customers(stripe, 2)
    stripe.deliver()
    stripe.advance(seconds=TRAIL)
    sweeps.sweep("acme")
    assert standing() == {Code.ENDPOINT_DEAD, Code.ENDPOINT_DISABLED}

    stripe.advance(hours=3)
    sweeps.sweep("acme")
    assert standing() == {Code.ENDPOINT_DEAD, Code.ENDPOINT_DISABLED}, "it stands though nothing new was missed"

    stripe.delivery()
    stripe.request("POST", f"/v1/webhook_endpoints/{told}", {"disabled": False})
    customers(stripe, 1)
    stripe.deliver()
    stripe.advance(seconds=TRAIL)
    sweeps.sweep("acme")
    sweeps.sweep("acme")
    assert standing() == {Code.EVENTS_MISSED}


@pytest.mark.usefixtures("account")
def test_events_that_stripe_dropped_are_a_gap_until_a_backfill_made_it_good(stripe: Sandbox, account: Account) -> None:
    sweeps.sweep("acme")
    customers(stripe, 1)
    stripe.advance(days=40)
    began_too_early = clock.now()
    sweeps.sweep("acme")

    (gap,) = sweeps.gaps()
    assert gap.account_id == account.id
    assert gap.until == from_unix(stripe.now - 1) - 30 * DAY
    assert Code.EVENTS_LOST in standing()

    sweeps.close_gap(account.id, began=began_too_early)
    sweeps.sweep("acme")
    assert Code.EVENTS_LOST in standing()

    sweeps.close_gap(account.id, began=clock.now())
    assert sweeps.gaps() == ()
    assert Code.EVENTS_LOST not in standing()
