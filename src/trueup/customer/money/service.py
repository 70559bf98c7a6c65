"""What others may ask of payments, invoices, refunds, disputes and subscriptions over all customers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from trueup.accounts import service as accounts
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer import service as customers
from trueup.customer import store
from trueup.customer.drain import catalog_ids
from trueup.customer.identity import merged
from trueup.customer.listing import service as listing
from trueup.customer.listing.types import Filters
from trueup.customer.money.types import PAYMENTS, Customer, Row, Total, Week
from trueup.customer.rules.declines import explain_error
from trueup.customer.rules.revenue import added, mrr_of, revenue
from trueup.customer.types import Mrr
from trueup.kernel.actor import Actor
from trueup.kernel.money import Money
from trueup.kernel.time import from_unix
from trueup.mirror import service as mirror
from trueup.mirror.money import service as money
from trueup.mirror.money.types import Listed, Order, Reason, Sum, Which
from trueup.mirror.service import CustomerKey
from trueup.mirror.types import MirrorObject, ObjectKey
from trueup.mirror.upcast.shape import mapping
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import clock, database
from trueup.runtime.recalling import Recalled

OBJECT_ID: Final = re.compile(r"(in|ch|py|pi|re|pyr|dp|du|sub)_[A-Za-z0-9_]{1,250}")
MOST_CUSTOMERS: Final = 200
"""So many customers of a search are looked at for what they paid."""
CHUNK: Final = 1_000
SMALL_CHUNK: Final = 200
"""Rows of which each is dressed with more than its own columns."""
REMEMBERED_SECONDS: Final = 30.0
WEEKS_REMEMBERED_SECONDS: Final = 300
MANY: Final = 2_000
"""Counting more than these takes long enough to be worth remembering."""
MOST_IN_WEEKS: Final = 400_000
"""Subscriptions that a chart of weeks counts; one walk along an index."""

_counted: Final = Recalled[tuple[Total, ...]](
    seconds=REMEMBERED_SECONDS, dear=lambda told: any(one.number > MANY for one in told)
)
_coming: Final = Recalled[Total](seconds=REMEMBERED_SECONDS, dear=lambda told: told.number > MANY)
_weeks: Final = Recalled[tuple[Week, ...]](
    seconds=WEEKS_REMEMBERED_SECONDS, dear=lambda told: sum(one.number for one in told) > MANY
)


def searched(which: Which, q: str) -> Which:
    """Narrowed to an object by its id, invoices by their number, or customers as the list of customers finds them.

    These are at most so many.
    """
    word = q.strip()
    if not word:
        return which
    if OBJECT_ID.fullmatch(word) is not None:
        return msgspec.structs.replace(which, object_id=word)
    if "invoice" in which.types and money.numbered(number := money.invoice_number(word)):
        return msgspec.structs.replace(which, number=number)
    found, _next = listing.rows(Filters(q=word), limit=MOST_CUSTOMERS)
    keys = [(row.account_id, row.livemode, row.stripe_customer_id) for row in found]
    groups = merged.groups(keys)
    every = [member for key in keys for member in (groups[key].keys if key in groups else (key,))]
    return msgspec.structs.replace(which, customers=tuple(dict.fromkeys(every)))


def rows(
    which: Which, *, order: Order = Order.NEWEST, limit: int = 50, after: str | None = None
) -> tuple[tuple[Row, ...], str | None]:
    """A page of objects with whose they are, and the cursor of the next; ``Refused`` for a cursor of another order."""
    found, following = money.rows(which, order=order, limit=limit, after=after)
    return dressed(found), following


def numbered(q: str, *, limit: int) -> tuple[Row, ...]:
    """Invoices that are called so, in any case; none for what can be no number."""
    number = money.invoice_number(q)
    return rows(Which(types=("invoice",), number=number), limit=limit)[0] if number else ()


def dressed(found: Sequence[Listed]) -> tuple[Row, ...]:
    """Rows with whose they are, what to call them, and why a payment failed; asks once for all."""
    slugs = {account.id: account.slug for account in accounts.accounts()}
    keys = {_customer_key(one) for one in found} - {None}
    names = customers.names([key for key in keys if key is not None])
    return tuple(_row(one, slugs.get(one.key.account_id, ""), names) for one in found)


def _customer_key(one: Listed) -> CustomerKey | None:
    return None if one.customer is None else (one.key.account_id, one.key.livemode, one.customer)


def _row(one: Listed, slug: str, names: dict[CustomerKey, str]) -> Row:
    key = _customer_key(one)
    known = one.amount is not None and one.currency is not None
    failed = one.key.object_type in PAYMENTS and one.status == "failed"
    error = one.data if one.key.object_type == "charge" else mapping(one.data.get("last_payment_error"))
    return Row(
        key=one.key,
        account_slug=slug,
        customer=None
        if key is None
        else Customer(id=store.own_id(key), stripe_customer_id=key[2], name=names.get(key, key[2])),
        status=one.status,
        amount=Money(minor=one.amount or 0, currency=one.currency or "") if known else None,
        made=from_unix(one.made),
        due=None if one.due is None else from_unix(one.due),
        reason=one.reason,
        failure=explain_error(error) if failed else None,
        data=one.data,
    )


def totals(which: Which) -> tuple[Total, ...]:
    """How many match and how much they are, by status, whatever statuses are asked for; by reason, of those alone.

    Where many are counted that is dear, and the answer may be half a minute old.
    """
    asked = which if which.reason else msgspec.structs.replace(which, statuses=())

    def ask() -> tuple[Total, ...]:
        found = money.sums(asked)
        return tuple(total_of(status, [one for one in found if one.status == status]) for status in _statuses(found))

    return _counted.of(asked, ask)


def _statuses(found: Sequence[Sum]) -> list[str]:
    return list(dict.fromkeys(one.status for one in found))


def total_of(status: str, sums: Sequence[Sum]) -> Total:
    """Sums of several currencies as one total; amounts of objects without a currency are in none."""
    amounts: dict[str, int] = {}
    for one in sums:
        if one.currency is not None:
            amounts[one.currency] = amounts.get(one.currency, 0) + one.amount
    return Total(
        status=status,
        number=sum(one.number for one in sums),
        amounts=tuple(Money(minor=minor, currency=currency) for currency, minor in sorted(amounts.items())),
        more=any(one.more for one in sums),
    )


def reasons(which: Which) -> tuple[Reason, ...]:
    """How often each of Stripe's codes was told, the most frequent first, of the newest that match."""
    return money.reasons(which)


