"""The audit log as a page: who changed what, found by who, what, on which object and when."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from trueup.audit.listing import service as listing_service
from trueup.audit.listing.service import Filters
from trueup.audit.listing.types import ListedEntry, Mode
from trueup.customer import service as customers
from trueup.kernel.actor import ActorKind
from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.records import Record
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime.pages import Page
from trueup.web.console import audit_proof
from trueup.web.console.audit_words import MODES, Who, actions, day_asked, whos
from trueup.web.console.page import address, choice_asked, offset_asked, respond, respond_part, shell, wants_part
from trueup.web.console.reader import may

PAGE: Final = 50
UNKNOWN: Final = frozenset({"audit_actor_unknown", "audit_action_unknown"})
"""What somebody who is still typing asks for: nothing matches, and that is no mistake."""


class Row(Record, frozen=True):
    """An entry with the names of whoever acted."""

    entry: ListedEntry
    who: Who
    behind: Who | None


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/audit``: newest first; every filter lives in the query; htmx gets the list alone."""
    which = asked(request)
    after = request.GET.get("after") or None
    found, hint = _found(which, after)
    people = whos(request, [name for one in found.data for name in (one.actor, one.behind)])
    start = offset_asked(request) if after else 0
    context: dict[str, Any] = {
        "rows": [Row(entry=one, who=people[one.actor], behind=people.get(one.behind)) for one in found.data],
        "first": start + 1,
        "last": start + len(found.data),
        "next_url": address(request, after=found.next, skip=str(start + len(found.data))) if found.next else "",
        "first_url": address(request, after=None, skip=None) if after else "",
        "hint": hint,
        "modes": MODES,
        "areas": actions(),
        "since": request.GET.get("since", "")[:10],
        "until": request.GET.get("until", "")[:10],
        "which": which,
        "filtered": which != Filters(),
    }
    if wants_part(request):
        return respond_part(request, "console/parts/audit_list.html", context, push=address(request))
    context |= audit_proof.badges()
    return respond(request, "console/audit.html", context, frame=shell("audit"))


def asked(request: HttpRequest) -> Filters:
    """The entries that the query asks for."""
    mode = choice_asked(request, "mode", [one.value for one in Mode])
    return Filters(
        action=request.GET.get("action", "").strip()[:200],
        actor=_actor(request, request.GET.get("actor", "").strip()[:300]),
        object=_object(request.GET.get("object", "").strip()[:300]),
        request_id=request.GET.get("request", "").strip()[:200],
        mode=Mode(mode) if mode else None,
        since=day_asked(request, "since"),
        until=day_asked(request, "until", end=True),
    )


def _actor(request: HttpRequest, asked: str) -> str:
    """An actor as the log names them, where somebody's address or name was written by whoever may see people."""
    if not asked or ":" in asked or asked in set(ActorKind) or Permission.PEOPLE_READ not in may(request):
        return asked
    small = asked.lower()
    found = [one.id for one in operators.operators() if small in {one.email.lower(), one.name.lower()}]
    return f"{ActorKind.OPERATOR.value}:{found[0]}" if len(found) == 1 else asked


def _object(asked: str) -> str:
    """A customer as the log names them, where Stripe's id was written."""
    kind, _colon, identifier = asked.partition(":")
    if not (asked.startswith("cus_") or (kind == "customer" and identifier.startswith("cus_"))):
        return asked
    try:
        return f"customer:{customers.get(identifier or asked).id}"
    except NotFound:
        return asked


def _found(which: Filters, after: str | None) -> tuple[Page[ListedEntry], str]:
    """A page of entries, and what to write instead where the filters cannot match anything."""
    try:
        return listing_service.entries(which, limit=PAGE, after=after), ""
    except Refused as error:
        if error.code not in UNKNOWN:
            raise
        return Page(data=(), next=None, total=None), error.hint
