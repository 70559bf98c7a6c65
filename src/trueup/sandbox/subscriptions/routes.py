"""Subscriptions and their items, as requests ask for them."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler, Timers
from trueup.sandbox.catalog import discounts
from trueup.sandbox.subscriptions import (
    canceling,
    creating,
    cycling,
    items,
    outcomes,
    pausing,
    pending,
    previews,
    setting_up,
    shapes,
    timing,
    updating,
)
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_ID: Final = "subscription_exposed_id"


def _get(world: World, call: Call, name: str = _ID) -> Obj:
    subscription = world.get("subscription", call.ids[name])
    world.follow(subscription)
    return subscription


def _retrieve(world: World, call: Call) -> Obj:
    return shapes.refreshed(world, _get(world, call))


def _update(world: World, call: Call) -> Obj:
    return updating.update(world, _get(world, call), call.params)


def _cancel(world: World, call: Call) -> Obj:
    subscription = _get(world, call)
    canceling.cancel(
        world,
        subscription,
        prorate=bool(call.value("prorate")),
        invoice_now=bool(call.value("invoice_now")),
        details=call.value("cancellation_details") or {},
    )
    return subscription


def _pause(world: World, call: Call) -> Obj:
    subscription = _get(world, call, "subscription")
    pausing.pause(world, subscription, call.params)
    return subscription


def _resume(world: World, call: Call) -> Obj:
    subscription = _get(world, call, "subscription")
    pausing.resume(world, subscription, call.params)
    return subscription


def _migrate(world: World, call: Call) -> Obj:
    subscription = _get(world, call, "subscription")
    mode = call.params["billing_mode"]
    if subscription["billing_mode"]["type"] == "flexible":
        message = "This subscription already has `billing_mode[type]=flexible`."
        raise invalid(message, param="billing_mode[type]")
    shown = (mode.get("flexible") or {}).get("proration_discounts", "included")
    subscription["billing_mode"] = {
        "flexible": {"proration_discounts": shown},
        "type": "flexible",
        "updated_at": world.now,
    }
    world.tell("customer.subscription.updated", subscription)
    return subscription


def _delete_discount(world: World, call: Call) -> Obj:
    subscription = _get(world, call)
    if not subscription["discounts"]:
        message = f"No active discount for subscription: {subscription['id']}"
        raise invalid(message, code="resource_missing")
    found = discounts.active(world, subscription["discounts"][-1]) or {}
    discounts.end(world, str(found["id"]))
    return {**found, "deleted": True}


def _list(world: World, call: Call) -> Obj:
    status = call.value("status")
    keep = _keep(call, status)
    single = status if status not in {None, "all", "ended"} else None
    where: dict[str, Any] = {
        "customer": call.value("customer"),
        "_prices": call.value("price") or call.value("plan"),
        "test_clock": call.value("test_clock"),
        "status": single,
        "collection_method": call.value("collection_method"),
    }
    found = pages.page(world, call, "subscription", keep=keep, **where)
    return {**found, "data": [shapes.refreshed(world, one) for one in found["data"]]}


def _keep(call: Call, status: str | None) -> Any:
    spans = {
        name: call.params[f"current_{name}"] for name in ("period_start", "period_end") if call.given(f"current_{name}")
    }

    def keep(subscription: Obj) -> bool:
        ended = subscription["status"] in timing.ENDED
        if (status is None and subscription["status"] == "canceled") or (status == "ended" and not ended):
            return False
        return all(
            any(pages.within(item[f"current_{name}"], span) for item in subscription["items"]["data"])
            for name, span in spans.items()
        )

    return keep


# --- items ------------------------------------------------------------------------------------------------------------


def _item(world: World, call: Call) -> Obj:
    return items.holder(world, call.ids["item"])[1]


def _items(world: World, call: Call) -> Obj:
    subscription = world.get("subscription", call.params["subscription"], param="subscription")
    return pages.of(call, reversed(subscription["items"]["data"]), kind="subscription_item")


_SHARED: Final = (
    "payment_behavior",
    "proration_behavior",
    "proration_date",
    "off_session",
)


def _change(world: World, subscription: Obj, call: Call, change: dict[str, Any]) -> None:
    world.follow(subscription)
    shared = {name: call.params[name] for name in _SHARED if call.given(name)}
    updating.update(world, subscription, {**shared, "items": [change]})


def _own(call: Call) -> dict[str, Any]:
    return {name: value for name, value in call.params.items() if name not in {*_SHARED, "subscription"}}


def _create_item(world: World, call: Call) -> Obj:
    subscription = world.get("subscription", call.params["subscription"], param="subscription")
    had = {item["id"] for item in subscription["items"]["data"]}
    price = call.value("price") or call.value("plan")
    if any(item["price"]["id"] == price for item in subscription["items"]["data"]):
        message = (
            f"Cannot add multiple subscription items with the same plan: {price}. "
            "Update the quantity of the existing item."
        )
        raise invalid(message, param="price")
    _change(world, subscription, call, _own(call))
    return next(item for item in subscription["items"]["data"] if item["id"] not in had)


def _update_item(world: World, call: Call) -> Obj:
    subscription, item = items.holder(world, call.ids["item"])
    _change(world, subscription, call, {**_own(call), "id": item["id"]})
    return next(one for one in subscription["items"]["data"] if one["id"] == item["id"])


def _delete_item(world: World, call: Call) -> Obj:
    subscription, item = items.holder(world, call.ids["item"])
    _change(world, subscription, call, {"id": item["id"], "deleted": True})
    return {"id": item["id"], "object": "subscription_item", "deleted": True}


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/subscriptions": creating.create,
    "GET /v1/subscriptions": _list,
    f"GET /v1/subscriptions/{{{_ID}}}": _retrieve,
    f"POST /v1/subscriptions/{{{_ID}}}": _update,
    f"DELETE /v1/subscriptions/{{{_ID}}}": _cancel,
    f"DELETE /v1/subscriptions/{{{_ID}}}/discount": _delete_discount,
    "POST /v1/subscriptions/{subscription}/pause": _pause,
    "POST /v1/subscriptions/{subscription}/resume": _resume,
    "POST /v1/subscriptions/{subscription}/migrate": _migrate,
    "POST /v1/subscription_items": _create_item,
    "GET /v1/subscription_items": _items,
    "GET /v1/subscription_items/{item}": _item,
    "POST /v1/subscription_items/{item}": _update_item,
    "DELETE /v1/subscription_items/{item}": _delete_item,
}

TIMERS: Final[Timers] = {
    "trial_will_end": cycling.trial_will_end,
    "trial_end": cycling.trial_end,
    "cancel_at": canceling.cancel_at,
    "resume_collection": pausing.resume_collection,
    "upcoming": cycling.announce,
    "cycle": cycling.cycle,
    "incomplete_expiry": canceling.incomplete_expiry,
    "pending_update_expiry": pending.expiry,
}

SIGNALS: Final[dict[str, Any]] = {
    "invoice_paid": outcomes.paid,
    "invoice_payment_failed": outcomes.payment_failed,
    "invoice_voided": outcomes.voided,
    "invoice_uncollectible": outcomes.uncollectible,
    "invoice_overdue": outcomes.overdue,
    "retries_exhausted": outcomes.retries_exhausted,
    "setup_settled": setting_up.settled,
    "customer_deleted": canceling.customer_deleted,
    "preview_subscription": previews.preview,
}
