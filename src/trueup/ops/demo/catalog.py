"""What the invented business sells: two plans by month and by year in four currencies, and one launch coupon."""

from __future__ import annotations

from typing import Final

from trueup.ops.demo.engine import Engine, Json, nulls

AMOUNTS: Final[dict[str, dict[str, tuple[int, int]]]] = {
    "starter": {"usd": (2900, 29000), "eur": (2700, 27000), "gbp": (2500, 25000), "jpy": (4500, 45000)},
    "pro": {"usd": (7900, 79000), "eur": (7500, 75000), "gbp": (6900, 69000), "jpy": (12000, 120000)},
}
"""Minor units per seat, a month and a year, by plan and currency. A year costs ten months."""

PERCENT_OFF: Final = 20
COUPON_MONTHS: Final = 3

_NO_PRODUCT: Final = nulls("default_price package_dimensions shippable statement_descriptor tax_code url")
_NO_PRICE: Final = nulls("custom_unit_amount tiers_mode transform_quantity")


def product(engine: Engine, at: int, plan: str) -> Json:
    """A product in the shape of ``product.created``."""
    return {
        "id": engine.mint("prod_", 14),
        "object": "product",
        **_NO_PRODUCT,
        "active": True,
        "created": at,
        "description": f"The {plan.title()} plan, per seat",
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {"plan": plan},
        "name": plan.title(),
        "type": "service",
        "unit_label": "seat",
        "updated": at,
    }


def price(engine: Engine, at: int, of: Json, currency: str, interval: str) -> Json:
    """A licensed price of the product ``of``, by ``month`` or ``year``."""
    plan = of["metadata"]["plan"]
    amount = AMOUNTS[plan][currency][interval == "year"]
    recurring = {"interval": interval, "interval_count": 1, "usage_type": "licensed"}
    return {
        "id": engine.mint("price_1"),
        "object": "price",
        **_NO_PRICE,
        "active": True,
        "billing_scheme": "per_unit",
        "created": at,
        "currency": currency,
        "livemode": False,
        "lookup_key": f"{plan}_{interval}ly_{currency}",
        "metadata": {"plan": plan},
        "nickname": f"{of['name']} {interval}ly",
        "product": of["id"],
        "recurring": {**recurring, "meter": None, "trial_period_days": None},
        "tax_behavior": "unspecified",
        "type": "recurring",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def plan_of(of: Json) -> Json:
    """The legacy ``plan`` that Stripe still sends beside the price ``of``."""
    same = ("id", "active", "billing_scheme", "created", "currency", "livemode", "metadata", "nickname", "product")
    recurring = ("interval", "interval_count", "meter", "trial_period_days", "usage_type")
    return {
        **{key: of[key] for key in same},
        **{key: of["recurring"][key] for key in recurring},
        "object": "plan",
        "amount": of["unit_amount"],
        "amount_decimal": of["unit_amount_decimal"],
        "tiers_mode": None,
        "transform_usage": None,
    }


def coupon(engine: Engine, at: int) -> Json:
    """Twenty percent off for three months, a hundred times."""
    return {
        "id": engine.mint("", 8),
        "object": "coupon",
        **nulls("amount_off currency redeem_by"),
        "created": at,
        "duration": "repeating",
        "duration_in_months": COUPON_MONTHS,
        "livemode": False,
        "max_redemptions": 100,
        "metadata": {},
        "name": "Launch offer",
        "percent_off": PERCENT_OFF,
        "times_redeemed": 0,
        "valid": True,
    }


class Catalog:
    """The catalogue as Stripe knows it; made, and told as events, at ``at`` and the seconds after."""

    def __init__(self, engine: Engine, at: int) -> None:
        self._engine = engine
        self._prices: dict[tuple[str, str, str], Json] = {}
        for plan, currencies in AMOUNTS.items():
            of = product(engine, at, plan)
            engine.tell(at, "product.created", of, request=engine.call())
            for currency in currencies:
                for interval in ("month", "year"):
                    made = self._prices[plan, currency, interval] = price(engine, at + 10, of, currency, interval)
                    engine.tell(at + 10, "price.created", made, request=engine.call())
        self.coupon = coupon(engine, at + 20)
        engine.tell(at + 20, "coupon.created", self.coupon, request=engine.call())

    def price(self, plan: str, currency: str, interval: str) -> Json:
        """The price of one seat of the plan, by ``month`` or ``year``."""
        return self._prices[plan, currency, interval]

    def redeem(self, at: int, request: Json) -> str | None:
        """Use the coupon once and give its id; ``None`` when all redemptions are gone."""
        if not self.coupon["valid"]:
            return None
        times = self.coupon["times_redeemed"] + 1
        changes = {"times_redeemed": times, "valid": times < self.coupon["max_redemptions"]}
        self.coupon = self._engine.update(at, "coupon.updated", self.coupon, changes, request)
        return str(self.coupon["id"])
