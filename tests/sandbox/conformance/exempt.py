"""What is not compared, and why: random values, the account's own settings, what newer API versions brought."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, Literal, NamedTuple

from trueup.sandbox.wire import schema

RANDOM: Final = {
    "client_secret": "a secret",
    "fingerprint": "Stripe's own hash of a card's number",
    "authorization_code": "from the card's network",
    "network_transaction_id": "from the card's network",
    "risk_score": "Radar's mind at that moment",
    "invoice_prefix": "drawn for each customer",
    "number": "begins with the customer's prefix",
    "hosted_invoice_url": "a token",
    "invoice_pdf": "a token",
    "receipt_url": "a token",
    "request_log_url": "names a request in the Dashboard",
    "next_action.redirect_to_url.url": "names the account and a secret",
    "next_action.use_stripe_sdk.server_transaction_id": "drawn for each authentication",
    "next_action.use_stripe_sdk.directory_server_encryption.certificate": "the card network's",
    "next_action.use_stripe_sdk.directory_server_encryption.root_certificate_authorities": "the card network's",
}
"""Ends of paths whose values nobody could foresee. That there is one, or none, is compared all the same."""

SETTINGS: Final = re.compile(r"payment_method_types|payment_method_options\.(?!card\b|link\b|us_bank_account\b)\w+")
"""Which kinds of payment method an account offers is a setting of its Dashboard: the recorded one offers more."""

REMOVED: Final = {
    ("charge", "refunds"): "2022-11-15",
    ("customer", "sources"): "2020-08-27",
    ("customer", "subscriptions"): "2020-08-27",
    ("customer", "tax_ids"): "2020-08-27",
    ("discount", "coupon"): "2025-09-30.clover",
    ("invoice", "payments"): "2025-03-31.basil",
    ("line_item", "subscription"): "2025-03-31.basil",
    ("payment_intent", "amount_details.tip.amount"): "2025-03-31.basil",
    ("plan", "tiers"): "2020-08-27",
    ("price", "recurring.aggregate_usage"): "2025-03-31.basil",
    ("price", "tiers"): "2020-08-27",
}
"""Fields by the API version that took them away, or leaves them out unless asked (`docs/upcaster.md`): not compared
where an older recording has one. Of ``payments`` older invoices tell as much as can be told from their charge."""

EMBEDDED: Final = {
    ("discount", "source.coupon"): "2025-09-30.clover",
    ("invoice", "discounts[]"): "2020-08-27",
    ("subscription", "discounts[]"): "2025-03-31.basil",
}
"""Fields that stood expanded, whether asked or not, before an API version: of what was there the id is compared."""

CHOSEN: Final = {
    ("plan", "created"): "the account made its catalogue long before",
    ("price", "created"): "the account made its catalogue long before",
    ("credit_note", "pdf"): "a token",
}
"""Fields of kinds of object that are not compared at all."""

ECHOES: Final = {
    ("subscription", "plan"): "not in the schema, which every answer has to meet",
    ("subscription", "quantity"): "not in the schema, which every answer has to meet",
    ("charge", "destination"): "not in the schema, which every answer has to meet",
    ("charge", "dispute"): "not in the schema, which every answer has to meet",
    ("charge", "order"): "not in the schema, which every answer has to meet",
}
"""Fields that Stripe answers although no schema has them any more: not compared where ours has none."""

_CLOVER: Final = "2025-10-29.clover"
_DAHLIA: Final = "2026-03-25.dahlia"
_LATER: Final = "2026-08-26.dahlia"
_ENDIVE: Final = "2026-09-30.endive"

ADDED: Final = {
    ("balance_transaction", "balance_type"): _CLOVER,
    ("charge", "payment_method_details.card.authorization_code"): _CLOVER,
    ("charge", "payment_method_details.card.checks.cvc_check"): "2023-10-16",
    ("charge", "payment_method_details.card.electronic_commerce_indicator"): _ENDIVE,
    ("charge", "payment_method_details.card.transaction_link_id"): _ENDIVE,
    ("credit_note", "customer_account"): _DAHLIA,
    ("credit_note", "refunds[].payment_record_refund"): _CLOVER,
    ("credit_note", "refunds[].type"): _CLOVER,
    ("credit_note_line_item", "metadata"): _LATER,
    ("customer", "customer_account"): _DAHLIA,
    ("customer", "tax.provider"): _CLOVER,
    ("discount", "customer_account"): _DAHLIA,
    ("invoice", "amount_paid_off_stripe"): _LATER,
    ("invoice", "automatic_tax.provider"): _CLOVER,
    ("invoice", "customer_account"): _DAHLIA,
    ("invoice", "rendering"): "2024-04-10",
    ("invoice", "status_details"): _ENDIVE,
    ("invoice", "webhooks_delivered_at"): "2024-04-10",
    ("invoiceitem", "customer_account"): _DAHLIA,
    ("invoiceitem", "frozen_fields"): _LATER,
    ("invoiceitem", "invoicing_rules"): _ENDIVE,
    ("invoiceitem", "net_amount"): _LATER,
    ("invoiceitem", "proration_details"): _LATER,
    ("line_item", "subtotal"): _DAHLIA,
    ("payment_intent", "allowed_payment_method_types"): _LATER,
    ("payment_intent", "customer_account"): _DAHLIA,
    ("payment_intent", "excluded_payment_method_types"): _CLOVER,
    ("payment_intent", "managed_payments"): _LATER,
    ("payment_intent", "payment_details"): _CLOVER,
    ("payment_intent", "payment_record"): _LATER,
    ("payment_method", "card.checks.cvc_check"): "2023-10-16",
    ("payment_method", "customer_account"): _DAHLIA,
    ("refund", "customer"): _LATER,
    ("refund", "customer_account"): _LATER,
    ("refund", "payment_method"): _LATER,
    ("setup_intent", "allowed_payment_method_types"): _LATER,
    ("setup_intent", "customer_account"): _DAHLIA,
    ("setup_intent", "managed_payments"): _LATER,
    ("subscription", "billing_mode.flexible"): _CLOVER,
    ("subscription", "billing_mode.updated_at"): _CLOVER,
    ("subscription", "billing_schedules"): _LATER,
    ("subscription", "billing_thresholds"): _CLOVER,
    ("subscription", "cancellation_details.feedback_option"): _LATER,
    ("subscription", "customer_account"): _DAHLIA,
    ("subscription", "status_details"): _ENDIVE,
    ("subscription_item", "billed_until"): _LATER,
    ("subscription_item", "billing_thresholds"): _CLOVER,
}
"""Fields by the first API version recorded with them, or documented to have brought them (`docs/upcaster.md`, and
https://docs.stripe.com/changelog): not compared where an older recording has none, or null."""


_COMPLETE_SINCE: Final = "2025-03-31.basil"
"""Recordings of older versions lack, and have, more fields than anybody could list: what both have is compared."""


class Field(NamedTuple):
    """A field of a kind of object in one comparison, and who has it."""

    kind: str
    path: str
    version: str
    recorded: Literal["absent", "null", "there"]
    ours: bool

    def reason(self) -> str | None:
        """Why it is not compared, None where it is."""
        return self._always() or (None if self.ours else self._only_recorded()) or self._hardly_recorded()

    def _always(self) -> str | None:
        at = (self.kind, self.path)
        if self.kind in {"payment_intent", "setup_intent"} and SETTINGS.fullmatch(self.path):
            return "a setting of the account's Dashboard"
        return CHOSEN.get(at)

    def _only_recorded(self) -> str | None:
        at = (self.kind, self.path)
        if self.version < REMOVED.get(at, ""):
            return f"gone since {REMOVED[at]}"
        if self.version < _COMPLETE_SINCE and self.path.partition(".")[0].removesuffix("[]") not in _fields(self.kind):
            return "went since, and the recording is from before 2025-03-31.basil"
        return ECHOES.get(at)

    def _hardly_recorded(self) -> str | None:
        at = (self.kind, self.path)
        if self.recorded == "absent" and self.version < _COMPLETE_SINCE:
            return "came since, and the recording is from before 2025-03-31.basil"
        if self.recorded != "there" and self.version < ADDED.get(at, ""):
            return f"came with {ADDED[at]}"
        return None


def random(path: str) -> bool:
    """Whether the value at a path is one that nobody could foresee."""
    return path.rpartition(".")[2] in RANDOM or path.removesuffix("[]") in RANDOM


def embedded(kind: str, path: str, version: str) -> bool:
    """Whether a field stood expanded in a version although nobody asked."""
    return version < EMBEDDED.get((kind, path), "")


def _fields(kind: str) -> Collection[str]:
    return schema.fields(kind) if kind in schema.kinds() else ()
