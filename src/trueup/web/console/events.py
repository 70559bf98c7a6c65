"""The inbox as a page: what came in, in what state it is, and each event exactly as received."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from trueup.customer import service as customers
from trueup.inbox import service as inbox
from trueup.inbox import tail
from trueup.inbox.types import EventRow
from trueup.kernel.errors import NotFound
from trueup.operators.permissions import Permission
from trueup.web import looking
from trueup.web.console import events_effect, live, payload
from trueup.web.console.page import (
    address,
    offset_asked,
    respond,
    respond_part,
    shell,
    wants_part,
)
from trueup.web.console.reader import may
from trueup.web.console.words import EVENT_STATE_HINTS, EVENT_STATES, EVENT_TYPES

PAGE: Final = 50
LARGEST_SHOWN: Final = 512 * 1024
"""Bodies beyond this many bytes are offered as a download only."""


def _named(rows: Sequence[EventRow]) -> list[tuple[EventRow, str]]:
    """Rows with what to call their customer; nothing where it is not folded yet and has no page."""
    keys = {(row.account_id, row.livemode, row.customer) for row in rows if row.customer is not None}
    names = customers.names(list(keys))
    return [(row, names.get((row.account_id, row.livemode, row.customer or ""), "")) for row in rows]


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/events``: newest first; every filter lives in the query; htmx gets figures and table alone."""
    wanted = live.asked(request)
    q, type_, state, account_id = wanted.q, wanted.type, wanted.state, wanted.account_id
    after = request.GET.get("after") or None

    present = tail.present()
    found = inbox.events(q=q, type=type_, state=state, account_id=account_id, limit=PAGE, after=after)
    start = offset_asked(request) if after else 0
    frame = shell("set_aside" if state == "set_aside" else "events", account_id=account_id)
    context: dict[str, Any] = {
        "found": found,
        "rows": _named(found.data),
        "stats": inbox.stats(),
        "first": start + 1,
        "last": start + len(found.data),
        "next_url": address(request, after=found.next, skip=str(start + len(found.data))) if found.next else "",
        "first_url": address(request, after=None, skip=None) if after else "",
        "self_url": address(request),
        "q": q,
        "type": type_,
        "state": state,
        "states": EVENT_STATES,
        "types": EVENT_TYPES,
        "account_id": account_id,
        "filtered": bool(q or type_ or state or account_id),
        "live": not after,
        "tail_url": "" if after or not live.can_follow(wanted) else _tail(wanted, present),
    }
    if wants_part(request):
        # A refresh by the clock is no place that somebody went to, and must not take the focus out of the navigation.
        tick = "X-Tick" in request.headers
        context["moved"] = not tick
        push = None if tick else address(request)
        return respond_part(request, "console/parts/events_swap.html", context, frame=frame, push=push)
    return respond(request, "console/events.html", context, frame=frame)


def _tail(wanted: live.Wanted, moment: datetime) -> str:
    """The address of what comes after the list was read."""
    return f"{reverse('console:events-live')}?{urlencode(live.address_of(wanted, moment))}"


@require_safe
def set_aside(request: HttpRequest) -> HttpResponseBase:
    """``/events/set-aside``: a memorable address for the filter."""
    del request
    return HttpResponseRedirect(f"{reverse('console:events')}?state=set_aside")


@require_safe
def quarantine(request: HttpRequest) -> HttpResponseBase:
    """``/events/quarantine``: signed bodies that could not be used, with the reason."""
    after = request.GET.get("after") or None
    found = inbox.quarantined(limit=PAGE, after=after)
    start = offset_asked(request) if after else 0
    context = {
        "found": found,
        "first": start + 1,
        "last": start + len(found.data),
        "next_url": address(request, after=found.next, skip=str(start + len(found.data))) if found.next else "",
        "first_url": address(request, after=None, skip=None) if after else "",
    }
    return respond(request, "console/quarantine.html", context, frame=shell("quarantine"))


@require_safe
def detail(request: HttpRequest, event_id: str) -> HttpResponseBase:
    """``/events/{id}``: the envelope, the effect and the body; a drawer for htmx, else a page."""
    event = inbox.event(event_id)
    granted = may(request)
    shown = Permission.PERSONAL_PAYLOAD in granted
    if shown:
        looking.payload(request, account_id=event.account_id, livemode=event.livemode, customer=event.customer)
    customer = _customer(event.customer)
    context: dict[str, Any] = {
        "event": event,
        "size": len(event.body),
        "body": payload.html(event.body) if shown and len(event.body) <= LARGEST_SHOWN else None,
        "state_hint": EVENT_STATE_HINTS.get(event.state, ""),
        "customer": customer,
        **events_effect.told(event, customer, contact=Permission.PERSONAL_CONTACT in granted, shown=shown),
        "delay": event.received_at - event.created,
        "cause": _cause(event.body),
    }
    if wants_part(request):
        return respond_part(request, "console/parts/event.html", context)
    return respond(request, "console/event.html", context, frame=shell("events", livemode=event.livemode))


class _Told(msgspec.Struct):
    request: str | dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET


def _cause(body: bytes) -> str | None:
    """The id of the request that made Stripe tell; empty where it acted by itself, ``None`` where nothing says.

    Old API versions give the id alone. Source: https://docs.stripe.com/api/events/object#event_object-request
    """
    try:
        request = msgspec.json.decode(body, type=_Told).request
    except msgspec.MsgspecError:
        return None
    if request is msgspec.UNSET:
        return None
    found = request.get("id") if isinstance(request, dict) else request
    return found if isinstance(found, str) else ""


def _customer(stripe_customer_id: str | None) -> Any:
    if stripe_customer_id is None:
        return None
    try:
        return customers.get(stripe_customer_id)
    except NotFound:
        # The event is stored, and the customer will exist once it is folded.
        return None


@require_safe
def body(request: HttpRequest, event_id: str) -> HttpResponseBase:
    """``/events/{id}/body``: the stored bytes, untouched, as a download that no browser will interpret."""
    event = inbox.event(event_id)
    looking.payload(request, account_id=event.account_id, livemode=event.livemode, customer=event.customer)
    return _download(event.body, f"{event.event_id}.json")


@require_safe
def quarantined_body(request: HttpRequest, quarantined_id: int) -> HttpResponseBase:
    """``/events/quarantine/{id}/body``: a body that could not be used, untouched, as a download."""
    del request
    return _download(inbox.quarantined_body(quarantined_id), f"quarantined_{quarantined_id}.bin")


def _download(content: bytes, name: str) -> HttpResponseBase:
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{safe}"'
    return response
