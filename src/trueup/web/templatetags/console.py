"""Template tags of the console: icons, chips, and values as the reader's locale writes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

from django import template
from django.template import RequestContext
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trueup.audit.types import Phase
from trueup.customer.types import Kind, Mrr, PaymentMethod, Plan, Stage
from trueup.inbox.types import Reason, State
from trueup.kernel.money import Money
from trueup.web.console import formats, icons, runbooks, telling, words
from trueup.web.console.method_words import method_name
from trueup.web.console.page import address

register = template.Library()

# Text is escaped before these see it: an entity such as &lt; stays whole, because none of its signs is looked for.
_BREAKS: Final = re.compile(r"([._\[\]/])(?=[^._\[\]/])")
_CODE: Final = re.compile(r"`([^`]+)`|docs/[\w/-]+\.md")

NONE = format_html('<span class="muted">{}</span>', formats.NONE)


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """A lucide icon as decoration."""
    return icons.icon(str(name), size)


def _chip(look: words.Look, *, title: Any = "") -> SafeString:
    hint = format_html(' title="{}"', title) if title else ""
    return format_html('<span class="chip {}"{}>{}{}</span>', look.tone, hint, icons.icon(look.icon, 13), look.label)


@register.simple_tag
def stage_chip(stage: Stage) -> SafeString:
    """A customer's stage."""
    return _chip(words.STAGES[stage])


@register.simple_tag
def status_chip(status: str) -> SafeString:
    """A subscription's status; one that Stripe adds later is shown in its own word."""
    look = words.SUBSCRIPTION_STATUSES.get(status) or words.Look(
        label=status.replace("_", " ").capitalize(), tone="", icon="circle"
    )
    return _chip(look)


@register.simple_tag
def event_chip(state: State) -> SafeString:
    """An event's state, with its meaning as a tooltip."""
    return _chip(words.EVENT_STATES[state], title=words.EVENT_STATE_HINTS[state])


@register.filter
def look(kind: Kind) -> words.Look:
    """How a kind of timeline entry looks."""
    return words.KINDS[kind]


@register.filter
def money(minor: int | None, currency: str | None) -> str:
    """An amount in minor units; a dash where the amount or its currency is unknown."""
    return NONE if minor is None or not currency else formats.money(minor, currency)


@register.filter
def amount(value: Money | None) -> str:
    """An amount of money; a dash where none is known."""
    return NONE if value is None else formats.money(value.minor, value.currency)


@register.filter
def amounts(values: tuple[Money, ...]) -> str:
    """Amounts of several currencies, which are never added up."""
    return " + ".join(formats.money(value.minor, value.currency) for value in values) if values else NONE


@register.filter
def mrr(parts: tuple[Mrr, ...]) -> str:
    """A month's revenue, one amount per currency."""
    return " + ".join(formats.money(part.minor, part.currency) for part in parts) if parts else NONE


@register.filter
def unit_price(plan: Plan) -> str:
    """A plan's price for one unit and period; empty where Stripe states none."""
    if plan.currency is None or (plan.unit_amount_decimal is None and plan.unit_amount is None):
        return ""
    exact = plan.unit_amount_decimal or str(plan.unit_amount)
    return formats.unit_price(exact, plan.currency)


@register.filter
def plan_name(plan: Plan) -> str:
    """What people call the plan: its product, else its price's nickname, else its price's id."""
    return plan.product_name or plan.nickname or plan.price_id or plan.product_id or plan.item_id or ""


@register.filter
def interval(plan: Plan) -> str:
    """How often the plan is billed: ``a month``, ``every 3 months``."""
    unit = plan.interval or ""
    count = plan.interval_count or 1
    if count == 1:
        return str(words.INTERVALS[unit][1]) if unit in words.INTERVALS else unit
    many = {
        "day": _("every %s days"),
        "week": _("every %s weeks"),
        "month": _("every %s months"),
        "year": _("every %s years"),
    }
    return many[unit] % count if unit in many else unit


@register.filter
def billed(plans: tuple[Plan, ...]) -> str:
    """``Billed yearly`` where all plans agree on one period; otherwise empty."""
    kinds = {(plan.interval, plan.interval_count or 1) for plan in plans}
    if len(kinds) != 1:
        return ""
    unit, count = kinds.pop()
    return str(words.INTERVALS[unit][0]) if unit in words.INTERVALS and count == 1 else ""


@register.filter
def seats(quantity: int | None) -> str:
    """``5 seats``; empty for a plan without a quantity, or of one."""
    if quantity is None or quantity == 1:
        return ""
    return ngettext("%(n)s seat", "%(n)s seats", quantity) % {"n": formats.number(quantity)}


@register.filter
def method(value: PaymentMethod) -> str:
    """A payment method in a few characters."""
    return method_name(value)


@register.filter
def country(code: str) -> str:
    """A country's name in the reader's language, from its ISO code; an unknown code stays."""
    return str(formats.locale().territories.get(code.upper(), code))


@register.filter
def language(tag: str) -> str:
    """A language's name in the reader's; an unknown tag stays."""
    return formats.language(tag)


