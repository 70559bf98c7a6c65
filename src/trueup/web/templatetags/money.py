"""Template tags of lists of money."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trueup.customer import service as customers
from trueup.web.console import formats, icons
from trueup.web.console.method_words import method_name
from trueup.web.console.money_words import KINDS, Kind, look_of
from trueup.web.console.words import Look

register = template.Library()

SOON: Final = timedelta(days=3)
"""What has to be done within this is said louder."""


def _chip(look: Look) -> SafeString:
    return format_html('<span class="chip {}">{}{}</span>', look.tone, icons.icon(look.icon, 13), look.label)


@register.simple_tag
def status_of(kind: Kind, status: str) -> SafeString:
    """The status of a row of a list."""
    return _chip(look_of(kind, status))


@register.simple_tag
def countdown(due: datetime | None, now: datetime) -> SafeString:
    """How long there is to do something, and the day by which; a dash where nothing is due."""
    if due is None:
        return format_html('<span class="muted">{}</span>', formats.NONE)
    left = due - now
    if left < timedelta(0):
        look = Look(label=_("Too late"), tone="bad", icon="circle-x")
    elif left < timedelta(days=1):
        hours = max(1, int(left.total_seconds() // 3600))
        told = ngettext("%(n)s hour left", "%(n)s hours left", hours) % {"n": hours}
        look = Look(label=told, tone="bad", icon="alarm-clock")
    else:
        told = ngettext("%(n)s day left", "%(n)s days left", left.days) % {"n": left.days}
        look = Look(label=told, tone="warn" if left < SOON else "info", icon="hourglass")
    return format_html(
        '<span class="countdown">{}<small><time datetime="{}">{}</time></small></span>',
        _chip(look),
        due.isoformat(),
        formats.near_day(due, now=now),
    )


@register.simple_tag
def invoice_status(status: str) -> SafeString:
    """How an invoice stands."""
    return _chip(look_of(KINDS["invoices"], status))


@register.simple_tag
def paid_with(data: dict[str, object]) -> str:
    """What a charge was made to, from its essence; a dash where that is not told."""
    found = customers.charged_method(data)
    return formats.NONE if found is None else method_name(found)


@register.filter
def evidence(data: dict[str, object]) -> str:
    """What was sent to the bank about a dispute, from its essence."""
    told = data.get("evidence_details")
    details = told if isinstance(told, dict) else {}
    sent = details.get("submission_count")
    if isinstance(sent, int) and sent:
        return ngettext("Sent %(n)s time", "Sent %(n)s times", sent) % {"n": sent}
    if details.get("has_evidence") is True:
        return _("Prepared, not sent")
    return _("None yet")
