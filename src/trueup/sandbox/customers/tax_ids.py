"""Tax ids of customers and of the account, and what becomes of their verification."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from trueup.sandbox.accounts.routes import account_id
from trueup.sandbox.assumptions import TAX_ID_OUTCOMES, TAX_ID_SECONDS
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_VERIFIED: Final = frozenset({"au_abn", "eu_vat", "gb_vat"})
"""Types that Stripe looks up at an authority. Source: https://docs.stripe.com/invoicing/customer/tax-ids#validation"""

_SHAPES: Final = {
    "au_abn": re.compile(r"[0-9]{11}"),
    "eu_vat": re.compile(
        r"(AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)\w{2,12}"
    ),
    "gb_vat": re.compile(r"(GB|XI)[0-9]{9}([0-9]{3})?"),
    "us_ein": re.compile(r"[0-9]{2}-?[0-9]{7}"),
}
"""Of the types that are used most; others are taken as they come."""

_ELSEWHERE: Final = {"EL": "GR", "XI": "GB"}


def create(world: World, params: Mapping[str, Any], *, customer: str | None, at: str = "") -> Obj:
    """Add a tax id to a customer, or to the account without one, and tell it where it is a customer's.

    ``at`` is where ``params`` stand in the request. Raises Stripe's 400 where the value cannot be one of its type.
    """
    kind, value = params["type"], params["value"].strip()
    outcome = _outcome(value)
    shape = _SHAPES.get(kind)
    if shape is not None and outcome is None and not shape.fullmatch(value.replace(" ", "").replace(".", "").upper()):
        message = f"Invalid value for {kind}."
        raise invalid(message, param=f"{at}[value]" if at else "value", code="tax_id_invalid")
    looked_up = kind in _VERIFIED
    tax_id = world.new(
        "tax_id",
        {
            "country": _country(kind, value),
            "created": world.now,
            "customer": customer,
            "customer_account": None,
            "livemode": False,
            "owner": _owner(world, customer),
            "type": kind,
            "value": value,
            "verification": {
                "status": "pending" if looked_up else "unavailable",
                "verified_address": None,
                "verified_name": None,
            }
            if customer
            else None,
        },
    )
    if customer:
        if looked_up and outcome:
            world.schedule(world.now + TAX_ID_SECONDS, "tax_id_verified", tax_id["id"])
        world.tell("customer.tax_id.created", tax_id)
    return tax_id


def delete(world: World, tax_id: Obj) -> Obj:
    """Take a tax id away and tell it where it is a customer's; what Stripe answers."""
    world.unschedule("tax_id_verified", tax_id["id"])
    if tax_id["customer"]:
        world.tell("customer.tax_id.deleted", tax_id)
    return world.delete(tax_id)


def verify(world: World, tax_id_id: str) -> None:
    """The timer after which the authority has answered."""
    tax_id = world.find("tax_id", tax_id_id)
    if tax_id is None or tax_id.get("deleted"):
        return
    outcome = _outcome(tax_id["value"])
    if outcome is not None:
        found = outcome == "verified"
        tax_id["verification"] = {
            "status": outcome,
            "verified_address": "123 TEST STREET" if found else None,
            "verified_name": "TEST" if found else None,
        }
        world.tell("customer.tax_id.updated", tax_id)


def _outcome(value: str) -> str | None:
    """What the authority says of a test value; None for any other, which stays pending."""
    return next((outcome for end, outcome in TAX_ID_OUTCOMES.items() if value.endswith(end)), None)


def _country(kind: str, value: str) -> str | None:
    if kind == "eu_oss_vat":
        return None
    code = value[:2].upper() if kind == "eu_vat" and value[:2].isalpha() else kind[:2].upper()
    return None if code == "EU" else _ELSEWHERE.get(code, code)


def _owner(world: World, customer: str | None) -> Obj:
    return {
        "account": None if customer else account_id(world),
        "application": None,
        "customer": customer,
        "customer_account": None,
        "type": "customer" if customer else "self",
    }
