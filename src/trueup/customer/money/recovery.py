"""What could not be collected, and what became of it: at risk, recovered or lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from trueup.customer.money.service import SMALL_CHUNK, dressed, total_of
from trueup.customer.money.types import Lane, Month, Months, Recovering, Recovery, Row, Total
from trueup.customer.rules.billed import Attempt, billed
from trueup.kernel.money import exponent
from trueup.kernel.records import Record
from trueup.kernel.time import from_unix
from trueup.mirror import service as mirror
from trueup.mirror.money import service as money
from trueup.mirror.money.types import Failed, FailedSum, Sum
from trueup.mirror.service import CustomerKey
from trueup.mirror.upcast.shape import moment, whole
from trueup.runtime.recalling import Recalled

LANES: Final = {"open": Lane.AT_RISK, "paid": Lane.RECOVERED, "uncollectible": Lane.LOST, "void": Lane.LOST}
"""By Stripe's status of the invoice."""
PAYING: Final = ("invoice", "charge", "payment_intent")
REMEMBERED_SECONDS: Final = 60.0
LARGE: Final = 500
"""Looking at so many failures takes long enough to be worth remembering."""
MONTHS_REMEMBERED_SECONDS: Final = 300.0
MOST_IN_MONTHS: Final = 20_000
"""Each is one step to its invoice, so that nobody waits for more of them before a chart."""


class _Found(Record, frozen=True):
    """What failed in a span, by what became of it, the most money first."""

    lanes: dict[Lane, tuple[Failed, ...]]
    told: Recovery
    number: int


_spans: Final = Recalled[_Found](seconds=REMEMBERED_SECONDS, dear=lambda found: found.number > LARGE)
_months: Final = Recalled[tuple[FailedSum, ...]](
    seconds=MONTHS_REMEMBERED_SECONDS, dear=lambda told: sum(one.failures for one in told) > LARGE
)


def recovery(*, since: datetime | None, now: datetime, account_id: int | None = None, currency: str = "") -> Recovery:
    """What failed since a moment, by what became of it; with ``None`` whenever it was. Of many a minute old at most."""
    return _failed(since, now, account_id, currency).told


def _failed(since: datetime | None, now: datetime, account_id: int | None, currency: str) -> _Found:
    days = None if since is None else (now - since).days
    return _spans.of((days, account_id, currency), lambda: _asked(since, now, account_id, currency))


def _asked(since: datetime | None, now: datetime, account_id: int | None, currency: str) -> _Found:
    begin = 0 if since is None else int(since.timestamp())
    found = money.failed(since=begin, until=int(now.timestamp()) + 60, account_id=account_id, currency=currency)
    cut = sum(one.failures for one in found) >= money.MOST_COUNTED
    if since is None:
        # What failed before the first event that is known still is at risk.
        known = {one.key for one in found}
        open_now = money.failing(account_id=account_id, currency=currency)
        found = (*found, *(one for one in open_now if one.key not in known))
    lanes: dict[Lane, list[Failed]] = {lane: [] for lane in Lane}
    for one in found:
        if (lane := LANES.get(one.status)) is not None:
            lanes[lane].append(one)
    for mine in lanes.values():
        mine.sort(key=lambda one: (-size(one.amount, one.currency), one.key.object_id))
    return _Found(
        lanes={lane: tuple(mine) for lane, mine in lanes.items()},
        told=Recovery(totals=tuple(_total(lane, mine) for lane, mine in lanes.items()), cut=cut),
        number=len(found),
    )


def _total(lane: Lane, found: Sequence[Failed]) -> Total:
    amounts: dict[str | None, int] = {}
    for one in found:
        amounts[one.currency] = amounts.get(one.currency, 0) + one.amount
    sums = [Sum(status=lane, currency=code, number=0, amount=amount, more=False) for code, amount in amounts.items()]
    return msgspec.structs.replace(total_of(lane, sums), number=len(found))


def rows(
    lane: Lane,
    *,
    since: datetime | None,
    now: datetime,
    account_id: int | None = None,
    currency: str = "",
    newest_first: bool = False,
    limit: int = 25,
    skip: int = 0,
) -> tuple[tuple[Recovering, ...], bool]:
    """Invoices of a lane, the most money first or the newest failure, and whether there are more behind these."""
    mine: Sequence[Failed] = _failed(since, now, account_id, currency).lanes[lane]
    if newest_first:
        mine = sorted(mine, key=lambda one: (-one.last, one.key.object_id))
    return _dressed(mine[skip : skip + limit]), len(mine) > skip + limit


