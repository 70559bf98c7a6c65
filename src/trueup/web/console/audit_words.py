"""What the audit pages call people, things and moments; what an address asks for, as moments of the reader's zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from trueup.audit.access_log.types import What
from trueup.audit.catalogue import CATALOGUE
from trueup.audit.listing.types import Mode
from trueup.kernel.actor import ActorKind
from trueup.kernel.errors import NotFound
from trueup.kernel.records import Record
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.web.console.reader import may
from trueup.web.console.telling import told
from trueup.web.console.words import Label, Look

MODES: Final[Mapping[Mode, Label]] = {Mode.LIVE: _("Live"), Mode.TEST: _("Test")}
AREAS: Final[Mapping[str, Label]] = {
    "accounts": _("Stripe accounts"),
    "operators": _("People and tokens"),
    "inbox": _("Events"),
    "mirror": _("Reading from Stripe"),
    "customer": _("Customers"),
    "ops": _("Backups"),
    "audit": _("The audit log"),
}
"""What the first words of actions are about."""
KINDS: Final[Mapping[ActorKind, Look]] = {
    ActorKind.OPERATOR: Look(label=_("Person"), tone="", icon="user-round"),
    ActorKind.TOKEN: Look(label=_("API token"), tone="", icon="key-round"),
    ActorKind.COMMAND_LINE: Look(label=_("Command line"), tone="", icon="terminal"),
    ActorKind.SYSTEM: Look(label=_("Trueup"), tone="", icon="cpu"),
}
SEEN: Final[Mapping[What, Look]] = {
    What.PAGE: Look(label=_("Page"), tone="", icon="eye"),
    What.API: Look(label=_("API"), tone="", icon="key-round"),
    What.EXPORT: Look(label=_("File"), tone="warn", icon="download"),
    What.PAYLOAD: Look(label=_("Raw data"), tone="info", icon="braces"),
}


class Who(Record, frozen=True):
    """Somebody who acts, as pages show them."""

    actor: str
    """As the log names them: ``operator:7``."""
    name: str
    """A person's name or address where the reader may see it; else what the log says."""
    look: Look


def whos(request: HttpRequest, actors: Iterable[str]) -> dict[str, Who]:
    """How to show these actors; people by name to whoever may see people."""
    wanted = sorted({actor for actor in actors if actor})
    names: dict[str, str] = {}
    if Permission.PEOPLE_READ in may(request) and any(one.startswith("operator:") for one in wanted):
        names = {f"operator:{one.id}": one.name or one.email for one in operators.operators()}
    return {one: _who(one, names) for one in wanted}


def _who(actor: str, names: Mapping[str, str]) -> Who:
    kind, _colon, identifier = actor.partition(":")
    look = KINDS.get(ActorKind(kind)) if kind in set(ActorKind) else None
    plain = identifier if kind in {ActorKind.COMMAND_LINE, ActorKind.SYSTEM} else actor
    return Who(actor=actor, name=names.get(actor, plain), look=look or Look(label=kind, tone="", icon="circle"))


def actions() -> list[tuple[str, Label, list[tuple[str, str]]]]:
    """Actions to filter by: the pattern for an area, its name, and each action with its meaning."""
    areas: dict[str, list[tuple[str, str]]] = {}
    for action, described in CATALOGUE.items():
        areas.setdefault(action.value.partition(".")[0], []).append((action.value, told(described.meaning)))
    return [(f"{area}.*", AREAS.get(area, area), sorted(found)) for area, found in sorted(areas.items())]


def thing_address(thing: str) -> str:
    """Where the object of an entry has a page of its own; empty where it has none."""
    kind, _colon, identifier = thing.partition(":")
    return reverse("console:customer", args=[identifier]) if kind == "customer" and "/" not in identifier else ""


def mode_of(word: str) -> Mode:
    """The log that an address names; ``NotFound`` for another word."""
    if word not in set(Mode):
        raise NotFound(f"There is no {word} log.", code="audit_mode_unknown", hint="The logs are live and test.")
    return Mode(word)


def day_asked(request: HttpRequest, name: str, *, end: bool = False) -> datetime | None:
    """The beginning of a day that the query names, in the reader's zone, or with ``end`` of the day after it."""
    try:
        day = date.fromisoformat(request.GET.get(name) or request.POST.get(name) or "")
        return timezone.make_aware(datetime.combine(day + timedelta(days=1) if end else day, time.min))
    except (ValueError, OverflowError):
        return None
