"""What others may ask about lists of customers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from trueup.accounts import service as accounts
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer.listing import store
from trueup.customer.listing.types import Filters, Product
from trueup.customer.types import CustomerRow, Stage
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Refused
from trueup.mirror import service as mirror
from trueup.mirror.money import service as invoices
from trueup.mirror.reconcile import service as reconcile
from trueup.mirror.service import CustomerKey
from trueup.mirror.types import ObjectKey
from trueup.mirror.upcast.shape import text
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import database
from trueup.runtime.pages import Page, decode_cursor, encode_cursor, invalid_cursor
from trueup.runtime.recalling import Recalled

LARGEST_PAGE: Final = 200
MOST_COUNTED: Final = 10_000
"""A list that is narrowed by more than words, stage and account is counted so far."""
LARGE: Final = 50_000
"""Counting so many customers takes long enough to be worth remembering."""
REMEMBERED_SECONDS: Final = 10.0
AMOUNT: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,20})?")
OBJECT_ID: Final = re.compile(r"[a-z]{2,12}(_[A-Za-z0-9]+)+")
SORTS: Final = tuple(f"{sign}{name}" for name in store.SORTS for sign in ("", "-"))
CHUNK: Final = 1_000

_counts: Final = Recalled[dict[Stage, int]](
    seconds=REMEMBERED_SECONDS, dear=lambda counted: sum(counted.values()) > LARGE
)
_totals: Final = Recalled[int](seconds=REMEMBERED_SECONDS, dear=lambda number: number > MOST_COUNTED)
_badges: Final = Recalled[int | None](seconds=REMEMBERED_SECONDS, dear=lambda _number: True)
_products: Final = Recalled[tuple[Product, ...]](seconds=60.0, dear=lambda _products: True)


def _slugs() -> dict[int, str]:
    return {account.id: account.slug for account in accounts.accounts()}


def _source(filters: Filters) -> store.Source:
    word = filters.q.strip()
    named: Sequence[CustomerKey] = ()
    if OBJECT_ID.fullmatch(word) and not word.startswith(("cus_", "tc_")):
        named = mirror.owners_of(word)
    elif number := invoices.invoice_number(word):
        named = [(one[0], one[1], one[2]) for one in invoices.numbered(number) if one[2] is not None]
    differing = reconcile.customers_differing(limit=store.FEW) if filters.differing else ()
    return store.source(filters, accounts=sorted(_slugs()), named=named, differing=differing)


def rows(
    filters: Filters, *, sort: str = "-last_event_at", limit: int = 50, after: str | None = None
) -> tuple[tuple[CustomerRow, ...], str | None]:
    """A page of customers and the cursor of the next; a leading hyphen in ``sort`` means descending.

    By ``trial_end`` only those are listed that are on trial. ``Refused`` for an unknown sort or cursor.
    """
    if sort not in SORTS:
        raise Refused(
            f"Customers cannot be sorted by {sort}.", code="sort_unknown", hint=f"One of: {', '.join(SORTS)}."
        )
    limit = max(1, min(limit, LARGEST_PAGE))
    return _page(_source(filters), sort=sort, limit=limit, after=_place(sort, after), slugs=_slugs())


def _page(
    found: store.Source, *, sort: str, limit: int, after: tuple[str, str] | None, slugs: dict[int, str]
) -> tuple[tuple[CustomerRow, ...], str | None]:
    told = store.page(
        found,
        sort=sort.lstrip("-"),
        descending=sort.startswith("-"),
        limit=limit + 1,
        after=after,
        slugs=slugs,
    )
    following = encode_cursor(sort, told[limit - 1][1], told[limit - 1][0].id) if len(told) > limit else None
    return tuple(row for row, _value in told[:limit]), following


def _place(sort: str, after: str | None) -> tuple[str, str] | None:
    if not after:
        return None
    by, value, identifier = decode_cursor(after, tuple[str, str, str])
    if by != sort:
        raise Refused(
            "The cursor `after` belongs to another order.",
            code="cursor_invalid",
            hint="Leave `after` out when the order changes.",
        )
    if not _sorts(by, value):
        raise invalid_cursor()
    return value, identifier


def _sorts(sort: str, value: str) -> bool:
    """Whether the database can compare ``value`` with the column that ``sort`` names."""
    if sort.endswith("mrr"):
        return AMOUNT.fullmatch(value) is not None
    if sort.endswith("name"):
        return True
    try:
        return datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        return False


def search(
    filters: Filters, *, sort: str = "-last_event_at", limit: int = 50, after: str | None = None
) -> Page[CustomerRow]:
    """A page of customers as ``rows`` gives it, counted.

    ``total`` is None where more than ``MOST_COUNTED`` match filters beyond words, stage and account.
    """
    data, following = rows(filters, sort=sort, limit=limit, after=after)
    if sort.lstrip("-") == "trial_end":
        filters = msgspec.structs.replace(filters, stage=Stage.TRIALING)
    return Page(data=data, next=following, total=total(filters))


def total(filters: Filters) -> int | None:
    """How many customers match; None for more than ``MOST_COUNTED`` of a list that is not ``plain``."""
    if filters.plain:
        numbers = counts(account_id=filters.account_id, q=filters.q)
        return sum(numbers.values()) if filters.stage is None else numbers[filters.stage]
    number = _totals.of(filters, lambda: store.count(_source(filters), limit=MOST_COUNTED))
    return None if number > MOST_COUNTED else number


def counts(*, account_id: int | None = None, q: str = "") -> dict[Stage, int]:
    """How many customers are in each stage, zeros included.

    In a large installation counting all of them takes as long as everything else of a list together, so that their
    numbers are remembered for ten seconds.
    """
    filters = Filters(q=q, account_id=account_id)
    return dict(_counts.of(filters, lambda: store.counts(_source(filters))))


def by_stage(filters: Filters) -> dict[Stage, int] | None:
    """How many in each stage match the other filters; None where ``total`` is."""
    others = msgspec.structs.replace(filters, stage=None)
    if others.plain:
        return counts(account_id=others.account_id, q=others.q)
    return None if total(others) is None else store.counts(_source(others))


def badge(filters: Filters) -> int | None:
    """``total`` for a number beside a name, which may be ten seconds old."""
    return _badges.of(filters, lambda: total(filters))


def products() -> tuple[Product, ...]:
    """What can be bought, by name: at most so many as fit a list to choose from. It may be a minute old."""
    return _products.of("", _products_now)


def _products_now() -> tuple[Product, ...]:
    found = mirror.search(type="product", limit=LARGEST_PAGE).data
    accounts_of = {account.slug: (account.id, account.livemode) for account in accounts.accounts()}
    keys = [
        ObjectKey(account_id=at[0], livemode=at[1], object_type="product", object_id=row.id)
        for row in found
        if (at := accounts_of.get(row.account_slug)) is not None
    ]
    data = {one.object_id: one.data for group in mirror.objects(keys).values() for one in group}
    named = [Product(id=one, name=text(fields.get("name")) or one) for one, fields in data.items()]
    return tuple(sorted(named, key=lambda one: one.name.casefold()))


def begin_export(filters: Filters, *, told: str, by: Actor) -> int:
    """Note that somebody takes these customers away as a file, before the first of them leaves; how many they are.

    ``told`` is the filter as the page's address has it. Personal data leaves with the file, so the entry is committed
    first.
    """
    operators.require(by, Permission.CUSTOMERS_EXPORT)
    number = store.count(_source(filters), limit=None)
    with database.transaction() as connection:
        audit.record(
            connection,
            by=by,
            action=Action.LIST_EXPORTED,
            object_type="customer",
            object_id="list",
            after={"customers": number, "filter": told},
        )
    return number


def chunks(filters: Filters, *, sort: str) -> Iterator[tuple[CustomerRow, ...]]:
    """All customers that match, a thousand at a time; whoever comes or goes meanwhile may be missed, nobody is twice.

    A customer whose place in the order changes meanwhile may be met at both.
    """
    found, slugs = _source(filters), _slugs()
    place: tuple[str, str] | None = None
    while True:
        data, following = _page(found, sort=sort, limit=CHUNK, after=place, slugs=slugs)
        if data:
            yield data
        if following is None:
            return
        place = _place(sort, following)
