"""What others may ask of lists of money: of payments, invoices, refunds, disputes and subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from trueup.accounts import service as accounts
from trueup.kernel.errors import Refused
from trueup.mirror.amounts import folded
from trueup.mirror.money import store
from trueup.mirror.money.types import Failed, FailedSum, Listed, Order, Reason, Span, Sum, Which
from trueup.mirror.types import ObjectKey
from trueup.runtime.pages import Number, decode_cursor, encode_cursor

LARGEST_PAGE: Final = 1_000
MOST_COUNTED: Final = 10_000
"""Objects of one status that are counted and summed; beyond, a sum says that there are more."""


MOST_NUMBERED: Final = 50
"""Invoices of one number that an account is asked for; Stripe itself gives each number once."""


def invoice_number(word: str) -> str:
    """What somebody typed, as numbers of invoices are looked for; empty for what is none: all of Stripe's have digits.

    So a name costs a search nothing.
    """
    found = folded(word) if any(one.isdigit() for one in word) else None
    return found or ""


def _accounts() -> list[tuple[int, bool]]:
    return [(one.id, one.livemode) for one in accounts.accounts()]


def _place(order: str, after: str | None) -> tuple[int, str] | None:
    if not after:
        return None
    by, value, object_id = decode_cursor(after, tuple[str, Number, str])
    if by != order:
        raise Refused(
            "The cursor `after` belongs to another order.",
            code="cursor_invalid",
            hint="Leave `after` out when the order changes.",
        )
    return value, object_id


def _cut(order: str, found: Sequence[store.Found], limit: int) -> tuple[tuple[Listed, ...], str | None]:
    last = found[limit - 1] if len(found) > limit else None
    following = None if last is None else encode_cursor(order, last.value, last.row.key.object_id)
    return tuple(one.row for one in found[:limit]), following


def rows(
    which: Which, *, order: Order = Order.NEWEST, limit: int = 50, after: str | None = None
) -> tuple[tuple[Listed, ...], str | None]:
    """A page of objects and the cursor of the next; ``Refused`` for a cursor of another order."""
    limit = max(1, min(limit, LARGEST_PAGE))
    place = _place(order.value, after)
    return _cut(order.value, store.page(which, order=order, limit=limit + 1, after=place, accounts=_accounts()), limit)


def numbered(number: str) -> tuple[tuple[int, bool, str | None], ...]:
    """Account, mode and Stripe customer of each invoice of a number that ``invoice_number`` gave."""
    return tuple(store.numbered(number, accounts=_accounts(), limit=MOST_NUMBERED)) if number else ()


def sums(which: Which) -> tuple[Sum, ...]:
    """How many match and how much they are together, by status and currency; see ``MOST_COUNTED``."""
    return tuple(store.sums(which, most=MOST_COUNTED, accounts=_accounts()))


def reasons(which: Which) -> tuple[Reason, ...]:
    """By reason and currency, the most frequent first, of the newest ``MOST_COUNTED`` that match."""
    return tuple(store.reasons(which, most=MOST_COUNTED, accounts=_accounts()))


def failed(
    *, since: int, until: int, account_id: int | None = None, currency: str = "", most: int = MOST_COUNTED
) -> tuple[Failed, ...]:
    """Invoices that could not be collected in ``[since, until)``, as they stand now, of the newest ``most`` failures.

    Failures are told by events, so what failed before the first that Trueup has is not among them.
    """
    return tuple(store.failed(since=since, until=until, account_id=account_id, currency=currency, limit=most))


def failed_sums(
    *, begins: Sequence[int], until: int, account_id: int | None = None, most: int = MOST_COUNTED
) -> tuple[FailedSum, ...]:
    """The same added up by the spans that begin at these moments, the last until ``until``; an invoice counts once."""
    return tuple(store.failed_sums(begins=begins, until=until, account_id=account_id, limit=most))


def failing(*, account_id: int | None = None, currency: str = "") -> tuple[Failed, ...]:
    """Invoices that were tried in vain and are open now, at most ``MOST_COUNTED``; moments are the invoice's own."""
    return tuple(store.failing(account_id=account_id, currency=currency, limit=MOST_COUNTED))


def failures(keys: Sequence[ObjectKey]) -> dict[ObjectKey, tuple[int, int, int]]:
    """The first and the newest failure of these invoices in unix seconds, and how many; those without are left out."""
    return store.failures(keys) if keys else {}


def these(keys: Sequence[ObjectKey]) -> dict[ObjectKey, Listed]:
    """Rows by their keys; those that stand in no list are left out."""
    return store.these(keys) if keys else {}


def ahead(
    reason: str,
    *,
    since: int,
    until: int,
    account_id: int | None = None,
    currency: str = "",
    limit: int = 50,
    after: str | None = None,
) -> tuple[tuple[Listed, ...], str | None]:
    """Subscriptions of which ``reason`` comes in ``[since, until)``, the soonest first, and the cursor of the next."""
    limit = max(1, min(limit, LARGEST_PAGE))
    values = _span(reason, since, until, account_id, currency)
    return _cut(reason, store.ahead(values, limit=limit + 1, after=_place(reason, after)), limit)


def spans(
    reason: str,
    *,
    since: int,
    until: int,
    length: int,
    account_id: int | None = None,
    currency: str = "",
    most: int = MOST_COUNTED,
) -> tuple[Span, ...]:
    """How many and how much of it, by spans of ``length`` seconds and currency; ``most`` are counted."""
    return tuple(store.spans(_span(reason, since, until, account_id, currency), length=length, most=most))


def _span(reason: str, since: int, until: int, account_id: int | None, currency: str) -> dict[str, Any]:
    return {"reason": reason, "since": since, "until": until, "account_id": account_id, "currency": currency}
