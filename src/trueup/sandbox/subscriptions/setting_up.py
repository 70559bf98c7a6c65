"""Setup intents of subscriptions that begin without a payment: they ask for a method to charge later."""

from __future__ import annotations

from trueup.sandbox.payment_methods import cards, methods, setup_intents
from trueup.sandbox.subscriptions import timing
from trueup.sandbox.world.world import Obj, World


def begin(world: World, subscription: Obj) -> None:
    """Set ``pending_setup_intent`` where there is nothing to charge later, or its holder has to agree before."""
    customer = world.get("customer", subscription["customer"])
    method = methods.default_for(world, customer, subscription, None)
    if method is not None and cards.behaviour(method).authentication not in {"unless_set_up", "always"}:
        return
    intent = setup_intents.begin(world, customer=customer, payment_method=method)
    intent["$subscription"] = subscription["id"]
    subscription["pending_setup_intent"] = intent["id"]
    if method is not None:
        setup_intents.confirm(world, intent)


def settled(world: World, *, setup_intent: Obj, outcome: str) -> None:
    """Listens to setup intents: one that succeeded or was canceled is not pending any more."""
    subscription = world.find("subscription", setup_intent.get("$subscription"))
    if subscription is None or subscription["pending_setup_intent"] != setup_intent["id"]:
        return
    if outcome not in {"succeeded", "canceled"} or subscription["status"] in timing.ENDED:
        return
    subscription["pending_setup_intent"] = None
    kept = subscription["payment_settings"]["save_default_payment_method"]
    if outcome == "succeeded" and kept == "on_subscription":
        subscription["default_payment_method"] = setup_intent["payment_method"]
    world.tell("customer.subscription.updated", subscription)
