"""Lists of payments, invoices, refunds and disputes over all customers, and each as a file."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from trueup.accounts import service as accounts
from trueup.customer.money import service as money
from trueup.customer.money.types import Row, Total
from trueup.inbox import service as inbox
from trueup.kernel.money import Money
from trueup.kernel.records import Record
from trueup.web.console.customer_page import DASHBOARD
from trueup.web.console.money_asked import SPANS, TO_ANSWER, Asked, asked
from trueup.web.console.money_words import KINDS, Kind, look_of, reason_label
from trueup.web.console.page import address, offset_asked, respond, respond_part, shell, wants_part
from trueup.web.console.telling import told
from trueup.web.console.words import Label

PAGE: Final = 50
PLACES: Final = {
    "charge": "payments",
    "payment_intent": "payments",
    "invoice": "invoices",
    "subscription": "subscriptions",
    "dispute": "disputes",
}
"""Where Stripe's dashboard shows an object of a type."""


class Tab(Record, frozen=True):
    """Rows of one status; ``count`` is None where they are not counted, ``more`` says that there are more."""

    label: Label
    count: int
    more: bool
    current: bool
    url: str


class Line(Record, frozen=True):
    """A row as the table shows it."""

    row: Row
    reason: str
    dashboard: str
    pays: str
    """Of a refund or a dispute the charge that it is about, else empty."""


def dashboard_url(row: Row, owners: dict[str, str | None]) -> str:
    """Where Stripe's own dashboard shows an object; ``owners`` are Stripe's account ids by our slugs."""
    named, object_type = row.key.object_id, row.key.object_type
    if object_type == "refund":
        paid = row.data.get("charge") or row.data.get("payment_intent")
        named, object_type = paid if isinstance(paid, str) else named, "charge"
    place = [DASHBOARD, owners.get(row.account_slug) or "", "" if row.key.livemode else "test"]
    return "/".join([*(part for part in place if part), PLACES.get(object_type, "search"), quote(named)])


def dashboards() -> dict[str, str | None]:
    """Stripe's account ids by our slugs."""
    return {one.slug: one.stripe_account_id for one in accounts.accounts()}


def _lines(kind: Kind, rows: tuple[Row, ...]) -> list[Line]:
    owners = dashboards()
    return [
        Line(
            row=row,
            reason=told(row.failure.short) if row.failure is not None else reason_label(kind, row.reason),
            dashboard=dashboard_url(row, owners),
            pays=row.data["charge"] if isinstance(row.data.get("charge"), str) else "",
        )
        for row in rows
    ]


def _tabs(request: HttpRequest, kind: Kind, wanted: Asked, totals: tuple[Total, ...]) -> list[Tab]:
    known = {one.status: one for one in totals}

    def tab(value: str, label: Label, of: list[Total]) -> Tab:
        url = address(request, status=value, after=None, skip=None)
        number, more = sum(one.number for one in of), any(one.more for one in of)
        return Tab(label=label, count=number, more=more, current=wanted.status == value, url=url)

    tabs = [tab("", gettext_lazy("All"), list(totals))]
    if kind.sorted_by_due:
        waiting = [known[one] for one in kind.sorted_by_due if one in known]
        tabs.append(tab(TO_ANSWER, gettext_lazy("To answer"), waiting))
    shown = [one for one in kind.statuses if one in known or one == wanted.status]
    shown += [one for one in known if one not in kind.statuses]
    return [*tabs, *(tab(one, look_of(kind, one).label, [known[one]] if one in known else []) for one in shown)]


def _sum(wanted: Asked, totals: tuple[Total, ...]) -> Total:
    """Of the tab that is looked at."""
    mine = [one for one in totals if not wanted.which.statuses or one.status in wanted.which.statuses]
    amounts: dict[str, int] = {}
    for one in mine:
        for amount in one.amounts:
            amounts[amount.currency] = amounts.get(amount.currency, 0) + amount.minor
    together = [(minor, currency) for currency, minor in sorted(amounts.items())]
    return Total(
        status=wanted.status,
        number=sum(one.number for one in mine),
        amounts=tuple(Money(minor=minor, currency=currency) for minor, currency in together),
        more=any(one.more for one in mine),
    )


def _by_status(kind: Kind, wanted: Asked, totals: tuple[Total, ...]) -> list[tuple[Label, Total]]:
    """What the rows are together. What failed and what came in are never added up: each status is told by itself."""
    known = {one.status: one for one in totals if one.amounts and not one.more}
    order = [*(one for one in kind.statuses if one in known), *(one for one in known if one not in kind.statuses)]
    mine = [one for one in order if not wanted.which.statuses or one in wanted.which.statuses]
    return [(look_of(kind, one).label, known[one]) for one in mine]


def kind_of(name: str) -> Kind:
    """The list of a name; a page that there is not for another."""
    if name not in KINDS:
        raise Http404
    return KINDS[name]


@require_safe
def listing(request: HttpRequest, kind: str) -> HttpResponseBase:
    """``/money/{kind}``: filters, order and tab live in the query; htmx gets the table and the tabs alone."""
    of = kind_of(kind)
    wanted = asked(request, of)
    after = request.GET.get("after") or None
    rows, following = money.rows(wanted.which, order=wanted.order, limit=PAGE, after=after)
    totals = money.totals(wanted.which)
    start = offset_asked(request) if after else 0
    frame = shell(of.name, account_id=wanted.which.account_id)
    together = _sum(wanted, totals)
    turned = None if request.GET.get("sort") == "oldest" else "oldest"
    context: dict[str, Any] = {
        "kind": of,
        "lines": _lines(of, rows),
        "asked": wanted,
        "tabs": _tabs(request, of, wanted, totals),
        "sum": together,
        "sums": _by_status(of, wanted, totals),
        "first": start + 1,
        "last": start + len(rows),
        "next_url": address(request, after=following, skip=str(start + len(rows))) if following else "",
        "first_url": address(request, after=None, skip=None) if after else "",
        "sort_url": address(request, sort=turned, after=None, skip=None),
        "by_due": wanted.order.value == "due",
        "oldest": wanted.order.value == "oldest",
        "account_id": wanted.which.account_id,
        "reason_label": reason_label(of, wanted.reason) or wanted.reason,
        "without_reason_url": address(request, reason=None, after=None, skip=None),
    }
    if not rows and not wanted.narrowed:
        context["stats"] = inbox.stats()
    if wants_part(request):
        return respond_part(request, "console/parts/money_swap.html", context, frame=frame, push=address(request))
    context |= {
        "spans": SPANS,
        "currencies": sorted(
            {amount.currency for one in totals for amount in one.amounts}
            | ({wanted.currency} if wanted.currency else set())
        ),
    }
    return respond(request, "console/money_list.html", context, frame=frame)
