"""Taxes: the rates that apply to an object, and the amounts that came of them."""

from __future__ import annotations

from typing import Any

from trueup.mirror.upcast.shape import id_of, whole


def rates_of(data: dict[str, Any]) -> list[Any] | None:
    """The ``default_tax_rates`` that a ``tax_percent`` tells (until 2020-08-27); ``None``: told already, or not known.

    A percentage came on top of the amounts, so its rate is exclusive; the rate's id was never told and stays absent.
    """
    if "default_tax_rates" in data or "tax_percent" not in data:
        return None
    percent = data["tax_percent"]
    if percent is None:
        return []
    if type(percent) in {int, float}:
        return [{"object": "tax_rate", "inclusive": False, "percentage": percent}]
    return None


def amounts_of(data: dict[str, Any], newer: str, older: str) -> list[Any] | None:
    """Tax amounts as 2025-03-31.basil tells them; ``None`` when they are told so already or nothing is known."""
    if newer in data:
        return None
    amounts = data.get(older)
    if type(amounts) is not list:
        return None
    return [_amount(one) if type(one) is dict else one for one in amounts]


def amounts_of_percent(data: dict[str, Any]) -> list[Any] | None:
    """The ``total_taxes`` that a lone ``tax`` tells: before rates there was one percentage, or no tax at all."""
    if "total_taxes" in data or "total_tax_amounts" in data or "tax" not in data:
        return None
    tax = data["tax"]
    if tax is None:
        return []
    if whole(tax) is None:
        return None
    return [{"amount": tax, "tax_behavior": "exclusive", "type": "tax_rate_details"}]


def _amount(old: dict[str, Any]) -> dict[str, Any]:
    new: dict[str, Any] = {name: old[name] for name in ("amount", "taxability_reason", "taxable_amount") if name in old}
    if type(old.get("inclusive")) is bool:
        new["tax_behavior"] = "inclusive" if old["inclusive"] else "exclusive"
    if "tax_rate" in old:
        rate = id_of(old["tax_rate"])
        new["tax_rate_details"] = None if rate is None else {"tax_rate": rate}
    new["type"] = "tax_rate_details"
    return new
