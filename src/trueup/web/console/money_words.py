"""What lists of money, their statuses and their reasons are called on a page, and how they look."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from trueup.customer import service as customers
from trueup.customer.money.types import PAYMENTS, Lane
from trueup.kernel.records import Record
from trueup.mirror.amounts import ENDS, RENEWS, TRIAL_ENDS
from trueup.mirror.money.types import Order
from trueup.web.console.customer_words import INVOICES, OUTCOMES
from trueup.web.console.telling import told
from trueup.web.console.words import Label, Look

REFUNDS: Final[dict[str, Look]] = {
    "succeeded": Look(label=_("Refunded"), tone="good", icon="circle-check"),
    "pending": Look(label=_("On its way"), tone="info", icon="loader"),
    "requires_action": Look(label=_("Waits for the customer"), tone="warn", icon="user-round"),
    "failed": Look(label=_("Failed"), tone="bad", icon="circle-x"),
    "canceled": Look(label=_("Canceled"), tone="", icon="circle-slash"),
}
"""Source: https://docs.stripe.com/api/refunds/object#refund_object-status"""

DISPUTES: Final[dict[str, Look]] = {
    "needs_response": Look(label=_("Needs an answer"), tone="bad", icon="circle-alert"),
    "warning_needs_response": Look(label=_("Inquiry, needs an answer"), tone="warn", icon="circle-alert"),
    "under_review": Look(label=_("Under review"), tone="info", icon="hourglass"),
    "warning_under_review": Look(label=_("Inquiry under review"), tone="info", icon="hourglass"),
    "won": Look(label=_("Won"), tone="good", icon="circle-check"),
    "lost": Look(label=_("Lost"), tone="", icon="circle-x"),
    "warning_closed": Look(label=_("Inquiry closed"), tone="", icon="circle-slash"),
    "prevented": Look(label=_("Prevented"), tone="good", icon="shield-check"),
}
"""Source: https://docs.stripe.com/api/disputes/object#dispute_object-status"""

DISPUTE_REASONS: Final[dict[str, Label]] = {
    "bank_cannot_process": _("The bank could not process it"),
    "check_returned": _("Returned check"),
    "credit_not_processed": _("Refund not received"),
    "customer_initiated": _("Asked for by the customer"),
    "debit_not_authorized": _("Debit not authorized"),
    "duplicate": _("Charged twice"),
    "fraudulent": _("Fraudulent"),
    "general": _("No particular reason"),
    "incorrect_account_details": _("Wrong account details"),
    "insufficient_funds": _("Not enough money"),
    "noncompliant": _("Against the network's rules"),
    "product_not_received": _("Product not received"),
    "product_unacceptable": _("Product not as described"),
    "subscription_canceled": _("Subscription was canceled"),
    "unrecognized": _("Not recognized"),
}
"""Source: https://docs.stripe.com/api/disputes/object#dispute_object-reason"""

REFUND_REASONS: Final[dict[str, Label]] = {
    "duplicate": _("Charged twice"),
    "fraudulent": _("Fraudulent"),
    "requested_by_customer": _("Asked for by the customer"),
    "expired_uncaptured_charge": _("Never captured"),
}
"""Source: https://docs.stripe.com/api/refunds/object#refund_object-reason"""

LANES: Final[dict[Lane, Look]] = {
    Lane.AT_RISK: Look(label=_("At risk"), tone="bad", icon="circle-alert"),
    Lane.RECOVERED: Look(label=_("Recovered"), tone="good", icon="circle-check"),
    Lane.LOST: Look(label=_("Lost"), tone="", icon="circle-x"),
}
COMING: Final[dict[str, Look]] = {
    RENEWS: Look(label=_("Renews"), tone="", icon="repeat-2"),
    TRIAL_ENDS: Look(label=_("Trial ends"), tone="info", icon="hourglass"),
    ENDS: Look(label=_("Ends"), tone="warn", icon="log-out"),
}


class Kind(Record, frozen=True):
    """A list: its name in addresses, its entry of the navigation, what it lists, and what may be said of a row."""

    name: str
    title: Label
    types: tuple[str, ...]
    statuses: dict[str, Look]
    reasons: dict[str, Label]
    none: Label
    """What a page says where there is nothing yet."""
    icon: str
    reasoned: tuple[str, ...] = ()
    """The statuses that alone have a reason, so that a list by reason does not look at the others; empty for all."""
    sorted_by_due: tuple[str, ...] = ()
    """Statuses whose list has first what has to be done first."""


KINDS: Final[dict[str, Kind]] = {
    one.name: one
    for one in (
        Kind(
            name="payments",
            title=_("Payments"),
            types=PAYMENTS,
            statuses=OUTCOMES,
            reasons={},
            none=_("Payments appear here with the first charge, whether it succeeds or not."),
            icon="credit-card",
            reasoned=("failed",),
        ),
        Kind(
            name="invoices",
            title=_("Invoices"),
            types=("invoice",),
            statuses=INVOICES,
            reasons={"failed": _("Could not be collected")},
            none=_("Invoices appear here as soon as Stripe drafts the first."),
            icon="receipt-text",
            reasoned=("open", "uncollectible"),
        ),
        Kind(
            name="refunds",
            title=_("Refunds"),
            types=("refund",),
            statuses=REFUNDS,
            reasons=REFUND_REASONS,
            none=_("What is given back appears here, with the reason."),
            icon="undo-2",
        ),
        Kind(
            name="disputes",
            title=_("Disputes"),
            types=("dispute",),
            statuses=DISPUTES,
            reasons=DISPUTE_REASONS,
            none=_("When a bank disputes a payment, it appears here with the day by which to answer."),
            icon="gavel",
            sorted_by_due=("needs_response", "warning_needs_response"),
        ),
    )
}


def order_of(kind: Kind, statuses: tuple[str, ...], *, oldest: bool) -> Order:
    """By what a list is ordered: what waits for somebody by when it is due, all else by when it was made."""
    if statuses and set(statuses) <= set(kind.sorted_by_due):
        return Order.DUE
    return Order.OLDEST if oldest else Order.NEWEST


def reason_label(kind: Kind, code: str | None) -> str:
    """Stripe's code in words; empty where there is none."""
    if not code:
        return ""
    if kind.name == "payments":
        return told(customers.reason_told(code).short)
    return str(kind.reasons.get(code) or code.replace("_", " ").capitalize())


def look_of(kind: Kind, status: str) -> Look:
    """How a status looks; one that Stripe adds later in its own word."""
    return kind.statuses.get(status) or Look(label=status.replace("_", " ").capitalize() or "?", tone="", icon="circle")
