"""Credit notes and their lines."""

from __future__ import annotations

from typing import Any, Final

from trueup.mirror.upcast.shape import each_in, id_of, text, whole
from trueup.mirror.upcast.tax import amounts_of

_ELSEWHERE: Final = ("customer_balance_transaction", "out_of_band_amount")


def credit_note(data: dict[str, Any]) -> dict[str, Any]:
    """A credit note, the same dictionary when nothing is missing, else a new one with the new paths added.

    One refund became several (2025-03-31.basil). A note was wholly before or wholly after the payment until a third
    type mixed both, so of an older one the two amounts are known.
    """
    new: dict[str, Any] = {}
    if "refunds" not in data and "refund" in data:
        new["refunds"] = _refunds(data)
    amount, kind = whole(data.get("amount")), text(data.get("type"))
    if amount is not None and "pre_payment_amount" not in data and "post_payment_amount" not in data:
        if kind == "pre_payment":
            new["pre_payment_amount"], new["post_payment_amount"] = amount, 0
        elif kind == "post_payment":
            new["pre_payment_amount"], new["post_payment_amount"] = 0, amount
    taxes = amounts_of(data, "total_taxes", "tax_amounts")
    if taxes is not None:
        new["total_taxes"] = taxes
    lines = each_in(data.get("lines"), credit_note_line_item)
    if lines is not None:
        new["lines"] = lines
    return {**data, **new} if new else data


def credit_note_line_item(data: dict[str, Any]) -> dict[str, Any]:
    """A line of a credit note; its tax amounts became taxes (2025-03-31.basil)."""
    taxes = amounts_of(data, "taxes", "tax_amounts")
    return data if taxes is None else {**data, "taxes": taxes}


def _refunds(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The one refund of old. It is for the whole amount where nothing went to the customer's balance or outside.

    https://docs.stripe.com/api/credit_notes/create: refund, credit and what is paid outside of Stripe add up.
    """
    refund = data["refund"]
    if id_of(refund) is None:
        return []
    told: dict[str, Any] = {"refund": refund}
    amount = refund.get("amount") if type(refund) is dict else None
    if amount is None and data.get("type") == "post_payment" and all(data.get(one, 0) is None for one in _ELSEWHERE):
        amount = data.get("amount")
    if whole(amount) is not None:
        told["amount_refunded"] = amount
    return [told]
