"""What a customer says of itself: the fields that creation and update share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.answers.merging import address, metadata, put
from trueup.sandbox.wire.errors import StripeError, invalid, missing
from trueup.sandbox.world.world import Obj, World

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_LONGEST_EMAIL: Final = 512
_PREFIX: Final = re.compile(r"[A-Z0-9]{3,12}")
_MOST_FIELDS: Final = 4
_ABSENT: Final = ("cash_balance", "default_source", "source")
"""Parameters of parts of Stripe that this sandbox does not play."""

_DEFAULT_METHOD: Final = "invoice_settings[default_payment_method]"


def blank(world: World, *, clock: str | None, prefix: str) -> Obj:
    """A customer's fields before anything is said of it."""
    return {
        "address": None,
        "balance": 0,
        "created": world.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": prefix,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": clock,
    }


def put_on(world: World, customer: Obj, call: Call) -> None:
    """Lay what a request says over a customer. Raises Stripe's 400s."""
    for name in _ABSENT:
        if call.given(name):
            raise invalid(f"This sandbox does not know the parameter `{name}` of customers.", param=name)
    if email := call.value("email"):
        _check_email(email)
    if prefix := call.value("invoice_prefix"):
        _check_prefix(world, customer, prefix)
    put(
        customer,
        call,
        (
            "description",
            "email",
            "name",
            "phone",
            "business_name",
            "individual_name",
            "invoice_prefix",
            "next_invoice_sequence",
        ),
    )
    if call.given("address"):
        customer["address"] = address(call.value("address"))
    if call.given("metadata"):
        customer["metadata"] = metadata(customer["metadata"], call.params["metadata"])
    if call.given("tax_exempt"):
        customer["tax_exempt"] = call.value("tax_exempt") or "none"
    if call.given("preferred_locales"):
        customer["preferred_locales"] = list(call.params["preferred_locales"])
    if call.given("shipping"):
        customer["shipping"] = _shipping(call.value("shipping"))
    location = call.value("tax") or {}
    if "ip_address" in location:
        customer["$ip_address"] = location["ip_address"] or None
    if location.get("validate_location") == "immediately" and tax(customer)["location"] is None:
        message = (
            "The customer's location isn't recognized. Set a valid customer address in order to automatically "
            "calculate tax."
        )
        raise invalid(message, param="tax[validate_location]", code="customer_tax_location_invalid")


def put_invoice_settings(world: World, customer: Obj, call: Call) -> None:
    """Lay ``invoice_settings`` over a customer's. Raises Stripe's 400 for a payment method of somebody else."""
    told: Mapping[str, Any] = call.value("invoice_settings") or {}
    settings = customer["invoice_settings"]
    if "custom_fields" in told:
        fields = told["custom_fields"] or None
        if fields and len(fields) > _MOST_FIELDS:
            message = f"Array custom_fields exceeded maximum {_MOST_FIELDS} allowed elements."
            raise invalid(message, param="invoice_settings[custom_fields]")
        settings["custom_fields"] = fields and [{"name": one["name"], "value": one["value"]} for one in fields]
    if "footer" in told:
        settings["footer"] = told["footer"] or None
    if "rendering_options" in told:
        options = told["rendering_options"]
        settings["rendering_options"] = options and {
            "amount_tax_display": options.get("amount_tax_display") or None,
            "template": options.get("template"),
        }
        settings["rendering_options"] = settings["rendering_options"] or None
    if method := told.get("default_payment_method"):
        found = world.get("payment_method", method, param=_DEFAULT_METHOD)
        if found["customer"] != customer["id"]:
            message = (
                f"The customer does not have a payment method with the ID {method}. The payment method must be "
                "attached to the customer."
            )
            raise invalid(message, param=_DEFAULT_METHOD, code="resource_missing")
        settings["default_payment_method"] = method


def tax(customer: Obj) -> Obj:
    """What ``expand`` shows as ``tax``: where the customer is, as its address says."""
    address_of = customer["address"] or {}
    place = address_of.get("country")
    return {
        "automatic_tax": "supported" if place else "unrecognized_location",
        "ip_address": customer.get("$ip_address"),
        "location": {"country": place, "source": "billing_address", "state": address_of["state"]} if place else None,
        "provider": "stripe",
    }


def no_discount(customer: Obj) -> StripeError:
    """What deleting a discount answers where there is none."""
    error = missing("discount", customer["id"])
    error.message = f"No active discount for customer: {customer['id']}"
    return error


def _shipping(told: Mapping[str, Any] | None) -> Obj | None:
    if not told:
        return None
    return {"address": address(told.get("address")), "name": told["name"], "phone": told.get("phone") or ""}


def _check_email(email: str) -> None:
    if not _EMAIL.fullmatch(email) or len(email) > _LONGEST_EMAIL:
        raise invalid(f"Invalid email address: {email}", param="email", code="email_invalid")


def _check_prefix(world: World, customer: Obj, prefix: str) -> None:
    if not _PREFIX.fullmatch(prefix):
        message = "Invoice prefixes must be 3 to 12 uppercase letters or numbers."
        raise invalid(message, param="invoice_prefix")
    taken = world.select("customer", invoice_prefix=prefix)
    if any(other["id"] != customer["id"] for other in taken):
        message = f"The invoice prefix {prefix} is already used by another customer."
        raise invalid(message, param="invoice_prefix")
