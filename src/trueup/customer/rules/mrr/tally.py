"""MRR of subscriptions at a moment: items, their discounts, and the tax that prices contain, in that order.

Pure and total: an answer whatever the payloads hold. What they do not tell brings nothing and is named, so that
somebody can fetch it; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final, NamedTuple

from trueup.customer.rules.mrr.cycles import cycle_of
from trueup.customer.rules.mrr.discounts import Find, Line, counted, span, take_off
from trueup.customer.rules.mrr.policy import DEFAULT, Policy, counted_from
from trueup.customer.rules.mrr.prices import Pair, in_currency, lacking, months, per_period
from trueup.customer.rules.mrr.tax import contained
from trueup.mirror.upcast.shape import currency_of, id_of, listed, mapping

_NOBODY: Final[dict[str, Any]] = {}


class Cause(StrEnum):
    """What time alone does to the MRR of the same payloads."""

    BEGAN = "discount_began"
    ENDED = "discount_ended"
    RESUMED = "collecting_resumed"


class Turn(NamedTuple):
    """A moment, in unix seconds, at which time alone gave the same payloads another answer, and how."""

    at: int
    cause: Cause


class _Billed(NamedTuple):
    """An item that bills: its price in the subscription's currency, for one period and in months."""

    price: dict[str, Any]
    currency: str
    amount: Pair
    months: Pair


