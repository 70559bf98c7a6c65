"""Who made what an event tells happen, as far as the event really says so. Pure and total."""

from __future__ import annotations

from typing import Final

from trueup.customer.types import EntryActor, EntryActorKind
from trueup.mirror.types import Fact, Request
from trueup.mirror.upcast.shape import mapping, text, whole

_BANKS: Final = frozenset({"charge.dispute.closed", "charge.dispute.created", "radar.early_fraud_warning.created"})
"""What the bank of whoever paid decides: Stripe passes it on, unless a request of yours did it."""


def actor_of(fact: Fact) -> EntryActor | None:
    """Who acted; ``None`` where the event does not say.

    The customer is named only where the payload shows its own doing: a reason that it gave for leaving, or a bank
    transfer that came in. A renewal, a retry or a timer has no request, and is Stripe's own doing.
    """
    request = fact.request or Request(id=None, idempotency_key=None)
    if _is_the_customers(fact):
        kind, told = EntryActorKind.CUSTOMER, "by the customer"
    elif fact.request is None:
        return None
    elif request.id is not None:
        kind, told = EntryActorKind.API, f"by an API call {request.id}"
    elif fact.event_type in _BANKS:
        kind, told = EntryActorKind.BANK, "by the customer's bank"
    else:
        kind, told = EntryActorKind.STRIPE, "by Stripe itself"
    return EntryActor(kind=kind, told=told, request_id=request.id, idempotency_key=request.idempotency_key)


def _is_the_customers(fact: Fact) -> bool:
    match fact.event_type:
        case "customer.subscription.updated":
            # Feedback and comment are the customer's own, by Stripe's definition; here they have just been given.
            before = mapping(mapping(fact.previous).get("cancellation_details"))
            return any(name in before and before[name] != said for name, said in _said(fact).items())
        case "customer.subscription.deleted":
            # What is said stays; only where it ended the moment it was canceled did the customer end it, not the time.
            at_once = whole(fact.data.get("canceled_at"))
            return bool(_said(fact)) and at_once is not None and at_once == whole(fact.data.get("ended_at"))
        case "customer_cash_balance_transaction.created":
            return fact.data.get("type") == "funded"
        case _:
            return False


def _said(fact: Fact) -> dict[str, str]:
    """What the customer said about leaving.

    Source: https://docs.stripe.com/api/subscriptions/object#subscription_object-cancellation_details
    """
    details = mapping(fact.data.get("cancellation_details"))
    return {name: said for name in ("comment", "feedback") if (said := text(details.get(name))) is not None}
