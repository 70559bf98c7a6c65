"""Customers."""

from __future__ import annotations

from typing import Any

from trueup.mirror.upcast.catalog import discount


def customer(data: dict[str, Any]) -> dict[str, Any]:
    """A customer, the same dictionary when nothing is missing, else a new one with the new paths added.

    Subscriptions, sources and tax ids are embedded by old versions only; their absence says nothing, and nothing is put
    in their place.
    """
    new: dict[str, Any] = {}
    for old, newer in (("account_balance", "balance"), ("default_card", "default_source"), ("cards", "sources")):
        if newer not in data and old in data:
            new[newer] = data[old]
    told = data.get("discount")
    if type(told) is dict:
        newest = discount(told)
        if newest is not told:
            new["discount"] = newest
    return {**data, **new} if new else data
