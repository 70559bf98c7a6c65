"""What changed between two looks at a customer, whom it is for, and when they are told. Pure.

Three things keep what is merely read again from being told again. A look moves forward only: what is told by an older
fact than the last look saw is passed over, as while everything is made anew from the log. A change is told as long as
it is fresh, and not when it is found in the log days later. And a subscription that was never seen is told of only
where an event tells it and it began lately: a backfill reads what is, and what is is no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from trueup.kernel.money import Money, exponent
from trueup.kernel.records import Record
from trueup.notices.types import Kind, Pace, Rule

FRESH: Final = 3 * 86_400
"""Seconds; Stripe itself tries to deliver an event for so long."""
TRIAL_ENDING: Final = timedelta(days=3)
"""So long before its end a trial is told of."""
FIRST_DELAY: Final = 10
LONGEST_DELAY: Final = 3 * 3_600
MOST_ATTEMPTS: Final = 8
"""After so many tries, about four hours, a message is set aside."""

_OWING: Final = frozenset({"past_due", "unpaid", "paused"})
_REACHED: Final[Mapping[str, Kind]] = {
    "trialing": Kind.TRIALING,
    "past_due": Kind.PAST_DUE,
    "unpaid": Kind.UNPAID,
    "paused": Kind.PAUSED,
    "canceled": Kind.CANCELED,
}


class Subscription(Record, frozen=True, omit_defaults=True):
    """What a look keeps of a subscription; ``told`` is when the fact happened that told it, in unix seconds."""

    status: str
    ends: int = 0
    """When it is to end, in unix seconds; 0 where it is not."""
    created: int = 0
    told: int = 0
    event: str = ""
    read: bool = False
    """Whether it was read from Stripe's API, and no event told it."""


class Look(Record, frozen=True, omit_defaults=True):
    """What a look at a customer keeps."""

    stage: str
    subscriptions: dict[str, Subscription]
    mrr: tuple[int, str] | None = None
    """The largest monthly revenue, in minor units of a currency."""
    failure: tuple[str, int] | None = None
    """The object that told the newest failed payment, and when it failed."""
    newest: int = 0
    """When the newest fact about a subscription happened."""


class Failure(Record, frozen=True):
    """The newest failed payment; ``read`` says that no event told it."""

    subject: str
    at: int
    fact: str
    amount: Money | None
    reason: str
    read: bool


class Found(Record, frozen=True):
    """A change before it is written."""

    kind: Kind
    subject: str
    before: str
    after: str
    at: int
    fact: str
    amount: Money | None

    @property
    def key(self) -> str:
        """What tells it from every other change of the customer, whenever it is found."""
        return f"{self.kind.value} {self.subject} {self.after} {self.fact}"


def moved(
    before: Look | None, after: Look, *, customer: str, failure: Failure | None, heard: int, now: int
) -> tuple[Look, tuple[Found, ...]]:
    """The look to keep, and what changed since the one before it; ``None`` was never looked at.

    ``customer`` is Stripe's id of it, ``heard`` when the newest event about it happened.
    """
    known = {} if before is None else before.subscriptions
    stake = _stake(before, after)
    found: list[Found] = []
    kept: dict[str, Subscription] = {}
    for name, one in sorted(after.subscriptions.items()):
        was = known.get(name)
        if was is not None and one.told < was.told:
            kept[name] = was
            continue
        kept[name] = one
        if _is_news(was, one, heard=heard, now=now):
            found += [
                Found(kind=kind, subject=name, before=old, after=new, at=one.told, fact=one.event, amount=stake)
                for kind, old, new in _of_subscription(was, one)
            ]
    newest = max((one.told for one in after.subscriptions.values()), default=0)
    backward = before is not None and newest < before.newest
    stage = before.stage if before is not None and backward else after.stage
    if before is not None and stage != before.stage and now - heard <= FRESH:
        latest = max(after.subscriptions.values(), key=lambda one: one.told, default=None)
        fact = latest.event if latest is not None else f"{stage} {heard}"
        found.append(
            Found(
                kind=Kind.STAGE,
                subject=customer,
                before=before.stage,
                after=stage,
                at=max(newest, 0) or heard,
                fact=fact,
                amount=stake,
            )
        )
    was_failure = None if before is None else before.failure
    if failure is not None and _is_new(was_failure, failure, now=now):
        found.append(
            Found(
                kind=Kind.PAYMENT_FAILED,
                subject=failure.subject,
                before="",
                after=failure.reason,
                at=failure.at,
                fact=failure.fact,
                amount=failure.amount,
            )
        )
    # What vanished from the mirror stays known, so that its return is no news.
    gone = {name: one for name, one in known.items() if name not in kept}
    failed = max(filter(None, (was_failure, after.failure)), key=lambda one: one[1], default=None)
    newest = max(newest, 0 if before is None else before.newest)
    look = Look(stage=stage, subscriptions={**gone, **kept}, mrr=after.mrr, failure=failed, newest=newest)
    return look, tuple(found)


