"""Rows of the lists of money, made in one go: through the template's own tags fifty of them take 30 ms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trueup.customer.money.types import Lane, Row
from trueup.web.console import formats, icons
from trueup.web.console.money import Line
from trueup.web.console.money_ahead import Line as Coming
from trueup.web.console.money_recovery import Line as Failed
from trueup.web.console.telling import told
from trueup.web.templatetags.console import amount, initials, mrr, seats, time_ago, time_near
from trueup.web.templatetags.customer import billing_reason
from trueup.web.templatetags.money import countdown, evidence, invoice_status, paid_with, status_of

register = template.Library()

NONE: Final = format_html('<span class="muted">{}</span>', formats.NONE)
SHOWN: Final = 16
"""So many characters of an id stand in a row."""
_ID: Final = "00"
"""Stands for an id in an address that is made once for all rows."""


class _Page(NamedTuple):
    """What all rows of a page share: what the reader may, the frame, now, and words asked for once."""

    may: Any
    shell: Any
    now: datetime
    billing: str
    payload: str
    """Addresses in which ``_ID`` stands for the customer's id; of an object also ``type`` and ``name``."""
    copy: str
    stripe: str
    buttons: SafeString
    out: SafeString


def _page(context: Context) -> _Page:
    payload = reverse("console:customer-object", args=[_ID, "{type}", "{name}"])
    return _Page(
        may=context["may"],
        shell=context["shell"],
        now=context["now"],
        billing=reverse("console:customer-billing", args=[_ID]),
        payload=payload.replace("%7B", "{").replace("%7D", "}"),
        copy=_("Copy %(id)s"),
        stripe=_("Open %(id)s in Stripe"),
        buttons=format_html(
            ' title="{}"><span class="todo">{}</span><span class="done">{}</span></button>',
            _("Copy id"),
            icons.icon("copy", 14),
            icons.icon("check", 14),
        ),
        out=format_html(' title="{}">{}</a></span></td>', _("Open in Stripe"), icons.icon("external-link", 14)),
    )


def _who(page: _Page, row: Row, below: str = "") -> str:
    """The cell with whose something is; by Stripe's id for whoever may not see names."""
    if row.customer is None:
        return format_html(
            '<td class="fill"><div class="who"><span class="avatar" aria-hidden="true">{}</span>'
            '<span><b>{}</b><span class="sub">{}</span></span></div></td>',
            icons.icon("user-round", 14),
            _("Without a customer"),
            row.account_slug,
        )
    customer = row.customer
    shown = customer.name if "personal.contact" in page.may and customer.name else customer.stripe_customer_id
    account = ""
    if page.shell.several:
        mark = f" ({_('test')})" if page.shell.mode == "mixed" and not row.key.livemode else ""
        account = f" · {row.account_slug}{mark}"
    return format_html(
        '<td class="fill"><div class="who"><span class="avatar" aria-hidden="true">{}</span>'
        '<span><a data-row href="{}">{}</a><span class="sub">{}{}</span></span></div></td>',
        initials(shown),
        page.billing.replace(_ID, quote(customer.id, safe="")),
        shown,
        below or customer.stripe_customer_id,
        account,
    )


def _object(page: _Page, row: Row, text: str = "") -> str:
    """The cell with the object's own name, which opens it for whoever may see what Stripe sent."""
    id_ = row.key.object_id
    name = escape(text) if text else format_html("<code>{}</code>", Truncator(id_).chars(SHOWN))
    if row.customer is not None and "personal.payload" in page.may:
        url = page.payload.replace(_ID, quote(row.customer.id, safe="")).format(
            type=quote(row.key.object_type, safe=""), name=quote(id_, safe="")
        )
        inside: str = format_html(
            '<a class="object" href="{}" hx-get="{}" hx-target="#drawer-body">{}</a>', url, url, name
        )
    else:
        inside = name if text else format_html('<code title="{}">{}</code>', id_, Truncator(id_).chars(SHOWN))
    return format_html('<td class="col-object">{}</td>', inside)


def _links(page: _Page, row: Row, url: str) -> str:
    """The cell that copies the id and leads to Stripe."""
    id_ = row.key.object_id
    copy = format_html(
        '<td class="col-links"><span class="links"><button type="button" class="btn quiet icon sm js-only"'
        ' data-act="copy" data-copy="{}" aria-label="{}"{}',
        id_,
        page.copy % {"id": id_},
        page.buttons,
    )
    return format_html(
        '{}<a class="btn quiet icon sm" href="{}" rel="noreferrer" target="_blank" aria-label="{}"{}',
        copy,
        url,
        page.stripe % {"id": id_},
        page.out,
    )


def _joined(rows: Iterable[list[str]]) -> SafeString:
    """Rows of cells, each of which is escaped already."""
    return mark_safe("".join(f"<tr data-href>{''.join(cells)}</tr>\n" for cells in rows))  # noqa: S308 - see above


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


# --- payments, invoices, refunds, disputes ------------------------------------------------------------------------


def _paid(_page: _Page, line: Line) -> str:
    return (
        escape(line.reason) if line.reason else format_html('<span class="muted">{}</span>', paid_with(line.row.data))
    )


def _why_made(_page: _Page, line: Line) -> str:
    why = escape(billing_reason(_text(line.row.data, "billing_reason")))
    tries = line.row.data.get("attempt_count")
    if line.row.reason != "failed" or not isinstance(tries, int):
        return why
    vain = ngettext("%(n)s attempt in vain", "%(n)s attempts in vain", tries) % {"n": formats.number(tries)}
    return format_html('{}<span class="sub bad">{}</span>', why, vain)


