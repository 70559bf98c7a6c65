"""What is news, and when it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from trueup.kernel.actor import system
from trueup.kernel.money import Money
from trueup.notices import rules
from trueup.notices.rules import Failure, Look, Subscription
from trueup.notices.types import Channel, Kind, Pace, Rule

NOW = 1_790_000_000


def subscription(
    status: str = "active", *, told: int = NOW - 60, created: int = NOW - 60, **more: object
) -> Subscription:
    return Subscription(status=status, told=told, created=created, event=f"evt_{told}", **more)  # type: ignore[arg-type]


def look(*, stage: str = "active", newest: int = NOW - 60, **subscriptions: Subscription) -> Look:
    return Look(stage=stage, subscriptions=subscriptions, newest=newest)


def moved(before: Look | None, after: Look, *, failure: Failure | None = None, heard: int = NOW) -> list[str]:
    kept, found = rules.moved(before, after, customer="cus_1", failure=failure, heard=heard, now=NOW)
    again, nothing = rules.moved(kept, after, customer="cus_1", failure=failure, heard=heard, now=NOW)
    assert (again, nothing) == (kept, ())
    return [one.kind.value for one in found]


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("active", "past_due", ["past_due"]),
        ("past_due", "active", ["recovered"]),
        ("trialing", "active", ["started"]),
        ("past_due", "unpaid", ["unpaid"]),
        ("unpaid", "canceled", ["canceled"]),
        ("active", "paused", ["paused"]),
        ("incomplete", "incomplete_expired", []),
        ("active", "active", []),
    ],
)
def test_a_status_that_changed_is_told(was: str, now: str, expected: list[str]) -> None:
    before = look(s=subscription(was, told=NOW - 90))

    assert moved(before, look(s=subscription(now))) == expected


@pytest.mark.parametrize(
    ("_case", "one", "expected"),
    [
        ("new", subscription(), ["started"]),
        ("old, as a backfill reads it", subscription(created=NOW - 90 * 86_400, told=NOW, read=True), []),
        ("new, as a backfill reads it", subscription(told=NOW, read=True), []),
        ("old, of which an event tells for the first time", subscription(created=NOW - 90 * 86_400), []),
        ("begun long ago, as a replay tells it", subscription(told=NOW - 9 * 86_400, created=NOW - 9 * 86_400), []),
    ],
)
def test_a_subscription_that_was_never_seen(_case: str, one: Subscription, expected: list[str]) -> None:
    assert moved(None, look(s=one)) == expected


def test_a_reading_of_a_known_subscription_is_told_where_the_customer_is_followed() -> None:
    before, after = look(s=subscription(told=NOW - 90)), look(s=subscription("past_due", told=NOW, read=True))

    assert moved(before, after, heard=NOW - 60) == ["past_due"]
    assert moved(before, after, heard=NOW - 9 * 86_400) == []


def test_what_vanished_and_came_back_is_no_news() -> None:
    before = look(s=subscription())
    gone, _ = rules.moved(before, look(newest=0), customer="cus_1", failure=None, heard=NOW, now=NOW)

    assert moved(gone, look(s=subscription())) == []


def test_a_failure_is_told_once_and_the_larger_revenue_is_what_it_is_about() -> None:
    failure = Failure(subject="ch_1", at=NOW - 5, fact="evt_f", amount=None, reason="card_declined", read=False)
    after = msgspec.structs.replace(look(s=subscription("canceled")), failure=("ch_1", NOW - 5))
    before = msgspec.structs.replace(look(s=subscription(told=NOW - 90)), mrr=(4900, "usd"))

    _, found = rules.moved(before, after, customer="cus_1", failure=failure, heard=NOW, now=NOW)

    assert [(one.kind, one.amount) for one in found] == [
        (Kind.CANCELED, Money(minor=4900, currency="usd")),
        (Kind.PAYMENT_FAILED, None),
    ]
    assert moved(before, after, failure=msgspec.structs.replace(failure, read=True)) == ["canceled"]
    assert moved(before, after, failure=msgspec.structs.replace(failure, at=NOW - 9 * 86_400)) == ["canceled"]


def rule(**more: object) -> Rule:
    given: dict[str, object] = {
        "id": 1,
        "operator_id": 7,
        "name": "",
        "kinds": frozenset({Kind.PAST_DUE}),
        "account_id": None,
        "only_mine": False,
        "at_least": None,
        "channel": Channel.EMAIL,
        "target": "",
        "pace": Pace.IMMEDIATE,
        "hour": 8,
        "zone": "Europe/Berlin",
        "quiet_from": None,
        "quiet_until": None,
        "with_names": False,
        "language": "",
        "paused": False,
        "made_by": system("test"),
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        **more,
    }
    return Rule(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("_case", "given", "expected"),
    [
        ("at once", {}, "2026-11-22T21:10"),
        ("each hour", {"pace": Pace.HOURLY}, "2026-11-22T22:00"),
        ("each day, tomorrow", {"pace": Pace.DAILY}, "2026-11-23T07:00"),
        ("each day, today", {"pace": Pace.DAILY, "hour": 23}, "2026-11-22T22:00"),
        ("in quiet hours over midnight", {"quiet_from": 22, "quiet_until": 7}, "2026-11-23T06:00"),
        ("outside of them", {"quiet_from": 12, "quiet_until": 14}, "2026-11-22T21:10"),
    ],
)
def test_when_a_rule_tells(_case: str, given: dict[str, object], expected: str) -> None:
    now = datetime(2026, 11, 22, 21, 10, tzinfo=UTC)

    assert f"{rules.due(rule(**given), now=now):%Y-%m-%dT%H:%M}" == expected


@pytest.mark.parametrize(
    ("_case", "given", "expected"),
    [
        ("all customers", {}, True),
        ("paused", {"paused": True}, False),
        ("another kind", {"kinds": frozenset({Kind.UNPAID})}, False),
        ("another account", {"account_id": 2}, False),
        ("one's own", {"only_mine": True}, True),
        ("somebody else's", {"only_mine": True, "operator_id": 8}, False),
        ("so much", {"at_least": Decimal(49)}, True),
        ("more than that", {"at_least": Decimal(50)}, False),
    ],
)
def test_whom_a_rule_is_about(_case: str, given: dict[str, object], expected: bool) -> None:
    amount = Money(minor=4900, currency="usd")

    assert rules.concerns(rule(**given), kind=Kind.PAST_DUE, account_id=1, amount=amount, owner=7) is expected


def test_tries_are_further_and_further_apart_and_as_far_as_the_receiver_asks() -> None:
    seconds = [int(rules.delay(number).total_seconds()) for number in range(1, rules.MOST_ATTEMPTS)]

    assert seconds == [10, 40, 160, 640, 2560, 10_240, 10_800]
    assert rules.delay(1, asked=120) == timedelta(seconds=120)
    assert rules.delay(1, asked=10**6) == timedelta(hours=3)


def test_a_path_has_each_state_in_its_order() -> None:
    assert rules.paths([("a", "b"), ("b", "a"), ("", "a"), ("a", "c")]) == ("a", "b", "a", "c")
