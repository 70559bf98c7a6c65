"""One search for customers and events: a page of its own, and the results of the palette."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from trueup.customer import service as customers
from trueup.inbox import service as inbox
from trueup.web.console.page import respond, respond_part, shell, wants_part

HITS: Final = 7


@require_safe
def find(request: HttpRequest) -> HttpResponseBase:
    """``/search``: takes a name, an email address or any Stripe id; htmx gets the results alone."""
    q = request.GET.get("q", "").strip()[:200]
    # Events are found by ids only, and no id is without an underscore: a name costs no second query.
    context = {
        "q": q,
        "customers": customers.search(q=q, limit=HITS).data if q else (),
        "events": inbox.events(q=q, limit=HITS).data if "_" in q else (),
    }
    if wants_part(request):
        return respond_part(request, "console/parts/hits.html", context)
    return respond(request, "console/search.html", context, frame=shell("search"))
