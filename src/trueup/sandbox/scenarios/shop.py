"""What the invented business sells, made through the API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

Obj = dict[str, Any]

AMOUNTS: Final[dict[str, dict[str, tuple[int, int]]]] = {
    "starter": {"usd": (2900, 29000), "eur": (2700, 27000), "gbp": (2500, 25000), "jpy": (4500, 45000)},
    "pro": {"usd": (7900, 79000), "eur": (7500, 75000), "gbp": (6900, 69000), "jpy": (12000, 120000)},
}
"""Minor units per seat, a month and a year, by plan and currency. A year costs ten months."""

VOLUME: Final[dict[str, tuple[tuple[int | str, int], ...]]] = {
    "usd": ((10, 2400), (50, 1900), ("inf", 1500)),
    "eur": ((10, 2200), (50, 1800), ("inf", 1400)),
    "gbp": ((10, 2000), (50, 1600), ("inf", 1200)),
    "jpy": ((10, 3600), (50, 2900), ("inf", 2200)),
}
"""The Team plan is graduated: up to so many seats at so much a month each."""

PERCENT_OFF: Final = 20
COUPON_MONTHS: Final = 3
CODE: Final = "LAUNCH20"

_KEY: Final = re.compile(r"(starter|pro|team)_(month|year)_[a-z]{3}|setup_once_usd")


class Stripe(Protocol):
    """What scenarios ask of a sandbox: the API without HTTP, and its own clock."""

    @property
    def now(self) -> int:
        """The unix second that its clock shows."""
        ...

    def request(self, method: str, path: str, params: Mapping[str, Any] | None = None) -> Obj:
        """Ask the API. Raises ``Refused`` for an error."""
        ...

    def advance(self, to: int) -> int:
        """Turn the clock to a unix second."""
        ...


class Shop:
    """The catalogue of a sandbox: found where it is there already, made where not."""

    def __init__(self, stripe: Stripe) -> None:
        self._prices: dict[tuple[str, str, str], str] = {}
        listed = self._all(stripe)
        if not listed:
            self._make(stripe)
            listed = self._all(stripe)
        for price in listed:
            plan, interval, currency = price["lookup_key"].split("_")
            self._prices[plan, interval, currency] = price["id"]
        self.setup = next(p["id"] for p in listed if p["lookup_key"] == "setup_once_usd")
        found = stripe.request("GET", "/v1/promotion_codes", {"code": CODE})["data"]
        self.promotion_code = found[0]["id"]
        self.coupon = found[0]["promotion"]["coupon"]

    def price(self, plan: str, interval: str, currency: str) -> str:
        """The price of ``starter`` or ``pro`` by ``month`` or ``year``, or of ``team`` by ``month``."""
        return self._prices[plan, interval, currency]

    def plan_of(self, price: str) -> tuple[str, str, str]:
        """Plan, interval and currency of a price."""
        return next(key for key, found in self._prices.items() if found == price)

    def _all(self, stripe: Stripe) -> list[Obj]:
        """Our prices; others may have made prices too."""
        found: list[Obj] = []
        page = stripe.request("GET", "/v1/prices", {"limit": 100})
        while page["data"]:
            found += [price for price in page["data"] if _KEY.fullmatch(price["lookup_key"] or "")]
            page = stripe.request("GET", "/v1/prices", {"limit": 100, "starting_after": page["data"][-1]["id"]})
        return found

    def _make(self, stripe: Stripe) -> None:
        for plan, amounts in AMOUNTS.items():
            product = _product(stripe, plan)
            for currency, (month, year) in amounts.items():
                for interval, amount in (("month", month), ("year", year)):
                    _price(stripe, product, plan, interval, currency, unit_amount=amount)
        team = _product(stripe, "team")
        for currency, tiers in VOLUME.items():
            steps = [{"up_to": up_to, "unit_amount": amount} for up_to, amount in tiers]
            _price(
                stripe, team, "team", "month", currency, billing_scheme="tiered", tiers_mode="graduated", tiers=steps
            )
        setup = stripe.request("POST", "/v1/products", {"name": "Setup", "metadata": {"plan": "setup"}})
        params = {"product": setup["id"], "currency": "usd", "unit_amount": 19900, "lookup_key": "setup_once_usd"}
        stripe.request("POST", "/v1/prices", params)
        coupon = stripe.request(
            "POST",
            "/v1/coupons",
            {
                "name": "Launch",
                "percent_off": PERCENT_OFF,
                "duration": "repeating",
                "duration_in_months": COUPON_MONTHS,
            },
        )
        stripe.request(
            "POST", "/v1/promotion_codes", {"promotion": {"type": "coupon", "coupon": coupon["id"]}, "code": CODE}
        )


def _product(stripe: Stripe, plan: str) -> Obj:
    return stripe.request(
        "POST",
        "/v1/products",
        {
            "name": plan.title(),
            "description": f"The {plan.title()} plan, per seat",
            "unit_label": "seat",
            "metadata": {"plan": plan},
        },
    )


def _price(stripe: Stripe, product: Obj, plan: str, interval: str, currency: str, **amount: Any) -> None:
    stripe.request(
        "POST",
        "/v1/prices",
        {
            "product": product["id"],
            "currency": currency,
            "recurring": {"interval": interval},
            "nickname": f"{product['name']} {interval}ly",
            "lookup_key": f"{plan}_{interval}_{currency}",
            "metadata": {"plan": plan},
            **amount,
        },
    )
