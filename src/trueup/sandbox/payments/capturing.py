"""What was authorized: captured, increased, or let go when its time is over."""

from __future__ import annotations

from trueup.sandbox.payment_methods import cards, errors
from trueup.sandbox.payments import charges, consequences, intents, refunds
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World, render

_RELEASED = (
    "The remaining amount on this PaymentIntent could not be captured because the remainder of the authorized amount "
    "has been released."
)
_TOO_LARGE = (
    "The payment could not be captured because the requested capture amount is greater than the amount you can capture "
    "for this charge. Contact us via https://support.stripe.com/contact/ for help."
)


def capture(world: World, intent: Obj, amount: int | None) -> Obj:
    """Take the authorized money, or a part of it and let the rest go. Raises Stripe's 400s."""
    if intent["status"] != "requires_capture":
        if intent["status"] == "succeeded" and intent["capture_method"] == "manual":
            raise errors.unexpected(intent, _RELEASED)
        message = (
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture."
        )
        raise errors.unexpected(intent, message)
    wanted = intent["amount_capturable"] if amount is None else amount
    beside = {"payment_intent": render(intent)}
    if wanted < 0:
        raise StripeError("Invalid non-negative integer", param="amount_to_capture", fields=beside)
    if wanted == 0:
        message = "This value must be greater than or equal to 1."
        raise StripeError(message, code="parameter_invalid_integer", param="amount", fields=beside)
    if wanted > intent["amount_capturable"]:
        raise errors.unexpected(intent, _TOO_LARGE, code="amount_too_large")
    charge = world.get("charge", intent["latest_charge"])
    world.unschedule("charge_settled", charge["id"])
    charge["captured"] = True
    charge["amount_captured"] = wanted
    charge["amount_refunded"] = 0
    charges.settle(world, charge)
    world.tell("charge.captured", charge)
    method = world.find("payment_method", charge["payment_method"])
    if method is not None:
        consequences.follow(world, charge, cards.behaviour(method))
    intent["amount_capturable"] = 0
    intent["amount_received"] = wanted
    intent["status"] = "succeeded"
    world.tell("payment_intent.succeeded", intent)
    world.signal("intent_settled", intent=intent, outcome="succeeded")
    return intent


def increment(world: World, intent: Obj, amount: int) -> Obj:
    """Authorize more: ``amount`` is the new whole. Raises Stripe's 400s."""
    if intent["status"] != "requires_capture":
        message = (
            f"This PaymentIntent could not be incremented because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be incremented: requires_capture."
        )
        raise errors.unexpected(intent, message)
    charge = world.get("charge", intent["latest_charge"])
    card = charge["payment_method_details"].get("card")
    if card is None or card["incremental_authorization"]["status"] != "available":
        message = (
            "This PaymentIntent is not eligible for incremental authorization. Set "
            "`payment_method_options[card][request_incremental_authorization]` to `if_available` when confirming it."
        )
        raise errors.unexpected(intent, message)
    if amount <= intent["amount"]:
        message = "The amount must be greater than the current amount of the PaymentIntent."
        raise invalid(message, param="amount")
    charge["amount"] = charge["payment_method_details"]["card"]["amount_authorized"] = amount
    card["overcapture"]["maximum_amount_capturable"] = amount
    intent["amount"] = intent["amount_capturable"] = amount
    world.tell("charge.updated", charge)
    world.tell("payment_intent.amount_capturable_updated", intent)
    return intent


def settled(world: World, charge_id: str) -> None:
    """What time brings to a charge: its balance transaction, the end of a debit, or the end of an authorization."""
    charge = world.get("charge", charge_id)
    intent = world.find("payment_intent", charge["payment_intent"])
    if charge["status"] == "pending" and intent is not None:
        _debited(world, intent, charge)
    elif charge["status"] == "succeeded" and not charge["captured"]:
        if intent is None:
            refunds.release(world, charge, expired=True)
        elif intent["status"] == "requires_capture":
            _expire(world, intent, charge)
    elif charge["status"] == "succeeded" and charge["balance_transaction"] is None:
        charges.settle(world, charge)
        world.tell("charge.updated", charge)


def _debited(world: World, intent: Obj, charge: Obj) -> None:
    method = world.get("payment_method", charge["payment_method"])
    decline = cards.behaviour(method).decline
    intent["processing"] = None
    if decline is None:
        charge["status"], charge["paid"] = "succeeded", True
        intents.succeeded(world, intent, method, charge)
        return
    charge["status"] = "failed"
    charge["captured"], charge["amount_captured"] = False, 0
    charge["failure_code"], charge["failure_message"] = decline.code, decline.message
    charge["outcome"] = charges.outcome(world, "normal", decline)
    intents.failed(world, intent, method, charge, errors.declined(decline, method, charge=charge["id"]))


def _expire(world: World, intent: Obj, charge: Obj) -> None:
    refunds.release(world, charge, expired=True)
    intent["amount_capturable"] = 0
    intent["canceled_at"] = world.now
    intent["cancellation_reason"] = "automatic"
    intent["status"] = "canceled"
    world.tell("payment_intent.canceled", intent)
    world.signal("intent_settled", intent=intent, outcome="canceled")
