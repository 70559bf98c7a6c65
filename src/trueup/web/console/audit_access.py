"""The access log as a page: who looked at which customer."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import Look, Looks, What
from trueup.customer import service as customers
from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.operators.permissions import Permission
from trueup.runtime.pages import Page
from trueup.web.console.audit_words import SEEN, Who, day_asked, whos
from trueup.web.console.page import address, choice_asked, offset_asked, respond, respond_part, shell, wants_part
from trueup.web.console.reader import may
from trueup.web.console.words import Look as Appearance

PAGE: Final = 50


class Row(Record, frozen=True):
    """A look with the names of whoever looked and whom they saw."""

    look: Look
    who: Who
    behind: Who | None
    name: str
    """What the customer is called, to whoever may know; else empty."""
    seen: tuple[Appearance, ...]


def rows(request: HttpRequest, looks: tuple[Look, ...]) -> list[Row]:
    """Looks as lines of a list, for this reader; the audit tab of a customer shows them the same way."""
    people = whos(request, [name for one in looks for name in (one.actor, one.behind)])
    names = {}
    if Permission.PERSONAL_CONTACT in may(request):
        names = customers.names([(one.account_id, one.livemode, one.customer) for one in looks])
    return [
        Row(
            look=one,
            who=people[one.actor],
            behind=people.get(one.behind),
            name=names.get((one.account_id, one.livemode, one.customer), ""),
            seen=tuple(SEEN[what] for what in one.what),
        )
        for one in looks
    ]


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/audit/access``: the newest hour first; every filter lives in the query; htmx gets the list alone."""
    what = choice_asked(request, "what", [one.value for one in What])
    which = Looks(
        actor=request.GET.get("actor", "").strip()[:300],
        customer=request.GET.get("customer", "").strip()[:300],
        what=What(what) if what else None,
        since=day_asked(request, "since"),
        until=day_asked(request, "until", end=True),
    )
    after = request.GET.get("after") or None
    found, hint = _found(which, after)
    start = offset_asked(request) if after else 0
    context: dict[str, Any] = {
        "rows": rows(request, found.data),
        "first": start + 1,
        "last": start + len(found.data),
        "next_url": address(request, after=found.next, skip=str(start + len(found.data))) if found.next else "",
        "first_url": address(request, after=None, skip=None) if after else "",
        "hint": hint,
        "which": which,
        "kinds": SEEN,
        "since": request.GET.get("since", "")[:10],
        "until": request.GET.get("until", "")[:10],
        "filtered": which != Looks(),
    }
    if wants_part(request):
        return respond_part(request, "console/parts/audit_access_list.html", context, push=address(request))
    return respond(request, "console/audit_access.html", context, frame=shell("audit-access"))


def _found(which: Looks, after: str | None) -> tuple[Page[Look], str]:
    try:
        return access_log.looks(which, limit=PAGE, after=after), ""
    except Refused as error:
        if error.code != "audit_actor_unknown":
            raise
        # Somebody who is still typing a name has made no mistake.
        return Page(data=(), next=None, total=None), error.hint
