"""The account that the recordings are of: its name, its products and prices, its coupons."""

from __future__ import annotations

import re
from typing import Final

from trueup.sandbox.server.engine import Engine

_NAME: Final = "Pay"
_DESCRIPTOR: Final = "PAY RAILS"

PRODUCTS: Final = (
    "id=prod_EYTX7RYhRjcwKD&name=Test Subscription",
    "id=prod_IxQQWtyij0rvGp&name=T-Shirt",
    "id=prod_J54YfEqBTZfFes&name=Default",
)
"""Forms of ``POST /v1/products``: Stripe lets these ids be chosen."""

UNIT: Final = ("/v1/products/prod_EYTX7RYhRjcwKD", "unit_label=user")
"""What was changed between recordings: how the product's lines count what is sold."""

BEFORE_UNIT: Final = re.compile(r"\d+ \W Test Subscription\b")
"""What lines of the product begin with that are of before; the sign between is one of multiplication."""

PRICES: Final = {
    "default": "product=prod_EYTX7RYhRjcwKD&nickname=Default&unit_amount=1000&recurring[interval]=month",
    "small-monthly": "product=prod_EYTX7RYhRjcwKD&nickname=Small Monthly&unit_amount=2500&recurring[interval]=month",
    "small-annual": "product=prod_EYTX7RYhRjcwKD&nickname=Small Annual&unit_amount=25000&recurring[interval]=year",
    "price_1JNJJkKXBGcbgpbZuOiH3XJK": "product=prod_EYTX7RYhRjcwKD&unit_amount=1900&recurring[interval]=month",
    "price_1ILVZaKXBGcbgpbZQ26kgXWG": "product=prod_IxQQWtyij0rvGp&unit_amount=1500",
    "price_1ISuPKQK2ZHS99Rkrxy6GwbM": "product=prod_J54YfEqBTZfFes&unit_amount=1000&recurring[interval]=month",
}
"""Forms of ``POST /v1/prices`` by the ids that the recordings know the prices by. ``tax_behavior`` was changed between
recordings: it is taken from the one in hand."""

COUPONS: Final = (
    "id=10BUCKS&name=$10 Test&amount_off=1000&currency=usd&duration=forever",
    "id=10OFF&name=10% Off&percent_off=10&duration=forever",
    "id=sirmAxRi&percent_off=50&duration=forever",
)
"""Forms of ``POST /v1/coupons``."""


def name(engine: Engine) -> None:
    """Give the sandbox's account the name that invoices and statements show."""
    with engine.change() as world:
        (account,) = world.select("account")
        account["business_profile"]["name"] = _NAME
        account["settings"]["dashboard"]["display_name"] = _NAME
        account["settings"]["payments"]["statement_descriptor"] = _DESCRIPTOR
