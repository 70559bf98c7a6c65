"""Lines of invoices, and the items that wait to become lines."""

from __future__ import annotations

from typing import Any

from trueup.mirror.upcast.catalog import discounts_of, pricing_of
from trueup.mirror.upcast.shape import id_of, text, whole
from trueup.mirror.upcast.tax import amounts_of


def line_item(data: dict[str, Any], invoice_id: str | None = None) -> dict[str, Any]:
    """A line of an invoice; until 2019 its id was that of the subscription or the invoice item that made it.

    ``invoice_id`` names the invoice that the line stands in, where that is known.
    """
    new: dict[str, Any] = {}
    if "pricing" not in data and ("price" in data or "plan" in data):
        pricing = pricing_of(data)
        if pricing is not None and data.get("proration") is True and "unit_amount_decimal" in pricing:
            # What is left of a period is no price per unit. Recorded beside the old shape at 2025-02-24.acacia.
            pricing["unit_amount_decimal"] = None
        new["pricing"] = pricing
    if "parent" not in data:
        parent = _parent_of_line(data)
        if parent is not None:
            new["parent"] = parent
    if "taxes" not in data:
        taxes = amounts_of(data, "taxes", "tax_amounts")
        if taxes is not None:
            new["taxes"] = taxes
    if "quantity_decimal" not in data and whole(data.get("quantity")) is not None:
        new["quantity_decimal"] = str(data["quantity"])
    if invoice_id is not None and "invoice" not in data:
        new["invoice"] = invoice_id
    discounts = discounts_of(data)
    if discounts is not None:
        new["discounts"] = discounts
    return {**data, **new} if new else data


def invoiceitem(data: dict[str, Any]) -> dict[str, Any]:
    """An item that waits for an invoice; its price and its subscription moved as those of lines did (2025-03-31)."""
    new: dict[str, Any] = {}
    if "pricing" not in data and ("price" in data or "plan" in data):
        pricing = pricing_of(data)
        decimal = _unit_amount(data)
        if pricing is not None and decimal is not None:
            # A proration's own amount differs from that of its price.
            pricing["unit_amount_decimal"] = decimal
        new["pricing"] = pricing
    if "parent" not in data and "subscription" in data:
        new["parent"] = _parent_of_item(data)
    if "quantity_decimal" not in data and whole(data.get("quantity")) is not None:
        new["quantity_decimal"] = str(data["quantity"])
    discounts = discounts_of(data)
    if discounts is not None:
        new["discounts"] = discounts
    return {**data, **new} if new else data


def _unit_amount(data: dict[str, Any]) -> str | None:
    decimal = text(data.get("unit_amount_decimal"))
    if decimal is None and whole(data.get("unit_amount")) is not None:
        return str(data["unit_amount"])
    return decimal


def _parent_of_item(data: dict[str, Any]) -> dict[str, Any] | None:
    subscription, item = id_of(data["subscription"]), id_of(data.get("subscription_item"))
    if subscription is None:
        return None
    details = {"subscription": subscription}
    if item is not None:
        details["subscription_item"] = item
    return {"type": "subscription_details", "subscription_details": details}


def _parent_of_line(data: dict[str, Any]) -> dict[str, Any] | None:
    """What made the line. Ids that may be null are told as null only where the line tells so.

    An invoice item that a subscription's own item made, a proration, counts as the subscription item's: recorded beside
    the old shape at 2024-12-18.acacia and 2025-02-24.acacia.
    """
    kind, line_id = data.get("type"), text(data.get("id")) or ""
    details: dict[str, Any] = {name: data[name] for name in ("proration", "proration_details") if name in data}
    subscription, item = id_of(data.get("subscription")), id_of(data.get("invoice_item"))
    if kind == "subscription":
        if subscription is None and line_id.startswith("sub_"):
            subscription = line_id
        if item is not None or "invoice_item" in data:
            details["invoice_item"] = item
        if id_of(data.get("subscription_item")) is not None:
            details["subscription_item"] = id_of(data["subscription_item"])
    elif kind == "invoiceitem":
        if item is None and line_id.startswith("ii_"):
            item = line_id
        if item is not None:
            details["invoice_item"] = item
        if id_of(data.get("subscription_item")) is not None:
            details["subscription_item"] = id_of(data["subscription_item"])
            kind = "subscription"
    else:
        return None
    if subscription is not None or "subscription" in data:
        details["subscription"] = subscription
    if kind == "subscription":
        return {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": details,
        }
    return {"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None}
