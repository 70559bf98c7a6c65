"""What lies ahead: subscriptions that renew, trials that end, and cancellations with the revenue that goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from trueup.customer.money import service as money
from trueup.customer.money.types import Row, Total
from trueup.customer.types import Mrr
from trueup.kernel.records import Record
from trueup.mirror.amounts import ENDS, RENEWS, TRIAL_ENDS
from trueup.mirror.upcast.shape import currency_of
from trueup.runtime import clock
from trueup.runtime.recalling import Recalled
from trueup.web.console import charts, formats
from trueup.web.console.charts import Series
from trueup.web.console.money import dashboard_url, dashboards
from trueup.web.console.money_words import COMING
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
from trueup.web.console.words import Label, Look

PAGE: Final = 50
SPANS: Final[dict[str, Label]] = {
    "7": _("Next 7 days"),
    "30": _("Next 30 days"),
    "90": _("Next 90 days"),
}
USUAL: Final = "30"
WEEKS: Final = 13
MOST_FOLDED: Final = 500
"""Subscriptions whose revenue is folded for a sum; beyond, there is none."""
REMEMBERED_SECONDS: Final = 60.0


class _Leaving(Record, frozen=True):
    """The revenue of so many subscriptions."""

    number: int
    mrr: tuple[Mrr, ...]


_leaving: Final = Recalled[_Leaving](seconds=REMEMBERED_SECONDS, dear=lambda told: told.number > PAGE)


class Card(Record, frozen=True):
    """One of the things that come: how many, how much a period, and where they are listed."""

    look: Look
    total: Total
    url: str
    current: bool


class Line(Record, frozen=True):
    """A row of the table."""

    row: Row
    plan: str
    seats: int | None
    dashboard: str


class Asked(Record, frozen=True):
    """What an address asks for: what comes, and what narrows it as ``customer.money`` takes it."""

    what: str
    days: str
    account_id: int | None
    currency: str
    now: datetime

    @property
    def narrowing(self) -> dict[str, Any]:
        """The arguments that all of what comes share."""
        until = self.now + timedelta(days=int(self.days))
        return {"since": self.now, "until": until, "account_id": self.account_id, "currency": self.currency}

    @property
    def query(self) -> str:
        """The same as an address has it."""
        told = {"what": self.what, "days": self.days, "account": self.account_id, "currency": self.currency}
        return urlencode({name: value for name, value in told.items() if value not in {None, ""}})


def asked(request: HttpRequest) -> Asked:
    """What a request asks for; renewals of the usual days where it does not say."""
    return Asked(
        what=choice_asked(request, "what", COMING) or RENEWS,
        days=choice_asked(request, "days", SPANS) or USUAL,
        account_id=account_asked(request),
        currency=currency_of(request.GET.get("currency", "")) or "",
        now=clock.now(),
    )


@require_safe
def overview(request: HttpRequest) -> HttpResponseBase:
    """``/money/ahead``: what comes within some days, the soonest first; ``what`` is one of the three."""
    wanted = asked(request)
    what, days, now, account_id, currency = wanted.what, wanted.days, wanted.now, wanted.account_id, wanted.currency
    until = now + timedelta(days=int(days))
    after = request.GET.get("after") or None
    rows, following = money.ahead(what, **wanted.narrowing, limit=PAGE, after=after)
    cards = [
        Card(
            look=look,
            total=money.coming(reason, **wanted.narrowing),
            url=address(request, what=None if reason == RENEWS else reason, after=None, skip=None),
            current=reason == what,
        )
        for reason, look in COMING.items()
    ]
    start = offset_asked(request) if after else 0
    frame = shell("ahead", account_id=account_id)
    owners = dashboards()
    total = next(card.total for card in cards if card.current)
    context: dict[str, Any] = {
        "cards": cards,
        "what": what,
        "total": total,
        "lines": [_line(row, owners) for row in rows],
        "leaving": _leaves(now, until, account_id, currency, total) if what == ENDS else None,
        "days": days,
        "span": SPANS[days],
        "currency": currency,
        "first": start + 1,
        "last": start + len(rows),
        "next_url": address(request, after=following, skip=str(start + len(rows))) if following else "",
        "first_url": address(request, after=None, skip=None) if after else "",
        "account_id": account_id,
        "export_url": f"{reverse('console:money-ahead-export')}?{wanted.query}",
        "is_trial": what == TRIAL_ENDS,
        "is_end": what == ENDS,
    }
    if wants_part(request):
        return respond_part(request, "console/parts/money_ahead_swap.html", context, frame=frame, push=address(request))
    context |= {
        "spans": SPANS,
        "currencies": sorted({one.currency for card in cards for one in card.total.amounts} | {currency} - {""}),
        "chart_url": _chart_url(account_id, currency),
    }
    return respond(request, "console/money_ahead.html", context, frame=frame)


def plan_of(row: Row) -> tuple[str, int | None]:
    """What the first item of a subscription is called, and how many of it there are."""
    items = row.data.get("items")
    found = items.get("data") if isinstance(items, dict) else None
    first = found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}
    price = first.get("price")
    nickname = price.get("nickname") if isinstance(price, dict) else None
    quantity = first.get("quantity")
    return nickname if isinstance(nickname, str) else "", quantity if isinstance(quantity, int) else None


def _line(row: Row, owners: dict[str, str | None]) -> Line:
    plan, quantity = plan_of(row)
    return Line(row=row, plan=plan, seats=quantity, dashboard=dashboard_url(row, owners))


def _leaves(
    now: datetime, until: datetime, account_id: int | None, currency: str, total: Total
) -> tuple[Mrr, ...] | None:
    """The revenue that goes with all of them; None where they are more than are folded for it. A minute old at most."""
    if total.number > MOST_FOLDED:
        return None
    return _leaving.of((until - now, account_id, currency), lambda: _folded(now, until, account_id, currency)).mrr


def _folded(now: datetime, until: datetime, account_id: int | None, currency: str) -> _Leaving:
    rows, _next = money.ahead(ENDS, since=now, until=until, account_id=account_id, currency=currency, limit=MOST_FOLDED)
    return _Leaving(number=len(rows), mrr=money.revenue_leaving(rows))


def _chart_url(account_id: int | None, currency: str) -> str:
    asked = [
        *([f"account={account_id}"] if account_id is not None else []),
        *([f"currency={currency}"] if currency else []),
    ]
    url = reverse("console:money-ahead-weeks")
    return f"{url}?{'&'.join(asked)}" if asked else url


@require_safe
def weeks(request: HttpRequest) -> HttpResponseBase:
    """``/money/ahead/weeks``: what renews and what ends in each of the next weeks, as a chart."""
    account_id, chosen = account_asked(request), currency_of(request.GET.get("currency", "")) or ""
    now = clock.now()
    currency = chosen or money.usual_currency(RENEWS, since=now, number=WEEKS, account_id=account_id)
    chart = None
    if currency:
        found = [
            money.weeks(reason, since=now, number=WEEKS, currency=currency, account_id=account_id)
            for reason in (RENEWS, ENDS)
        ]
        chart = charts.columns(
            _("Renewals and cancellations by week, before discounts and tax"),
            _("Week from"),
            [formats.short_day(one.begins) for one in found[0]],
            [
                Series(label=COMING[RENEWS].label, css="s1", values=tuple(one.amount for one in found[0])),
                Series(label=COMING[ENDS].label, css="s3", values=tuple(one.amount for one in found[1])),
            ],
            told=lambda minor: formats.money(minor, currency),
        )
    context = {"chart": chart, "currency": currency, "account_id": account_id}
    frame = shell("ahead", account_id=account_id)
    if wants_part(request):
        return respond_part(request, "console/parts/money_chart.html", context, frame=frame)
    return respond(request, "console/money_chart.html", context, frame=frame)