def with_revenue(found: Sequence[Row], *, at: datetime | None = None) -> tuple[Row, ...]:
    """Rows of subscriptions with the MRR of each, as it stands now or at a moment; asks twice for all."""
    objects = mirror.objects([*{key for row in found for key in (row.key, _buyer(row)) if key is not None}])
    named = {
        ObjectKey(account_id=account_id, livemode=livemode, object_type=object_type, object_id=object_id)
        for (account_id, livemode, _id), group in objects.items()
        for object_type, object_id in catalog_ids(group)
    }
    catalog = mirror.objects(sorted(named, key=lambda key: (key.account_id, key.livemode, key.object_id)))
    now = int((at or clock.now()).timestamp())
    return tuple(_with_revenue(row, objects, catalog, now) for row in found)


def _buyer(row: Row) -> ObjectKey | None:
    if row.customer is None:
        return None
    return msgspec.structs.replace(row.key, object_type="customer", object_id=row.customer.stripe_customer_id)


_Objects = dict[CustomerKey, list[MirrorObject]]


def _with_revenue(row: Row, objects: _Objects, catalog: _Objects, now: int) -> Row:
    def find(object_id: str) -> dict[str, Any] | None:
        return _data(catalog, row.key, object_id)

    own = _data(objects, row.key, row.key.object_id)
    buyer = {} if row.customer is None else _data(objects, row.key, row.customer.stripe_customer_id)
    if own is None:
        return row
    told = revenue([own], customer=buyer or {}, find=find, at=now)
    return msgspec.structs.replace(row, mrr=told.mrr)


def _data(objects: _Objects, beside: ObjectKey, object_id: str) -> dict[str, Any] | None:
    return next((one.data for one in objects.get((beside.account_id, beside.livemode, object_id), ())), None)


def revenue_leaving(found: Sequence[Row]) -> tuple[Mrr, ...]:
    """The MRR of rows that ``with_revenue`` gave, together, one per currency."""
    together: dict[str, tuple[int, int]] = {}
    for row in found:
        for one in row.mrr:
            together[one.currency] = added(together.get(one.currency), (one.numerator, one.denominator))
    return tuple(mrr_of(currency, total) for currency, total in sorted(together.items()))


