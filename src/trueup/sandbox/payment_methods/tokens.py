"""Tokens: a card or bank account that was handed over, to be used once."""

from __future__ import annotations

from typing import Any

import msgspec

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.payment_methods import methods, shapes
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World


def create(world: World, call: Call) -> Obj:
    """A token of a card; its number is not kept. Raises Stripe's errors."""
    given = call.value("card")
    if not isinstance(given, dict):
        message = (
            "You must supply either a card, customer, PII data, bank account, or account legal entity to create a "
            "token."
        )
        raise invalid(message)
    try:
        expires = (int(given["exp_month"]), int(given["exp_year"]))
    except ValueError:
        expires = (0, 0)
    seen = methods.read(world, given["number"], expires, param="card")
    identity = f"{seen.brand}:{seen.last4}:{seen.country}"
    cvc = "cvc" in given
    details = shapes.card(world, seen, identity, expires=(expires[0], expires[1] % 100 + 2000), cvc=cvc)
    return world.new(
        "token",
        {
            "card": _card(world, details, given),
            "client_ip": None,
            "created": world.now,
            "livemode": False,
            "type": "card",
            "used": False,
            "$card": msgspec.structs.asdict(seen),
            "$cvc": cvc,
        },
    )


def _card(world: World, details: Obj, given: dict[str, Any]) -> Obj:
    """The older shape of a card, as tokens have it."""
    return {
        "id": "card_1" + world.ids.text(23),
        "object": "card",
        **{name: given.get(name) for name in ("address_city", "address_country", "address_line1")},
        "address_line1_check": "unchecked" if given.get("address_line1") else None,
        **{name: given.get(name) for name in ("address_line2", "address_state", "address_zip")},
        "address_zip_check": "unchecked" if given.get("address_zip") else None,
        "brand": {"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express", "discover": "Discover"}.get(
            details["brand"], details["brand"].capitalize()
        ),
        "country": details["country"],
        "cvc_check": details["checks"]["cvc_check"],
        "dynamic_last4": None,
        "exp_month": details["exp_month"],
        "exp_year": details["exp_year"],
        "fingerprint": details["fingerprint"],
        "funding": details["funding"],
        "last4": details["last4"],
        "metadata": {},
        "name": given.get("name"),
        "networks": {"preferred": None},
        "regulated_status": details["regulated_status"],
        "tokenization_method": None,
    }


def retrieve(world: World, call: Call) -> Obj:
    """A token."""
    return world.get("token", call.ids["token"])
