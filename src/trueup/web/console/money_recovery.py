"""What could not be collected: how much is at risk, why, what Stripe does next, and what was recovered or lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from trueup.customer import service as customers
from trueup.customer.money import recovery
from trueup.customer.money import service as money
from trueup.customer.money.types import Lane, Recovering, Total
from trueup.kernel.money import Money
from trueup.kernel.records import Record
from trueup.mirror.money.types import Which
from trueup.mirror.upcast.shape import currency_of
from trueup.runtime import clock
from trueup.web.console import charts, formats
from trueup.web.console.charts import Chart, Series
from trueup.web.console.money import dashboard_url, dashboards
from trueup.web.console.money_words import LANES
from trueup.web.console.page import (
    account_asked,
    address,
    choice_asked,
    offset_asked,
    respond,
    respond_part,
    shell,
    wants_part,
)
from trueup.web.console.telling import told
from trueup.web.console.words import Label, Look

PAGE: Final = 25
WEEK: Final = "7"
ANY: Final = "any"
SPANS: Final[dict[str, Label]] = {
    WEEK: _("Last 7 days"),
    "30": _("Last 30 days"),
    "90": _("Last 90 days"),
    ANY: _("Any time"),
}
MONTHS: Final = 6
MOST_REASONS: Final = 6
ORDERS: Final = ("newest",)


class Card(Record, frozen=True):
    """One lane: how many invoices, how much money, and where they are listed."""

    look: Look
    lane: Lane
    total: Total
    url: str
    current: bool


class Line(Record, frozen=True):
    """A row of the table; ``day`` is 1 on the day of the first failure."""

    one: Recovering
    day: int
    dashboard: str


class Cause(Record, frozen=True):
    """Why attempts failed: how often, and how much money in each currency; ``part`` is of the most frequent, in 100."""

    label: str
    number: int
    amounts: tuple[Money, ...]
    part: int
    url: str


class Asked(Record, frozen=True):
    """What an address asks for: a lane, and what narrows it as ``customer.money.recovery`` takes it."""

    lane: Lane
    days: str
    account_id: int | None
    currency: str
    now: datetime

    @property
    def narrowing(self) -> dict[str, Any]:
        """The arguments that all lanes share."""
        since = None if self.days == ANY else self.now - timedelta(days=int(self.days))
        return {"since": since, "now": self.now, "account_id": self.account_id, "currency": self.currency}

    @property
    def query(self) -> str:
        """The same as an address has it."""
        told = {"lane": self.lane.value, "days": self.days, "account": self.account_id, "currency": self.currency}
        return urlencode({name: value for name, value in told.items() if value not in {None, ""}})


def asked(request: HttpRequest) -> Asked:
    """What a request asks for; the usual lane and days where it does not say."""
    return Asked(
        lane=Lane(choice_asked(request, "lane", [one.value for one in Lane]) or Lane.AT_RISK),
        days=choice_asked(request, "days", SPANS) or WEEK,
        account_id=account_asked(request),
        currency=currency_of(request.GET.get("currency", "")) or "",
        now=clock.now(),
    )


@require_safe
def overview(request: HttpRequest) -> HttpResponseBase:
    """``/money/failed``: one lane at a time, the most money first; ``days`` says since when."""
    wanted = asked(request)
    lane, days, now, account_id, currency = wanted.lane, wanted.days, wanted.now, wanted.account_id, wanted.currency
    newest = choice_asked(request, "sort", ORDERS)
    start = offset_asked(request)
    found = recovery.recovery(**wanted.narrowing)
    rows, more = recovery.rows(lane, **wanted.narrowing, newest_first=bool(newest), limit=PAGE, skip=start)
    frame = shell("failed", account_id=account_id)
    owners = dashboards()
    cards = [
        Card(
            look=LANES[Lane(one.status)],
            lane=Lane(one.status),
            total=one,
            url=address(request, lane=None if one.status == Lane.AT_RISK else one.status, skip=None),
            current=one.status == lane,
        )
        for one in found.totals
    ]
    context: dict[str, Any] = {
        "cards": cards,
        "lane": lane,
        "lines": [
            Line(one=one, day=(now - one.first_failed_at).days + 1, dashboard=dashboard_url(one.row, owners))
            for one in rows
        ],
        "cut": found.cut,
        "days": days,
        "span": SPANS[days],
        "currency": currency,
        "newest": newest,
        "first": start + 1,
        "last": start + len(rows),
        "total": next(card.total.number for card in cards if card.current),
        "first_url": address(request, skip=None) if start else "",
        "next_url": address(request, skip=str(start + len(rows))) if more else "",
        "sort_url": address(request, sort=None if newest else "newest", skip=None),
        "causes": _causes(wanted.narrowing["since"], now, account_id, currency),
        "account_id": account_id,
        "chart_url": _chart_url(account_id, currency),
        "export_url": f"{reverse('console:money-failed-export')}?{wanted.query}",
        "nothing": not any(card.total.number for card in cards),
    }
    if wants_part(request):
        return respond_part(
            request, "console/parts/money_failed_swap.html", context, frame=frame, push=address(request)
        )
    context |= {
        "spans": SPANS,
        "currencies": sorted({one.currency for card in cards for one in card.total.amounts} | {currency} - {""}),
    }
    return respond(request, "console/money_failed.html", context, frame=frame)


def _chart_url(account_id: int | None, currency: str) -> str:
    asked = [
        *([f"account={account_id}"] if account_id is not None else []),
        *([f"currency={currency}"] if currency else []),
    ]
    url = reverse("console:money-failed-months")
    return f"{url}?{'&'.join(asked)}" if asked else url


def _causes(since: datetime | None, now: datetime, account_id: int | None, currency: str) -> list[Cause]:
    """Why attempts to pay failed in the span, the most frequent first."""
    begin = now - timedelta(days=365) if since is None else since
    which = Which(
        types=("charge",),
        statuses=("failed",),
        account_id=account_id,
        currency=currency,
        since=int(begin.timestamp()),
    )
    found: dict[str | None, tuple[int, dict[str, int]]] = {}
    for one in money.reasons(which):
        number, amounts = found.setdefault(one.reason, (0, {}))
        if one.currency is not None:
            amounts[one.currency] = amounts.get(one.currency, 0) + one.amount
        found[one.reason] = (number + one.number, amounts)
    ranked = sorted(found.items(), key=lambda one: (-one[1][0], one[0] or ""))[:MOST_REASONS]
    most = max((number for _reason, (number, _amounts) in ranked), default=1)
    return [
        Cause(
            label=told(customers.reason_told(reason).short),
            number=number,
            amounts=tuple(Money(minor=minor, currency=code) for code, minor in sorted(amounts.items())),
            part=max(1, round(100 * number / most)),
            url=f"{reverse('console:money', args=['payments'])}?status=failed&reason={reason}" if reason else "",
        )
        for reason, (number, amounts) in ranked
    ]


@require_safe
def months(request: HttpRequest) -> HttpResponseBase:
    """``/money/failed/months``: what failed in each of the last months, by what became of it, as a chart."""
    account_id, chosen = account_asked(request), currency_of(request.GET.get("currency", "")) or ""
    begins, now = _begins(clock.now()), clock.now()
    found = recovery.months(begins=begins, now=now, account_id=account_id)
    currency = chosen or next(iter(found.by_currency), "")
    told = found.by_currency.get(currency, ())
    if found.cut_at is not None:
        # A month of which only a part was looked at would look small; of the present one at least that is said.
        cut_at = found.cut_at
        told = tuple(one for one in told if one.begins >= cut_at) or told[-1:]
    chart = _chart([formats.short_month(one.begins) for one in told], told, currency) if told else None
    context = {"chart": chart, "currency": currency, "account_id": account_id, "cut_at": found.cut_at}
    frame = shell("failed", account_id=account_id)
    if wants_part(request):
        return respond_part(request, "console/parts/money_chart.html", context, frame=frame)
    return respond(request, "console/money_chart.html", context, frame=frame)


def _begins(now: datetime) -> list[datetime]:
    """When the last months begin in the reader's zone, the present one last."""
    month = now.astimezone(timezone.get_current_timezone()).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = [month]
    for _place in range(MONTHS - 1):
        found.insert(0, (found[0] - timedelta(days=1)).replace(day=1))
    return found


def _chart(names: Sequence[str], found: Sequence[Any], currency: str) -> Chart:
    series = [
        Series(label=LANES[Lane.RECOVERED].label, css="s2", values=tuple(one.recovered for one in found)),
        Series(label=LANES[Lane.AT_RISK].label, css="s3", values=tuple(one.at_risk for one in found)),
        Series(label=LANES[Lane.LOST].label, css="s4", values=tuple(one.lost for one in found)),
    ]
    return charts.columns(
        _("Failed by month, and what became of it"),
        _("Month"),
        names,
        series,
        told=lambda minor: formats.money(minor, currency),
    )
