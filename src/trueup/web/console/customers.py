"""The list of customers."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from trueup.customer import service as customers
from trueup.customer.types import Stage
from trueup.inbox import service as inbox
from trueup.kernel.records import Record
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
from trueup.web.console.words import STAGES, Label, Look

PAGE: Final = 50
DEFAULT_SORT: Final = "-last_event_at"

RARE_STAGES: Final = frozenset({Stage.LEAD, Stage.DELETED, Stage.PAUSED})
"""Stages whose tab is left out while it is empty."""


class Tab(Record, frozen=True):
    """A view of the list: all customers, or those of one stage."""

    value: str
    label: Label
    count: int
    current: bool
    url: str


class Column(Record, frozen=True):
    """A heading of the table; ``url`` sorts by it, where it can be sorted by."""

    label: Label
    css: str
    url: str = ""
    direction: str = ""
    """The value of ``aria-sort`` where the table is sorted by this column, else empty."""


COLUMNS: Final[tuple[tuple[Label, str, str], ...]] = (
    (_("Customer"), "fill", "name"),
    (_("Stage"), "", ""),
    (_("Plan"), "col-plan", ""),
    (_("MRR"), "num", "-mrr"),
    (_("Payment method"), "col-method", ""),
    (_("Renews"), "col-renews", ""),
    (_("Last event"), "num col-last", "-last_event_at"),
)
"""Label, class, and the sort of the first click."""


def _columns(request: HttpRequest, sort: str) -> list[Column]:
    columns = []
    for label, css, first in COLUMNS:
        if not first:
            columns.append(Column(label=label, css=css))
            continue
        field = first.removeprefix("-")
        active = sort.removeprefix("-") == field
        turned = field if sort.startswith("-") else f"-{field}"
        wanted = turned if active else first
        url = address(request, sort="" if wanted == DEFAULT_SORT else wanted, after=None, skip=None)
        direction = ("descending" if sort.startswith("-") else "ascending") if active else ""
        columns.append(Column(label=label, css=css, url=url, direction=direction))
    return columns


def _tabs(request: HttpRequest, counts: dict[Stage, int], stage: Stage | None) -> list[Tab]:
    def tab(value: str, label: Label, count: int) -> Tab:
        url = address(request, stage=value, after=None, skip=None)
        return Tab(value=value, label=label, count=count, current=value == (stage or ""), url=url)

    rows: list[tuple[Stage, Look]] = [
        (known, look)
        for known, look in STAGES.items()
        if known not in RARE_STAGES or counts.get(known) or known == stage
    ]
    return [
        tab("", _("All"), sum(counts.values())),
        *(tab(known.value, look.label, counts.get(known, 0)) for known, look in rows),
    ]


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/customers``: search, stage, account and sort live in the query; htmx gets the table and the tabs alone."""
    q = request.GET.get("q", "").strip()[:200]
    asked = choice_asked(request, "stage", STAGES)
    stage = Stage(asked) if asked else None
    account_id = account_asked(request)
    known_sorts = {f"{sign}{first.removeprefix('-')}" for _label, _css, first in COLUMNS if first for sign in ("", "-")}
    sort = request.GET.get("sort", "")
    sort = sort if sort in known_sorts else DEFAULT_SORT
    after = request.GET.get("after") or None

    found = customers.search(q=q, stage=stage, account_id=account_id, sort=sort, limit=PAGE, after=after)
    counts = customers.counts(account_id=account_id, q=q)
    start = offset_asked(request) if after else 0
    next_url = address(request, after=found.next, skip=str(start + len(found.data))) if found.next else ""
    frame = shell("customers", account_id=account_id)
    context: dict[str, Any] = {
        "found": found,
        "first": start + 1,
        "last": start + len(found.data),
        "next_url": next_url,
        "first_url": address(request, after=None, skip=None) if after else "",
        "tabs": _tabs(request, counts, stage),
        "columns": _columns(request, sort),
        "q": q,
        "stage": stage,
        "sort": "" if sort == DEFAULT_SORT else sort,
        "account_id": account_id,
        "filtered": bool(q or stage or account_id),
    }
    if not found.data and not context["filtered"] and not after:
        # An empty list means one of three things, and each has its own next step.
        context["stats"] = inbox.stats()
    if wants_part(request):
        return respond_part(request, "console/parts/customers_swap.html", context, frame=frame, push=address(request))
    return respond(request, "console/customers.html", context, frame=frame)
