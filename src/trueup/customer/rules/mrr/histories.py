"""Histories of subscriptions as a file of metric cases tells them, and what they brought in.

The file's note says: a history is a list of object versions, each of which overrides the fields it names from ``at``
on; a day's exchange rate counts from the end of that day in UTC. What a case tells and this cannot read is refused as
``Unsupported``, never passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final, NamedTuple

from trueup.customer.rules.mrr.movements import Movement, Standing, is_involuntary, movements
from trueup.customer.rules.mrr.policy import Metered, Policy, is_paused
from trueup.customer.rules.mrr.tally import Tally
from trueup.kernel.errors import Refused
from trueup.kernel.money import exponent

_DAY: Final = 86_400
_INPUTS: Final = {"prices", "coupons", "subscriptions", "invoices", "fx", "usage", "attempts", "recoveries"}
_SUBSCRIPTION: Final = {"id", "customer", "currency", "history"}
_MOMENTS: Final[tuple[str, ...]] = ("trial_end", "cancel_at", "canceled_at", "ended_at", "billing_cycle_anchor")
_KEPT: Final[tuple[str, ...]] = (
    "status",
    "cancel_at_period_end",
    "cancellation_details",
    "status_details",
    "pause_collection",
)
_VERSION: Final = {"at", "items", "discounts", "tax_rate", *_MOMENTS, *_KEPT}
_ITEM: Final = {"id", "price", "quantity", "discounts"}
_UNNAMED: Final[dict[str, dict[str, Any]]] = {}
"""Prices and coupons stand in the versions themselves."""
_DISCOUNT: Final = {"coupon", "start", "end"}


class Unsupported(Exception):
    """A question, or something told, that cannot be answered for yet; the text is the reason."""


class Version(NamedTuple):
    """A subscription in Stripe's shape from ``at`` (unix seconds) until the next version."""

    at: int
    data: dict[str, Any]


class History(NamedTuple):
    """All versions of one subscription, in order of time, and when its first invoice with an amount was paid."""

    id: str
    customer: str
    versions: tuple[Version, ...]
    first_paid_at: int | None

    def at(self, moment: int) -> Version | None:
        """The version that holds at a moment."""
        return next((version for version in reversed(self.versions) if version.at <= moment), None)


class World(NamedTuple):
    """Everything that one case tells, and how it wants to be answered."""

    histories: tuple[History, ...]
    rates: tuple[tuple[int, Mapping[str, Fraction]], ...]
    """Base per unit of a currency, from a moment on, in order of time."""
    base: str
    policy: Policy


def world(inputs: dict[str, Any], *, base: str, policy: Policy) -> World:
    """Read the inputs of a case; ``Refused`` for what does not make sense, ``Unsupported`` for what is not read yet."""
    _only(inputs, _INPUTS, "the inputs")
    if policy.metered is not Metered.EXCLUDE:
        raise Unsupported(f"metered use is left out; `{policy.metered}` needs the series of usage, which comes later")
    paid: dict[object, int] = {}
    for invoice in inputs.get("invoices", ()):
        if invoice.get("amount_paid", 0) > 0 and invoice.get("paid_at") is not None:
            at, key = second(invoice["paid_at"]), invoice.get("subscription")
            paid[key] = min(at, paid.get(key, at))
    found = [
        _history(one, inputs.get("prices", {}), inputs.get("coupons", {}), paid)
        for one in inputs.get("subscriptions", ())
    ]
    rates = [
        (second(f"{day}T00:00:00Z") + _DAY, {currency: fraction(rate) for currency, rate in told.items()})
        for day, told in inputs.get("fx", {}).items()
    ]
    return World(tuple(found), tuple(sorted(rates, key=lambda rate: rate[0])), base, policy)


