"""Lives that a subscription schedule changes."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.scenarios.life import Life, Lived
from trueup.sandbox.scenarios.shop import Obj

INCREASE_PERCENT: Final = 10
"""By how much the price of ``price_increase`` rises."""


def scheduled_downgrade(me: Life) -> Lived:
    """From Pro to Starter when the period that is paid for ends, by a schedule."""
    me.sign_up()
    me.card()
    me.subscribe("pro")
    yield me.between(30, 100)
    if me.calm():
        _next_period(me, me.shop.price("starter", "month", me.company.place.currency), metadata={"plan": "starter"})


def price_increase(me: Life) -> Lived:
    """Pays a tenth more from the next period on, by a schedule."""
    me.sign_up()
    me.card()
    me.subscribe("starter")
    yield me.between(30, 100)
    if me.calm():
        _next_period(me, _dearer(me)["id"])


def _next_period(me: Life, price: str, **more: object) -> None:
    """Schedule another price for the end of the current period; the schedule lets the subscription go after one."""
    schedule = me.ask("POST", "/v1/subscription_schedules", from_subscription=me.subscription["id"])
    present, quantity = schedule["phases"][0], me.item["quantity"]
    discounts = [{"discount": one["discount"]} for one in present["discounts"]]
    terms = {"discounts": discounts} if discounts else {}
    me.ask(
        "POST",
        f"/v1/subscription_schedules/{schedule['id']}",
        end_behavior="release",
        phases=[
            {
                "start_date": present["start_date"],
                "end_date": present["end_date"],
                "items": [{"price": me.item["price"]["id"], "quantity": quantity}],
                **terms,
            },
            {
                "duration": {"interval": "month"},
                "items": [{"price": price, "quantity": quantity}],
                "proration_behavior": "none",
                **terms,
                **more,
            },
        ],
    )


def _dearer(me: Life) -> Obj:
    """The price that follows the subscription's, made by the first who needs it."""
    old = me.item["price"]
    listed = me.ask("GET", "/v1/prices", product=old["product"], limit=100)["data"]
    known: Obj | None = next((one for one in listed if one["metadata"].get("follows") == old["id"]), None)
    if known is not None:
        return known
    return me.ask(
        "POST",
        "/v1/prices",
        product=old["product"],
        currency=old["currency"],
        unit_amount=old["unit_amount"] * (100 + INCREASE_PERCENT) // 100,
        recurring={"interval": old["recurring"]["interval"]},
        nickname=old["nickname"],
        metadata={**old["metadata"], "follows": old["id"]},
    )
