"""Customers' routes: themselves, their balance, tax ids and discount."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from trueup.sandbox.accounts.routes import account_id
from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler, Included, Timers
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.assumptions import FIRST_BALANCE_TYPE
from trueup.sandbox.catalog import discounts
from trueup.sandbox.catalog.currencies import currency_of
from trueup.sandbox.customers import balance, details, tax_ids
from trueup.sandbox.wire.errors import missing
from trueup.sandbox.world.world import Obj, World, listed, render

_PREFIX_LENGTH: Final = 8


def _customer(world: World, call: Call) -> Obj:
    """The customer of the path; from here on the time is that of its test clock."""
    customer = world.get("customer", call.ids["customer"])
    world.follow(customer)
    return customer


def _create(world: World, call: Call) -> Obj:
    if clock := call.value("test_clock"):
        world.follow({"test_clock": world.get("test_helpers.test_clock", clock, param="test_clock")["id"]})
        world.signal("clock_joining", clock=clock)
    prefix = world.ids.text(_PREFIX_LENGTH).upper()
    customer = world.new("customer", details.blank(world, clock=clock, prefix=prefix))
    details.put_on(world, customer, call)
    world.tell("customer.created", customer)
    for at, one in enumerate(call.params.get("tax_id_data") or ()):
        tax_ids.create(world, one, customer=customer["id"], at=f"tax_id_data[{at}]")
    if method := call.value("payment_method"):
        world.signal("attach", customer=customer, payment_method=method)
    details.put_invoice_settings(world, customer, call)
    _set_balance(world, customer, call, FIRST_BALANCE_TYPE)
    return customer


def _set_balance(world: World, customer: Obj, call: Call, kind: str) -> None:
    if change := call.params.get("balance", customer["balance"]) - customer["balance"]:
        currency = customer["currency"] or world.get("account", account_id(world))["default_currency"]
        balance.adjust(world, customer, change, type=kind, currency=currency)


def _retrieve(world: World, call: Call) -> Obj:
    found = world.get("customer", call.ids["customer"], deleted=True)
    return {"id": found["id"], "object": "customer", "deleted": True} if found.get("deleted") else found


def _update(world: World, call: Call) -> Obj:
    customer = _customer(world, call)
    details.put_on(world, customer, call)
    details.put_invoice_settings(world, customer, call)
    _set_balance(world, customer, call, "adjustment")
    world.tell("customer.updated", customer)
    return customer


def _delete(world: World, call: Call) -> Obj:
    return delete(world, world.get("customer", call.ids["customer"]))


def delete(world: World, customer: Obj) -> Obj:
    """Delete a customer: subscriptions end, methods go, the discount ends, then ``customer.deleted``."""
    world.follow(customer)
    world.signal("customer_deleted", customer=customer)
    if customer["discount"] is not None:
        discounts.end(world, customer["discount"]["id"])
    for tax_id in world.select("tax_id", customer=customer["id"]):
        world.unschedule("tax_id_verified", tax_id["id"])
    world.tell("customer.deleted", customer)
    return world.delete(customer)


def _list(world: World, call: Call) -> Obj:
    return pages.page(
        world, call, "customer", email=call.value("email"), test_clock=call.value("test_clock"), keep=_clocked(call)
    )


def _clocked(call: Call) -> Callable[[Obj], bool] | None:
    """Customers of test clocks are listed only where their clock is asked for."""
    return None if call.value("test_clock") else lambda obj: obj.get("test_clock") is None


# --- the discount ---------------------------------------------------------------------------------------------------


def _delete_discount(world: World, call: Call) -> Obj:
    customer = _customer(world, call)
    if customer["discount"] is None:
        raise details.no_discount(customer)
    discount = world.get("discount", customer["discount"]["id"])
    discounts.end(world, discount["id"])
    return discount


# --- the balance ----------------------------------------------------------------------------------------------------


def _create_transaction(world: World, call: Call) -> Obj:
    return balance.adjust(
        world,
        _customer(world, call),
        call.params["amount"],
        type="adjustment",
        currency=currency_of(call.params["currency"]),
        description=call.value("description"),
        metadata=metadata({}, call.params.get("metadata")),
    )


def _transaction(world: World, call: Call) -> Obj:
    found = world.get("customer_balance_transaction", call.ids["transaction"])
    if found["customer"] != call.ids["customer"]:
        raise missing("customer_balance_transaction", call.ids["transaction"])
    return found


def _update_transaction(world: World, call: Call) -> Obj:
    transaction = _transaction(world, call)
    if call.given("description"):
        transaction["description"] = call.value("description")
    if call.given("metadata"):
        transaction["metadata"] = metadata(transaction["metadata"], call.params["metadata"])
    return transaction


def _list_transactions(world: World, call: Call) -> Obj:
    customer = world.get("customer", call.ids["customer"], deleted=True)["id"]
    return pages.page(world, call, "customer_balance_transaction", customer=customer, invoice=call.value("invoice"))


# --- tax ids --------------------------------------------------------------------------------------------------------


def _create_customer_tax_id(world: World, call: Call) -> Obj:
    return tax_ids.create(world, call.params, customer=_customer(world, call)["id"])


def _customer_tax_id(world: World, call: Call) -> Obj:
    found = world.get("tax_id", call.ids["id"])
    if found["customer"] != call.ids["customer"]:
        raise missing("tax_id", call.ids["id"])
    return found


def _delete_customer_tax_id(world: World, call: Call) -> Obj:
    found = _customer_tax_id(world, call)
    _customer(world, call)
    return tax_ids.delete(world, found)


def _list_customer_tax_ids(world: World, call: Call) -> Obj:
    return pages.page(world, call, "tax_id", customer=world.get("customer", call.ids["customer"])["id"])


def _create_tax_id(world: World, call: Call) -> Obj:
    owner = call.value("owner") or {"type": "self"}
    if owner["type"] != "customer":
        return tax_ids.create(world, call.params, customer=None)
    customer = world.get("customer", owner.get("customer", ""), param="owner[customer]")
    world.follow(customer)
    return tax_ids.create(world, call.params, customer=customer["id"])


def _tax_id(world: World, call: Call) -> Obj:
    return world.get("tax_id", call.ids["id"])


def _delete_tax_id(world: World, call: Call) -> Obj:
    tax_id = _tax_id(world, call)
    world.follow(world.find("customer", tax_id["customer"]) or {})
    return tax_ids.delete(world, tax_id)


def _list_tax_ids(world: World, call: Call) -> Obj:
    owner = call.value("owner") or {"type": "self"}
    if owner["type"] == "customer":
        return pages.page(world, call, "tax_id", customer=owner.get("customer", ""))
    return pages.page(world, call, "tax_id", keep=lambda tax_id: tax_id["customer"] is None)


# --- what appears on request ----------------------------------------------------------------------------------------


def _stored(world: World, shown: Obj) -> Obj:
    """The customer as it is kept; the one that is shown lacks the sandbox's own fields."""
    return world.get("customer", shown["id"])


