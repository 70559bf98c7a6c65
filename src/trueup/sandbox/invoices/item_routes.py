"""``/v1/invoiceitems``."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from trueup.sandbox.accounts.routes import account_id
from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import metadata, put
from trueup.sandbox.catalog import prices
from trueup.sandbox.invoices import drafts, items, requests
from trueup.sandbox.invoices import lines as invoice_lines
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World


def make(
    world: World, params: Mapping[str, Any], customer: Obj, *, invoice: Obj | None, subscription: str | None
) -> Obj:
    """An invoice item from parameters as ``/v1/invoiceitems`` and the lines of ``add_lines`` have them."""
    price, currency, decimal, amount = _cost(world, params, customer, invoice)
    quantity = params.get("quantity", 1)
    if amount is None:
        amount = (
            invoice_lines.whole(Fraction(decimal) * quantity)
            if decimal is not None
            else prices.line_amount(price or {}, quantity)
        )
    elif "amount" in params and "quantity" in params:
        message = "You may only specify one of these parameters: amount, quantity."
        raise invalid(message, param="quantity")
    period = params.get("period")
    if period and period["end"] < period["start"]:
        message = "The period's end has to be after its start."
        raise invalid(message, param="period[end]")
    item = items.create(
        world,
        customer=customer,
        currency=currency,
        amount=amount,
        price=price,
        quantity=quantity,
        unit_amount_decimal=decimal,
        period=(period["start"], period["end"]) if period else (world.now, world.now),
        subscription=subscription,
        discountable=params.get("discountable", amount >= 0),
        description=params.get("description"),
        metadata=metadata({}, params.get("metadata")),
    )
    if "discounts" in params:
        item["discounts"] = requests.discounts(
            world, params["discounts"], customer, currency=currency, invoice_item=item["id"]
        )
    if invoice is not None:
        drafts.take_in(world, invoice, item)
        drafts.refresh(world, invoice, customer)
    return item


def _cost(
    world: World, params: Mapping[str, Any], customer: Obj, invoice: Obj | None
) -> tuple[Obj | None, str, str | None, int | None]:
    """(price, currency, decimal unit amount, amount where it was given)."""
    if named := (params.get("pricing") or {}).get("price"):
        price = prices.by_id(world, named, param="pricing[price]")
        if price.get("recurring"):
            message = (
                "The price specified is set to `type=recurring` but this field only accepts prices with "
                f"`type=one_time`: {named}"
            )
            raise invalid(message, param="pricing[price]")
        return price, price["currency"], None, None
    if data := params.get("price_data"):
        return _inline(world, data)
    currency = params.get("currency") or (invoice or {}).get("currency") or customer["currency"]
    if currency is None:
        currency = world.get("account", account_id(world))["default_currency"]
    decimal = params.get("unit_amount_decimal")
    if decimal is not None:
        return None, currency, str(decimal), None
    if "amount" not in params:
        message = "You must pass one of these parameters: amount, pricing, price_data, unit_amount_decimal."
        raise invalid(message, param="amount", code="parameter_missing")
    return None, currency, None, params["amount"]


def _inline(world: World, data: Mapping[str, Any]) -> tuple[Obj, str, str | None, int | None]:
    product = data.get("product")
    if product is None:
        made = data.get("product_data") or {}
        product = world.new("product", {"name": made.get("name", "")})["id"]
    price = prices.create(world, {**data, "product": product}, product=product, at="price_data")
    price["active"] = False
    return price, price["currency"], None, None


def _create(world: World, call: Call) -> Obj:
    invoice = subscription = None
    if named := call.value("invoice"):
        invoice = world.get("invoice", named, param="invoice")
        drafts.editable(invoice)
    if named := call.value("subscription"):
        subscription = world.get("subscription", named, param="subscription")["id"]
    customer_id = call.value("customer") or (invoice or {}).get("customer")
    if not customer_id:
        message = "Missing required param: customer."
        raise invalid(message, param="customer", code="parameter_missing")
    customer = world.get("customer", customer_id, param="customer")
    world.follow(customer)
    return make(world, call.params, customer, invoice=invoice, subscription=subscription)


def _retrieve(world: World, call: Call) -> Obj:
    return world.get("invoiceitem", call.ids["invoiceitem"])


def _list(world: World, call: Call) -> Obj:
    asked = {
        "invoice": call.value("invoice"),
        "customer": call.value("customer"),
    }
    pending, customer = call.value("pending"), call.value("customer")
    if pending and customer:
        return pages.page(world, call, "invoiceitem", _waiting=customer)
    return pages.page(
        world,
        call,
        "invoiceitem",
        keep=lambda item: pending is None or (item["invoice"] is None) == pending,
        **{name: value for name, value in asked.items() if value},
    )


def _update(world: World, call: Call) -> Obj:
    item = world.get("invoiceitem", call.ids["invoiceitem"])
    customer = world.get("customer", item["customer"])
    world.follow(customer)
    invoice = items.on_draft(world, item)
    change(world, item, call.params, customer)
    put(item, call, ("description",))
    if invoice is not None:
        rewrite(world, invoice, item)
        drafts.refresh(world, invoice, customer)
    return item


def change(world: World, item: Obj, params: Mapping[str, Any], customer: Obj) -> None:
    """Lay parameters over an item. Raises Stripe's 400 for what is frozen."""
    if data := params.get("price_data"):
        price = _inline(world, data)[0]
        params = {**params, "pricing": {"price": price["id"]}}
        price["active"] = True
    items.reprice(world, item, params)
    if "discountable" in params:
        item["discountable"] = params["discountable"]
    if "metadata" in params:
        item["metadata"] = metadata(item["metadata"], params["metadata"])
    if period := params.get("period"):
        item["period"] = {"end": period["end"], "start": period["start"]}
    if "discounts" in params:
        item["discounts"] = requests.discounts(
            world, params["discounts"], customer, currency=item["currency"], invoice_item=item["id"]
        )


def rewrite(world: World, invoice: Obj, item: Obj) -> None:
    """Make an item's line on its draft anew, under the line's id."""
    data = invoice["lines"]["data"]
    for at, line in enumerate(data):
        if items.item_of(line) == item["id"]:
            data[at] = {**invoice_lines.of_item(world, item), "id": line["id"], "invoice": invoice["id"]}


def _delete(world: World, call: Call) -> Obj:
    item = world.get("invoiceitem", call.ids["invoiceitem"])
    world.follow(world.get("customer", item["customer"]))
    return items.delete(world, item)


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/invoiceitems": _create,
    "GET /v1/invoiceitems": _list,
    "GET /v1/invoiceitems/{invoiceitem}": _retrieve,
    "POST /v1/invoiceitems/{invoiceitem}": _update,
    "DELETE /v1/invoiceitems/{invoiceitem}": _delete,
}
