"""Template tags of a customer's page."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from trueup.web.console import icons
from trueup.web.console.customer_words import INVOICES, LOOKS, OUTCOMES, REASONS, UNPAID
from trueup.web.console.words import Look

register = template.Library()


def _chip(look: Look) -> SafeString:
    return format_html('<span class="chip {}">{}{}</span>', look.tone, icons.icon(look.icon, 13), look.label)


@register.simple_tag
def outcome_chip(outcome: str) -> SafeString:
    """What came of an attempt to pay."""
    return _chip(OUTCOMES[outcome])


@register.simple_tag
def invoice_chip(invoice: Any, now: Any) -> SafeString:
    """How an invoice stands; an open one that was tried in vain, or is overdue, is more than open."""
    late = invoice.due_at is not None and invoice.due_at < now
    if invoice.status == "open" and (invoice.failed is not None or invoice.attempts or late):
        return _chip(UNPAID)
    known = INVOICES.get(invoice.status)
    return _chip(known or Look(label=invoice.status.replace("_", " ").capitalize() or "?", tone="", icon="circle"))


@register.filter
def billing_reason(code: str | None) -> str:
    """Why an invoice was made; one that Stripe adds later in its own word."""
    return str(REASONS.get(code, code.replace("_", " ").capitalize())) if code else ""


@register.simple_tag
def hidden(roles: str) -> SafeString:
    """Stands in the place of what the reader may not see, and says who may."""
    told = _("Shown to: %(roles)s.") % {"roles": roles}
    return format_html(
        '<span class="chip hidden-value" title="{}">{}{}<span class="sr"> {}</span></span>',
        told,
        icons.icon("eye-off", 12),
        _("Hidden"),
        told,
    )


@register.filter
def get(names: dict[str, str], key: str) -> str:
    """What something is called; its own key where it has no name."""
    return names.get(key, key)


@register.filter
def looked(what: Any) -> str:
    """What somebody saw of a customer, in words."""
    return ", ".join(str(LOOKS[one]) for one in what)