@register.filter
def source(name: str) -> str:
    """The system that told a fact; one without a name of ours by its own."""
    return words.SOURCES.get(name, name)


@register.filter
def published(value: str | bool) -> str:  # noqa: FBT001 - the template's value
    """A contact field's value as JSON has it, without the quotes of a text."""
    return value if isinstance(value, str) else str(value).lower()


@register.filter
def spoken(code: str) -> str:
    """What a person calls a kind of object: ``payment intent``."""
    return words.type_name(code)


@register.filter
def phase(value: Phase) -> str:
    """Which part of a change an entry of the audit log tells."""
    return str(words.AUDIT_PHASES[value])


@register.filter
def event_source(code: str) -> str:
    """How an event came; a code without a word as it is."""
    return str(words.EVENT_SOURCES.get(code, code))


@register.filter
def breakable(text: str) -> SafeString:
    """A path or id that may break into lines behind its punctuation, and nowhere else."""
    return SafeString(_BREAKS.sub(r"\1<wbr>", escape(text)))


@register.filter
def told(text: str) -> str:
    """What a package below the console says, in the reader's language."""
    return telling.told(str(text)) if text else ""


@register.filter
def marked(text: str) -> SafeString:
    """A sentence whose commands between backticks are set as code, and whose runbooks are links to them."""

    def set_(found: re.Match[str]) -> str:
        return runbooks.linked(found.group(0)) or f"<code>{found.group(1) or found.group(0)}</code>"

    return SafeString(_CODE.sub(set_, escape(text)))


@register.filter
def number(value: int) -> str:
    """A whole number with grouped digits."""
    return formats.number(value)


@register.filter
def octets(value: int) -> str:
    """A size in bytes."""
    return formats.size(value)


@register.filter
def initials(name: str | None) -> str | SafeString:
    """Letters for an avatar; an icon for the nameless."""
    return formats.initials(name or "") or icons.icon("user-round", 15)


@register.filter
def day(moment: datetime) -> str:
    """A day with its year."""
    return formats.day(moment)


@register.filter
def near_day(moment: datetime, now: datetime) -> str:
    """A day, with its year where it is not this one."""
    return formats.near_day(moment, now=now)


@register.filter
def month(moment: datetime) -> str:
    """A month with its year."""
    return formats.month(moment)


@register.filter
def stamp(moment: datetime) -> str:
    """Date, time and zone."""
    return formats.stamp(moment)


@register.filter
def ago(moment: datetime, now: datetime) -> str:
    """The distance to a moment, in words."""
    return formats.distance(moment, now=now)


@register.filter
def lasting(seconds: int) -> str:
    """A number of seconds as a length of time."""
    return formats.duration(timedelta(seconds=seconds))


@register.filter
def delay(value: timedelta) -> str:
    """How long after its creation an event came in: seconds, or words beyond two minutes."""
    seconds = int(value.total_seconds())
    if seconds <= 0:
        # Stripe's own time has whole seconds only, and its clock and ours may differ by one.
        return _("at once")
    return _("%s later") % (_("%s s") % seconds if seconds < 120 else formats.duration(value))


def _time(moment: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), formats.stamp(moment), text)


@register.simple_tag
def time_ago(moment: datetime | None, now: datetime) -> SafeString:
    """When something happened, as a distance; the exact moment is the tooltip."""
    return NONE if moment is None else _time(moment, formats.distance(moment, now=now))


@register.simple_tag
def time_near(moment: datetime, now: datetime) -> SafeString:
    """A day, with its year where it is not this one; the exact moment is the tooltip."""
    return _time(moment, formats.near_day(moment, now=now))


@register.simple_tag
def time_minute(moment: datetime) -> SafeString:
    """The time of day, with the exact moment as the tooltip."""
    return _time(moment, formats.minute(moment))


@register.simple_tag
def time_log(moment: datetime, now: datetime) -> SafeString:
    """A moment in a log: the time alone today, the day before it otherwise."""
    text = formats.second(moment)
    if not formats.same_day(moment, now):
        # Where there is no room for both, the time goes below the day, and the day stays whole.
        day = formats.near_day(moment, now=now).replace(" ", "\xa0")
        text = f"{day}, {text}"
    return _time(moment, text)


@register.simple_tag
def time_stamp(moment: datetime) -> SafeString:
    """The exact moment, written out."""
    return _time(moment, formats.stamp(moment))


@register.simple_tag(takes_context=True)
def link_here(context: RequestContext, **changes: str | None) -> str:
    """This page's address with some of its query changed; an empty value removes."""
    return address(context.request, **changes)


@register.filter
def pairs(values: dict[str, Any]) -> SafeString:
    """A mapping as the inside of a definition list."""
    return format_html_join("", "<dt data-raw>{}</dt><dd data-raw>{}</dd>", sorted(values.items()))


@register.filter
def reason(code: str) -> str:
    """Why a delivery was quarantined, as a sentence; an unknown code is shown as it is."""
    return str(words.QUARANTINE_REASONS[Reason(code)]) if code in set(Reason) else code
