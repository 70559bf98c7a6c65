"""Payment methods, and tokens of cards."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.payment_methods import methods, setup_routes, shapes, tokens
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, Signal, World


def _create(world: World, call: Call) -> Obj:
    kind = call.value("type")
    if shared := call.value("payment_method"):
        return methods.get(world, shared, status=400)
    if not kind:
        message = "Missing required param: type."
        raise invalid(message, param="type", code="parameter_missing")
    return methods.create(
        world,
        kind,
        call.value(kind) or {},
        billing=call.value("billing_details"),
        metadata=metadata({}, call.params.get("metadata")),
        allow_redisplay=call.value("allow_redisplay"),
    )


def _retrieve(world: World, call: Call) -> Obj:
    return methods.get(world, call.ids["payment_method"])


def _update(world: World, call: Call) -> Obj:
    method = methods.get(world, call.ids["payment_method"])
    if method["customer"] is None:
        message = "You must save this PaymentMethod to a customer before you can update it."
        raise invalid(message)
    world.follow(world.get("customer", method["customer"]))
    if call.given("metadata"):
        method["metadata"] = metadata(method["metadata"], call.params["metadata"])
    if call.given("allow_redisplay"):
        method["allow_redisplay"] = call.params["allow_redisplay"]
    if call.given("billing_details"):
        method["billing_details"] = shapes.billing_details(call.value("billing_details"), method["billing_details"])
    for name in ("card", "us_bank_account"):
        changes = dict(call.value(name) or {})
        if changes and method["type"] != name:
            message = f"You cannot update a payment_method of type `{method['type']}` with the parameter `{name}`."
            raise invalid(message, param=name)
        if "networks" in changes:
            method["card"]["networks"] = {**method["card"]["networks"], **changes.pop("networks")}
        method.get(name, {}).update(changes)
    world.tell("payment_method.updated", method)
    return method


def _attach(world: World, call: Call) -> Obj:
    customer_id = call.value("customer")
    if not customer_id:
        message = "Missing required param: customer."
        raise invalid(message, param="customer", code="parameter_missing")
    customer = world.get("customer", customer_id, param="customer")
    world.follow(customer)
    return methods.attach(world, methods.get(world, call.ids["payment_method"]), customer)


def _detach(world: World, call: Call) -> Obj:
    method = methods.get(world, call.ids["payment_method"])
    if method["customer"]:
        world.follow(world.get("customer", method["customer"], deleted=True))
    return methods.detach(world, method)


def _list(world: World, call: Call) -> Obj:
    """Only a customer's are listed; Stripe's answer without one is empty."""
    customer = call.value("customer")
    if not customer:
        return pages.of(call, [], kind="payment_method")
    world.get("customer", customer, param="customer")
    return _page(world, call, customer)


def _customers(world: World, call: Call) -> Obj:
    return _page(world, call, world.get("customer", call.ids["customer"])["id"])


def _page(world: World, call: Call, customer: str) -> Obj:
    redisplay = call.value("allow_redisplay")
    return pages.page(
        world,
        call,
        "payment_method",
        keep=(lambda method: method["allow_redisplay"] == redisplay) if redisplay else None,
        customer=customer,
        type=call.value("type"),
    )


def _customers_one(world: World, call: Call) -> Obj:
    customer = world.get("customer", call.ids["customer"])
    method = world.find("payment_method", call.ids["payment_method"])
    if method is None or method["customer"] != customer["id"]:
        message = f"No such PaymentMethod: '{call.ids['payment_method']}'"
        raise StripeError(message, status=404, code="resource_missing", param="payment_method")
    return method


def _attach_signal(world: World, *, customer: Obj, payment_method: str) -> None:
    methods.attach(world, methods.get(world, payment_method, status=400), customer)


def _customer_deleted(world: World, *, customer: Obj) -> None:
    for method in list(world.select("payment_method", customer=customer["id"])):
        methods.detach(world, method, quietly=True)


ROUTES: Final[dict[str, Handler]] = {
    **setup_routes.ROUTES,
    "POST /v1/payment_methods": _create,
    "GET /v1/payment_methods": _list,
    "GET /v1/payment_methods/{payment_method}": _retrieve,
    "POST /v1/payment_methods/{payment_method}": _update,
    "POST /v1/payment_methods/{payment_method}/attach": _attach,
    "POST /v1/payment_methods/{payment_method}/detach": _detach,
    "GET /v1/customers/{customer}/payment_methods": _customers,
    "GET /v1/customers/{customer}/payment_methods/{payment_method}": _customers_one,
    "POST /v1/tokens": tokens.create,
    "GET /v1/tokens/{token}": tokens.retrieve,
}

SIGNALS: Final[dict[str, Signal]] = {"attach": _attach_signal, "customer_deleted": _customer_deleted}