def chunks(
    lane: Lane, *, since: datetime | None, now: datetime, account_id: int | None = None, currency: str = ""
) -> Iterator[tuple[Recovering, ...]]:
    """All invoices of a lane, the most money first, some hundreds at a time; as they were when the first was read."""
    mine = _failed(since, now, account_id, currency).lanes[lane]
    for start in range(0, len(mine), SMALL_CHUNK):
        yield _dressed(mine[start : start + SMALL_CHUNK])


def size(minor: int, currency: str | None) -> int:
    """An amount in ten-thousandths of its major unit: good for an order over currencies, not for a sum."""
    return minor * 10 ** (4 - exponent(currency)) if currency is not None else 0


def _dressed(found: Sequence[Failed]) -> tuple[Recovering, ...]:
    keys = [one.key for one in found]
    listed = money.these(keys)
    failures = money.failures(keys)
    told = {row.key: row for row in dressed([listed[key] for key in keys if key in listed])}
    attempts = _attempts(list(told.values()))
    return tuple(
        _recovering(told[one.key], one, failures.get(one.key), attempts.get(_owner(told[one.key]), {}))
        for one in found
        if one.key in told
    )


def _owner(row: Row) -> CustomerKey:
    return (row.key.account_id, row.key.livemode, "" if row.customer is None else row.customer.stripe_customer_id)


_Tried = tuple[Attempt | None, bool]


def _attempts(found: Sequence[Row]) -> dict[CustomerKey, dict[str, _Tried]]:
    """The failure that each invoice of these customers names, and whether Stripe says that it is its own."""
    owners = sorted({_owner(row) for row in found if row.customer is not None})
    objects = mirror.objects_of(owners, PAYING)
    return {
        owner: {
            one.id: (one.failed, one.certain)
            for one in billed(objects.get(owner, []), of=[owner[2]], default=None).invoices
        }
        for owner in owners
    }


def _recovering(
    row: Row, found: Failed, failures: tuple[int, int, int] | None, attempts: dict[str, _Tried]
) -> Recovering:
    first, last, number = failures or (found.first, found.last, 0)
    attempt, certain = attempts.get(row.key.object_id, (None, False))
    return Recovering(
        row=row,
        first_failed_at=from_unix(first),
        last_failed_at=from_unix(last),
        attempts=max(number, whole(row.data.get("attempt_count")) or 0),
        next_attempt_at=moment(row.data.get("next_payment_attempt")) if row.status == "open" else None,
        failure=None if attempt is None else attempt.failure,
        certain=certain,
    )


def months(*, begins: Sequence[datetime], now: datetime, account_id: int | None = None) -> Months:
    """What failed first in each of the months that begin at these moments, the last until now, by what became of it.

    An invoice counts once, in the month of its first failure that is looked at: the newest ``MOST_IN_MONTHS`` are. May
    be some minutes old.
    """
    starts = [int(one.timestamp()) for one in begins]

    def ask() -> tuple[FailedSum, ...]:
        until = int(now.timestamp()) + 60
        return money.failed_sums(begins=starts, until=until, account_id=account_id, most=MOST_IN_MONTHS)

    found = _months.of((tuple(starts), account_id), ask)
    often: dict[str, int] = {}
    for one in found:
        if one.currency is not None:
            often[one.currency] = often.get(one.currency, 0) + one.failures
    currencies = sorted(often, key=lambda code: (-often[code], code))
    cut = sum(one.failures for one in found) >= MOST_IN_MONTHS
    return Months(
        by_currency={
            code: tuple(
                _month(begin, [one for one in found if one.place == place and one.currency == code])
                for place, begin in enumerate(begins)
            )
            for code in currencies
        },
        cut_at=from_unix(min(one.oldest for one in found)) if cut else None,
    )


def _month(begins: datetime, found: Sequence[FailedSum]) -> Month:
    together = {lane: sum(one.amount for one in found if LANES.get(one.status) is lane) for lane in Lane}
    return Month(
        begins=begins, at_risk=together[Lane.AT_RISK], recovered=together[Lane.RECOVERED], lost=together[Lane.LOST]
    )
