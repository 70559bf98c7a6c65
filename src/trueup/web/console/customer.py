"""One customer: the page, its timeline, why a value is what it is, and the state as data."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from trueup.customer import service as customers
from trueup.customer import timeline
from trueup.customer.types import ChangeKind, Customer, Entry, Kind, ScheduledChange, Stage
from trueup.kernel.errors import NotFound
from trueup.kernel.records import Record
from trueup.operators.errors import PermissionMissing
from trueup.operators.permissions import Permission
from trueup.runtime import clock
from trueup.web.console import formats, payload
from trueup.web.console.customer_page import (
    Subject,
    respond_drawer,
    respond_tab,
    shared,
    shows_contact,
    subject,
)
from trueup.web.console.customer_team import team
from trueup.web.console.page import choices_asked, respond_part, wants_part
from trueup.web.console.words import FIELDS, KINDS

ENTRIES: Final = 25
FACTS_SHOWN: Final = 12
SOON: Final = timedelta(days=7)
CONTACT_FIELDS: Final = frozenset({"name", "email", "metadata", "tags"})
"""Fields of a state that name somebody, or hold whatever was written there."""


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


def coming(customer: Customer, now: datetime) -> list[Coming]:
    """What is due to change, as lines of a list."""
    changes = customer.state.scheduled_changes
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


def failure_context(customer: Customer) -> dict[str, Any]:
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


def _timeline(request: HttpRequest, of: Subject) -> dict[str, Any]:
    kinds = [Kind(kind) for kind in choices_asked(request, "kind", KINDS)]
    after = request.GET.get("after") or None
    page = timeline.history(of.customer.id, limit=ENTRIES, after=after, kinds=frozenset(kinds), as_of=of.at)
    entries = page.data if shows_contact(request) else tuple(_without_contact(entry) for entry in page.data)
    kept = _kept(of)
    earlier = ""
    if page.next and page.data:
        last = timezone.localtime(page.data[-1].at).date().isoformat()
        query = [*kept, *(("kind", kind) for kind in kinds), ("after", page.next), ("day", last)]
        earlier = f"{request.path}?{urlencode(query)}"
    return {
        "days": _days(entries, shown=_day_asked(request)),
        "earlier_url": earlier,
        "kinds": kinds,
        "later_url": request.path + of.query if after else "",
    }


def _without_contact(entry: Entry) -> Entry:
    """An entry about the customer itself without the names and addresses in its words."""
    if entry.object_type != "customer":
        return entry
    title = entry.title if entry.event_type != "customer.updated" else _("Details of the customer changed")
    return msgspec.structs.replace(entry, title=title, detail="")


@require_safe
def detail(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}`` by our id or Stripe's; htmx gets the timeline alone, filtered or further back.

    ``as_of`` in the query looks at the end of a day of the past; it stays in every address of the page.
    """
    of = subject(request, customer_id)
    customer = of.customer
    told = _timeline(request, of) if of.known else {}
    if wants_part(request):
        push = None
        if not request.GET.get("after"):
            query = urlencode([*_kept(of), *(("kind", kind) for kind in told.get("kinds", ()))])
            push = f"{request.path}?{query}" if query else request.path
        return respond_part(request, "console/parts/timeline.html", shared(request, of) | told, push=push)
    contact = customers.contact_of(customer.state)
    context = {
        "all_kinds": KINDS,
        "contact": contact,
        "contact_json": msgspec.json.encode(contact).decode(),
        "coming": coming(customer, of.at or clock.now()),
        "several_subscriptions": len({plan.subscription_id for plan in customer.state.plans}) > 1,
        **team(request, of),
        **failure_context(customer),
        **_signals(customer, of.at or clock.now()),
        **told,
    }
    return respond_tab(request, of, "customer", "console/customer.html", context)


def _kept(of: Subject) -> list[tuple[str, str]]:
    """The part of the query that keeps the day."""
    return [] if of.day is None else [("as_of", of.day.isoformat())]


def _signals(customer: Customer, now: datetime) -> dict[str, Any]:
    """What deserves a callout above the fold. Each is a fact of the state; none is a guess about the future."""
    state = customer.state
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
    if field in CONTACT_FIELDS and not shows_contact(request):
        raise PermissionMissing(Permission.PERSONAL_CONTACT)
    of = subject(request, customer_id)
    found = customers.why(of.customer.id, field, at=of.at)
    label, meaning = FIELDS[field]
    context = {
        "field": field,
        "label": label,
        "meaning": meaning,
        "reason": found.reason,
        "facts": found.facts[:FACTS_SHOWN],
        "more": max(0, len(found.facts) - FACTS_SHOWN),
        "coming": coming(of.customer, of.at or clock.now()) if field == "scheduled_changes" else [],
        **(failure_context(of.customer) if field == "last_failure" else {}),
    }
    return respond_drawer(request, of, "console/parts/why.html", context, label=str(label))


@require_safe
def state(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/state``: the folded state as JSON, as programs get it; a drawer for htmx, else a page.

    Whoever may not see names and addresses gets it without the fields that hold some.
    """
    of = subject(request, customer_id)
    told: Any = of.customer.state
    if not shows_contact(request):
        told = {name: value for name, value in msgspec.structs.asdict(told).items() if name not in CONTACT_FIELDS}
    context = {"body": payload.html(msgspec.json.encode(told))}
    return respond_drawer(request, of, "console/parts/state.html", context, label="JSON")
