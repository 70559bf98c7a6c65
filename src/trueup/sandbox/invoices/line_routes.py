"""``/v1/invoices/{invoice}/lines`` and the requests that add, change and remove lines of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.invoices import drafts, item_routes, items, requests
from trueup.sandbox.wire.errors import StripeError, invalid, missing
from trueup.sandbox.world.world import Obj, World

_OF_ITEMS: Final = ("amount", "discountable", "discounts", "period", "price_data", "pricing", "quantity")


def _draft(world: World, call: Call) -> Obj:
    invoice = world.find("invoice", call.ids["invoice"])
    if invoice is None or invoice.get("deleted"):
        raise StripeError(
            f"No such invoice: '{call.ids['invoice']}'", status=404, code="resource_missing", param="invoice"
        )
    world.follow(invoice)
    drafts.editable(invoice)
    return invoice


def _list(world: World, call: Call) -> Obj:
    invoice = world.get("invoice", call.ids["invoice"])
    return pages.of(call, invoice["lines"]["data"], kind="line_item")


def _add(world: World, call: Call) -> Obj:
    invoice = _draft(world, call)
    customer = world.get("customer", invoice["customer"])
    for at, params in enumerate(call.params["lines"]):
        if named := params.get("invoice_item"):
            item = world.get("invoiceitem", named, param=f"lines[{at}][invoice_item]")
            if item["customer"] != invoice["customer"] or item["invoice"] is not None:
                message = f"The invoice item {named} can't be added to this invoice."
                raise invalid(message, param=f"lines[{at}][invoice_item]")
            drafts.take_in(world, invoice, item)
            continue
        if "amount" in params and "quantity" in params:
            message = "You may only specify one of these parameters: amount, quantity."
            raise invalid(message, param=f"lines[{at}][amount]")
        item_routes.make(world, params, customer, invoice=invoice, subscription=None)
    return _told(world, invoice, call)


def _update(world: World, call: Call) -> Obj:
    invoice = _draft(world, call)
    for at, params in enumerate(call.params["lines"]):
        _change(world, invoice, params["id"], params, param=f"lines[{at}][id]")
    return _told(world, invoice, call)


def _update_one(world: World, call: Call) -> Obj:
    invoice = _draft(world, call)
    line = _change(world, invoice, call.ids["line_item_id"], call.params, param=None)
    drafts.refresh(world, invoice)
    world.tell("invoice.updated", invoice)
    return line


def _remove(world: World, call: Call) -> Obj:
    invoice = _draft(world, call)
    for at, params in enumerate(call.params["lines"]):
        line = _line(invoice, params["id"], param=f"lines[{at}][id]")
        item = world.find("invoiceitem", items.item_of(line))
        if item is None or item.get("deleted"):
            message = "You can't remove the line of a subscription from an invoice."
            raise invalid(message, param=f"lines[{at}][id]")
        if params["behavior"] == "delete":
            items.delete(world, item)
        else:
            item["invoice"], item["$waiting"] = None, item["customer"]
            items.take_off(world, invoice, item)
    return _told(world, invoice, call)


def _told(world: World, invoice: Obj, call: Call) -> Obj:
    if call.given("invoice_metadata"):
        invoice["metadata"] = metadata(invoice["metadata"], call.params["invoice_metadata"])
    drafts.refresh(world, invoice)
    world.tell("invoice.updated", invoice)
    return invoice


def _line(invoice: Obj, line_id: str, *, param: str | None) -> Obj:
    for line in invoice["lines"]["data"]:
        if line["id"] == line_id:
            found: Obj = line
            return found
    raise missing("line_item", line_id, param=param)


def _change(world: World, invoice: Obj, line_id: str, params: Mapping[str, Any], *, param: str | None) -> Obj:
    """Change a line, through its invoice item where it has one; of a subscription's line only words and discounts."""
    line = _line(invoice, line_id, param=param)
    customer = world.get("customer", invoice["customer"])
    item = world.find("invoiceitem", items.item_of(line))
    if item is not None and not item.get("deleted"):
        item_routes.change(world, item, params, customer)
        if "description" in params:
            item["description"] = params["description"] or None
        item_routes.rewrite(world, invoice, item)
        return _line(invoice, line_id, param=param)
    fixed = [name for name in _OF_ITEMS if name in params and name not in {"discountable", "discounts"}]
    if fixed:
        message = f"You can't update the {fixed[0]} of a subscription's invoice line item."
        raise invalid(message, param=fixed[0])
    if "description" in params:
        line["description"] = params["description"] or None
    if "discountable" in params:
        line["discountable"] = params["discountable"]
    if "metadata" in params:
        line["metadata"] = metadata(line["metadata"], params["metadata"])
    if "discounts" in params:
        line["discounts"] = requests.discounts(
            world, params["discounts"], customer, currency=invoice["currency"], invoice=invoice["id"]
        )
    return line


ROUTES: Final[dict[str, Handler]] = {
    "GET /v1/invoices/{invoice}/lines": _list,
    "POST /v1/invoices/{invoice}/lines/{line_item_id}": _update_one,
    "POST /v1/invoices/{invoice}/add_lines": _add,
    "POST /v1/invoices/{invoice}/update_lines": _update,
    "POST /v1/invoices/{invoice}/remove_lines": _remove,
}
