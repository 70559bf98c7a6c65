"""``/replays``: events that are read again: what a selection means, how far a replay is, and ending one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST, require_safe

from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Conflict, Refused, TrueupError
from trueup.mirror.replay import service as replays
from trueup.mirror.replay.types import Preview, Progress, Replay, Selection
from trueup.web.console.page import address, respond, respond_part, shell, wants_part
from trueup.web.console.reader import acting
from trueup.web.console.settings.frame import Names
from trueup.web.console.words import Look
from trueup.web.moments import within

PAGE: Final = 50

PROGRESS: Final[dict[Progress, Look]] = {
    Progress.RUNNING: Look(label=_lazy("Running"), tone="info", icon="loader"),
    Progress.DONE: Look(label=_lazy("Done"), tone="good", icon="check"),
    Progress.CANCELED: Look(label=_lazy("Cancelled"), tone="", icon="ban"),
}
"""How a replay stands."""
FIELDS: Final = ("event", "object", "customer", "type", "cause", "account", "from", "until")
"""What a selection is written with in an address."""


def selection(query: QueryDict) -> Selection:
    """The selection that an address or a form asks for; ``Refused`` for a moment that is none."""

    def words(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(query.get(name, "").replace(",", " ").split()))[:1000]

    return Selection(
        events=words("event"),
        objects=words("object"),
        customers=words("customer"),
        types=words("type"),
        received_from=_moment(query.get("from", "")),
        received_until=_moment(query.get("until", "")),
        cause=query.get("cause", "").strip()[:200],
        account=query.get("account", "").strip()[:100],
    )


def _moment(given: str) -> datetime | None:
    """A moment as a browser's field writes it, in the reader's zone."""
    if not given.strip():
        return None
    try:
        moment = datetime.fromisoformat(given.strip())
    except ValueError:
        raise Refused(
            _("%(given)s is no moment.") % {"given": given[:40]},
            code="parameter_invalid",
            hint=_("Write it as 2026-11-03T14:30."),
        ) from None
    return within(moment if moment.tzinfo else timezone.make_aware(moment))


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/replays``: all there were, the newest first."""
    found = replays.replays(limit=PAGE, after=request.GET.get("after") or None)
    names = Names()
    context: dict[str, Any] = {
        "replays": [_told(one, names) for one in found.data],
        "next_url": address(request, after=found.next) if found.next else "",
        "first_url": address(request, after=None) if request.GET.get("after") else "",
    }
    return respond(request, "console/replays.html", context, frame=shell("issues"))


def _told(one: Replay, names: Names) -> dict[str, Any]:
    """A replay with the words for it."""
    return {
        "one": one,
        "look": PROGRESS[one.progress],
        "scope": _scope(one.selection),
        "by": _by(one, names),
        "share": 100 * one.done // one.total if one.total else 100,
        "left": max(0, one.total - one.done),
        "seconds_left": max(1, (one.total - one.done) // one.rate) if one.progress is Progress.RUNNING else None,
        "right": max(0, one.done - one.failed - one.gone - one.changed),
    }


def _by(one: Replay, names: Names) -> str:
    """Who started a replay, by name."""
    kind, _space, id_ = one.by.partition(" ")
    return names(Actor(kind=ActorKind(kind), id=id_))


def _scope(which: Selection) -> list[tuple[str, str]]:
    """A selection in words: what it narrows by, and to what."""
    told = [
        (_("Events"), which.events),
        (_("Objects"), which.objects),
        (_("Customers"), which.customers),
        (_("Types"), which.types),
        (_("Cause"), (which.cause,) if which.cause else ()),
        (_("Account"), (which.account,) if which.account else ()),
    ]
    found = [(label, ", ".join(values[:5]) + (" …" if len(values) > 5 else "")) for label, values in told if values]
    if which.received_from:
        found.append((_("Received from"), f"{timezone.localtime(which.received_from):%Y-%m-%d %H:%M}"))
    if which.received_until:
        found.append((_("Received before"), f"{timezone.localtime(which.received_until):%Y-%m-%d %H:%M}"))
    return found or [(_("Everything"), _("the whole log"))]


@require_safe
def new(request: HttpRequest) -> HttpResponseBase:
    """``/replays/new``: choose events, see what reading them again would do, and start it."""
    return _form(request, request.GET)


def _form(request: HttpRequest, asked: QueryDict, *, error: TrueupError | None = None) -> HttpResponseBase:
    given = {name: asked.get(name, "") for name in FIELDS}
    preview: Preview | None = None
    if any(given.values()) and error is None:
        try:
            which = selection(asked)
            replays.require_known(which)
            preview = replays.preview(which)
        except TrueupError as refused:
            error = refused
    context: dict[str, Any] = {
        "given": given,
        "preview": preview,
        "error": error,
        "rate": replays.USUAL_RATE,
    }
    status = 200 if error is None else error.status
    return respond(request, "console/replay_new.html", context, frame=shell("issues"), status=status)


@require_POST
def start(request: HttpRequest) -> HttpResponseBase:
    """``/replays/start``: have the worker read the chosen events again."""
    try:
        started = replays.start(selection(request.POST), why=request.POST.get("why", ""), by=acting(request))
    except Refused as error:
        return _form(request, request.POST, error=error)
    return HttpResponseRedirect(reverse("console:replay", args=[started.id]))


@require_safe
def detail(request: HttpRequest, replay_id: int) -> HttpResponseBase:
    """``/replays/{id}``: how far it is; htmx asks for the part that moves."""
    found = replays.get(replay_id)
    context: dict[str, Any] = {**_told(found, Names()), "running": found.progress is Progress.RUNNING}
    frame = shell("issues")
    if wants_part(request):
        return respond_part(request, "console/parts/replay.html", context, frame=frame)
    return respond(request, "console/replay.html", context, frame=frame)


@require_POST
def cancel(request: HttpRequest, replay_id: int) -> HttpResponseBase:
    """``/replays/{id}/cancel``: end it where it is; what it read stays read."""
    try:
        replays.cancel(replay_id, by=acting(request))
        messages.success(request, _("The replay was ended. What it read stays read."))
    except Conflict:
        messages.info(request, _("It had ended already."))
    return HttpResponseRedirect(reverse("console:replay", args=[replay_id]))
