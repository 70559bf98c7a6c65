"""The list of customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from trueup.customer.listing import service as lists
from trueup.customer.owners import service as owners
from trueup.customer.types import Stage
from trueup.customer.views import service as views
from trueup.customer.views.types import View
from trueup.inbox import service as inbox
from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.web.console.customers_asked import (
    COLUMNS,
    DEFAULT_SORT,
    TRIALS,
    Asked,
    asked,
    filters_of,
    here,
)
from trueup.web.console.page import offset_asked, respond, respond_part, shell, wants_part
from trueup.web.console.words import STAGES, SUBSCRIPTION_STATUSES, Label

PAGE: Final = 50
MOST_VIEWS: Final = 12
"""Kept views whose number stands beside their name; a number is a question."""

RARE_STAGES: Final = frozenset({Stage.LEAD, Stage.DELETED, Stage.PAUSED})
"""Stages whose tab is left out while it is empty."""


class Tab(Record, frozen=True):
    """A list to choose: all customers, those of one stage, or a kept view. ``count`` is None where it is not known."""

    label: Label
    count: int | None
    current: bool
    url: str
    more: bool = False
    """Whether there are more than are counted."""
    view: View | None = None


class Column(Record, frozen=True):
    """A heading of the table; ``url`` sorts by it, where it can be sorted by."""

    name: str
    label: Label
    css: str
    url: str = ""
    direction: str = ""
    """The value of ``aria-sort`` where the table is sorted by this column, else empty."""


def _columns(request: HttpRequest, wanted: Asked) -> list[Column]:
    known: Mapping[str, tuple[Label, str, str]] = {"customer": (_("Customer"), "fill", "name")} | COLUMNS
    columns = []
    for name in ("customer", *(one for one in COLUMNS if one in wanted.columns)):
        label, css, first = known[name]
        if not first:
            columns.append(Column(name=name, label=label, css=css))
            continue
        field = first.removeprefix("-")
        active = wanted.sort.removeprefix("-") == field
        turned = field if wanted.sort.startswith("-") else f"-{field}"
        sort = turned if active else first
        url = here(request, sort="" if sort == DEFAULT_SORT else sort, after=None, skip=None)
        direction = ("descending" if wanted.sort.startswith("-") else "ascending") if active else ""
        columns.append(Column(name=name, label=label, css=css, url=url, direction=direction))
    return columns


def _tabs(request: HttpRequest, counts: dict[Stage, int] | None, wanted: Asked, view: View | None) -> list[Tab]:
    def tab(value: str, label: Label, count: int | None) -> Tab:
        url = here(request, stage=value, after=None, skip=None, view=None)
        current = view is None and value == (wanted.filters.stage or "")
        return Tab(label=label, count=count, current=current, url=url)

    known = counts or {}
    rows = [
        (stage, look)
        for stage, look in STAGES.items()
        if stage not in RARE_STAGES or known.get(stage) or stage == wanted.filters.stage
    ]
    return [
        tab("", _("All"), None if counts is None else sum(known.values())),
        *(tab(stage.value, look.label, None if counts is None else known.get(stage, 0)) for stage, look in rows),
    ]


def _view_tabs(request: HttpRequest, kept: list[View], current: View | None) -> list[Tab]:
    tabs = []
    for place, view in enumerate(kept):
        count = None
        if place < MOST_VIEWS:
            try:
                count = lists.badge(filters_of(request, view.parameters))
            except Refused:
                # A filter that a later version does not know any more: the page says so once the tab is opened.
                continue
        query = urlencode([*view.parameters.items(), ("view", view.id)], doseq=True)
        url = f"{reverse('console:customers')}?{query}"
        open_now = current is not None and current.id == view.id
        more = place < MOST_VIEWS and count is None
        tabs.append(Tab(label=view.name, count=count, current=open_now, url=url, more=more, view=view))
    return tabs


def _view_asked(request: HttpRequest, kept: list[View]) -> View | None:
    named = request.GET.get("view", "")
    return next((one for one in kept if str(one.id) == named), None)


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/customers``: filters, order, columns and view live in the query; htmx gets the table and the tabs alone."""
    wanted = asked(request)
    after = request.GET.get("after") or None
    kept = views.views(operator_id=int(request.user.pk or 0))
    view = _view_asked(request, kept)
    rows, following = lists.rows(wanted.filters, sort=wanted.sort, limit=PAGE, after=after)
    counts = lists.by_stage(wanted.filters)
    start = offset_asked(request) if after else 0
    frame = shell("customers", account_id=wanted.filters.account_id)
    owned = owners.of([row.id for row in rows]) if "owner" in wanted.columns else {}
    context: dict[str, Any] = {
        "rows": [(row, owned.get(row.id)) for row in rows],
        "total": _total(counts, wanted),
        "first": start + 1,
        "last": start + len(rows),
        "next_url": here(request, after=following, skip=str(start + len(rows))) if following else "",
        "first_url": here(request, after=None, skip=None) if after else "",
        "tabs": _tabs(request, counts, wanted, view),
        "view_tabs": _view_tabs(request, kept, view),
        "view": view,
        "view_changed": view is not None and dict(view.parameters) != wanted.parameters,
        "columns": _columns(request, wanted),
        "asked": wanted,
        "q": wanted.filters.q,
        "stage": wanted.filters.stage,
        "sort": "" if wanted.sort == DEFAULT_SORT else wanted.sort,
        "account_id": wanted.filters.account_id,
        "filtered": wanted.narrowed,
        "here": here(request),
        "people": owners.candidates(),
    }
    if not rows and not wanted.narrowed and not after:
        # An empty list means one of three things, and each has its own next step.
        context["stats"] = inbox.stats()
    if wants_part(request):
        return respond_part(request, "console/parts/customers_swap.html", context, frame=frame, push=here(request))
    context |= {
        "all_columns": [(name, label) for name, (label, _css, _sort) in COLUMNS.items()],
        "products": lists.products(),
        "statuses": SUBSCRIPTION_STATUSES,
        "trials": TRIALS,
    }
    return respond(request, "console/customers.html", context, frame=frame)


def _total(counts: dict[Stage, int] | None, wanted: Asked) -> int | None:
    """How many match, from what the tabs were counted by; the sort by trials lists those on trial alone."""
    if counts is None:
        return lists.total(wanted.filters)
    stage = Stage.TRIALING if wanted.sort.lstrip("-") == "trial_end" else wanted.filters.stage
    return sum(counts.values()) if stage is None else counts[stage]
