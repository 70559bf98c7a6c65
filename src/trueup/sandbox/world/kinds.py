"""What the store has to know of a kind of object: how ids begin, what it is looked up by, what tells its changes."""

from __future__ import annotations

from typing import Final

from trueup.kernel.records import Record


class Kind(Record, frozen=True, kw_only=False):
    """One kind of object.

    ``prefix`` begins its ids and ``length`` is the number of characters after it. ``index`` names the fields (dotted
    where nested) that ``World.select`` may ask for. ``updated`` is the event type that tells a change nobody told
    otherwise; kinds without one change silently, as Stripe's do. ``cut`` names list fields of which Stripe shows ten.
    A ``shared`` kind is no customer's: it lives by the sandbox's own clock, whichever clock changes it.
    """

    prefix: str
    index: tuple[str, ...] = ()
    updated: str | None = None
    length: int = 24
    cut: tuple[str, ...] = ()
    created: bool = True
    shared: bool = False


KINDS: Final[dict[str, Kind]] = {
    "account": Kind("acct", updated="account.updated", length=16, shared=True),
    "balance_transaction": Kind("txn", ("source",)),
    "charge": Kind("ch", ("customer", "payment_intent"), "charge.updated"),
    "coupon": Kind("", updated="coupon.updated", length=8, shared=True),
    "credit_note": Kind("cn", ("customer", "invoice"), "credit_note.updated", cut=("lines",)),
    "customer": Kind("cus", ("email", "test_clock", "invoice_prefix"), "customer.updated", length=14),
    "customer_balance_transaction": Kind("cbtxn", ("customer", "invoice", "credit_note")),
    "discount": Kind("di", ("customer", "subscription", "source.coupon", "promotion_code"), created=False),
    "dispute": Kind("du", ("charge", "payment_intent"), "charge.dispute.updated"),
    "invoice": Kind(
        "in",
        ("customer", "subscription", "parent.subscription_details.subscription", "status", "test_clock"),
        "invoice.updated",
        cut=("lines",),
    ),
    "invoice_payment": Kind("inpay", ("invoice", "payment.payment_intent", "payment.charge", "status")),
    "invoiceitem": Kind(
        "ii",
        ("customer", "invoice", "parent.subscription_details.subscription", "$waiting"),
        None,
        created=False,
    ),
    "mandate": Kind("mandate", ("payment_method",), "mandate.updated", created=False),
    "payment_intent": Kind("pi", ("customer",)),
    "payment_method": Kind("pm", ("customer", "type"), "payment_method.updated"),
    "price": Kind("price", ("product", "lookup_key", "active", "type", "currency"), "price.updated", shared=True),
    "product": Kind("prod", ("active", "url"), "product.updated", length=14, shared=True),
    "promotion_code": Kind(
        "promo", ("$code", "customer", "active", "promotion.coupon"), "promotion_code.updated", shared=True
    ),
    "radar.early_fraud_warning": Kind("issfr", ("charge", "payment_intent"), "radar.early_fraud_warning.updated"),
    "refund": Kind("re", ("charge", "payment_intent"), "refund.updated"),
    "setup_attempt": Kind("setatt", ("setup_intent",)),
    "setup_intent": Kind("seti", ("customer", "payment_method")),
    "subscription": Kind(
        "sub",
        ("customer", "status", "test_clock", "schedule", "collection_method", "$prices", "$items"),
        "customer.subscription.updated",
    ),
    "subscription_schedule": Kind(
        "sub_sched", ("customer", "subscription", "test_clock", "status"), "subscription_schedule.updated"
    ),
    "tax_id": Kind("txi", ("customer",), "customer.tax_id.updated"),
    "tax_rate": Kind("txr", ("active", "inclusive"), "tax_rate.updated", shared=True),
    "test_helpers.test_clock": Kind("clock"),
    "token": Kind("tok"),
    "v2.core.event_destination": Kind("ed_test"),
    "webhook_endpoint": Kind("we"),
}
"""By the ``object`` field. Fields that begin with ``$`` are the sandbox's own: stored, never shown."""
