"""``/alarms``: what stands wrong, what to do and who is on it; saying that one is; and what stood wrong lately."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from trueup.inbox.alarms import service as alarms
from trueup.kernel.errors import Refused, TrueupError
from trueup.runtime import clock
from trueup.web.console import runbooks
from trueup.web.console.page import offset_asked, respond, respond_part, shell, wants_part
from trueup.web.console.reader import acting, person

PAGE: Final = 50
DAYS: Final = 30
"""How far back the page goes."""


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/alarms``: what waits for somebody first, then what somebody is on, then what is over."""
    return _page(request)


def _page(request: HttpRequest, *, error: TrueupError | None = None) -> HttpResponseBase:
    standing = sorted(alarms.standing(), key=lambda one: bool(one.acknowledged_by))
    after = request.GET.get("after") or None
    found = alarms.past(since=clock.now() - timedelta(days=DAYS), limit=PAGE, after=after)
    start = offset_asked(request) if after else 0
    last, reader = start + len(found.data), person(request)
    context: dict[str, Any] = {
        "standing": [(one, runbooks.of_alarm(one)) for one in standing],
        "open": sum(not one.acknowledged_by for one in standing),
        "taken": sum(bool(one.acknowledged_by) for one in standing),
        "me": f"{reader.kind.value}:{reader.id}",
        "longest": alarms.LONGEST_NOTE,
        "days": DAYS,
        "found": found,
        "first": start + 1,
        "last": last,
        "here": _address(request.GET.urlencode() if error is None else ""),
        "next_url": _address(urlencode({"after": found.next, "skip": last})) if found.next else "",
        "first_url": _address() if after else "",
        "error": error,
    }
    frame = shell("alarms")
    if wants_part(request):
        return respond_part(request, "console/parts/alarms.html", context, frame=frame)
    return respond(request, "console/alarms.html", context, frame=frame, status=200 if error is None else error.status)


def _address(query: str = "") -> str:
    return reverse("console:alarms") + (f"?{query}" if query else "")


@require_POST
def acknowledge(request: HttpRequest, alarm_id: int) -> HttpResponseBase:
    """``/alarms/{id}/acknowledge``: say that the reader is on it, with a note for the others."""
    try:
        alarms.acknowledge(alarm_id=alarm_id, note=request.POST.get("note", "")[:2_000], by=acting(request))
    except Refused as error:
        return _page(request, error=error)
    messages.success(request, _("You are on it. Everybody sees that."))
    return HttpResponseRedirect(_address())


@require_POST
def release(request: HttpRequest, alarm_id: int) -> HttpResponseBase:
    """``/alarms/{id}/release``: take back that somebody is on it."""
    try:
        alarms.release(alarm_id=alarm_id, by=acting(request))
    except Refused as error:
        return _page(request, error=error)
    messages.success(request, _("Taken back: the alarm waits for somebody again."))
    return HttpResponseRedirect(_address())
