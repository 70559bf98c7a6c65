"""The envelope of events, and billing alerts."""

from __future__ import annotations

from typing import Any, Final

from trueup.mirror.upcast.shape import id_of

_TYPE_OF_OLD: Final = {"payment_method.card_automatically_updated": "payment_method.automatically_updated"}


def event(data: dict[str, Any]) -> dict[str, Any]:
    """An event's envelope; the object inside is upcast by its own type, where it is read.

    Until 2017-05-25 ``request`` was a bare id, and the account that it happened in was ``user_id``.
    """
    new: dict[str, Any] = {}
    if type(data.get("request")) is str:
        new["request"] = {"id": data["request"]}
    if "account" not in data and "user_id" in data:
        new["account"] = data["user_id"]
    kind = data.get("type")
    if type(kind) is str and kind in _TYPE_OF_OLD:
        new["type"] = _TYPE_OF_OLD[kind]
    return {**data, **new} if new else data


def alert(data: dict[str, Any]) -> dict[str, Any]:
    """A billing alert; its threshold and the customer it watches were two fields until 2024-09-30.acacia."""
    config = data.get("usage_threshold_config")
    if type(data.get("usage_threshold")) is dict or type(config) is not dict:
        return data
    threshold = dict(config)
    if "filter" in data and "filters" not in config:
        watched = data["filter"]
        customer = id_of(watched.get("customer")) if type(watched) is dict else None
        threshold["filters"] = [] if customer is None else [{"type": "customer", "customer": customer}]
    return {**data, "usage_threshold": threshold}
