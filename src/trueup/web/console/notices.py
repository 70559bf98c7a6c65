"""``/account/notifications`` and ``/settings/notifications``: who is told of what, and what became of it."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trueup.kernel.errors import NotFound, Refused, TrueupError
from trueup.notices import messages as written
from trueup.notices import service as notices
from trueup.notices import words
from trueup.notices.errors import DeliveryUnknown, RuleUnknown
from trueup.notices.types import Delivery, Draft, Rule, Saved, Status
from trueup.web.console import formats
from trueup.web.console import notices_form as form
from trueup.web.console.reader import acting, may, person
from trueup.web.console.settings.frame import Names, show
from trueup.web.console.words import Look

LATELY: Final = 8
"""Messages that stand beside the rules."""
LOOKS: Final = {
    Status.WAITING: Look(label=words.STATUSES[Status.WAITING], tone="info", icon="clock"),
    Status.SENT: Look(label=words.STATUSES[Status.SENT], tone="good", icon="circle-check"),
    Status.FAILED: Look(label=words.STATUSES[Status.FAILED], tone="bad", icon="circle-x"),
    Status.DROPPED: Look(label=words.STATUSES[Status.DROPPED], tone="", icon="circle-slash"),
}
KEPT: Final = "private, max-age=3600"


class Place:
    """One of the two: the reader's own rules, or those of the team."""

    def __init__(self, request: HttpRequest, *, team: bool) -> None:
        """Whose rules, and the names of its addresses."""
        self.team = team
        self.operator_id = None if team else int(person(request).id)
        self.name = "settings-notifications" if team else "account-notifications"
        self.can_change = "settings.change" in may(request) if team else True

    @property
    def list_url(self) -> str:
        """The address of the rules."""
        return self.address()

    @property
    def new_url(self) -> str:
        """The address at which a rule is made."""
        return self.address("-new")

    def address(self, what: str = "", **arguments: Any) -> str:
        """The address of a page of it."""
        return reverse(f"console:{self.name}{what}", kwargs=arguments)


@require_safe
def listing(request: HttpRequest, *, team: bool) -> HttpResponseBase:
    """The rules, and what was sent by them lately."""
    return _listing(request, Place(request, team=team))


def _listing(request: HttpRequest, place: Place, *, error: TrueupError | None = None) -> HttpResponseBase:
    names = Names()
    rules = [
        (one, [words.KINDS[kind].choice for kind in words.KINDS if kind in one.kinds], names(one.made_by))
        for one in notices.rules(operator_id=place.operator_id)
    ]
    lately = notices.deliveries(operator_id=place.operator_id, limit=LATELY)
    context = {
        "place": place,
        "rules": rules,
        "channels": words.CHANNELS,
        "paces": words.PACES,
        "lately": _shown(lately),
        "mail_ready": notices.is_mail_ready(),
    }
    return show(request, place.name, "notifications.html", context, error=error)


def _shown(found: list[Delivery]) -> list[dict[str, Any]]:
    return [
        {"one": one, "look": LOOKS[one.status], "channel": words.CHANNELS[one.channel], "again": _is_over(one)}
        for one in found
    ]


def _is_over(one: Delivery) -> bool:
    return one.status in {Status.FAILED, Status.DROPPED}


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, *, team: bool) -> HttpResponseBase:
    """A rule that is not there yet; a POST saves it, or shows what it would send."""
    place = Place(request, team=team)
    return _edited(request, place, None) if request.method == "POST" else _form(request, place, form.new(team=team))


@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, rule_id: int, *, team: bool) -> HttpResponseBase:
    """One rule; a POST saves it, or shows what it would send."""
    place = Place(request, team=team)
    found = _own(place, rule_id)
    return _edited(request, place, found) if request.method == "POST" else _form(request, place, form.of(found), found)


def _own(place: Place, rule_id: int) -> Rule:
    found = notices.rule(rule_id)
    if found.operator_id != place.operator_id:
        raise RuleUnknown(f"There is no notification rule {rule_id}.")
    return found


