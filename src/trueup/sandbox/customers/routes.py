"""Customers."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler, Included
from trueup.sandbox.answers.merging import address, metadata, put
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World, listed

_PLAIN: Final = ("description", "email", "name", "phone", "business_name", "individual_name")
_PREFIX_LENGTH: Final = 8


def _create(world: World, call: Call) -> Obj:
    if clock := call.value("test_clock"):
        world.follow({"test_clock": world.get("test_helpers.test_clock", clock, param="test_clock")["id"]})
        world.signal("clock_joining", clock=clock)
    customer = world.new(
        "customer",
        {
            "address": address(call.value("address")),
            "balance": 0,
            "created": world.now,
            "currency": None,
            "customer_account": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": None,
            "invoice_prefix": call.value("invoice_prefix") or world.ids.text(_PREFIX_LENGTH).upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": metadata({}, call.params.get("metadata")),
            "name": None,
            "next_invoice_sequence": call.value("next_invoice_sequence", 1),
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": clock,
        },
    )
    _set(world, customer, call)
    world.tell("customer.created", customer)
    if method := call.value("payment_method"):
        world.signal("attach", customer=customer, payment_method=method)
    if call.given("balance"):
        _set_balance(world, customer, call.params["balance"])
    return customer


def _set(world: World, customer: Obj, call: Call) -> None:
    """What creation and update share."""
    put(customer, call, (name for name in _PLAIN if name in {"description", "email", "name", "phone"} or call.given(name)))
    put(customer, call, ("tax_exempt",))
    customer["tax_exempt"] = customer["tax_exempt"] or "none"
    if call.given("preferred_locales"):
        customer["preferred_locales"] = list(call.params["preferred_locales"])
    if call.given("shipping"):
        shipping = call.value("shipping")
        customer["shipping"] = (
            {"address": address(shipping.get("address")), "name": shipping["name"], "phone": shipping.get("phone") or ""}
            if shipping
            else None
        )
    if settings := call.value("invoice_settings"):
        kept = customer["invoice_settings"]
        for name, value in settings.items():
            kept[name] = value or None
        if method := settings.get("default_payment_method"):
            _own_method(world, customer, method)


def _own_method(world: World, customer: Obj, method: str) -> None:
    """A default has to be attached to the customer."""
    found = world.get("payment_method", method, param="invoice_settings[default_payment_method]")
    if found["customer"] != customer["id"]:
        message = (
            "The customer does not have a payment method with the ID "
            f"{method}. The payment method must be attached to the customer."
        )
        raise invalid(message, param="invoice_settings[default_payment_method]", code="resource_missing")


def _set_balance(world: World, customer: Obj, balance: int) -> None:
    if change := balance - customer["balance"]:
        world.signal("adjust_balance", customer=customer, amount=change)


def _retrieve(world: World, call: Call) -> Obj:
    found = world.get("customer", call.ids["customer"], deleted=True)
    return {"id": found["id"], "object": "customer", "deleted": True} if found.get("deleted") else found


def _update(world: World, call: Call) -> Obj:
    customer = world.get("customer", call.ids["customer"])
    world.follow(customer)
    if call.given("address"):
        customer["address"] = address(call.value("address"))
    if call.given("metadata"):
        customer["metadata"] = metadata(customer["metadata"], call.params["metadata"])
    put(customer, call, ("invoice_prefix", "next_invoice_sequence"))
    _set(world, customer, call)
    if call.given("balance"):
        _set_balance(world, customer, call.params["balance"])
    world.tell("customer.updated", customer)
    return customer


def _delete(world: World, call: Call) -> Obj:
    return delete(world, world.get("customer", call.ids["customer"]))


def delete(world: World, customer: Obj) -> Obj:
    """Delete a customer: subscriptions end, methods go, the discount ends, then ``customer.deleted``."""
    world.follow(customer)
    world.signal("customer_deleted", customer=customer)
    world.tell("customer.deleted", customer)
    return world.delete(customer)


def _list(world: World, call: Call) -> Obj:
    return pages.page(
        world, call, "customer", email=call.value("email"), test_clock=call.value("test_clock"), keep=_clocked(call)
    )


def _clocked(call: Call) -> Any:
    """Customers of test clocks are listed only where their clock is asked for."""
    return None if call.value("test_clock") or call.value("email") else lambda obj: obj.get("test_clock") is None


def _invoice_credit_balance(_world: World, _customer: Obj) -> Obj:
    return {}


def _tax(_world: World, customer: Obj) -> Obj:
    place = customer["address"] and customer["address"].get("country")
    location = {"country": place, "source": "billing_address", "state": customer["address"]["state"]} if place else None
    return {
        "automatic_tax": "supported" if place else "unrecognized_location",
        "ip_address": None,
        "location": location,
        "provider": "stripe",
    }


def _subscriptions(world: World, customer: Obj) -> Obj:
    found = [s for s in world.select("subscription", customer=customer["id"]) if s["status"] != "canceled"]
    return listed(f"/v1/customers/{customer['id']}/subscriptions", found)


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/customers": _create,
    "GET /v1/customers": _list,
    "GET /v1/customers/{customer}": _retrieve,
    "POST /v1/customers/{customer}": _update,
    "DELETE /v1/customers/{customer}": _delete,
}

INCLUDED: Final[Included] = {
    ("customer", "invoice_credit_balance"): _invoice_credit_balance,
    ("customer", "tax"): _tax,
    ("customer", "subscriptions"): _subscriptions,
}
