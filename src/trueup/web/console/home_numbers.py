"""The numbers of a home. Each leads to the rows that make it, and is None for whoever may not see those."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trueup.audit.anchors import health as audit_health
from trueup.audit.anchors.health import Light
from trueup.customer.listing import service as lists
from trueup.customer.money import recovery
from trueup.customer.money import service as money
from trueup.customer.types import Stage
from trueup.inbox import service as inbox
from trueup.inbox.alarms import service as standing
from trueup.kernel.records import Record
from trueup.mirror.amounts import ANSWERABLE
from trueup.mirror.money.types import Which
from trueup.mirror.reconcile import service as reconcile
from trueup.operators.permissions import Permission
from trueup.runtime import clock, database
from trueup.web.console import formats
from trueup.web.console.customers_asked import filters_of
from trueup.web.console.reader import may
from trueup.web.console.words import AUDIT_LIGHTS, AUDIT_PROBLEMS

_P: Final = Permission
TRIAL_DAYS: Final = "7"


class Number(Record, frozen=True):
    """One of the four: what is counted, how many, what more there is to say, and where the rows are."""

    label: str
    value: str
    url: str
    note: str = ""
    tone: str = ""
    """``bad`` or ``warn`` where somebody should look; empty else."""


Asking = Callable[[HttpRequest], Number | None]


def _for(permission: Permission) -> Callable[[Callable[[HttpRequest], Number]], Asking]:
    def decorate(ask: Callable[[HttpRequest], Number]) -> Asking:
        @wraps(ask)
        def asked(request: HttpRequest) -> Number | None:
            return ask(request) if permission in may(request) else None

        return asked

    return decorate


def _listed(request: HttpRequest, label: str, query: str, *, tone: str = "", note: str = "") -> Number:
    """How many customers a list has; ``query`` is its address."""
    parameters = {name: (value,) for name, _sign, value in (part.partition("=") for part in query.split("&")) if value}
    found = lists.badge(filters_of(request, parameters))
    value = "10,000+" if found is None else formats.number(found)
    url = f"{reverse('console:customers')}?{query}" if query else reverse("console:customers")
    return Number(label=label, value=value, url=url, tone=tone if found != 0 else "", note=note)


@_for(_P.CUSTOMERS_READ)
def customers(_request: HttpRequest) -> Number:
    """All customers."""
    counted = lists.counts()
    paying = counted[Stage.ACTIVE]
    note = ngettext("%(n)s active", "%(n)s active", paying) % {"n": formats.number(paying)}
    total = formats.number(sum(counted.values()))
    return Number(label=_("Customers"), value=total, url=reverse("console:customers"), note=note)


@_for(_P.CUSTOMERS_READ)
def past_due(_request: HttpRequest) -> Number:
    """Whoever owes a payment."""
    number = lists.counts()[Stage.PAST_DUE]
    url = f"{reverse('console:customers')}?stage=past_due"
    return Number(
        label=_("Past due"),
        value=formats.number(number),
        url=url,
        note=_("owe a payment"),
        tone="bad" if number else "",
    )


@_for(_P.CUSTOMERS_READ)
def unpaid(request: HttpRequest) -> Number:
    """Whom Stripe no longer tries to charge."""
    return _listed(request, _("Unpaid"), "status=unpaid", tone="bad", note=_("Stripe stopped trying"))


@_for(_P.CUSTOMERS_READ)
def trials_ending(request: HttpRequest) -> Number:
    """Trials that end within a week."""
    return _listed(request, _("Trials ending"), f"trial={TRIAL_DAYS}&sort=trial_end", note=_("within 7 days"))


@_for(_P.CUSTOMERS_READ)
def mine(request: HttpRequest) -> Number:
    """Customers that the reader looks after."""
    return _listed(request, _("My customers"), "owner=me")


@_for(_P.CUSTOMERS_READ)
def my_past_due(request: HttpRequest) -> Number:
    """Of these, those who owe."""
    return _listed(request, _("Mine, past due"), "owner=me&stage=past_due", tone="bad", note=_("owe a payment"))


@_for(_P.CUSTOMERS_READ)
def my_trials(request: HttpRequest) -> Number:
    """Of these, those whose trial ends within a week."""
    query = f"owner=me&trial={TRIAL_DAYS}&sort=trial_end"
    return _listed(request, _("My trials ending"), query, note=_("within 7 days"))


@_for(_P.CUSTOMERS_READ)
def without_owner(request: HttpRequest) -> Number:
    """Active customers that nobody looks after."""
    return _listed(request, _("Without owner"), "owner=none&stage=active", note=_("active customers"))


@_for(_P.MONEY_READ)
def at_risk(_request: HttpRequest) -> Number:
    """Invoices that could not be collected within a week and are open, with how much they are."""
    now = clock.now()
    found = recovery.recovery(since=now - timedelta(days=7), now=now).totals[0]
    amounts = " + ".join(formats.money(one.minor, one.currency) for one in found.amounts)
    return Number(
        label=_("At risk"),
        value=amounts or formats.number(0),
        url=reverse("console:money-failed"),
        note=ngettext("%(n)s invoice failed in 7 days", "%(n)s invoices failed in 7 days", found.number)
        % {"n": formats.number(found.number)},
        tone="bad" if found.number else "",
    )


@_for(_P.MONEY_READ)
def disputes(_request: HttpRequest) -> Number:
    """Disputes that wait for an answer."""
    found = [one for one in money.totals(Which(types=("dispute",))) if one.status in ANSWERABLE]
    number = sum(one.number for one in found)
    return Number(
        label=_("Disputes to answer"),
        value=formats.number(number),
        url=f"{reverse('console:money', args=['disputes'])}?status=to_answer",
        note=_("the most urgent first"),
        tone="bad" if number else "",
    )


@_for(_P.TRUTH_READ)
def differences(_request: HttpRequest) -> Number:
    """What is not as at Stripe."""
    number = sum(one.number for one in reconcile.counted())
    at = min((one.compared_at for one in reconcile.drift() if one.compared_at is not None), default=None)
    note = _("not compared yet")
    if at is not None:
        note = _("compared %(when)s") % {"when": formats.distance(at, now=clock.now())}
    return Number(
        label=_("Differ from Stripe"),
        # Nothing was found where nothing was looked for.
        value=formats.number(number) if number or at is not None else formats.NONE,
        url=reverse("console:differences"),
        note=note,
        tone="warn" if number else "",
    )


@_for(_P.TRUTH_READ)
def alarms(_request: HttpRequest) -> Number:
    """What stands wrong and nobody is on."""
    found = standing.standing()
    number = sum(not one.acknowledged_by for one in found)
    taken = len(found) - number
    notes = [ngettext("needs a person", "need a person", number)] if number else []
    if taken:
        notes.append(ngettext("%(n)s in hand", "%(n)s in hand", taken) % {"n": formats.number(taken)})
    return Number(
        label=_("Alarms"),
        value=formats.number(number),
        url=reverse("console:alarms"),
        note=", ".join(notes) or _("nothing stands wrong"),
        tone="bad" if number else "",
    )


@_for(_P.EVENTS_READ)
def waiting(_request: HttpRequest) -> Number:
    """Events that were not read yet."""
    found = inbox.stats()
    last = found.last_received_at
    note = _("nothing came yet") if last is None else _("last came %(when)s") % {"when": _ago(last)}
    number = formats.number(found.waiting)
    return Number(label=_("Waiting"), value=number, url=f"{reverse('console:events')}?state=waiting", note=note)


@_for(_P.EVENTS_READ)
def received(_request: HttpRequest) -> Number:
    """Events of a day."""
    found = inbox.stats()
    return Number(
        label=_("Events in 24 h"), value=formats.number(found.events_24h), url=reverse("console:events"), note=""
    )


@_for(_P.EVENTS_READ)
def set_aside(_request: HttpRequest) -> Number:
    """Events that could not be read."""
    number = inbox.stats().set_aside
    url = f"{reverse('console:events')}?state=set_aside"
    note = _("could not be read")
    return Number(label=_("Set aside"), value=formats.number(number), url=url, note=note, tone="bad" if number else "")


@_for(_P.EVENTS_READ)
def quarantined(_request: HttpRequest) -> Number:
    """Bodies that are no events."""
    number = inbox.stats().quarantined
    url = reverse("console:quarantine")
    note = _("signed, and of no use")
    return Number(
        label=_("Quarantine"), value=formats.number(number), url=url, note=note, tone="warn" if number else ""
    )


@_for(_P.AUDIT_READ)
def audit_log(_request: HttpRequest) -> Number:
    """How the audit log stands: the worse of both modes, and the first thing that is wrong with it."""
    found = [audit_health.health(database.connection(), livemode=livemode) for livemode in (True, False)]
    worst = max(found, key=lambda one: list(Light).index(one.light))
    size = sum(one.size for one in found)
    wrong = [str(AUDIT_PROBLEMS[one.code]) for one in worst.problems if one.code in AUDIT_PROBLEMS]
    entries = ngettext("%(n)s entry", "%(n)s entries", size) % {"n": formats.number(size)}
    return Number(
        label=_("Audit log"),
        value=str(AUDIT_LIGHTS[worst.light].label),
        url=reverse("console:audit-verification" if wrong else "console:audit"),
        note=wrong[0] if wrong else entries,
        tone={Light.RED: "bad", Light.AMBER: "warn"}.get(worst.light, ""),
    )


def _ago(moment: object) -> str:
    return formats.distance(moment, now=clock.now())  # type: ignore[arg-type]