class Tally:
    """What subscriptions bring in per month, in minor units by currency, as fractions that are not reduced.

    ``changes_at`` is the next moment, in unix seconds, at which the same payloads give another answer, because a
    discount begins or ends, or a pause does; ``changed`` is the last that has come, of equal ones the greater cause.
    ``unknown`` says in sentences what could not be counted.
    """

    __slots__ = ("changed", "changes_at", "totals", "unknown")

    def __init__(self) -> None:
        self.totals: dict[str, Pair] = {}
        self.changed: Turn | None = None
        self.changes_at: int | None = None
        self.unknown: list[str] = []

    def bring(self, currency: str, part: Pair) -> None:
        """Add an amount per month."""
        total = self.totals.get(currency)
        if total is None:
            self.totals[currency] = part
        elif total[1] == part[1]:
            self.totals[currency] = total[0] + part[0], part[1]
        else:
            self.totals[currency] = total[0] * part[1] + part[0] * total[1], total[1] * part[1]

    def turn(self, moment: int, cause: Cause, at: int) -> None:
        """Note a moment at which the answer changes, seen from ``at``; the nearest to it on either side is kept."""
        if moment > at:
            self.changes_at = moment if self.changes_at is None else min(moment, self.changes_at)
        elif self.changed is None or self.changed < (moment, cause):
            self.changed = Turn(moment, cause)

    def add(
        self,
        subscription: dict[str, Any],
        *,
        find: Find,
        at: int,
        customer: dict[str, Any] = _NOBODY,
        policy: Policy = DEFAULT,
    ) -> None:
        """Add a subscription in the newest shape, as it stands at ``at`` (unix seconds, of Stripe's time).

        ``customer`` is its customer, whose discount counts where the subscription has none of its own. ``find`` gives
        prices, coupons and discounts that are only named.
        """
        since = counted_from(subscription, policy)
        if since is None:
            return
        if since > 0:
            self.turn(since, Cause.RESUMED, at)
            if since > at:
                return
        items = [item for item in listed(subscription.get("items")) if type(item) is dict]
        if mapping(subscription.get("items")).get("has_more") is True:
            self.unknown.append(f"{_name(subscription)}: not all of its items are known")
        told = listed(subscription.get("discounts"))
        others = [customer["discount"]] if customer.get("discount") is not None else []
        plain = not told and not others and not any(item.get("discounts") for item in items)
        lines: list[tuple[dict[str, Any], Line]] = []
        for item in items:
            billed = self._billed(subscription, item, find, policy)
            if billed is None:
                continue
            tax = contained(subscription, item, billed.price)
            if tax is None:
                self.unknown.append(f"{_name(item)}: the rate of the tax in its price is not known, and not taken out")
                tax = _UNTAXED
            amount, period = billed.amount, billed.months
            if plain and not tax:
                self.bring(billed.currency, (amount[0] * period[1], amount[1] * period[0]))
                continue
            line = Line(
                amount=Fraction(*amount),
                months=Fraction(*period),
                currency=billed.currency,
                product=id_of(billed.price.get("product")),
                cycle=cycle_of(subscription, item, billed.price["recurring"]),
                tax=tax,
            )
            lines.append((item, line))
        if lines:
            self._discounted(lines, told, others, find=find, at=at, policy=policy)

    def _billed(self, subscription: dict[str, Any], item: dict[str, Any], find: Find, policy: Policy) -> _Billed | None:
        """What an item bills for a period; ``None`` for what never is MRR, and for what is not told, which is noted."""
        price = item.get("price")
        if type(price) is not dict:
            price = find(price) if type(price) is str else None
        if not price:
            self.unknown.append(f"{_name(item)}: its price is not known")
            return None
        recurring = price.get("recurring")
        if type(recurring) is not dict or recurring.get("usage_type") == "metered":
            return None
        quantity = item.get("quantity")
        period = months(recurring, policy.week_basis)
        if period is None or type(quantity) is not int:
            self.unknown.append(f"{_name(item)}: its {'interval' if period is None else 'quantity'} is not known")
            return None
        currency = currency_of(subscription.get("currency")) or currency_of(price.get("currency"))
        price = _expanded(price, currency, find)
        told = in_currency(price, currency) if currency is not None else None
        if currency is None or told is None:
            self.unknown.append(f"{_name(item)}: its price in the subscription's currency is not known")
            return None
        amount = per_period(told, quantity)
        if amount is None:
            self.unknown.append(f"{_name(item)}: its price tells neither an amount nor the tiers")
            return None
        return _Billed(told, currency, amount, period)

    def _discounted(
        self,
        lines: list[tuple[dict[str, Any], Line]],
        told: list[Any],
        others: list[Any],
        *,
        find: Find,
        at: int,
        policy: Policy,
    ) -> None:
        """Take each item's discounts off it, then the subscription's off all, or else the customer's, then the tax."""
        for item, line in lines:
            self._take(listed(item.get("discounts")), [line], find=find, at=at, policy=policy)
        everything = [line for _, line in lines]
        if not self._take(told, everything, find=find, at=at, policy=policy):
            self._take(others, everything, find=find, at=at, policy=policy)
        for line in everything:
            monthly = line.amount / (1 + line.tax) / line.months
            self.bring(line.currency, (monthly.numerator, monthly.denominator))

    def _take(self, told: Iterable[object], lines: list[Line], *, find: Find, at: int, policy: Policy) -> bool:
        """Take discounts off the lines that they are running for; whether any was running, or may have been."""
        discounts, problems = counted(told, find, policy)
        self.unknown.extend(problems)
        any_running = bool(problems)
        for discount in discounts:
            spans = {cycle: span(discount, cycle, policy) for cycle in {line.cycle for line in lines}}
            for one in spans.values():
                if one is not None:
                    self.turn(one.start, Cause.BEGAN, at)
                    if one.until is not None:
                        self.turn(one.until, Cause.ENDED, at)
            running = [line for line in lines if (one := spans[line.cycle]) is not None and one.holds(at)]
            any_running = any_running or bool(running)
            problem = take_off(discount, running)
            if problem is not None:
                self.unknown.append(problem)
        return any_running


def _expanded(price: dict[str, Any], currency: str | None, find: Find) -> dict[str, Any]:
    """The price with its tiers and currencies, where it leaves them out and the price itself was read with them."""
    object_id = price.get("id")
    if not lacking(price, currency) or type(object_id) is not str:
        return price
    known = find(object_id) or {}
    more = {name: known[name] for name in ("tiers", "tiers_mode", "currency_options") if known.get(name) is not None}
    return price | more if more else price


_UNTAXED: Final = Fraction(0)


def _name(item: dict[str, Any]) -> str:
    return id_of(item) or "an item without an id"
