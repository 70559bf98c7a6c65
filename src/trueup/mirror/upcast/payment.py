"""Payment intents, charges, and the cards of old."""

from __future__ import annotations

from typing import Any, Final

from trueup.mirror.upcast.shape import card_brand, id_of, text

_STATUS_OF_OLD: Final = {
    "requires_source": "requires_payment_method",
    "requires_source_action": "requires_action",
}
_TOLD_OF_CARDS: Final = ("country", "exp_month", "exp_year", "fingerprint", "funding", "last4")


def payment_intent(data: dict[str, Any]) -> dict[str, Any]:
    """A payment intent. Sources became payment methods (2019-02-11), ``charges`` ``latest_charge`` (2022-11-15)."""
    new: dict[str, Any] = {}
    status = data.get("status")
    if type(status) is str and status in _STATUS_OF_OLD:
        new["status"] = _STATUS_OF_OLD[status]
    for old, newer in (("allowed_source_types", "payment_method_types"), ("next_source_action", "next_action")):
        if newer not in data and old in data:
            new[newer] = data[old]
    if "payment_method" not in data and "source" in data:
        new["payment_method"] = data["source"]
    if "latest_charge" not in data and type(data.get("charges")) is dict:
        charges = data["charges"].get("data")
        if type(charges) is list:
            new["latest_charge"] = id_of(charges[0]) if charges else None
    return {**data, **new} if new else data


def charge(data: dict[str, Any]) -> dict[str, Any]:
    """A charge. ``dispute`` became ``disputed`` (2019-12-03), ``source`` the payment method's (2019-05-16)."""
    new: dict[str, Any] = {}
    if data.get("disputed") is None and "dispute" in data:
        new["disputed"] = data["dispute"] is not None
    source = data.get("source")
    if type(source) is not dict:
        # Before sources there were cards, in a field of their own.
        source = data.get("card")
    if type(source) is dict:
        if "payment_method" not in data and text(source.get("id")) is not None:
            new["payment_method"] = source["id"]
        if "payment_method_details" not in data and source.get("object") == "card":
            new["payment_method_details"] = {"type": "card", "card": _details_of(source)}
    return {**data, **new} if new else data


def card(data: dict[str, Any]) -> dict[str, Any]:
    """A card as a source; until 2014 its brand was its ``type``."""
    if data.get("brand") is None and text(data.get("type")) is not None:
        return {**data, "brand": data["type"]}
    return data


def _details_of(source: dict[str, Any]) -> dict[str, Any]:
    """The part of a card that a charge tells of its payment method; the brand in the spelling used there."""
    details: dict[str, Any] = {name: source[name] for name in _TOLD_OF_CARDS if name in source}
    brand = card_brand(card(source).get("brand"))
    if brand is not None:
        details["brand"] = brand
    return details
