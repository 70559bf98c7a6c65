"""The tax that is contained in a price, which is never revenue."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from trueup.customer.rules.mrr.discounts import percentage
from trueup.mirror.upcast.shape import listed

_UNTAXED: Final = Fraction(0)


def contained(subscription: dict[str, Any], item: dict[str, Any], price: dict[str, Any]) -> Fraction | None:
    """The rate of the tax that a price contains: 1/5 for 20 %, 0 when the price is before tax.

    ``None`` when the price says that it contains tax and no rate is told, as with automatic tax, whose rates only
    invoices tell. An item's own rates stand in the place of its subscription's; several add up. Tax on top of a price
    never matters. Source: https://docs.stripe.com/billing/taxes/tax-rates#inclusive-vs-exclusive-tax
    """
    behavior = price.get("tax_behavior")
    if behavior == "exclusive":
        return _UNTAXED
    rates = listed(item.get("tax_rates")) or listed(subscription.get("default_tax_rates"))
    known = [
        share
        for rate in rates
        if type(rate) is dict
        and rate.get("inclusive") is True
        and (share := percentage(rate.get("percentage"))) is not None
    ]
    if not known and behavior == "inclusive":
        return None
    return sum(known, _UNTAXED)
