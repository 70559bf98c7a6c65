"""What holds of an invoice at every moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def broken(invoice: Mapping[str, Any]) -> list[str]:
    """Everything about an invoice, as it is stored, that does not add up; nothing where all is well.

    I1 to I4 of the sandbox's specification. A void or uncollectible invoice keeps what remained.
    """
    found: list[str] = []
    subtotal = sum(line["amount"] for line in invoice["lines"]["data"])
    if subtotal != invoice["subtotal"]:
        found.append(f"I1: the lines are {subtotal}, the subtotal {invoice['subtotal']}")
    off = sum(one["amount"] for one in invoice["total_discount_amounts"])
    taxes = sum(one["amount"] for one in invoice["total_taxes"] if one["tax_behavior"] == "exclusive")
    if invoice["total"] != invoice["subtotal"] - off + taxes:
        found.append(f"I2: {invoice['subtotal']} less {off} and {taxes} of taxes is not {invoice['total']}")
    if invoice["amount_remaining"] != invoice["amount_due"] - invoice["amount_paid"]:
        found.append(
            f"I3: {invoice['amount_due']} less {invoice['amount_paid']} does not leave {invoice['amount_remaining']}"
        )
    paid = invoice["status"] == "paid"
    if paid != (invoice["status_transitions"]["paid_at"] is not None):
        found.append(f"I4: {invoice['status']} with paid_at {invoice['status_transitions']['paid_at']}")
    if paid and invoice["amount_remaining"]:
        found.append(f"I4: paid with {invoice['amount_remaining']} remaining")
    return found
