"""What a customer's state and its facts mean in words. Pure.

Titles are English fragments that stand alone; translation happens where pages are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from trueup.customer.rules import account, invoice, payment, schedule, subscription
from trueup.customer.rules.actor import actor_of
from trueup.customer.rules.words import Said, masked
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
    "billing.credit_grant.created": (Kind.INVOICE, invoice.credit_granted),
    "billing.credit_grant.updated": (Kind.INVOICE, invoice.credit_changed),
    "charge.captured": (Kind.PAYMENT, payment.charge_captured),
    "charge.dispute.closed": (Kind.PAYMENT, payment.dispute_closed),
    "charge.dispute.created": (Kind.PAYMENT, payment.dispute_created),
    "charge.dispute.updated": (Kind.PAYMENT, payment.dispute_updated),
    "charge.expired": (Kind.PAYMENT, payment.charge_expired),
    "charge.failed": (Kind.PAYMENT, payment.charge_failed),
    "charge.pending": (Kind.PAYMENT, payment.charge_pending),
    "charge.refunded": (Kind.PAYMENT, payment.charge_refunded),
    "charge.succeeded": (Kind.PAYMENT, payment.charge_succeeded),
    "checkout.session.expired": (Kind.PAYMENT, payment.checkout_expired),
    "credit_note.created": (Kind.INVOICE, invoice.credit_note_created),
    "credit_note.voided": (Kind.INVOICE, invoice.credit_note_voided),
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
    "customer.tax_id.deleted": (Kind.CUSTOMER, account.tax_id_removed),
    "customer.tax_id.updated": (Kind.CUSTOMER, account.tax_id_checked),
    "customer.updated": (Kind.CUSTOMER, account.customer_updated),
    "customer_cash_balance_transaction.created": (Kind.PAYMENT, payment.cash_moved),
    "invoice.finalization_failed": (Kind.INVOICE, invoice.not_finalized),
    "invoice.marked_uncollectible": (Kind.INVOICE, invoice.uncollectible),
    "invoice.overdue": (Kind.INVOICE, invoice.overdue),
    "invoice.overpaid": (Kind.INVOICE, invoice.overpaid),
    "invoice.paid": (Kind.INVOICE, invoice.paid),
    "invoice.payment_action_required": (Kind.INVOICE, invoice.action_required),
    "invoice.payment_attempt_required": (Kind.INVOICE, invoice.attempt_required),
    "invoice.sent": (Kind.INVOICE, invoice.sent),
    "invoice.voided": (Kind.INVOICE, invoice.voided),
    "invoice.will_be_due": (Kind.INVOICE, invoice.will_be_due),
    "invoiceitem.created": (Kind.INVOICE, invoice.item_added),
    "invoiceitem.deleted": (Kind.INVOICE, invoice.item_removed),
    "payment_intent.amount_capturable_updated": (Kind.PAYMENT, payment.intent_capturable),
    "payment_intent.canceled": (Kind.PAYMENT, payment.intent_canceled),
    "payment_intent.partially_funded": (Kind.PAYMENT, payment.intent_partially_funded),
    "payment_intent.payment_failed": (Kind.PAYMENT, payment.intent_failed),
    "payment_intent.processing": (Kind.PAYMENT, payment.intent_processing),
    "payment_intent.requires_action": (Kind.PAYMENT, payment.intent_requires_action),
    "payment_intent.succeeded": (Kind.PAYMENT, payment.intent_succeeded),
    "payment_method.attached": (Kind.METHOD, account.method_added),
    "payment_method.automatically_updated": (Kind.METHOD, account.method_renewed),
    "payment_method.card_automatically_updated": (Kind.METHOD, account.method_renewed),
    "payment_method.detached": (Kind.METHOD, account.method_removed),
    "payment_method.updated": (Kind.METHOD, account.method_updated),
    "promotion_code.created": (Kind.DISCOUNT, account.offer_made),
    "quote.accepted": (Kind.INVOICE, invoice.quote_accepted),
    "quote.canceled": (Kind.INVOICE, invoice.quote_canceled),
    "quote.finalized": (Kind.INVOICE, invoice.quote_sent),
    "radar.early_fraud_warning.created": (Kind.PAYMENT, payment.fraud_warned),
    "refund.failed": (Kind.PAYMENT, payment.refund_failed),
    "refund.updated": (Kind.PAYMENT, payment.refund_updated),
    "review.closed": (Kind.PAYMENT, payment.review_closed),
    "review.opened": (Kind.PAYMENT, payment.review_opened),
    "setup_intent.setup_failed": (Kind.METHOD, account.setup_failed),
    "subscription_schedule.canceled": (Kind.SUBSCRIPTION, schedule.canceled),
    "subscription_schedule.created": (Kind.SUBSCRIPTION, schedule.created),
    "subscription_schedule.expiring": (Kind.SUBSCRIPTION, schedule.expiring),
    "subscription_schedule.released": (Kind.SUBSCRIPTION, schedule.released),
    "subscription_schedule.updated": (Kind.SUBSCRIPTION, schedule.updated),
}

TOLD_TYPES: Final[frozenset[str]] = frozenset({*_OF_SUBSCRIPTIONS, *_OF_OTHERS})
"""The event types that may make an entry of the timeline; every other type is silent, the unknown ones too."""

QUIET_TYPES: Final[frozenset[str]] = frozenset(
    {
        "billing.alert.triggered",
        "billing.credit_balance_transaction.created",
        "billing_portal.session.created",
        "cash_balance.funds_available",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.refund.updated",
        "charge.updated",
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "credit_note.updated",
        "customer.subscription.pending_update_applied",
        "entitlements.active_entitlement_summary.updated",
        "invoice.created",
        "invoice.deleted",
        "invoice.finalized",
        "invoice.payment_failed",
        "invoice.payment_succeeded",
        "invoice.upcoming",
        "invoice.updated",
        "invoice_payment.paid",
        "mandate.updated",
        "payment_intent.created",
        "promotion_code.updated",
        "quote.created",
        "radar.early_fraud_warning.updated",
        "refund.created",
        "setup_intent.canceled",
        "setup_intent.created",
        "setup_intent.requires_action",
        "setup_intent.succeeded",
        "source.canceled",
        "source.chargeable",
        "source.failed",
        "source.mandate_notification",
        "source.refund_attributes_required",
        "source.transaction.created",
        "source.transaction.updated",
        "subscription_schedule.aborted",
        "subscription_schedule.completed",
    }
)
"""The types around customers that never make an entry: twins of one that does, steps on the way, mere bookkeeping.

Of those that one would look for: ``checkout.session.completed`` is told by what was bought, ``invoice.payment_failed``
by the payment, ``refund.created`` and ``charge.refund.updated`` by the charge and the refund, the money of disputes by
their outcome, ``setup_intent.succeeded`` by the payment method, and an ended schedule by its subscription.
"""


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
        title=masked(said.title),
        detail=masked(said.detail),
        amount=said.amount,
        actor=actor_of(fact),
    )
