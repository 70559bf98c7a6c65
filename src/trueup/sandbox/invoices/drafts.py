"""Drafts: how an invoice comes to be, and what may still change of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from trueup.sandbox.accounts.routes import account_id
from trueup.sandbox.assumptions import DRAFT_SECONDS, minimum_charge
from trueup.sandbox.catalog import discounts as catalog_discounts
from trueup.sandbox.invoices import lines as invoice_lines
from trueup.sandbox.invoices import totals
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World, listed

DAY: Final = 86_400


def create(
    world: World,
    *,
    customer: Obj,
    subscription: Obj | None = None,
    billing_reason: str,
    lines: Sequence[Obj] = (),
    period_start: int,
    period_end: int,
    auto_advance: bool,
    collection_method: str,
    days_until_due: int | None = None,
    discounts: Sequence[str] = (),
    pending_items: bool = True,
    currency: str | None = None,
    tell: bool = True,
    **settings: Any,
) -> Obj:
    """Make a draft with the pending invoice items, newest first, then ``lines``, and tell ``invoice.created``.

    ``discounts`` are ids of Discounts; none means the customer's. ``settings`` are further fields of the invoice. A
    draft that advances is finalised an hour after by the timer ``finalize``; one that is finalised in the same breath
    loses that timer again.
    """
    currency = currency or _currency(world, customer, subscription, lines)
    by_charge = collection_method == "charge_automatically"
    due = settings.pop("due_date", None)
    if due is None and not by_charge and days_until_due is not None:
        due = world.now + days_until_due * DAY
    invoice = world.new("invoice", _fields(world, customer, currency))
    invoice |= {
        "auto_advance": auto_advance,
        "billing_reason": billing_reason,
        "collection_method": collection_method,
        "due_date": due,
        "parent": _parent(subscription),
        "period_end": period_end,
        "period_start": period_start,
        "rendering": _RENDERING() if billing_reason == "manual" else None,
    }
    invoice.update(settings)
    invoice["discounts"] = list(discounts) or _customers(customer)
    invoice["lines"] = listed(f"/v1/invoices/{invoice['id']}/lines", [], total=True)
    for line in lines:
        put_on(invoice, invoice_lines.split(world, line))
    if pending_items:
        sweep(world, invoice, customer, subscription)
    refresh(world, invoice, customer)
    if auto_advance:
        schedule(world, invoice)
    if customer["currency"] is None:
        customer["currency"] = currency
    if tell:
        world.tell("invoice.created", invoice)
    return invoice


def schedule(world: World, invoice: Obj, at: int | None = None) -> None:
    """Have a draft finalised at ``at``, or an hour after it was made."""
    due = max(world.now, invoice["created"] + DRAFT_SECONDS) if at is None else at
    invoice["automatically_finalizes_at"] = due + 1 if at is None else at
    invoice["next_payment_attempt"] = due if invoice["collection_method"] == "charge_automatically" else None
    world.schedule(due, "finalize", invoice["id"])


def unschedule(world: World, invoice: Obj) -> None:
    """Have a draft wait until somebody finalises it."""
    invoice["automatically_finalizes_at"] = invoice["next_payment_attempt"] = None
    world.unschedule("finalize", invoice["id"])


def sweep(world: World, invoice: Obj, customer: Obj, subscription: Obj | None) -> None:
    """Take in the customer's pending items in the invoice's currency: newest first, of one second in their order.

    A subscription's invoice takes its own and those of no subscription; another invoice only those of none. What a
    subscription that ended left is of none.
    """
    found = []
    for item in world.select("invoiceitem", _waiting=customer["id"]):
        details = (item.get("parent") or {}).get("subscription_details")
        of = details["subscription"] if details else None
        own = subscription is not None and of == subscription["id"]
        if item["currency"] == invoice["currency"] and (own or _free(world, of)):
            found.append(item)
    for item in sorted(found, key=lambda one: one["date"]):
        take_in(world, invoice, item)


def _free(world: World, subscription: str | None) -> bool:
    held = world.find("subscription", subscription)
    return subscription is None or (held or {}).get("status") in {"canceled", "incomplete_expired"}


def take_in(world: World, invoice: Obj, item: Obj) -> Obj:
    """Put an invoice item on a draft, before all that is on it; gives its line."""
    item["invoice"] = invoice["id"]
    item["$waiting"] = None
    line = invoice_lines.of_item(world, item)
    put_on(invoice, [line], first=True)
    return line


def put_on(invoice: Obj, lines: Iterable[Obj], *, first: bool = False) -> None:
    """Put lines on a draft, at its end or before all others; ``refresh`` adds it up anew."""
    held = invoice["lines"]
    added = [{**line, "invoice": invoice["id"]} for line in lines]
    held["data"] = [*added, *held["data"]] if first else [*held["data"], *added]
    held["total_count"] = len(held["data"])


def refresh(world: World, invoice: Obj, customer: Obj | None = None) -> None:
    """Write everything that follows from a draft's lines, discounts and the customer's balance."""
    customer = customer or world.get("customer", invoice["customer"])
    held = invoice["lines"]["data"]
    names = [*invoice["discounts"], *(name for line in held for name in line["discounts"])]
    totals.discount(held, terms(world, names), invoice["discounts"], invoice["currency"], catalog_discounts.shares)
    totals.add_up(invoice)
    balance = customer["balance"] if customer["currency"] in {None, invoice["currency"]} else 0
    due, _after = totals.settled(invoice["total"], balance, minimum_charge(invoice["currency"]))
    invoice["starting_balance"] = balance
    invoice["amount_due"] = invoice["amount_remaining"] = due


def terms(world: World, names: Iterable[str]) -> Mapping[str, totals.Terms]:
    """What discounts take off, by their ids."""
    found: dict[str, totals.Terms] = {}
    for name in names:
        if name not in found:
            coupon = catalog_discounts.coupon_of(world, name)
            limited = coupon.get("$applies_to")
            products = frozenset(limited["products"]) if limited else None
            found[name] = totals.Terms(discount=name, coupon=coupon, products=products)
    return found


def editable(invoice: Obj) -> None:
    """Raise Stripe's 400 unless the invoice is a draft."""
    if invoice["status"] != "draft":
        message = "Invalid invoice: This invoice is no longer editable"
        raise invalid(message, code="invoice_not_editable")


