"""What a customer paid a month over the last two years, as a chart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from trueup.customer import service as customers
from trueup.customer.types import Mrr
from trueup.runtime import clock
from trueup.web.console import charts, formats
from trueup.web.console.charts import Chart, Series
from trueup.web.console.customer_page import respond_drawer, subject

MONTHS: Final = 24
FEWEST: Final = 2
"""Points below which there is no line to draw."""


@require_safe
def revenue(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/revenue``: MRR at the end of each month, the last as it is now or on the day looked at."""
    of = subject(request, customer_id)
    moments = _ends(of.at or clock.now())
    told = customers.revenue_then(of.customer, moments)
    known = [(at, found) for at, found in zip(moments, told, strict=True) if found is not None]
    currency = _usual([found for _at, found in known])
    chart = _chart(known, currency) if currency and len(known) >= FEWEST else None
    several = len({one.currency for _at, found in known for one in found}) > 1
    context = {"chart": chart, "currency": currency, "several": several}
    return respond_drawer(request, of, "console/parts/customer_revenue.html", context, label=_("MRR by month"))


def _ends(now: datetime) -> list[datetime]:
    """The last seconds of the months before in the reader's zone, and now; the oldest first."""
    begins = now.astimezone(timezone.get_current_timezone()).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = [now]
    while len(found) < MONTHS:
        found.insert(0, begins - timedelta(seconds=1))
        begins = (begins - timedelta(days=1)).replace(day=1)
    return found


def _usual(told: list[tuple[Mrr, ...]]) -> str:
    """The currency of most months; empty where there was none."""
    often: dict[str, int] = {}
    for found in told:
        for one in found:
            often[one.currency] = often.get(one.currency, 0) + 1
    return max(often, key=lambda code: (often[code], code), default="")


def _chart(known: list[tuple[datetime, tuple[Mrr, ...]]], currency: str) -> Chart:
    values = tuple(next((one.minor for one in found if one.currency == currency), 0) for _at, found in known)
    return charts.line(
        _("MRR at the end of each month"),
        _("Month"),
        [formats.month_of_year(at) for at, _found in known],
        Series(label=_("MRR"), css="s1", values=tuple(max(0, value) for value in values)),
        told=lambda minor: formats.money(minor, currency),
    )
