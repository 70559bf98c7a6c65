"""What people do with a shop's catalogue: products, prices, coupons, codes and plans come, change and go."""

from __future__ import annotations

from typing import Final

from trueup.ops.simulation.asking import NAMES, Stripe, path_of, post
from trueup.ops.simulation.types import Json

COUPONS: Final = ("WELCOME", "SUMMER")
PRODUCTS: Final = ("prod_basic", "prod_plus")
PLANS: Final = ("plan_basic", "plan_plus")
CURRENCIES: Final = ("usd", "usd", "usd", "eur", "jpy")


def stock(me: Stripe) -> None:
    """A product, some with an id that was there before, and a price."""
    chosen = {"id": me.rng.choice(PRODUCTS)} if me.rng.random() < 0.5 else {}
    made = post(me, "/v1/products", name=me.rng.choice(NAMES), **chosen)
    if me.rng.random() < 0.8:
        price(me, made)


def price(me: Stripe, product: Json | None = None) -> None:
    """A price by the month, the year, or once."""
    product = product or me.any("product")
    recurring = me.rng.choice(({"interval": "month"}, {"interval": "month"}, {"interval": "year"}, None))
    more = {} if recurring is None else {"recurring": recurring}
    amount = me.rng.choice((900, 2900, 9900))
    post(me, "/v1/prices", product=product["id"], currency=me.rng.choice(CURRENCIES), unit_amount=amount, **more)


def reprice(me: Stripe) -> None:
    """A price is renamed, or taken out of the shop and put back."""
    found = me.any("price")
    for _ in range(me.rng.choice((1, 1, 2, 3))):
        post(me, path_of("price", found), **me.rng.choice(({"active": False}, {"active": True}, {"nickname": "new"})))


def restock(me: Stripe) -> None:
    """A product is renamed or goes, and may come back under its id."""
    found = me.any("product")
    if me.rng.random() < 0.5:
        for name in me.rng.choices(NAMES, k=me.rng.choice((1, 2, 3))):
            post(me, path_of("product", found), name=name)
        return
    me.ask("DELETE", path_of("product", found))
    if me.rng.random() < 0.6:
        me.turn(me.rng.choice((1, 1, 5)))
        post(me, "/v1/products", id=found["id"], name=me.rng.choice(NAMES))


def coupon(me: Stripe) -> None:
    """A coupon, under one of a few ids."""
    terms: Json = me.rng.choice(
        (
            {"percent_off": 20, "duration": "repeating", "duration_in_months": 3},
            {"percent_off": 50, "duration": "once"},
            {"amount_off": 500, "currency": "usd", "duration": "forever"},
        )
    )
    post(me, "/v1/coupons", id=me.rng.choice(COUPONS), **terms)


def recoupon(me: Stripe) -> None:
    """A coupon is renamed or goes, and may come back as another."""
    found = me.any("coupon")
    if me.rng.random() < 0.4:
        post(me, path_of("coupon", found), name=me.rng.choice(NAMES))
        return
    me.ask("DELETE", path_of("coupon", found))
    if me.rng.random() < 0.6:
        me.turn(me.rng.choice((1, 1, 5)))
        post(me, "/v1/coupons", id=found["id"], percent_off=me.rng.choice((5, 15)), duration="forever")


def promotion(me: Stripe) -> None:
    """A code for a coupon, or the end of one."""
    if me.rng.random() < 0.6:
        code = f"CODE{me.rng.randrange(1000)}"
        post(me, "/v1/promotion_codes", promotion={"type": "coupon", "coupon": me.any("coupon")["id"]}, code=code)
    else:
        post(me, path_of("promotion_code", me.any("promotion_code")), active=me.rng.random() < 0.5)


def plan(me: Stripe) -> None:
    """A plan, as prices were called, under an id of one's own; or the end of it."""
    if me.rng.random() < 0.5:
        post(
            me,
            "/v1/plans",
            id=me.rng.choice(PLANS),
            product=me.any("product")["id"],
            currency="usd",
            interval="month",
            amount=1500,
        )
        return
    found = me.any("plan")
    if me.ask("GET", "/v1/subscriptions", price=found["id"], status="all", limit=1)["data"]:
        # The sandbox's clocks stop at a renewal whose price is deleted.
        raise LookupError(found["id"])
    me.ask("DELETE", path_of("plan", found))
