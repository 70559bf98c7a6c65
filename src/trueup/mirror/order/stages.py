"""Which courses of Stripe's objects cannot be turned back, and which events are births.

Only used between facts of one second that ``previous_attributes`` does not connect: an event that shows a later stage
is later. Statuses that an object can return to share a stage. A status that is not listed has no stage, and then
nothing is concluded: enums are open.
"""

from __future__ import annotations

from typing import Any, Final

_STAGES: Final[dict[str, dict[str, int]]] = {
    # https://docs.stripe.com/invoicing/overview#invoice-statuses
    "invoice": {"draft": 0, "open": 1, "uncollectible": 2, "paid": 3, "void": 3},
    # https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
    "subscription": {
        "incomplete": 0,
        "trialing": 1,
        "active": 1,
        "past_due": 1,
        "unpaid": 1,
        "paused": 1,
        "canceled": 2,
        "incomplete_expired": 2,
    },
    # https://docs.stripe.com/payments/paymentintents/lifecycle
    "payment_intent": {
        "requires_payment_method": 0,
        "requires_confirmation": 0,
        "requires_action": 0,
        "processing": 0,
        "requires_capture": 0,
        "succeeded": 1,
        "canceled": 1,
    },
    # https://docs.stripe.com/payments/setupintents/lifecycle
    "setup_intent": {
        "requires_payment_method": 0,
        "requires_confirmation": 0,
        "requires_action": 0,
        "processing": 0,
        "succeeded": 1,
        "canceled": 1,
    },
    # https://docs.stripe.com/api/charges/object#charge_object-status
    "charge": {"pending": 0, "succeeded": 1, "failed": 1},
    # https://docs.stripe.com/quotes/overview#status-transitions
    "quote": {"draft": 0, "open": 1, "accepted": 2, "canceled": 2},
    # https://docs.stripe.com/billing/subscriptions/subscription-schedules
    "subscription_schedule": {"not_started": 0, "active": 1, "completed": 2, "released": 2, "canceled": 2},
    # https://docs.stripe.com/api/checkout/sessions/object#checkout_session_object-status
    "checkout.session": {"open": 0, "complete": 1, "expired": 1},
    # https://docs.stripe.com/api/credit_notes/object#credit_note_object-status
    "credit_note": {"issued": 0, "void": 1},
}

_FIRST_EVENTS: Final = frozenset(
    {
        "charge.succeeded",
        "charge.pending",
        "charge.failed",
        "payment_method.attached",
        "checkout.session.completed",
        "checkout.session.expired",
        "invoice_payment.paid",
    }
)
"""Types that are the first known of an object for which Stripe has no ``created`` event."""


def stage_of(object_type: str, data: dict[str, Any]) -> int | None:
    """How far an object is along its course, from 0; ``None`` for objects without one and statuses not known."""
    status = data.get("status")
    return _STAGES.get(object_type, {}).get(status) if type(status) is str else None


def is_birth(event_type: str) -> bool:
    """Whether the event says that its object was made by it, so that nothing was before."""
    return event_type.endswith(".created")


def begins(event_type: str) -> bool:
    """Whether a history may begin with this type without anything missing."""
    return is_birth(event_type) or event_type in _FIRST_EVENTS