def _reason(_page: _Page, line: Line) -> str:
    return escape(line.reason or formats.NONE)


REASONS: Final[dict[str, Callable[[_Page, Line], str]]] = {"payments": _paid, "invoices": _why_made}
"""What stands in the column of reasons, by the list; Stripe's reason in words for all others."""


def _next(page: _Page, row: Row) -> str:
    if row.due is None:
        return f'<td class="col-made">{NONE}</td>'
    what = _("tried again") if row.data.get("next_payment_attempt") else _("due")
    return format_html('<td class="col-made">{} {}</td>', what, time_near(row.due, page.now))


@register.simple_tag(takes_context=True)
def money_rows(context: Context, lines: Iterable[Line]) -> SafeString:
    """The rows of a list of payments, invoices, refunds or disputes."""
    page, kind, by_due = _page(context), context["kind"], context["by_due"]
    reason = REASONS.get(kind.name, _reason)
    narrow = ' class="narrow-out"'
    made, chips = [], dict[str, SafeString]()
    for line in lines:
        row = line.row
        chip = chips.get(row.status) or chips.setdefault(row.status, status_of(kind, row.status))
        cells = [
            _who(page, row),
            f'<td class="num">{amount(row.amount)}</td>',
            f"<td{narrow if by_due else ''}>{chip}</td>",
            f'<td class="reason opt">{reason(page, line)}</td>',
        ]
        if kind.name == "disputes":
            cells.append(f"<td{'' if by_due else narrow}>{countdown(row.due, page.now)}</td>")
            cells.append(format_html('<td class="col-made">{}</td>', evidence(row.data)))
        elif kind.name == "invoices":
            cells.append(_next(page, row))
        cells.append(_object(page, row, _text(row.data, "number")))
        day = time_near(row.made, page.now)
        cells.append(f'<td class="num muted opt{" col-made" if by_due else ""}">{day}</td>')
        cells.append(_links(page, row, line.dashboard))
        made.append(cells)
    return _joined(made)


# --- what could not be collected ----------------------------------------------------------------------------------


def _failure(line: Failed) -> str:
    failure = line.one.failure
    if failure is None:
        return format_html('<span class="muted">{}</span>', _("Stripe gave no reason"))
    if not line.one.certain:
        helps = _("a payment of this amount")
    elif failure.hard:
        helps = _("only a new payment method helps")
    elif failure.customer_can_fix:
        helps = _("the customer can fix it")
    else:
        helps = _("may work on a retry")
    return format_html('{}<span class="sub">{}</span>', told(failure.short), helps)


def _attempt(page: _Page, line: Failed) -> str:
    if line.one.row.status != "open":
        return invoice_status(line.one.row.status)
    if line.one.next_attempt_at is None:
        return format_html('<span class="muted">{}</span>', _("none planned"))
    return time_near(line.one.next_attempt_at, page.now)


@register.simple_tag(takes_context=True)
def failed_rows(context: Context, lines: Iterable[Failed]) -> SafeString:
    """The rows of invoices that could not be collected."""
    page, at_risk = _page(context), context["lane"] == Lane.AT_RISK
    made = []
    for line in lines:
        one, row = line.one, line.one.row
        day: str = ""
        if at_risk:
            day = format_html('<span class="sub">{}</span>', _("day %(n)s") % {"n": formats.number(line.day)})
        tries = ngettext("%(n)s attempt", "%(n)s attempts", one.attempts) % {"n": formats.number(one.attempts)}
        made.append(
            [
                _who(page, row, _text(row.data, "number")),
                f'<td class="num"><b>{amount(row.amount)}</b>{day}</td>',
                f'<td class="reason">{_failure(line)}</td>',
                format_html(
                    '<td class="num muted opt">{}<span class="sub">{}</span></td>',
                    time_ago(one.last_failed_at, page.now),
                    tries,
                ),
                f'<td class="col-made">{_attempt(page, line)}</td>',
                _links(page, row, line.dashboard),
            ]
        )
    return _joined(made)


# --- what comes of subscriptions ----------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def ahead_rows(context: Context, lines: Iterable[Coming]) -> SafeString:
    """The rows of subscriptions of which something comes."""
    page, is_end = _page(context), context["is_end"]
    # A phone has room for one amount: what goes away is monthly revenue, what comes is a payment.
    amount_class, mrr_class = ("num narrow-out", "num") if is_end else ("num", "num narrow-out")
    made = []
    for line in lines:
        row, counted = line.row, seats(line.seats)
        more = format_html(' <span class="muted">· {}</span>', counted) if counted else ""
        if is_end or row.due is None:
            when: str = countdown(row.due, page.now)
        else:
            away = formats.distance(row.due, now=page.now)
            when = format_html('{}<span class="sub">{}</span>', time_near(row.due, page.now), away)
        made.append(
            [
                _who(page, row),
                format_html('<td class="opt plan" title="{}">{}{}</td>', line.plan, line.plan or formats.NONE, more),
                f'<td class="{amount_class}">{amount(row.amount)}</td>',
                f'<td class="{mrr_class}">{mrr(row.mrr)}</td>',
                f"<td>{when}</td>",
                _object(page, row),
                _links(page, row, line.dashboard),
            ]
        )
    return _joined(made)