def _credit_balance(world: World, customer: Obj) -> Obj:
    return balance.by_currency(_stored(world, customer))


def _tax(world: World, customer: Obj) -> Obj:
    return details.tax(_stored(world, customer))


def _tax_ids(world: World, customer: Obj) -> Obj:
    found: list[Any] = [render(one) for one in world.select("tax_id", customer=customer["id"])]
    return listed(f"/v1/customers/{customer['id']}/tax_ids", found, total=True)


def _sources(_world: World, customer: Obj) -> Obj:
    return listed(f"/v1/customers/{customer['id']}/sources", [], total=True)


def _subscriptions(world: World, customer: Obj) -> Obj:
    found = [
        render(one)
        for one in world.select("subscription", customer=customer["id"])
        if one["status"] not in {"canceled", "incomplete_expired"}
    ]
    return listed(f"/v1/customers/{customer['id']}/subscriptions", found, total=True)


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/customers": _create,
    "GET /v1/customers": _list,
    "GET /v1/customers/{customer}": _retrieve,
    "POST /v1/customers/{customer}": _update,
    "DELETE /v1/customers/{customer}": _delete,
    "DELETE /v1/customers/{customer}/discount": _delete_discount,
    "POST /v1/customers/{customer}/balance_transactions": _create_transaction,
    "GET /v1/customers/{customer}/balance_transactions": _list_transactions,
    "GET /v1/customers/{customer}/balance_transactions/{transaction}": _transaction,
    "POST /v1/customers/{customer}/balance_transactions/{transaction}": _update_transaction,
    "POST /v1/customers/{customer}/tax_ids": _create_customer_tax_id,
    "GET /v1/customers/{customer}/tax_ids": _list_customer_tax_ids,
    "GET /v1/customers/{customer}/tax_ids/{id}": _customer_tax_id,
    "DELETE /v1/customers/{customer}/tax_ids/{id}": _delete_customer_tax_id,
    "POST /v1/tax_ids": _create_tax_id,
    "GET /v1/tax_ids": _list_tax_ids,
    "GET /v1/tax_ids/{id}": _tax_id,
    "DELETE /v1/tax_ids/{id}": _delete_tax_id,
}

TIMERS: Final[Timers] = {"tax_id_verified": tax_ids.verify}

INCLUDED: Final[Included] = {
    ("customer", "invoice_credit_balance"): _credit_balance,
    ("customer", "sources"): _sources,
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "tax"): _tax,
    ("customer", "tax_ids"): _tax_ids,
}
