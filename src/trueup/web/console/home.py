"""The home of each role: four numbers, what others ask for, one queue with an action a row, and what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from trueup.inbox import service as inbox
from trueup.kernel.errors import Forbidden, NotFound
from trueup.operators.permissions import Permission
from trueup.operators.team import service as team
from trueup.operators.types import Role
from trueup.runtime import clock
from trueup.web.console import home_numbers as numbers
from trueup.web.console import home_queue as queue
from trueup.web.console.home_words import ROLES, SINCE, Happened
from trueup.web.console.page import respond, shell
from trueup.web.console.reader import may, person, viewing

DAY: Final = timedelta(days=1)
SEES_ALL: Final = frozenset({Role.OWNER, Role.ADMIN})
"""Whoever has one of these looks at every home."""

Number = Callable[[HttpRequest], numbers.Number | None]
Queue = Callable[[HttpRequest], queue.Queue | None]

HOMES: Final[dict[Role, tuple[tuple[Number, ...], tuple[Queue, ...]]]] = {
    Role.OWNER: (
        (numbers.past_due, numbers.trials_ending, numbers.differences, numbers.alarms),
        (queue.trouble, queue.past_due),
    ),
    Role.ADMIN: (
        (numbers.past_due, numbers.trials_ending, numbers.differences, numbers.alarms),
        (queue.trouble, queue.past_due),
    ),
    Role.SALES: (
        (numbers.mine, numbers.my_past_due, numbers.my_trials, numbers.without_owner),
        (queue.trials_ending, queue.past_due),
    ),
    Role.SUPPORT: (
        (numbers.past_due, numbers.my_past_due, numbers.trials_ending, numbers.differences),
        (queue.newly_past_due,),
    ),
    Role.FINANCE: (
        (numbers.at_risk, numbers.disputes, numbers.unpaid, numbers.differences),
        (queue.past_due,),
    ),
    Role.COMPLIANCE: (
        (numbers.customers, numbers.audit_log, numbers.differences, numbers.quarantined),
        (queue.trouble,),
    ),
    Role.OPS: (
        (numbers.waiting, numbers.set_aside, numbers.differences, numbers.alarms),
        (queue.stuck, queue.trouble),
    ),
    Role.AUDITOR: (
        (numbers.customers, numbers.audit_log, numbers.differences, numbers.alarms),
        (queue.trouble,),
    ),
    Role.DEVELOPER: (
        (numbers.received, numbers.set_aside, numbers.quarantined, numbers.differences),
        (queue.stuck,),
    ),
}
"""What each role looks at first. A queue that is empty gives way to the next."""


def _roles(request: HttpRequest) -> list[Role]:
    """The homes that somebody may look at, their own first, one a duty; seen as a role, only that role's."""
    seen = viewing(request)
    if seen is not None:
        return [seen.role]
    own = list(team.member(int(person(request).id)).roles)
    if not SEES_ALL.isdisjoint(own):
        own += [role for role in Role if role not in own and role not in SEES_ALL]
    return own


@require_safe
def home(request: HttpRequest, role: str = "") -> HttpResponseBase:
    """``/`` and ``/home/{role}``: only what the reader may see is there."""
    known = _roles(request)
    if not role and not known:
        raise Forbidden("You have no role yet.", code="role_missing", hint="Whoever manages people gives you one.")
    if role and role not in set(Role):
        raise NotFound(f"There is no home of {role}.", code="role_unknown", hint="Go to your own: /")
    chosen = Role(role) if role else known[0]
    if chosen not in known:
        raise Forbidden("This is the home of another role.", code="role_of_another", hint="Go to your own: /")
    asked, queues = HOMES[chosen]
    found = next((told for ask in queues if (told := ask(request)) is not None and told.rows), None)
    context: dict[str, Any] = {
        "greeting": _greeting(timezone.localtime(clock.now()).hour),
        "numbers": [one for ask in asked if (one := ask(request)) is not None],
        "queues": [one for one in (queue.to_answer(request), found) if one is not None and one.rows],
        "roles": [(one, ROLES[one], _address(one, known)) for one in known] if len(known) > 1 else [],
        "role": chosen,
        **_since(request, chosen),
    }
    return respond(request, "console/home.html", context, frame=shell("home"))


def _greeting(hour: int) -> str:
    """By the reader's clock."""
    if 5 <= hour < 12:
        return _("Good morning")
    return _("Good afternoon") if 12 <= hour < 18 else _("Good evening")


def _address(role: Role, known: list[Role]) -> str:
    return reverse("console:home") if role is known[0] else reverse("console:home-role", args=[role.value])


def _since(request: HttpRequest, role: Role) -> dict[str, list[tuple[Happened, int, str]] | bool | None]:
    """What happened in the last day, by kind; None for whoever may not see events."""
    if Permission.EVENTS_READ not in may(request):
        return {"since": None}
    found = inbox.types_since(clock.now() - DAY)
    counted = [(one, found.counts[one.type]) for one in SINCE if one.type in found.counts and role in one.roles]
    happened = [(one, number, one.called(number)) for one, number in counted]
    return {"since": happened, "since_whole": found.whole}
