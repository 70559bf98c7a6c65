"""Lists of money as files: what each list shows, as CSV, row after row while it is read."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable
from datetime import datetime
from io import StringIO
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST

from trueup.audit import service as audit
from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import What
from trueup.customer.money import recovery
from trueup.customer.money import service as money
from trueup.customer.money.types import Recovering, Row
from trueup.kernel.actor import Actor
from trueup.kernel.money import Money
from trueup.operators.permissions import Permission
from trueup.runtime import clock
from trueup.web.console import money_ahead, money_recovery
from trueup.web.console.exporting import CSV, cell, decimal
from trueup.web.console.money import kind_of
from trueup.web.console.money_asked import asked
from trueup.web.console.reader import acting, may
from trueup.web.streaming import attachment

FIELDS: Final = (
    *("id", "type", "account", "livemode", "customer", "name", "status", "amount", "currency", "reason"),
    *("created", "due"),
)
"""Names of the columns of a file, which are not translated: programs read them."""
OF_FAILED: Final = ("attempts", "first_failed", "last_failed", "next_attempt", "failure")
OF_AHEAD: Final = ("plan", "quantity", "mrr")

_Values = dict[str, Any]
_Line = tuple[Row, _Values]


def _iso(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def _values(row: Row) -> _Values:
    return {
        "id": row.key.object_id,
        "type": row.key.object_type,
        "account": row.account_slug,
        "livemode": row.key.livemode,
        "customer": row.customer and row.customer.stripe_customer_id,
        "name": row.customer and row.customer.name,
        "status": row.status,
        "amount": row.amount,
        "currency": row.amount and row.amount.currency.upper(),
        "reason": row.reason,
        "created": _iso(row.made),
        "due": _iso(row.due),
    }


def _of_failed(one: Recovering) -> _Values:
    return {
        "attempts": one.attempts,
        "first_failed": _iso(one.first_failed_at),
        "last_failed": _iso(one.last_failed_at),
        "next_attempt": _iso(one.next_attempt_at),
        "failure": one.failure and one.failure.code,
    }


def _of_ahead(row: Row) -> _Values:
    plan, quantity = money_ahead.plan_of(row)
    # A subscription has one currency, which the file names already.
    return {"plan": plan, "quantity": quantity, "mrr": row.mrr[0].money if row.mrr else None}


def _written(lines: Iterable[_Line], fields: list[str]) -> bytes:
    out = StringIO()
    writer = csv.writer(out)
    for row, more in lines:
        values = _values(row) | more
        # A negative amount is a number, and no formula.
        writer.writerow(
            [decimal(value) if isinstance(value, Money) else cell(value) for value in (values[name] for name in fields)]
        )
    return out.getvalue().encode()


def _made(chunks: Iterable[list[_Line]], *, who: Actor, origin: str, fields: list[str]) -> Generator[bytes]:
    """The file, piece by piece; whom a piece tells of stands in the access log before it leaves."""
    yield (",".join(fields) + "\r\n").encode()
    for lines in chunks:
        seen = {
            (row.key.account_id, row.key.livemode, row.customer.stripe_customer_id)
            for row, _more in lines
            if row.customer is not None
        }
        access_log.note(who, sorted(seen), What.EXPORT, origin=origin)
        yield _written(lines, fields)


def _file(request: HttpRequest, name: str, chunks: Iterable[list[_Line]], *more: str) -> HttpResponseBase:
    personal = Permission.PERSONAL_CONTACT in may(request)
    fields = [one for one in (*FIELDS, *more) if personal or one != "name"]
    made = _made(chunks, who=acting(request), origin=audit.ORIGIN.get(), fields=fields)
    return attachment(made, f"{name}-{clock.now():%Y-%m-%d}.csv", CSV)


@require_POST
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """``/money/{kind}/export``: all rows of a list, with the filters of the address; written down before it begins."""
    of = kind_of(kind)
    wanted = asked(request, of)
    money.begin_export(money.number_of(wanted.which), kind=of.name, told=wanted.query, by=acting(request))
    return _file(request, of.name, ([(row, {}) for row in rows] for rows in money.chunks(wanted.which)))


@require_POST
def failed(request: HttpRequest) -> HttpResponseBase:
    """``/money/failed/export``: all invoices of a lane, as far as the page looks at them."""
    wanted = money_recovery.asked(request)
    found = recovery.recovery(**wanted.narrowing)
    number = next(one.number for one in found.totals if one.status == wanted.lane)
    money.begin_export(number, kind="failed", told=wanted.query, by=acting(request))
    chunks = recovery.chunks(wanted.lane, **wanted.narrowing)
    lines = ([(one.row, _of_failed(one)) for one in some] for some in chunks)
    return _file(request, f"failed-{wanted.lane.value}", lines, *OF_FAILED)


@require_POST
def ahead(request: HttpRequest) -> HttpResponseBase:
    """``/money/ahead/export``: all subscriptions of which the same comes, the soonest first."""
    wanted = money_ahead.asked(request)
    number = money.coming(wanted.what, **wanted.narrowing).number
    money.begin_export(number, kind="ahead", told=wanted.query, by=acting(request))
    chunks = money.chunks_ahead(wanted.what, **wanted.narrowing)
    lines = ([(row, _of_ahead(row)) for row in some] for some in chunks)
    return _file(request, f"ahead-{wanted.what}", lines, *OF_AHEAD)
