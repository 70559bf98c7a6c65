"""What requests say of an invoice, put into its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.answers.merging import address, metadata, put
from trueup.sandbox.catalog import discounts as catalog_discounts
from trueup.sandbox.invoices import drafts
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_PLAIN: Final = ("description", "footer", "statement_descriptor", "custom_fields", "account_tax_ids", "number")
_DRAFT_ONLY: Final = frozenset(
    "account_tax_ids automatic_tax collection_method custom_fields days_until_due default_tax_rates description"
    " discounts due_date statement_descriptor"
    " effective_at footer issuer number on_behalf_of rendering shipping_cost shipping_details".split()
)


def apply(world: World, invoice: Obj, call: Call) -> None:
    """Set what the parameters of creation and update share. Raises Stripe's 400 for what a finalised invoice keeps."""
    if invoice["status"] != "draft" and (locked := _DRAFT_ONLY & call.params.keys()):
        message = "Finalized invoices can't be updated in this way"
        raise invalid(message, param=min(locked))
    put(invoice, call, _PLAIN)
    if call.given("metadata"):
        invoice["metadata"] = metadata(invoice["metadata"], call.params["metadata"])
    if call.given("default_payment_method"):
        invoice["default_payment_method"] = _own_method(world, invoice, call.value("default_payment_method"))
    if call.given("effective_at"):
        invoice["effective_at"] = call.value("effective_at")
    if settings := call.value("payment_settings"):
        for name in invoice["payment_settings"]:
            if name in settings:
                invoice["payment_settings"][name] = settings[name] or None
    if rendering := call.value("rendering"):
        _rendering(invoice, rendering)
    if call.given("shipping_details"):
        shipping = call.value("shipping_details")
        invoice["shipping_details"] = shipping and {
            "address": address(shipping["address"]),
            "carrier": None,
            "name": shipping["name"],
            "phone": shipping.get("phone") or None,
            "tracking_number": None,
        }
    _due(world, invoice, call)


def _due(world: World, invoice: Obj, call: Call) -> None:
    method = call.value("collection_method")
    if method:
        invoice["collection_method"] = method
    if invoice["collection_method"] == "charge_automatically":
        for name in ("due_date", "days_until_due"):
            if call.value(name) is not None:
                message = (
                    "You can only specify 'due_date' or 'days_until_due' if invoice collection method is "
                    "'send_invoice'."
                )
                raise invalid(message)
        invoice["due_date"] = None
        return
    if call.value("due_date") is not None:
        if call.params["due_date"] <= world.now:
            message = "The due date must be in the future."
            raise invalid(message, param="due_date")
        invoice["due_date"] = call.params["due_date"]
    elif call.value("days_until_due") is not None:
        invoice["due_date"] = invoice["created"] + call.params["days_until_due"] * drafts.DAY


def _rendering(invoice: Obj, asked: Mapping[str, Any]) -> None:
    kept = invoice["rendering"] or {
        "amount_tax_display": None,
        "pdf": None,
        "template": None,
        "template_version": None,
    }
    for name in ("amount_tax_display", "template", "template_version"):
        if name in asked:
            kept[name] = asked[name] or None
    if "pdf" in asked:
        kept["pdf"] = {"page_size": asked["pdf"].get("page_size", "auto")}
    invoice["rendering"] = kept


def _own_method(world: World, invoice: Obj, method: str | None) -> str | None:
    if method is None:
        return None
    found = world.get("payment_method", method, param="default_payment_method")
    if found["customer"] != invoice["customer"]:
        message = (
            f"The customer does not have a payment method with the ID {method}. "
            "The payment method must be attached to the customer."
        )
        raise invalid(message, param="default_payment_method", code="resource_missing")
    return method


def discount(world: World, invoice: Obj, given: Any, customer: Obj) -> None:
    """Give a draft the discounts that a ``discounts`` parameter names, and add it up anew."""
    invoice["discounts"] = discounts(
        world, given, customer, currency=invoice["currency"], invoice=invoice["id"], old=invoice["discounts"]
    )
    drafts.refresh(world, invoice, customer)


def discounts(
    world: World,
    given: Sequence[Mapping[str, Any]] | str | None,
    customer: Obj,
    *,
    currency: str,
    invoice: str | None = None,
    invoice_item: str | None = None,
    old: Sequence[str] = (),
) -> list[str]:
    """The ids of the discounts that a ``discounts`` parameter names; coupons and codes are redeemed for it.

    ``old`` stays where nothing was sent; an empty parameter removes all.
    """
    if given is None:
        return list(old)
    if isinstance(given, str):
        return []
    found = []
    for at, one in enumerate(given):
        param = f"discounts[{at}]"
        if named := one.get("discount"):
            world.get("discount", named, param=f"{param}[discount]")
            found.append(named)
            continue
        made = catalog_discounts.start(
            world,
            customer=customer,
            coupon=one.get("coupon"),
            promotion_code=one.get("promotion_code"),
            invoice=invoice,
            invoice_item=invoice_item,
            currency=currency,
            param=param,
        )
        found.append(made["id"])
    return found