def _edited(request: HttpRequest, place: Place, found: Rule | None) -> HttpResponseBase:
    draft = form.sent(request)
    if request.POST.get("do") == "preview":
        wrong = notices.amount_error(draft)
        return _form(request, place, draft, found, error=wrong)
    try:
        saved = notices.save(
            draft=draft,
            operator_id=place.operator_id,
            rule_id=None if found is None else found.id,
            by=acting(request),
        )
    except NotFound:
        raise
    except Refused as error:
        return _form(request, place, draft, found, error=error)
    if saved.secret:
        return _secret(request, place, saved)
    messages.success(request, _("Saved."))
    return HttpResponseRedirect(place.address())


def _secret(request: HttpRequest, place: Place, saved: Saved) -> HttpResponseBase:
    return show(request, place.name, "notification_secret.html", {"place": place, "saved": saved})


def _form(
    request: HttpRequest, place: Place, draft: Draft, found: Rule | None = None, *, error: TrueupError | None = None
) -> HttpResponseBase:
    number = 0 if found is None else found.id
    seen = notices.preview(draft=_named(draft), operator_id=place.operator_id, rule_id=number, by=acting(request))
    context = {
        "place": place,
        "rule": found,
        "draft": draft,
        "message": None if seen is None else seen.message,
        "event": json.dumps(seen.event, indent=2, ensure_ascii=False) if seen is not None and seen.event else "",
        "mail_ready": notices.is_mail_ready(),
        "mailbox": "" if place.team else request.user.get_username(),
        "zones": formats.zones(),
        # What was typed and is no amount stays to be seen, else a second try would be a rule without one.
        "at_least": request.POST.get("at_least", "")[:20],
        **form.choices(team=place.team),
    }
    return show(request, place.name, "notification.html", context, error=error)


def _named(draft: Draft) -> Draft:
    """The same with a name, which a message tells."""
    return draft if draft.name else msgspec.structs.replace(draft, name=_("New rule"))


@require_POST
def remove(request: HttpRequest, rule_id: int, *, team: bool) -> HttpResponseBase:
    """End a rule."""
    place = Place(request, team=team)
    gone = notices.remove(rule_id=_own(place, rule_id).id, by=acting(request))
    messages.success(request, _("%(name)s is removed.") % {"name": gone.name})
    return HttpResponseRedirect(place.address())


@require_POST
def test(request: HttpRequest, rule_id: int, *, team: bool) -> HttpResponseBase:
    """Send an invented message now, and tell what the receiver said."""
    place = Place(request, team=team)
    attempt = notices.test(rule_id=_own(place, rule_id).id, by=acting(request))
    if not attempt.taken:
        told = Refused(_("It was not taken. The receiver said: %(words)s") % {"words": attempt.words})
        return _listing(request, place, error=told)
    messages.success(request, _("It was taken. The receiver said: %(words)s") % {"words": attempt.words})
    return HttpResponseRedirect(place.address())


@require_POST
def resend(request: HttpRequest, delivery_id: int, *, team: bool) -> HttpResponseBase:
    """Send a message anew that could not be delivered."""
    place = Place(request, team=team)
    if notices.delivery(delivery_id).operator_id != place.operator_id:
        raise DeliveryUnknown(f"There is no delivery {delivery_id}.")
    notices.resend(delivery_id=delivery_id, by=acting(request))
    messages.success(request, _("It is sent again."))
    return HttpResponseRedirect(place.address("-deliveries") if team else place.address())


TABS: Final = (
    ("", gettext_lazy("All")),
    *((status.value, LOOKS[status].label) for status in (Status.FAILED, Status.WAITING, Status.SENT, Status.DROPPED)),
)


@require_safe
def deliveries(request: HttpRequest) -> HttpResponseBase:
    """``/settings/notifications/deliveries``: what the team was sent, what waits, and what did not arrive."""
    place = Place(request, team=True)
    given, before = request.GET.get("status", ""), request.GET.get("before", "")
    status = Status(given) if given in set(Status) else None
    start = int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else None
    found = notices.deliveries(status=status, before=start, limit=notices.PAGE + 1)
    page, more = found[: notices.PAGE], len(found) > notices.PAGE
    context = {
        "place": place,
        "tabs": TABS,
        "status": "" if status is None else status.value,
        "before": start,
        "rows": _shown(page),
        "next": page[-1].id if more else None,
    }
    return show(request, place.name, "notification_deliveries.html", context)


@require_safe
def stylesheet(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view is given it
    """How messages look, for their preview on a page."""
    return HttpResponse(written.style(), content_type="text/css; charset=utf-8", headers={"Cache-Control": KEPT})
