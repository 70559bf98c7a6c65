"""``/drift``: what differs from Stripe by type and field, and mending it: some of it, a whole cell, or all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.customer.listing import service as lists
from trueup.kernel.errors import Conflict, NotFound, Refused, TrueupError
from trueup.kernel.records import Record
from trueup.mirror.reconcile import cells
from trueup.mirror.reconcile import service as reconcile
from trueup.mirror.reconcile.cells import Cell
from trueup.mirror.reconcile.types import STATE, Difference
from trueup.runtime import clock, configuration
from trueup.web.console import comparisons, differences, formats
from trueup.web.console.page import account_asked, respond, respond_part, shell, wants_part
from trueup.web.console.reader import acting
from trueup.web.console.words import CAUSES, DIFFERENCES, Label, Look, type_name

RUNS: Final = 5


class Row(Record, frozen=True):
    """One cell with the words for it; ``share`` is its part of the largest, from 1 to 100."""

    cell: Cell
    look: Look
    cause: Label
    share: int


class Type(Record, frozen=True):
    """The cells of one type."""

    code: str
    name: str
    rows: tuple[Row, ...]


def _types(found: Sequence[Cell]) -> list[Type]:
    largest = max((one.number for one in found), default=1)
    return [
        Type(
            code=code,
            name=type_name(code),
            rows=tuple(
                Row(
                    cell=one,
                    look=DIFFERENCES[one.kind],
                    cause=CAUSES[one.cause],
                    share=max(1, 100 * one.number // largest),
                )
                for one in group
            ),
        )
        for code, group in groupby(found, key=lambda one: one.type)
    ]


@require_safe
def overview(request: HttpRequest) -> HttpResponseBase:
    """``/drift``: every type and field that differs, with how many, since when and why."""
    account_id = account_asked(request)
    found, counted = cells.cells(account_id=account_id), reconcile.counted(account=_slug(account_id))
    runs = comparisons.lines(reconcile.runs(limit=RUNS).data)
    compared = [one.compared_at for one in reconcile.drift()]
    settings = configuration.current()
    context: dict[str, Any] = {
        "types": _types(found),
        "objects": sum(one.number for one in counted if one.type != STATE),
        "states": sum(one.number for one in counted if one.type == STATE),
        "oldest": min((one.oldest for one in found), default=None),
        "compared_at": min((at for at in compared if at is not None), default=None),
        "never": any(at is None for at in compared),
        "customers": sum(lists.counts().values()),
        "runs": runs,
        "running": any(line.running for line in runs),
        "next_at": _next(settings.reconcile_hour, clock.now()),
        "repairs": settings.reconcile_repair,
        "readable": [account for account in accounts.accounts() if calls.can_read(account)],
        "account_id": account_id,
    }
    frame = shell("drift", account_id=account_id)
    if wants_part(request):
        return respond_part(request, "console/parts/drift.html", context, frame=frame)
    return respond(request, "console/drift.html", context, frame=frame)


def _slug(account_id: int | None) -> str:
    return next((one.slug for one in accounts.accounts() if one.id == account_id), "")


def _next(hour: int, now: datetime) -> datetime | None:
    """When everything is compared next; None for never."""
    if hour < 0:
        return None
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


class Target(Record, frozen=True):
    """One comparison with repair: of some customers' objects, or of types that are nobody's."""

    account: str
    customers: tuple[str, ...]
    types: tuple[str, ...]


def targets(chosen: Sequence[Difference]) -> list[Target]:
    """What has to be compared so that these differences are mended: whatever is of their customers, else their type."""
    whose: dict[str, set[str]] = defaultdict(set)
    types: dict[str, set[str]] = defaultdict(set)
    for one in chosen:
        if one.customer is not None:
            whose[one.account_slug].add(one.customer)
        elif one.type != STATE:
            types[one.account_slug].add(one.type)
    return [
        *(Target(account=slug, customers=tuple(sorted(ids)), types=()) for slug, ids in sorted(whose.items())),
        *(Target(account=slug, customers=(), types=tuple(sorted(names))) for slug, names in sorted(types.items())),
    ]


@require_safe
def cell(request: HttpRequest) -> HttpResponseBase:
    """``/drift/cell``: the differences of one type and field, ours beside theirs; each can be left out of a repair."""
    return _cell(request, request.GET)


def _cell(request: HttpRequest, asked: Any, *, error: TrueupError | None = None) -> HttpResponseBase:
    type_, kind, field = (asked.get(name, "").strip()[:200] for name in ("type", "kind", "field"))
    if not type_:
        raise NotFound(_("Name a type."), code="drift_type_missing", hint=_("Begin at Drift."))
    found = cells.within(type=type_, kind=kind, field=field, account_id=account_asked(request))
    context: dict[str, Any] = {
        "rows": differences.rows(found),
        "targets": targets(found),
        "type": type_,
        "type_name": type_name(type_),
        "kind": kind,
        "look": DIFFERENCES.get(kind),
        "field": field,
        "most": len(found) >= cells.MOST,
        "error": error,
    }
    status = 200 if error is None else error.status
    return respond(request, "console/drift_cell.html", context, frame=shell("drift"), status=status)


@require_POST
def repair(request: HttpRequest) -> HttpResponseBase:
    """``/drift/repair``: compare what the chosen differences are about once more, and let what differs be mended."""
    ids = [int(one) for one in request.POST.getlist("id") if one.isdecimal() and len(one) < 19][: cells.MOST]
    try:
        chosen = cells.these(ids)
        wanted = targets(chosen)
        if not wanted:
            raise Refused(
                _("Nothing that was chosen differs any more."),
                code="drift_nothing_chosen",
                hint=_("Choose at least one that is listed."),
            )
        for one in wanted:
            account = reconcile.account_of(one.account)
            scope: dict[str, Any] = {"customers": one.customers} if one.customers else {"types": one.types}
            reconcile.start(account=account, repair=True, by=acting(request), **scope)
    except Refused as error:
        return _cell(request, request.POST, error=error)
    told = ngettext("%(n)s difference is being repaired.", "%(n)s differences are being repaired.", len(chosen))
    messages.success(request, told % {"n": formats.number(len(chosen))})
    return HttpResponseRedirect(reverse("console:drift"))


@require_POST
def run(request: HttpRequest) -> HttpResponseBase:
    """``/drift/run``: compare an account with Stripe now, whole; with ``repair`` what differs is mended."""
    account = reconcile.account_of(request.POST.get("account", ""))
    reconcile.start(account=account, repair=request.POST.get("repair") == "1", by=acting(request))
    return HttpResponseRedirect(reverse("console:drift"))


@require_POST
def cancel(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """``/drift/runs/{id}/cancel``: end a comparison; what it found stays."""
    try:
        reconcile.cancel(run_id, by=acting(request))
        messages.success(request, _("The comparison was ended. What it found stays."))
    except Conflict:
        messages.info(request, _("It had ended already."))
    return HttpResponseRedirect(reverse("console:drift"))
