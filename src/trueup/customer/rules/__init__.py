"""What a customer's state and its facts mean in words. Pure.

Titles are English fragments that stand alone; translation happens where pages are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from trueup.customer.rules import account, payment, subscription
from trueup.customer.rules.words import Said
from trueup.customer.types import CustomerState, Entry, Kind
from trueup.kernel.time import from_unix
from trueup.mirror.types import Fact

_Words = Callable[[Fact], Said | None]
_NamedWords = Callable[[Fact, Mapping[str, str]], Said | None]

_OF_SUBSCRIPTIONS: Final[dict[str, _NamedWords]] = {
    "customer.subscription.created": subscription.created,
    "customer.subscription.deleted": subscription.deleted,
    "customer.subscription.paused": subscription.paused,
    "customer.subscription.pending_update_expired": subscription.update_lapsed,
    "customer.subscription.resumed": subscription.resumed,
    "customer.subscription.trial_will_end": subscription.trial_will_end,
    "customer.subscription.updated": subscription.updated,
}

_OF_OTHERS: Final[dict[str, tuple[Kind, _Words]]] = {
    "charge.dispute.closed": (Kind.PAYMENT, payment.dispute_closed),
    "charge.dispute.created": (Kind.PAYMENT, payment.dispute_created),
    "charge.failed": (Kind.PAYMENT, payment.charge_failed),
    "charge.refunded": (Kind.PAYMENT, payment.charge_refunded),
    "charge.succeeded": (Kind.PAYMENT, payment.charge_succeeded),
    "credit_note.created": (Kind.INVOICE, payment.credit_note_created),
    "customer.bank_account.created": (Kind.METHOD, account.method_added),
    "customer.bank_account.deleted": (Kind.METHOD, account.method_removed),
    "customer.card.created": (Kind.METHOD, account.method_added),
    "customer.card.deleted": (Kind.METHOD, account.method_removed),
    "customer.created": (Kind.CUSTOMER, account.customer_created),
    "customer.deleted": (Kind.CUSTOMER, account.customer_deleted),
    "customer.discount.created": (Kind.DISCOUNT, account.discount_added),
    "customer.discount.deleted": (Kind.DISCOUNT, account.discount_ended),
    "customer.discount.updated": (Kind.DISCOUNT, account.discount_changed),
    "customer.source.created": (Kind.METHOD, account.method_added),
    "customer.source.deleted": (Kind.METHOD, account.method_removed),
    "customer.source.expiring": (Kind.METHOD, account.method_expiring),
    "customer.source.updated": (Kind.METHOD, account.method_updated),
    "customer.tax_id.created": (Kind.CUSTOMER, account.tax_id_added),
    "customer.updated": (Kind.CUSTOMER, account.customer_updated),
    "invoice.finalization_failed": (Kind.INVOICE, payment.invoice_not_finalized),
    "invoice.marked_uncollectible": (Kind.INVOICE, payment.invoice_uncollectible),
    "invoice.overdue": (Kind.INVOICE, payment.invoice_overdue),
    "invoice.paid": (Kind.INVOICE, payment.invoice_paid),
    "invoice.payment_action_required": (Kind.INVOICE, payment.invoice_action_required),
    "invoice.sent": (Kind.INVOICE, payment.invoice_sent),
    "invoice.voided": (Kind.INVOICE, payment.invoice_voided),
    "payment_intent.amount_capturable_updated": (Kind.PAYMENT, payment.intent_capturable),
    "payment_intent.payment_failed": (Kind.PAYMENT, payment.intent_failed),
    "payment_intent.requires_action": (Kind.PAYMENT, payment.intent_requires_action),
    "payment_intent.succeeded": (Kind.PAYMENT, payment.intent_succeeded),
    "payment_method.attached": (Kind.METHOD, account.method_added),
    "payment_method.automatically_updated": (Kind.METHOD, account.method_renewed),
    "payment_method.card_automatically_updated": (Kind.METHOD, account.method_renewed),
    "payment_method.detached": (Kind.METHOD, account.method_removed),
    "payment_method.updated": (Kind.METHOD, account.method_updated),
    "refund.failed": (Kind.PAYMENT, payment.refund_failed),
    "setup_intent.setup_failed": (Kind.METHOD, account.setup_failed),
}

TOLD_TYPES: Final[frozenset[str]] = frozenset({*_OF_SUBSCRIPTIONS, *_OF_OTHERS})
"""The event types that may make an entry of the timeline; every other type is silent, the unknown ones too."""

QUIET_TYPES: Final[frozenset[str]] = frozenset(
    {
        "charge.captured",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.expired",
        "charge.pending",
        "charge.refund.updated",
        "charge.updated",
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "checkout.session.expired",
        "credit_note.updated",
        "credit_note.voided",
        "customer.subscription.pending_update_applied",
        "customer.tax_id.deleted",
        "customer.tax_id.updated",
        "entitlements.active_entitlement_summary.updated",
        "invoice.created",
        "invoice.deleted",
        "invoice.finalized",
        "invoice.overpaid",
        "invoice.payment_attempt_required",
        "invoice.payment_failed",
        "invoice.payment_succeeded",
        "invoice.upcoming",
        "invoice.updated",
        "invoice.will_be_due",
        "invoice_payment.paid",
        "invoiceitem.created",
        "invoiceitem.deleted",
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.partially_funded",
        "payment_intent.processing",
        "promotion_code.created",
        "promotion_code.updated",
        "refund.created",
        "refund.updated",
        "setup_intent.canceled",
        "setup_intent.created",
        "setup_intent.requires_action",
        "setup_intent.succeeded",
        "subscription_schedule.aborted",
        "subscription_schedule.canceled",
        "subscription_schedule.completed",
        "subscription_schedule.created",
        "subscription_schedule.expiring",
        "subscription_schedule.released",
        "subscription_schedule.updated",
    }
)
"""The types around customers that never make an entry, for queries that skip them; ``TOLD_TYPES`` has the others."""


def plan_label(state: CustomerState) -> tuple[str | None, int | None]:
    """What stands for a customer's plans in a narrow place: the main plan's name and its quantity.

    The name is its product's, else the price's nickname, else the price's id. Of a churned customer it is the plan that
    it had. ``(None, None)`` without any.
    """
    if not state.plans:
        return None, None
    main = state.plans[0]
    return main.product_name or main.nickname or main.price_id, main.quantity


def products_of(fact: Fact) -> tuple[str, ...]:
    """The ids of the products whose names ``entry`` will ask for, those from before a change included; each once."""
    return subscription.products(fact) if fact.event_type in _OF_SUBSCRIPTIONS else ()


def entry(fact: Fact, *, product_names: Mapping[str, str]) -> Entry | None:
    """The line of the timeline that one fact makes, or ``None`` where it is noise or the twin of another.

    ``product_names`` maps product ids to names; a product that is not there is called by its price's nickname. Total:
    whatever the fact holds, the answer is an entry or ``None``.
    """
    named = _OF_SUBSCRIPTIONS.get(fact.event_type)
    if named is not None:
        kind, said = Kind.SUBSCRIPTION, named(fact, product_names)
    else:
        other = _OF_OTHERS.get(fact.event_type)
        if other is None:
            return None
        kind, said = other[0], other[1](fact)
    if said is None:
        return None
    return Entry(
        at=from_unix(fact.created),
        created=fact.created,
        event_id=fact.event_id,
        event_type=fact.event_type,
        object_type=fact.object_type,
        object_id=fact.object_id,
        kind=kind,
        tone=said.tone,
        title=said.title,
        detail=said.detail,
        amount=said.amount,
    )