def mrr_at(told: World, moment: int) -> Fraction:
    """MRR of all subscriptions at a moment (unix seconds), in minor units of the base currency."""
    total = Fraction(0)
    for history in told.histories:
        for currency, amount in _totals(told, history, moment).items():
            total += amount * _rate(told, currency, moment)
    return total


def moved(told: World) -> list[tuple[str, Movement]]:
    """Every movement of every customer, in order of time."""
    by_customer: dict[str, list[History]] = {}
    for history in told.histories:
        by_customer.setdefault(history.customer, []).append(history)
    found = [
        (customer, movement)
        for customer, histories in by_customer.items()
        for movement in movements(_standings(told, histories), coalesce=told.policy.coalesce_minutes * 60)
    ]
    return sorted(found, key=lambda one: one[1].at)


def second(value: object) -> int:
    """Unix seconds of a moment with a time zone, as ISO 8601 writes it."""
    try:
        moment = datetime.fromisoformat(value) if type(value) is str else None
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise _unreadable(f"{value!r} is not a moment such as 2025-01-31T00:00:00Z")
    return int(moment.timestamp())


def fraction(value: object) -> Fraction:
    """An exact number: whole, or in a string as a decimal or a fraction."""
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise _unreadable(f"{value!r} is not an exact number such as 8000/3") from None


def _standings(told: World, histories: list[History]) -> list[Standing]:
    """What a customer brings in from each moment at which that may change."""
    moments = {moment for history in histories for moment in _moments(told, history)}
    brought: set[str] = set()
    standings = []
    for at in sorted(moments):
        total, paused = Fraction(0), False
        ended: list[tuple[int, bool]] = []
        for history in histories:
            version = history.at(at)
            totals = _totals(told, history, at)
            if totals.keys() - {told.base}:
                raise Unsupported(
                    "movements in another currency are taken at their month's opening rate, which comes later"
                )
            amount = totals.get(told.base, Fraction(0))
            total += amount
            if amount:
                brought.add(history.id)
            elif version is not None and history.id in brought:
                paused = paused or is_paused(version.data, told.policy, at)
                past = [one.data for one in history.versions if one.at <= at]
                ended.append((version.at, is_involuntary(past)))
        standings.append(Standing(at, total, paused, max(ended)[1] if ended else False))
    return standings


def _moments(told: World, history: History) -> Iterable[int]:
    """When what a subscription brings may change: with a version, its first payment, and its discounts."""
    if history.first_paid_at is not None:
        yield history.first_paid_at
    ends: list[int | None] = [version.at for version in history.versions[1:]]
    for version, end in zip(history.versions, [*ends, None], strict=True):
        at: int | None = version.at
        while at is not None and (end is None or at < end):
            yield at
            at = _tally(told, version, at).changes_at


def _totals(told: World, history: History, at: int) -> dict[str, Fraction]:
    version = history.at(at)
    unpaid = history.first_paid_at is None or at < history.first_paid_at
    if version is None or (told.policy.require_first_payment and unpaid):
        return {}
    return {currency: Fraction(*total) for currency, total in _tally(told, version, at).totals.items() if total[0]}


def _tally(told: World, version: Version, at: int) -> Tally:
    tally = Tally()
    tally.add(version.data, find=_UNNAMED.get, at=at, policy=told.policy)
    if tally.unknown:
        raise Unsupported(f"subscription {version.data['id']}: {tally.unknown[0]}")
    return tally


def _rate(told: World, currency: str, at: int) -> Fraction:
    """Minor units of the base for one minor unit of a currency."""
    if currency == told.base:
        return Fraction(1)
    rate = next((rates[currency] for since, rates in reversed(told.rates) if since <= at and currency in rates), None)
    if rate is None:
        raise Unsupported(f"no rate of {currency} is known at that moment")
    return rate * Fraction(10) ** (_exponent(told.base, told.policy) - _exponent(currency, told.policy))


