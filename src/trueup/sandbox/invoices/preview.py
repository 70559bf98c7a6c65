"""``POST /v1/invoices/create_preview``: the invoice that would come, and nothing of it stays."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers.calls import Call, Handler, Instead
from trueup.sandbox.catalog import prices
from trueup.sandbox.invoices import drafts, item_routes, requests
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World, listed

_OF_SUBSCRIPTIONS: Final = ("subscription", "subscription_details", "schedule", "schedule_details")


def _preview(world: World, call: Call) -> Obj:
    """With a subscription or a schedule whoever listens to ``preview_subscription`` answers."""
    named = call.value("customer")
    customer = world.get("customer", named, param="customer") if named else None
    if customer is not None:
        world.follow(customer)
    if any(call.value(name) for name in _OF_SUBSCRIPTIONS):
        world.signal("preview_subscription", call=call, customer=customer)
        message = "This subscription can't be previewed."
        raise invalid(message)
    if customer is None:
        message = "You must specify a customer, a subscription or a schedule."
        raise invalid(message, param="customer", code="parameter_missing")
    add_items(world, call, customer)
    if next(world.select("invoiceitem", _waiting=customer["id"]), None) is None:
        raise StripeError(
            f"No upcoming invoices for customer: {customer['id']}",
            status=404,
            code="invoice_upcoming_none",
            param="customer",
        )
    invoice = drafts.create(
        world,
        customer=customer,
        billing_reason="upcoming",
        period_start=world.now,
        period_end=world.now,
        auto_advance=False,
        collection_method="charge_automatically",
        currency=call.value("currency"),
    )
    requests.discount(world, invoice, call.params.get("discounts"), customer)
    raise Instead(shown(invoice))


def add_items(world: World, call: Call, customer: Obj) -> None:
    """Make the request's ``invoice_items``, or change those that they name; they wait for the invoice previewed."""
    for at, params in enumerate(call.value("invoice_items") or ()):
        given = dict(params)
        if price := given.pop("price", None):
            found = prices.by_id(world, price, param=f"invoice_items[{at}][price]")
            given["pricing"] = {"price": found["id"]}
        if (unit := given.pop("unit_amount", None)) is not None:
            given["unit_amount_decimal"] = str(unit)
        if named := given.pop("invoiceitem", None):
            item = world.get("invoiceitem", named, param=f"invoice_items[{at}][invoiceitem]")
            item_routes.change(world, item, given, customer)
            if "description" in given:
                item["description"] = given["description"]
        else:
            item_routes.make(world, given, customer, invoice=None, subscription=None)


def shown(invoice: Obj) -> Obj:
    """A draft as previews show it: its id says that it is none, nobody heard of it, its lines are temporary."""
    name = f"upcoming_{invoice['id']}"
    data = [
        {**line, "id": line["id"].replace("il_", "il_tmp_", 1), "invoice": name} for line in invoice["lines"]["data"]
    ]
    return {
        **invoice,
        "id": name,
        "automatically_finalizes_at": None,
        "lines": listed(f"/v1/invoices/upcoming/lines?customer={invoice['customer']}", data, total=True),
        "webhooks_delivered_at": None,
    }


ROUTES: Final[dict[str, Handler]] = {"POST /v1/invoices/create_preview": _preview}