def _is_new(was: tuple[str, int] | None, failure: Failure, *, now: int) -> bool:
    if failure.read or now - failure.at > FRESH:
        return False
    return was is None or (failure.at, failure.subject) > (was[1], was[0])


def _is_news(was: Subscription | None, one: Subscription, *, heard: int, now: int) -> bool:
    if was is None:
        return not one.read and now - one.told <= FRESH and one.told - one.created <= FRESH
    # What was read has the time of the reading, so that the newest event says whether the customer is followed.
    return now - (min(one.told, heard) if one.read else one.told) <= FRESH


def _of_subscription(was: Subscription | None, one: Subscription) -> list[tuple[Kind, str, str]]:
    found: list[tuple[Kind, str, str]] = []
    status = "" if was is None else was.status
    if one.status != status:
        if one.status == "active":
            kind = Kind.RECOVERED if status in _OWING else Kind.STARTED
            found.append((kind, status, one.status))
        elif one.status in _REACHED:
            found.append((_REACHED[one.status], status, one.status))
    ends = 0 if was is None else was.ends
    if one.status != "canceled" and bool(one.ends) != bool(ends):
        kind = Kind.CANCEL_SCHEDULED if one.ends else Kind.CANCEL_WITHDRAWN
        found.append((kind, str(ends or ""), str(one.ends or "")))
    return found


def _stake(before: Look | None, after: Look) -> Money | None:
    """The monthly revenue that it is about: the larger of before and after, because who leaves pays nothing."""
    found = [one for one in (None if before is None else before.mrr, after.mrr) if one is not None]
    return max((Money(minor=one[0], currency=one[1]) for one in found), key=major, default=None)


def major(amount: Money) -> Decimal:
    """An amount in major units of its currency."""
    return Decimal(amount.minor).scaleb(-exponent(amount.currency))


def concerns(rule: Rule, *, kind: Kind, account_id: int, amount: Money | None, owner: int | None) -> bool:
    """Whether a rule is about a change; ``owner`` is who looks after the customer."""
    if rule.paused or kind not in rule.kinds or rule.account_id not in {None, account_id}:
        return False
    if rule.only_mine and (owner is None or owner != rule.operator_id):
        return False
    return rule.at_least is None or (amount is not None and major(amount) >= rule.at_least)


def due(rule: Rule, *, now: datetime) -> datetime:
    """When a change that is found now is told by a rule: at once, at the next full hour, or at the hour of a day."""
    here = now.astimezone(ZoneInfo(rule.zone))
    if rule.pace is Pace.HOURLY:
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if rule.pace is Pace.DAILY:
        return _next(here, rule.hour).astimezone(now.tzinfo)
    if rule.quiet_from is None or rule.quiet_until is None or not _is_quiet(here.hour, rule):
        return now
    return _next(here, rule.quiet_until).astimezone(now.tzinfo)


def _next(here: datetime, hour: int) -> datetime:
    """The next time at which clocks there show this hour."""
    at = here.replace(hour=hour, minute=0, second=0, microsecond=0)
    return at if at > here else at + timedelta(days=1)


def _is_quiet(hour: int, rule: Rule) -> bool:
    start, end = rule.quiet_from or 0, rule.quiet_until or 0
    return start <= hour < end if start < end else hour >= start or hour < end


def window(rule: Rule, *, change: int, at: datetime) -> str:
    """What tells one message of a rule from another: each change alone, or all that go at a moment."""
    return f"change {change}" if rule.pace is Pace.IMMEDIATE else f"digest {at:%Y-%m-%dT%H:%MZ}"


def delay(attempts: int, *, asked: int = 0) -> timedelta:
    """How long a message waits after its ``attempts``-th failure; at least what the receiver asks for, in seconds."""
    return timedelta(seconds=min(LONGEST_DELAY, max(asked, FIRST_DELAY * 4 ** (attempts - 1))))


def paths(steps: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The states that something went through, from changes (before, after) in their order: ``a b a`` for a flap."""
    found: list[str] = []
    for before, after in steps:
        for one in (before, after):
            if one and (not found or found[-1] != one):
                found.append(one)
    return tuple(found)