def ahead(
    reason: str,
    *,
    since: datetime,
    until: datetime,
    account_id: int | None = None,
    currency: str = "",
    limit: int = 50,
    after: str | None = None,
) -> tuple[tuple[Row, ...], str | None]:
    """Subscriptions that renew, end, or whose trial does, in ``[since, until)``, the soonest first."""
    found, following = money.ahead(
        reason,
        since=_second(since),
        until=_second(until),
        account_id=account_id,
        currency=currency,
        limit=limit,
        after=after,
    )
    return with_revenue(dressed(found), at=since), following


def coming(
    reason: str, *, since: datetime, until: datetime, account_id: int | None = None, currency: str = ""
) -> Total:
    """How many that are, and what they cost a period by price and quantity, before discounts and tax.

    Of many the answer may be half a minute old.
    """
    asked = (reason, _second(until) - _second(since), account_id, currency)
    return _coming.of(asked, lambda: _counted_ahead(reason, since, until, account_id, currency))


def _counted_ahead(reason: str, since: datetime, until: datetime, account_id: int | None, currency: str) -> Total:
    length = max(1, _second(until) - _second(since))
    found = money.spans(
        reason, since=_second(since), until=_second(until), length=length, account_id=account_id, currency=currency
    )
    number = sum(one.number for one in found)
    sums = [
        Sum(status=reason, currency=one.currency, number=one.number, amount=one.amount, more=False) for one in found
    ]
    return msgspec.structs.replace(total_of(reason, sums), more=number >= money.MOST_COUNTED)


def chunks_ahead(
    reason: str, *, since: datetime, until: datetime, account_id: int | None = None, currency: str = ""
) -> Iterator[tuple[Row, ...]]:
    """All rows of ``ahead``, some hundreds at a time."""
    after: str | None = None
    while True:
        found, after = ahead(
            reason, since=since, until=until, account_id=account_id, currency=currency, limit=SMALL_CHUNK, after=after
        )
        if found:
            yield found
        if after is None:
            return


def weeks(
    reason: str, *, since: datetime, number: int, currency: str, account_id: int | None = None
) -> tuple[Week, ...]:
    """The same week by week for one currency, at most ``MOST_IN_WEEKS`` subscriptions; some minutes old of many."""
    asked = (reason, number, currency, account_id)
    return _weeks.of(asked, lambda: _by_week(reason, _second(since), number, currency, account_id))


def usual_currency(reason: str, *, since: datetime, number: int, account_id: int | None = None) -> str:
    """The currency of most of what comes in so many weeks; empty where nothing does."""
    length = number * 7 * 86_400
    begins = _second(since)
    found = money.spans(reason, since=begins, until=begins + length, length=length, account_id=account_id)
    often = {one.currency: one.number for one in found if one.currency is not None}
    return max(often, key=lambda code: (often[code], code), default="")


def _by_week(reason: str, begins: int, number: int, currency: str, account_id: int | None) -> tuple[Week, ...]:
    length = 7 * 86_400
    until = begins + number * length
    found = {
        one.place: one
        for one in money.spans(
            reason,
            since=begins,
            until=until,
            length=length,
            account_id=account_id,
            currency=currency,
            most=MOST_IN_WEEKS,
        )
    }
    return tuple(
        Week(
            begins=from_unix(begins + place * length),
            number=found[place].number if place in found else 0,
            amount=found[place].amount if place in found else 0,
            unknown=found[place].unknown if place in found else 0,
        )
        for place in range(number)
    )


def _second(moment: datetime) -> int:
    return int(moment.timestamp())


def number_of(which: Which) -> int:
    """How many rows such a list has, of each status at most ``money.MOST_COUNTED`` counted."""
    found = money.sums(which)
    return sum(one.number for one in found if not which.statuses or one.status in which.statuses)


def begin_export(number: int, *, kind: str, told: str, by: Actor) -> None:
    """Note that somebody takes a list of so many rows away as a file, before the first of it leaves.

    ``kind`` is what it is a list of, ``told`` the filter as the page's address has it. The entry is committed first,
    because the file names customers.
    """
    operators.require(by, Permission.CUSTOMERS_EXPORT)
    with database.transaction() as connection:
        audit.record(
            connection,
            by=by,
            action=Action.MONEY_EXPORTED,
            object_type=kind,
            object_id="list",
            after={"rows": number, "filter": told},
        )


def chunks(which: Which) -> Iterator[tuple[Row, ...]]:
    """All objects that match, the oldest first, a thousand at a time; what is made meanwhile comes last."""
    after: str | None = None
    while True:
        found, after = rows(which, order=Order.OLDEST, limit=CHUNK, after=after)
        if found:
            yield found
        if after is None:
            return
