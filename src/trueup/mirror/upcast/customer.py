"""Customers, and the cards of old."""

from __future__ import annotations

from typing import Any

from trueup.mirror.upcast.catalog import discount
from trueup.mirror.upcast.shape import each_in, id_of, text
from trueup.mirror.upcast.subscription import subscription


def customer(data: dict[str, Any]) -> dict[str, Any]:
    """A customer, the same dictionary when nothing is missing, else a new one with the new paths added.

    Subscriptions, sources and tax ids are embedded by old versions only; their absence says nothing, and nothing is put
    in their place. Where they are embedded they are brought along.
    """
    new: dict[str, Any] = {}
    for old, newer in (("account_balance", "balance"), ("default_card", "default_source")):
        if old in data and newer not in data:
            new[newer] = data[old]
    sources = _sources(data)
    if sources is not None:
        new["sources"] = sources
    subscriptions = _subscriptions(data)
    if subscriptions is not None:
        new["subscriptions"] = subscriptions
    told = data.get("discount")
    if type(told) is dict:
        newest = discount(told)
        if newest is not told:
            new["discount"] = newest
    if "tax_ids" not in data:
        tax_ids = _tax_ids(data)
        if tax_ids is not None:
            new["tax_ids"] = tax_ids
    return {**data, **new} if new else data


def card(data: dict[str, Any]) -> dict[str, Any]:
    """A card as a source; until 2014 its brand was its ``type``."""
    if data.get("brand") is None and text(data.get("type")) is not None:
        return {**data, "brand": data["type"]}
    return data


def _source(data: dict[str, Any]) -> dict[str, Any]:
    return card(data) if data.get("object") == "card" else data


def _sources(data: dict[str, Any]) -> dict[str, Any] | None:
    """The new ``sources``: the cards of 2014 and before, of which the first years allowed one."""
    told = data.get("sources")
    if told is None and "sources" not in data:
        told = data.get("cards")
        if told is None:
            one = data.get("active_card")
            return {"object": "list", "data": [_source(one)]} if type(one) is dict else None
        return each_in(told, _source) or told
    return each_in(told, _source)


def _subscriptions(data: dict[str, Any]) -> dict[str, Any] | None:
    """The new ``subscriptions``: until 2014 a customer told of one. That it told of none says nothing of others."""
    told = data.get("subscriptions")
    if told is not None:
        return each_in(told, subscription)
    one = data.get("subscription")
    if type(one) is dict and "subscriptions" not in data:
        return {"object": "list", "data": [subscription(one)]}
    return None


def _tax_ids(data: dict[str, Any]) -> dict[str, Any] | None:
    """``business_vat_id`` (until 2018-08-23), then ``tax_info`` (until 2019-12-03), as the one tax id it stood for.

    Neither its id nor its newest type was told. There may be others, so nothing is said about ``has_more``.
    """
    info = data.get("tax_info")
    value = text(info.get("tax_id")) if type(info) is dict else text(data.get("business_vat_id"))
    if value is None:
        return None
    tax_id: dict[str, Any] = {"object": "tax_id", "value": value}
    owner = id_of(data)
    if owner is not None:
        tax_id["customer"] = owner
    verification = data.get("tax_info_verification")
    if type(verification) is dict:
        tax_id["verification"] = verification
    return {"object": "list", "data": [tax_id]}
