"""Checkout sessions."""

from __future__ import annotations

from typing import Any, Final

from trueup.mirror.upcast.catalog import price_of_plan
from trueup.mirror.upcast.shape import mapping, text

_UI_MODE_OF_OLD: Final = {"hosted": "hosted_page", "embedded": "embedded_page", "custom": "elements"}


def session(data: dict[str, Any]) -> dict[str, Any]:
    """A checkout session, the same dictionary when nothing is missing, else a new one with the new paths added.

    ``display_items`` became ``line_items`` (2020-08-27), the address it ships to moved from ``shipping`` over
    ``shipping_details`` (2022-08-01) to ``collected_information`` (2025-03-31.basil).
    """
    new: dict[str, Any] = {}
    mode = data.get("ui_mode")
    if type(mode) is str and mode in _UI_MODE_OF_OLD:
        new["ui_mode"] = _UI_MODE_OF_OLD[mode]
    if "line_items" not in data and type(data.get("display_items")) is list:
        new["line_items"] = {"object": "list", "data": [_item(one) for one in data["display_items"]]}
    if data.get("shipping_cost") is None and data.get("shipping_rate") is not None:
        new["shipping_cost"] = {"shipping_rate": data["shipping_rate"]}
    shipped = data.get("shipping_details", data.get("shipping"))
    if type(shipped) is dict:
        collected = data.get("collected_information")
        if mapping(collected).get("shipping_details") is None:
            new["collected_information"] = {**mapping(collected), "shipping_details": shipped}
    return {**data, **new} if new else data


def _item(shown: object) -> object:
    """What a display item tells of the line that took its place; without an id, and without amounts."""
    if type(shown) is not dict:
        return shown
    item: dict[str, Any] = {"object": "item"}
    for field in ("currency", "quantity"):
        if shown.get(field) is not None:
            item[field] = shown[field]
    if type(shown.get("plan")) is dict:
        item["price"] = price_of_plan(shown["plan"])
    name = text(mapping(shown.get("custom")).get("name"))
    if name is not None:
        item["description"] = name
    return item
