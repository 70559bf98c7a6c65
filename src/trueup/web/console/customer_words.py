"""What invoices, attempts to pay, links and what was done to a customer are called on its page, and how they look."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from trueup.audit.access_log.types import What
from trueup.audit.types import Action
from trueup.customer.types import LinkKind, Source
from trueup.web.console.words import Label, Look

INVOICES: Final[dict[str, Look]] = {
    "draft": Look(label=_("Draft"), tone="", icon="circle-dashed"),
    "open": Look(label=_("Open"), tone="info", icon="clock"),
    "paid": Look(label=_("Paid"), tone="good", icon="circle-check"),
    "uncollectible": Look(label=_("Written off"), tone="bad", icon="circle-x"),
    "void": Look(label=_("Void"), tone="", icon="circle-slash"),
}
"""Stripe's statuses of an invoice. Source: https://docs.stripe.com/api/invoices/object#invoice_object-status"""

UNPAID: Final = Look(label=_("Not collected"), tone="bad", icon="circle-alert")
"""An open invoice that was tried, or is overdue."""

OUTCOMES: Final[dict[str, Look]] = {
    "succeeded": Look(label=_("Paid"), tone="good", icon="circle-check"),
    "refunded": Look(label=_("Refunded"), tone="", icon="undo-2"),
    "partly_refunded": Look(label=_("Refunded in part"), tone="", icon="undo-2"),
    "authorized": Look(label=_("Authorized"), tone="info", icon="hourglass"),
    "pending": Look(label=_("On its way"), tone="info", icon="loader"),
    "needs_customer": Look(label=_("Waits for the customer"), tone="warn", icon="user-round"),
    "failed": Look(label=_("Failed"), tone="bad", icon="circle-x"),
    "canceled": Look(label=_("Canceled"), tone="", icon="circle-slash"),
}
"""What came of an attempt to collect."""

REASONS: Final[dict[str, Label]] = {
    "subscription_create": _("First invoice"),
    "subscription_cycle": _("Renewal"),
    "subscription_update": _("Change of plan"),
    "subscription_threshold": _("Usage threshold"),
    "subscription": _("Subscription"),
    "manual": _("Made by hand"),
    "upcoming": _("Preview"),
    "quote_accept": _("Quote accepted"),
    "automatic_pending_invoice_item_invoice": _("Items that were waiting"),
}
"""Why an invoice was made. Source: https://docs.stripe.com/api/invoices/object#invoice_object-billing_reason"""

LINKS: Final[dict[LinkKind, Look]] = {
    LinkKind.USER: Look(label=_("User"), tone="", icon="user-round"),
    LinkKind.ORGANIZATION: Look(label=_("Organization"), tone="", icon="building-2"),
    LinkKind.CRM: Look(label=_("CRM record"), tone="", icon="contact-round"),
    LinkKind.EMAIL: Look(label=_("Email"), tone="", icon="mail"),
}
"""What a link leads to."""

LINK_SOURCES: Final[dict[Source, Label]] = {
    Source.STRIPE: _("Stripe's own field"),
    Source.METADATA: _("Metadata in Stripe"),
    Source.OPERATOR: _("Said by hand"),
    Source.API: _("Said by a program"),
}
"""Who told a link."""

LOOKS: Final[dict[What, Label]] = {
    What.PAGE: _("page"),
    What.API: _("API"),
    What.EXPORT: _("export"),
    What.PAYLOAD: _("raw object"),
}
"""What somebody saw of a customer."""

ACTIONS: Final[dict[str, Look]] = {
    Action.CUSTOMERS_MERGED: Look(label=_("Merged"), tone="", icon="merge"),
    Action.CUSTOMERS_SPLIT: Look(label=_("Split"), tone="", icon="split"),
    Action.LINK_ADDED: Look(label=_("Link added"), tone="", icon="link"),
    Action.LINK_REMOVED: Look(label=_("Link taken back"), tone="", icon="unlink"),
    Action.DUPLICATE_DISMISSED: Look(label=_("Said to be somebody else"), tone="", icon="user-x"),
    Action.DUPLICATE_RESTORED: Look(label=_("Said to be somebody else, taken back"), tone="", icon="user-check"),
    Action.CUSTOMER_OWNED: Look(label=_("Owner changed"), tone="", icon="user-check"),
    Action.NOTE_ADDED: Look(label=_("Note added"), tone="", icon="sticky-note"),
    Action.NOTE_CHANGED: Look(label=_("Note changed"), tone="", icon="sticky-note"),
    Action.NOTE_REMOVED: Look(label=_("Note removed"), tone="warn", icon="trash-2"),
    Action.CUSTOMERS_REFOLDED: Look(label=_("Folded again"), tone="", icon="rotate-ccw"),
    Action.SUBJECT_ERASED: Look(label=_("Personal values erased"), tone="warn", icon="eraser"),
    Action.HOLD_PLACED: Look(label=_("Legal hold placed"), tone="warn", icon="lock"),
    Action.HOLD_RELEASED: Look(label=_("Legal hold released"), tone="", icon="lock-open"),
    Action.VALUES_OPENED: Look(label=_("Personal values opened"), tone="warn", icon="eye"),
}
"""What was done to a customer; an action without words of its own is shown by its name."""
