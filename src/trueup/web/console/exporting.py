"""Customers as a file: what the list shows, as CSV, row after row while it is read."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator
from io import StringIO
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST

from trueup.audit import service as audit
from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import What
from trueup.customer.listing import service as lists
from trueup.customer.listing.types import Filters
from trueup.customer.owners import service as owners
from trueup.customer.types import CustomerRow
from trueup.kernel.actor import Actor
from trueup.kernel.money import Money, exponent
from trueup.operators.permissions import Permission
from trueup.runtime import clock
from trueup.web.console.customers_asked import asked
from trueup.web.console.reader import acting, may
from trueup.web.streaming import attachment

CSV: Final = "text/csv; charset=utf-8"
FIELDS: Final = (
    *("id", "stripe_customer_id", "account", "livemode", "name", "email", "stage", "billing_status", "plan"),
    *("quantity", "mrr", "mrr_currency", "mrr_others", "owner", "trial_end", "current_period_end"),
    *("cancel_at_period_end", "last_event_at"),
)
"""Names of the columns, which are not translated: programs read them."""
PERSONAL: Final = frozenset({"name", "email"})
COMPUTED: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet would compute. https://owasp.org/www-community/attacks/CSV_Injection"""


def cell(value: Any) -> str:
    """A value as text that no spreadsheet takes for a formula; a number stays one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(COMPUTED) else text


def decimal(amount: Money | None) -> str:
    """An amount in major units, such as ``49.00``, which a spreadsheet can sum; its currency is a column beside it."""
    if amount is None:
        return ""
    places = exponent(amount.currency)
    whole, part = divmod(abs(amount.minor), 10**places)
    return f"{'-' if amount.minor < 0 else ''}{whole}{f'.{part:0{places}}' if places else ''}"


def _revenue(row: CustomerRow) -> dict[str, str]:
    """Monthly revenue: the largest, by which lists are ordered, as a number; what is in other currencies as text."""
    most = max(row.mrr, key=lambda one: one.exact / 10 ** exponent(one.currency), default=None)
    others = [one.money for one in row.mrr if one is not most]
    return {
        "mrr": "" if most is None else decimal(most.money),
        "mrr_currency": "" if most is None else most.currency.upper(),
        "mrr_others": " + ".join(f"{decimal(one)} {one.currency.upper()}" for one in others),
    }


def _lines(rows: tuple[CustomerRow, ...], *, personal: bool) -> str:
    owned = owners.of([row.id for row in rows])
    out = StringIO()
    writer = csv.writer(out)
    for row in rows:
        owner = owned.get(row.id)
        values = {
            "id": row.id,
            "stripe_customer_id": row.stripe_customer_id,
            "account": row.account_slug,
            "livemode": row.livemode,
            "name": row.name,
            "email": row.email,
            "stage": row.stage.value,
            "billing_status": row.billing_status,
            "plan": row.plan_label,
            "quantity": row.quantity,
            "owner": None if owner is None else owner.name,
            "trial_end": row.trial_end and row.trial_end.isoformat(),
            "current_period_end": row.current_period_end and row.current_period_end.isoformat(),
            "cancel_at_period_end": row.cancel_at_period_end,
            "last_event_at": row.last_event_at.isoformat(),
        }
        # A negative amount is a number, and no formula.
        told = {name: cell(value) for name, value in values.items()} | _revenue(row)
        writer.writerow([told[name] for name in _fields(personal=personal)])
    return out.getvalue()


def _fields(*, personal: bool) -> list[str]:
    return [name for name in FIELDS if personal or name not in PERSONAL]


def _file(chunks: Iterator[tuple[CustomerRow, ...]], *, who: Actor, origin: str, personal: bool) -> Generator[bytes]:
    """The file, piece by piece; whom a piece tells of stands in the access log before it leaves."""
    yield (",".join(_fields(personal=personal)) + "\r\n").encode()
    for rows in chunks:
        seen = [(row.account_id, row.livemode, row.stripe_customer_id) for row in rows]
        access_log.note(who, seen, What.EXPORT, origin=origin)
        yield _lines(rows, personal=personal).encode()


@require_POST
def customers(request: HttpRequest) -> HttpResponseBase:
    """``/customers/export``: all customers of a list, with the filters of the address; written down before it begins.

    Names and addresses are left out for whoever may not see them.
    """
    wanted = asked(request)
    filters: Filters = wanted.filters
    lists.begin_export(filters, told=wanted.query, by=acting(request))
    personal = Permission.PERSONAL_CONTACT in may(request)
    # The order of names does not change with every event, so that nobody is met twice or missed.
    chunks = lists.chunks(filters, sort="name")
    made = _file(chunks, who=acting(request), origin=audit.ORIGIN.get(), personal=personal)
    return attachment(made, f"customers-{clock.now():%Y-%m-%d}.csv", CSV)
