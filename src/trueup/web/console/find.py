"""One search for customers, invoices and events: a page of its own, and the results of the palette."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from trueup.customer.listing import service as customers
from trueup.customer.listing.types import Filters
from trueup.customer.money import service as money
from trueup.inbox import service as inbox
from trueup.operators.permissions import Permission
from trueup.web.console.page import respond, respond_part, shell, wants_part
from trueup.web.console.reader import may

HITS: Final = 7


@require_safe
def find(request: HttpRequest) -> HttpResponseBase:
    """``/search``: takes a name, an email address, an invoice's number or any id; htmx gets the results alone."""
    q, mine = request.GET.get("q", "").strip()[:200], may(request)
    # Events are found by ids only, and no id is without an underscore: a name costs no second query.
    context = {
        "q": q,
        "customers": customers.rows(Filters(q=q), limit=HITS)[0] if q and Permission.CUSTOMERS_READ in mine else (),
        "invoices": money.numbered(q, limit=HITS) if Permission.MONEY_READ in mine else (),
        "events": inbox.events(q=q, limit=HITS).data if "_" in q and Permission.EVENTS_READ in mine else (),
    }
    if wants_part(request):
        return respond_part(request, "console/parts/hits.html", context)
    return respond(request, "console/search.html", context, frame=shell("search"))
