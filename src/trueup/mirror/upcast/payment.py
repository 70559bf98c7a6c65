"""Payment intents and charges."""

from __future__ import annotations

from typing import Any, Final

from trueup.mirror.upcast.customer import card
from trueup.mirror.upcast.shape import card_brand, each, id_of, text, whole

_STATUS_OF_OLD: Final = {
    "requires_source": "requires_payment_method",
    "requires_source_action": "requires_action",
}
_TOLD_OF_CARDS: Final = ("country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
_ADDRESS_OF_CARDS: Final = {
    "address_city": "city",
    "address_country": "country",
    "address_line1": "line1",
    "address_line2": "line2",
    "address_state": "state",
    "address_zip": "postal_code",
}


def payment_intent(data: dict[str, Any]) -> dict[str, Any]:
    """A payment intent. Sources became payment methods (2019-02-11), ``charges`` ``latest_charge`` (2022-11-15)."""
    new: dict[str, Any] = {}
    status = data.get("status")
    if type(status) is str and status in _STATUS_OF_OLD:
        new["status"] = _STATUS_OF_OLD[status]
    if "payment_method_types" not in data and "allowed_source_types" in data:
        new["payment_method_types"] = data["allowed_source_types"]
    if "next_action" not in data and "next_source_action" in data:
        new["next_action"] = _next_action(data["next_source_action"])
    if "payment_method" not in data and "source" in data:
        new["payment_method"] = data["source"]
    if "charges" in data:
        _charges(data, new)
    return {**data, **new} if new else data


def charge(data: dict[str, Any]) -> dict[str, Any]:
    """A charge. ``dispute`` became ``disputed`` (2019-12-03), ``source`` the payment method's (2019-05-16)."""
    new: dict[str, Any] = {}
    if data.get("disputed") is None and "dispute" in data:
        new["disputed"] = data["dispute"] is not None
    if "amount_captured" not in data:
        captured = _captured(data)
        if captured is not None:
            new["amount_captured"] = captured
    source = data.get("source")
    if type(source) is not dict:
        # Before sources there were cards, in a field of their own.
        source = data.get("card")
    if type(source) is dict:
        _source(data, source, new)
    if "payment_method_details" in data:
        details = _authenticated(data["payment_method_details"])
        if details is not None:
            new["payment_method_details"] = details
    return {**data, **new} if new else data


def _next_action(action: object) -> object:
    """The next step; a redirect was called ``authorize_with_url``."""
    if type(action) is not dict or action.get("type") != "authorize_with_url":
        return action
    where = action.get("authorize_with_url", action.get("value"))
    return {**action, "type": "redirect_to_url", "redirect_to_url": where}


def _charges(data: dict[str, Any], new: dict[str, Any]) -> None:
    """The charges that were embedded until 2022-11-15, the newest first."""
    listing = data["charges"]
    told = listing.get("data") if type(listing) is dict else None
    if type(told) is not list:
        return
    if "latest_charge" not in data:
        new["latest_charge"] = id_of(told[0]) if told else None
    changed = each(told, charge)
    if changed is not None:
        new["charges"] = {**listing, "data": changed}


def _captured(data: dict[str, Any]) -> int | None:
    """What was captured, where nothing was given back: all of it, or nothing.

    Until 2025-03-31.basil the part that was not captured counted as refunded, so a refund leaves it open:
    https://docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow
    """
    if whole(data.get("amount_refunded")) != 0:
        return None
    if data.get("captured") is False:
        return 0
    if data.get("captured") is True and data.get("paid") is True:
        return whole(data.get("amount"))
    return None


def _source(data: dict[str, Any], source: dict[str, Any], new: dict[str, Any]) -> None:
    if "payment_method" not in data and text(source.get("id")) is not None:
        new["payment_method"] = source["id"]
    if source.get("object") != "card":
        return
    if "payment_method_details" not in data:
        new["payment_method_details"] = {"type": "card", "card": _details_of(source)}
    if "billing_details" not in data:
        billing = _billing_of(source)
        if billing:
            new["billing_details"] = billing


def _details_of(source: dict[str, Any]) -> dict[str, Any]:
    """The part of a card that a charge tells of its payment method; the brand in the spelling used there."""
    details: dict[str, Any] = {name: source[name] for name in _TOLD_OF_CARDS if name in source}
    brand = card_brand(card(source).get("brand"))
    if brand is not None:
        details["brand"] = brand
    return details


def _billing_of(source: dict[str, Any]) -> dict[str, Any]:
    """Whom the card was made out to; empty when it does not tell."""
    billing: dict[str, Any] = {}
    address = {newer: source[old] for old, newer in _ADDRESS_OF_CARDS.items() if old in source}
    if address:
        billing["address"] = address
    if "name" in source:
        billing["name"] = source["name"]
    return billing


def _authenticated(details: object) -> dict[str, Any] | None:
    """The details of a card payment with a ``result`` of its 3D Secure in place of two flags (2020-08-27).

    Both set is the one case that they settle: https://docs.stripe.com/changelog/2020-08-27/updates-3d-scure-charge-object
    """
    paid = details.get("card") if type(details) is dict else None
    secure = paid.get("three_d_secure") if type(paid) is dict else None
    if type(details) is not dict or type(paid) is not dict or type(secure) is not dict or "result" in secure:
        return None
    if secure.get("authenticated") is not True or secure.get("succeeded") is not True:
        return None
    return {**details, "card": {**paid, "three_d_secure": {**secure, "result": "authenticated"}}}
