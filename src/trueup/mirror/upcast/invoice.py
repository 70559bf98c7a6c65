"""Invoices."""

from __future__ import annotations

from typing import Any

from trueup.mirror.upcast.catalog import discounts_of
from trueup.mirror.upcast.line import line_item
from trueup.mirror.upcast.shape import mapping, text, whole
from trueup.mirror.upcast.tax import amounts_of, amounts_of_percent, rates_of


def invoice(data: dict[str, Any]) -> dict[str, Any]:
    """An invoice, the same dictionary when nothing is missing, else a new one with the new paths added.

    What it is for moved to ``parent``, what paid it to ``payments`` (2025-03-31.basil); ``closed`` and ``forgiven``
    became ``auto_advance`` and ``status`` (2018-11-08). A status that the old flags leave open stays absent.
    """
    new: dict[str, Any] = {}
    for old, newer in (("date", "created"), ("billing", "collection_method")):
        if data.get(newer) is None and data.get(old) is not None:
            new[newer] = data[old]
    if "rendering" not in data and "rendering_options" in data:
        new["rendering"] = data["rendering_options"]
    _status(data, new)
    if "paid" in data or "paid_out_of_band" in data:
        _amounts(data, new)
    discounts = discounts_of(data)
    if discounts is not None:
        new["discounts"] = discounts
    _taxes(data, new)
    if "parent" not in data:
        _parent(data, new)
    if "payments" not in data:
        _payments(data, new)
    lines = _lines(data)
    if lines is not None:
        new["lines"] = lines
    return {**data, **new} if new else data


def _status(data: dict[str, Any], new: dict[str, Any]) -> None:
    status = data.get("status")
    if status is None:
        if data.get("paid") is True:
            new["status"] = "paid"
        elif data.get("forgiven") is True:
            new["status"] = "uncollectible"
    elif status == "deleted" and "deleted" not in data:
        # Until 2022-11-15 a draft that was deleted told so in its status.
        new["deleted"] = True
    if "auto_advance" not in data and type(data.get("closed")) is bool:
        new["auto_advance"] = not data["closed"]
    if data.get("status_transitions") is None and whole(data.get("finalized_at")) is not None:
        new["status_transitions"] = {"finalized_at": data["finalized_at"]}


def _amounts(data: dict[str, Any], new: dict[str, Any]) -> None:
    """Before ``amount_paid`` existed an invoice was paid wholly or not at all; outside of Stripe, until 2025, too."""
    due, paid = whole(data.get("amount_due")), data.get("paid")
    if due is not None and type(paid) is bool and "amount_paid" not in data and "amount_remaining" not in data:
        new["amount_paid"], new["amount_remaining"] = (due, 0) if paid else (0, due)
    outside, amount = data.get("paid_out_of_band"), whole(data.get("amount_paid", new.get("amount_paid")))
    if type(outside) is bool and amount is not None and "amount_paid_off_stripe" not in data:
        new["amount_paid_off_stripe"] = amount if outside else 0


def _taxes(data: dict[str, Any], new: dict[str, Any]) -> None:
    if "tax_percent" in data:
        rates = rates_of(data)
        if rates is not None:
            new["default_tax_rates"] = rates
    if "total_taxes" not in data:
        taxes = amounts_of(data, "total_taxes", "total_tax_amounts")
        if taxes is None:
            taxes = amounts_of_percent(data)
        if taxes is not None:
            new["total_taxes"] = taxes


def _parent(data: dict[str, Any], new: dict[str, Any]) -> None:
    subscription, quote = data.get("subscription"), data.get("quote")
    if subscription is not None:
        details = {"subscription": subscription}
        metadata = mapping(data.get("subscription_details")).get("metadata")
        if metadata is not None:
            details["metadata"] = metadata
        if data.get("subscription_proration_date") is not None:
            details["subscription_proration_date"] = data["subscription_proration_date"]
        new["parent"] = {"type": "subscription_details", "quote_details": None, "subscription_details": details}
    elif quote is not None:
        new["parent"] = {"type": "quote_details", "quote_details": {"quote": quote}, "subscription_details": None}
    elif "subscription" in data:
        new["parent"] = None


def _payments(data: dict[str, Any], new: dict[str, Any]) -> None:
    """The one payment that an invoice could have, without an id of its own, as none was told.

    Where the invoice was paid outside of Stripe, what is named here did not pay it.
    """
    kind = "payment_intent" if data.get("payment_intent") is not None else "charge"
    if data.get(kind) is None:
        return
    payment: dict[str, Any] = {"object": "invoice_payment", "payment": {"type": kind, kind: data[kind]}}
    if text(data.get("id")) is not None:
        payment["invoice"] = data["id"]
    for field in ("currency", "livemode"):
        if data.get(field) is not None:
            payment[field] = data[field]
    if data.get("paid") is True and data.get("paid_out_of_band") is not True:
        payment["status"] = "paid"
    new["payments"] = {"object": "list", "data": [payment], "has_more": False}


def _lines(data: dict[str, Any]) -> dict[str, Any] | None:
    listing = data.get("lines")
    if type(listing) is not dict:
        return None
    elements = listing.get("data")
    if type(elements) is not list:
        return None
    invoice_id = text(data.get("id"))
    changed: list[Any] | None = None
    for place, one in enumerate(elements):
        if type(one) is dict:
            new = line_item(one, invoice_id)
            if new is not one:
                if changed is None:
                    changed = list(elements)
                changed[place] = new
    return None if changed is None else {**listing, "data": changed}