def _exponent(currency: str, policy: Policy) -> int:
    if policy.zero_decimal is None or policy.three_decimal is None:
        return exponent(currency)
    return 0 if currency in policy.zero_decimal else 3 if currency in policy.three_decimal else 2


def _history(
    told: dict[str, Any], prices: dict[str, Any], coupons: dict[str, Any], paid: Mapping[object, int]
) -> History:
    name = f"subscription {told.get('id')}"
    _only(told, _SUBSCRIPTION, name)
    fields: dict[str, Any] = {}
    versions: list[Version] = []
    anchor: int | None = None
    intervals: set[str] = set()
    for one in told["history"]:
        _only(one, _VERSION, name)
        fields = {**fields, **one}
        # Stripe may tell of an end later than it was.
        ended = one.get("ended_at") if fields.get("status") == "canceled" else None
        at = second(ended if ended is not None else one["at"])
        data = _stripe(fields, prices, coupons)
        units = {str(item["price"]["recurring"]) for item in data["items"]["data"] if "recurring" in item["price"]}
        if anchor is None or (intervals and units and not intervals & units):
            # Another interval begins a period of its own.
            anchor = at
        intervals = units or intervals
        if fields.get("status") == "trialing" and fields.get("trial_end") is not None:
            anchor = second(fields["trial_end"])
        more = {"id": told["id"], "currency": told.get("currency"), "billing_cycle_anchor": anchor}
        versions.append(Version(at, {**more, **data}))
    versions.sort(key=lambda version: version.at)
    return History(told["id"], told["customer"], tuple(versions), paid.get(told["id"]))


def _stripe(fields: dict[str, Any], prices: dict[str, Any], coupons: dict[str, Any]) -> dict[str, Any]:
    """A version in Stripe's shape, with prices and coupons in it."""
    data: dict[str, Any] = {field: fields[field] for field in _KEPT if field in fields}
    data |= {field: second(fields[field]) for field in _MOMENTS if fields.get(field) is not None}
    rate = fields.get("tax_rate")
    items = []
    for item in fields.get("items", ()):
        _only(item, _ITEM, f"item {item.get('id')}")
        price = _named(prices, item.get("price"), "price")
        # One is what Stripe takes where a quantity is left out.
        items.append(
            {
                "id": item.get("id"),
                "price": price,
                "quantity": item.get("quantity", 1),
                "discounts": _discounts(item, coupons),
                "tax_rates": [{"inclusive": price.get("tax_behavior") == "inclusive", "percentage": _percent(rate)}],
            }
        )
    return {**data, "items": {"data": items}, "discounts": _discounts(fields, coupons)}


def _discounts(told: dict[str, Any], coupons: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for one in told.get("discounts") or ():
        _only(one, _DISCOUNT, "a discount")
        coupon = {"id": one.get("coupon"), **_named(coupons, one.get("coupon"), "coupon")}
        moments = {field: second(one[field]) for field in ("start", "end") if one.get(field) is not None}
        found.append({"source": {"type": "coupon", "coupon": coupon}, **moments})
    return found


def _percent(rate: object) -> str:
    """``0.20`` as the percentage that Stripe tells; no rate is a rate of nothing."""
    if rate is None:
        return "0"
    try:
        return f"{Decimal(str(rate)) * 100:f}"
    except InvalidOperation:
        raise _unreadable(f"{rate!r} is not a rate such as 0.20") from None


def _named(found: dict[str, Any], name: object, kind: str) -> dict[str, Any]:
    told = found.get(name) if type(name) is str else None
    if type(told) is not dict:
        raise _unreadable(f"there is no {kind} {name!r}")
    return told


def _only(told: dict[str, Any], known: set[str], name: str) -> None:
    unknown = sorted(told.keys() - known)
    if unknown:
        raise Unsupported(f"{name}: {', '.join(f'`{field}`' for field in unknown)} cannot be read yet")


def _unreadable(sentence: str) -> Refused:
    return Refused(sentence, code="case_file_invalid")
