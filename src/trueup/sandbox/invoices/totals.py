"""What an invoice adds up to. Pure: lines and terms in, amounts out, whole minor units throughout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from trueup.kernel.records import Record
from trueup.sandbox.world.world import Obj

Shares = Callable[[Sequence[int], Obj, str], list[int]]
"""``catalog.discounts.shares``: what a coupon takes off each of some amounts."""


class Terms(Record, frozen=True):
    """What a discount takes off, and of which products (all, where None)."""

    discount: str
    coupon: Obj
    products: frozenset[str] | None = None


def discount(
    lines: Sequence[Obj], terms: Mapping[str, Terms], of_invoice: Sequence[str], currency: str, shares: Shares
) -> None:
    """Write ``discount_amounts`` and ``pretax_credit_amounts`` of all lines: their own discounts, then the invoice's.

    Each is taken off what those before it left; a line that has nothing to give shows 0. Discounts that ``terms`` does
    not know take nothing. Source:
    https://docs.stripe.com/billing/subscriptions/coupons#multiple-discounts
    """
    left = [line["amount"] if line["discountable"] and line["amount"] > 0 else 0 for line in lines]
    found: list[list[tuple[str, int]]] = [[] for _ in lines]

    def take(places: Sequence[int], name: str) -> None:
        amounts = shares([left[place] for place in places], terms[name].coupon, currency) if places else []
        for place, amount in zip(places, amounts, strict=True):
            left[place] -= amount
            found[place].append((name, amount))

    for at, line in enumerate(lines):
        for name in line["discounts"]:
            if name in terms:
                take([at], name)
    for name in of_invoice:
        if name in terms:
            products = terms[name].products
            take([at for at, line in enumerate(lines) if products is None or _product(line) in products], name)
    for line, amounts in zip(lines, found, strict=True):
        line["discount_amounts"] = [{"amount": amount, "discount": name} for name, amount in amounts]
        line["pretax_credit_amounts"] = [
            {"amount": amount, "discount": name, "type": "discount"} for name, amount in amounts
        ]


def add_up(invoice: Obj) -> None:
    """Write the invoice's subtotal, discounts and total from its lines."""
    lines = invoice["lines"]["data"]
    subtotal = sum(line["amount"] for line in lines)
    sums: dict[str, int] = {}
    for line in lines:
        for one in line["discount_amounts"]:
            sums[one["discount"]] = sums.get(one["discount"], 0) + one["amount"]
    total = subtotal - sum(sums.values())
    invoice["subtotal"] = invoice["subtotal_excluding_tax"] = subtotal
    invoice["total"] = invoice["total_excluding_tax"] = total
    invoice["total_discount_amounts"] = [{"amount": amount, "discount": name} for name, amount in sums.items()]
    invoice["total_pretax_credit_amounts"] = [
        {"amount": amount, "discount": name, "type": "discount"} for name, amount in sums.items()
    ]
    invoice["total_taxes"] = []


def settled(total: int, balance: int, minimum: int) -> tuple[int, int]:
    """(amount due, the customer's balance afterwards) of an invoice, from the balance before; a credit is negative.

    What is less than the ``minimum`` charge is not asked for: it becomes a debt in the balance.
    """
    due = total + balance
    if due <= 0:
        return 0, due
    return (due, 0) if due >= minimum else (0, due)


def _product(line: Obj) -> str | None:
    pricing = line["pricing"]
    product: str | None = pricing["price_details"]["product"] if pricing else None
    return product
