"""What comes first of things that happened in one second.

Stripe's times are whole seconds, and much of what one request does shares one. Ids of events say nothing of order.
"""

from __future__ import annotations

from typing import Final

_STEPS: Final = (
    ("customer.created",),
    ("customer.source.created", "payment_method.attached", "setup_intent.succeeded"),
    ("customer.discount.created",),
    ("customer.subscription.created", "subscription_schedule.created"),
    ("invoice.created", "invoice.finalized", "invoice.sent", "payment_intent.created"),
    ("charge.failed", "payment_intent.payment_failed", "payment_intent.requires_action"),
    ("charge.succeeded", "payment_intent.succeeded"),
    ("invoice.paid", "invoice.payment_succeeded", "invoice.payment_failed"),
    (),
    ("charge.refunded", "refund.created", "charge.dispute.created"),
    ("charge.dispute.closed", "invoice.voided", "invoice.marked_uncollectible"),
    ("customer.subscription.deleted", "subscription_schedule.canceled"),
    ("customer.discount.deleted", "payment_method.detached"),
    ("customer.deleted",),
)
"""Types of events in the order in which one request causes them; what is not named stands at the empty step."""

_STEP: Final = {event_type: step for step, types in enumerate(_STEPS) for event_type in types}
_OTHERS: Final = _STEPS.index(())


def step(event_type: str) -> int:
    """Where an event of this type stands among others of its second: the lower happened earlier. Total."""
    return _STEP.get(event_type, _OTHERS)
