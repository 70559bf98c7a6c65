"""Invoices and their lines."""

from __future__ import annotations

from typing import Any, Final

from trueup.mirror.upcast.catalog import discounts_of, pricing_of, untaxed
from trueup.mirror.upcast.shape import id_of, mapping, text, whole

_TOLD_OF_TAXES: Final = ("amount", "taxability_reason", "taxable_amount")


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
    if untaxed(data):
        new["default_tax_rates"] = []
    _status(data, new)
    _amounts(data, new)
    discounts = discounts_of(data)
    if discounts is not None:
        new["discounts"] = discounts
    taxes = _taxes(data, "total_taxes", "total_tax_amounts")
    if taxes is not None:
        new["total_taxes"] = taxes
    if "parent" not in data:
        _parent(data, new)
    if "payments" not in data:
        _payments(data, new)
    lines = _lines(data.get("lines"))
    if lines is not None:
        new["lines"] = lines
    return {**data, **new} if new else data


def line_item(data: dict[str, Any]) -> dict[str, Any]:
    """A line of an invoice; until 2019 its id was that of the subscription or the invoice item that made it."""
    if "pricing" in data and "parent" in data and "taxes" in data:
        return data
    new: dict[str, Any] = {}
    if "pricing" not in data and ("price" in data or "plan" in data):
        new["pricing"] = pricing_of(data)
    taxes = _taxes(data, "taxes", "tax_amounts")
    if taxes is not None:
        new["taxes"] = taxes
    if "parent" not in data:
        parent = _parent_of_line(data)
        if parent is not None:
            new["parent"] = parent
    discounts = discounts_of(data)
    if discounts is not None:
        new["discounts"] = discounts
    return {**data, **new} if new else data


def _status(data: dict[str, Any], new: dict[str, Any]) -> None:
    if data.get("status") is None:
        if data.get("paid") is True:
            new["status"] = "paid"
        elif data.get("forgiven") is True:
            new["status"] = "uncollectible"
    if "auto_advance" not in data and type(data.get("closed")) is bool:
        new["auto_advance"] = not data["closed"]
    if data.get("status_transitions") is None and whole(data.get("finalized_at")) is not None:
        new["status_transitions"] = {"finalized_at": data["finalized_at"]}


def _amounts(data: dict[str, Any], new: dict[str, Any]) -> None:
    """Before ``amount_paid`` existed, an invoice was paid wholly or not at all."""
    due, paid = whole(data.get("amount_due")), data.get("paid")
    if due is None or type(paid) is not bool or "amount_paid" in data or "amount_remaining" in data:
        return
    new["amount_paid"], new["amount_remaining"] = (due, 0) if paid else (0, due)


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
    """The one payment that an invoice could have, without an id of its own, as none was told."""
    kind = "payment_intent" if data.get("payment_intent") is not None else "charge"
    if data.get(kind) is None:
        return
    payment = {"object": "invoice_payment", "payment": {"type": kind, kind: data[kind]}}
    if data.get("paid") is True:
        payment["status"] = "paid"
    new["payments"] = {"object": "list", "data": [payment], "has_more": False}


def _lines(listing: object) -> dict[str, Any] | None:
    if type(listing) is not dict or type(listing.get("data")) is not list:
        return None
    elements = listing["data"]
    changed = [line_item(one) if type(one) is dict else one for one in elements]
    for before, after in zip(elements, changed, strict=True):
        if before is not after:
            return {**listing, "data": changed}
    return None


def _parent_of_line(data: dict[str, Any]) -> dict[str, Any] | None:
    kind, line_id = data.get("type"), text(data.get("id")) or ""
    subscription = id_of(data.get("subscription"))
    shared = {name: data[name] for name in ("proration", "proration_details") if name in data}
    if kind == "subscription":
        if subscription is None and line_id.startswith("sub_"):
            subscription = line_id
        return {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                **shared,
                "subscription": subscription,
                "subscription_item": id_of(data.get("subscription_item")),
                "invoice_item": id_of(data.get("invoice_item")),
            },
        }
    if kind == "invoiceitem":
        item = id_of(data.get("invoice_item"))
        if item is None and line_id.startswith("ii_"):
            item = line_id
        return {
            "type": "invoice_item_details",
            "invoice_item_details": {**shared, "subscription": subscription, "invoice_item": item},
            "subscription_item_details": None,
        }
    return None


def _taxes(data: dict[str, Any], newer: str, older: str) -> list[Any] | None:
    """Tax amounts as 2025-03-31.basil tells them; ``None`` when they are told so already or nothing is known."""
    amounts = data.get(older)
    if newer in data or type(amounts) is not list:
        return None
    return [_tax(one) if type(one) is dict else one for one in amounts]


def _tax(amount: dict[str, Any]) -> dict[str, Any]:
    tax: dict[str, Any] = {
        name: amount[name] for name in ("amount", "taxability_reason", "taxable_amount") if name in amount
    }
    if type(amount.get("inclusive")) is bool:
        tax["tax_behavior"] = "inclusive" if amount["inclusive"] else "exclusive"
    rate = id_of(amount.get("tax_rate"))
    tax["tax_rate_details"] = {"tax_rate": rate} if rate is not None else None
    tax["type"] = "tax_rate_details"
    return tax