def _customers(customer: Mapping[str, Any]) -> list[str]:
    held = customer.get("discount")
    return [held["id"] if isinstance(held, Mapping) else held] if held else []


def _currency(world: World, customer: Obj, subscription: Obj | None, lines: Sequence[Obj]) -> str:
    if lines:
        return str(lines[0]["currency"])
    found = (subscription or {}).get("currency") or customer["currency"]
    if not found:
        found = next((i["currency"] for i in world.select("invoiceitem", _waiting=customer["id"])), None)
    return str(found or world.get("account", account_id(world))["default_currency"])


def _parent(subscription: Obj | None) -> Obj | None:
    if subscription is None:
        return None
    return {
        "quote_details": None,
        "subscription_details": {
            "metadata": dict(subscription.get("metadata") or {}),
            "subscription": subscription["id"],
        },
        "type": "subscription_details",
    }


def _RENDERING() -> Obj:  # noqa: N802 - a constant, made anew for each invoice
    return {
        "amount_tax_display": None,
        "pdf": {"page_size": "auto"},
        "template": None,
        "template_version": None,
    }


def customers_fields(world: World, customer: Obj) -> Obj:
    """What an invoice copies of its customer; frozen when it is finalised."""
    shipping = customer["shipping"]
    return {
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": dict(shipping) if shipping else None,
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [
            {"type": held["type"], "value": held["value"]} for held in world.select("tax_id", customer=customer["id"])
        ][::-1],
    }


def _fields(world: World, customer: Obj, currency: str) -> Obj:
    """A new draft without lines; in the order of Stripe's newest recordings."""
    account = world.get("account", account_id(world))
    kept = customer["invoice_settings"]
    return {
        "account_country": account["country"],
        "account_name": account["business_profile"]["name"],
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "created": world.now,
        "currency": currency,
        "custom_fields": kept["custom_fields"],
        "customer": customer["id"],
        "customer_account": None,
        **customers_fields(world, customer),
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": kept["footer"],
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": None,
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": world.now,
        "period_start": world.now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft",
        "status_details": None,
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "test_clock": customer.get("test_clock"),
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": world.now,
    }
