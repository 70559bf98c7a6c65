"""One customer: the page, its timeline, why a value is what it is, and the state as data."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from trueup.customer import service as customers
from trueup.customer import timeline
from trueup.customer.types import ChangeKind, Customer, Entry, Kind, ScheduledChange, Stage
from trueup.kernel.errors import NotFound
from trueup.kernel.records import Record
from trueup.runtime import clock
from trueup.web.console import formats, payload
from trueup.web.console.page import choices_asked, respond, respond_part, shell, wants_part
from trueup.web.console.words import FIELDS, KINDS

ENTRIES: Final = 25
FACTS_SHOWN: Final = 12
SOON: Final = timedelta(days=7)


class Day(Record, frozen=True):
    """Entries of one day in the reader's zone; ``heading`` is empty where the former page already showed it."""

    heading: datetime | None
    entries: tuple[Entry, ...]


class Coming(Record, frozen=True):
    """A change to come as a line of a list; ``plans`` are names with quantities, empty unless plans change."""

    change: ScheduledChange
    plans: str
    overdue: bool
    """Whether its time has come and Stripe has not told yet that it happened."""


def _coming(customer: Customer) -> list[Coming]:
    now, changes = clock.now(), customer.state.scheduled_changes
    named = any(change.kind is ChangeKind.PLANS for change in changes)
    names = customers.price_names(customer) if named else {}
    return [Coming(change=change, plans=_plans(change, names), overdue=change.at <= now) for change in changes]


def _plans(change: ScheduledChange, names: dict[str, str]) -> str:
    """Names with quantities, between commas; a price without a name is called by its id."""
    parts = []
    for item in change.items:
        name = names.get(item.price_id or "") or item.price_id or ""
        counted = item.quantity is not None and item.quantity != 1
        parts.append(f"{name} \N{MULTIPLICATION SIGN} {formats.number(item.quantity or 0)}" if counted else name)
    return ", ".join(part for part in parts if part)


def _failure(customer: Customer) -> dict[str, Any]:
    """The last failure with its meaning, and whether a payment has succeeded since."""
    failed, paid = customer.state.last_failure, customer.state.last_payment
    if failed is None:
        return {"failure_told": None, "paid_since": False}
    return {
        "failure_told": customers.failure_told(failed),
        "paid_since": paid is not None and paid.at >= failed.at,
    }


def _days(entries: tuple[Entry, ...], *, shown: date | None) -> list[Day]:
    def local(entry: Entry) -> date:
        return timezone.localtime(entry.at).date()

    days = [(day, tuple(group)) for day, group in groupby(entries, key=local)]
    return [Day(heading=None if day == shown else group[0].at, entries=group) for day, group in days]


def _day_asked(request: HttpRequest) -> date | None:
    try:
        return date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return None


def _timeline(request: HttpRequest, customer_id: str) -> dict[str, Any]:
    kinds = [Kind(kind) for kind in choices_asked(request, "kind", KINDS)]
    page = timeline.history(customer_id, limit=ENTRIES, after=request.GET.get("after") or None, kinds=frozenset(kinds))
    earlier = ""
    if page.next and page.data:
        last = timezone.localtime(page.data[-1].at).date().isoformat()
        query = [*(("kind", kind) for kind in kinds), ("after", page.next), ("day", last)]
        earlier = f"{request.path}?{urlencode(query)}"
    return {
        "entries": page,
        "days": _days(page.data, shown=_day_asked(request)),
        "earlier_url": earlier,
        "kinds": kinds,
        "later_url": request.path if request.GET.get("after") else "",
    }


@require_safe
def detail(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}`` by our id or Stripe's; htmx gets the timeline alone, filtered or further back."""
    customer = customers.get(customer_id)
    told = _timeline(request, customer.id)
    if wants_part(request):
        push = None
        if not request.GET.get("after"):
            query = urlencode([("kind", kind) for kind in told["kinds"]])
            push = f"{request.path}?{query}" if query else request.path
        return respond_part(request, "console/parts/timeline.html", {"customer": customer, **told}, push=push)
    contact = customers.contact(customer.id)
    context = {
        "customer": customer,
        "state": customer.state,
        "all_kinds": KINDS,
        "contact": contact,
        "contact_json": msgspec.json.encode(contact).decode(),
        "coming": _coming(customer),
        "several_subscriptions": len({plan.subscription_id for plan in customer.state.plans}) > 1,
        **_failure(customer),
        **_signals(customer),
        **told,
    }
    return respond(request, "console/customer.html", context, frame=shell("customers", livemode=customer.livemode))


def _signals(customer: Customer) -> dict[str, Any]:
    """What deserves a callout above the fold. Each is a fact of the state; none is a guess about the future."""
    state, now = customer.state, clock.now()
    trial_ends_soon = (
        state.stage is Stage.TRIALING
        and state.payment_method_on_file is False
        and state.trial_end is not None
        and now <= state.trial_end < now + SOON
    )
    method = state.payment_method
    expired = (
        method is not None
        and method.exp_year is not None
        and method.exp_month is not None
        and (method.exp_year, method.exp_month) < (now.year, now.month)
    )
    return {"trial_ends_soon": trial_ends_soon, "method_expired": expired}


@require_safe
def why(request: HttpRequest, customer_id: str, field: str) -> HttpResponseBase:
    """``/customers/{id}/why/{field}``: the rule behind one value and its facts; a drawer for htmx, else a page."""
    if field not in FIELDS:
        raise NotFound(f"There is no field {field} to ask about.", hint="The links beside the values ask.")
    found = customers.why(customer_id, field)
    customer = customers.get(found.customer_id)
    label, meaning = FIELDS[field]
    context = {
        "customer": customer,
        "state": customer.state,
        "field": field,
        "label": label,
        "meaning": meaning,
        "reason": found.reason,
        "facts": found.facts[:FACTS_SHOWN],
        "more": max(0, len(found.facts) - FACTS_SHOWN),
        "coming": _coming(customer) if field == "scheduled_changes" else [],
        **(_failure(customer) if field == "last_failure" else {}),
    }
    return _drawer(request, "console/parts/why.html", context, customer, label=str(label))


@require_safe
def state(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/state``: the folded state as JSON, as programs get it; a drawer for htmx, else a page."""
    customer = customers.get(customer_id)
    body = payload.html(msgspec.json.encode(customer.state))
    return _drawer(request, "console/parts/state.html", {"customer": customer, "body": body}, customer, label="JSON")


def _drawer(
    request: HttpRequest, template: str, context: dict[str, Any], customer: Customer, *, label: str
) -> HttpResponseBase:
    if wants_part(request):
        return respond_part(request, template, context)
    context |= {"inner": template, "crumb": label}
    return respond(
        request, "console/customer_inner.html", context, frame=shell("customers", livemode=customer.livemode)
    )
