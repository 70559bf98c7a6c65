"""What joins an invoice to the payments towards it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call
from trueup.sandbox.world.world import Obj, World, listed, render


def add(world: World, invoice: Obj, intent: Obj, amount: int, *, default: bool) -> Obj:
    """An open payment of ``amount`` minor units by a payment intent."""
    payment = world.new(
        "invoice_payment",
        {
            "amount_paid": None,
            "amount_requested": amount,
            "created": world.now,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": default,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
    )
    invoice["$payments"] = [*invoice.get("$payments", ()), payment["id"]]
    return payment


def of(world: World, invoice: Obj) -> Iterator[Obj]:
    """An invoice's payments, in the order in which they came."""
    for name in invoice.get("$payments", ()):
        yield world.get("invoice_payment", name)


def default_intent(world: World, invoice: Obj) -> tuple[Obj, Obj] | None:
    """The open payment that Stripe made with the invoice, and its intent; None where there is none."""
    for payment in of(world, invoice):
        if payment["is_default"] and payment["status"] == "open":
            return payment, world.get("payment_intent", payment["payment"]["payment_intent"])
    return None


def close(world: World, payment: Obj) -> None:
    """Cancel an open payment. The intent is not touched."""
    payment["status"] = "canceled"
    payment["status_transitions"]["canceled_at"] = world.now


def included(world: World, shown: Obj) -> Obj:
    """``invoice.payments``, for those who ask to have it expanded."""
    invoice = world.find("invoice", shown["id"]) or {}
    return listed("/v1/invoices/payments", [render(payment) for payment in of(world, invoice)])


def confirmation_secret(world: World, shown: Obj) -> Obj | None:
    """``invoice.confirmation_secret``: what a page confirms the invoice's payment with."""
    invoice = world.find("invoice", shown["id"]) or {}
    for payment in of(world, invoice):
        if payment["is_default"]:
            intent = world.get("payment_intent", payment["payment"]["payment_intent"])
            return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


def retrieve(world: World, call: Call) -> Obj:
    """``GET /v1/invoice_payments/{invoice_payment}``."""
    return world.get("invoice_payment", call.ids["invoice_payment"])


def page(world: World, call: Call) -> Obj:
    """``GET /v1/invoice_payments``, by invoice, status or what pays."""
    payment: dict[str, Any] = call.value("payment") or {}
    asked = {
        "payment__payment_intent": payment.get("payment_intent"),
        "invoice": call.value("invoice"),
        "status": call.value("status"),
    }
    return pages.page(world, call, "invoice_payment", **{name: value for name, value in asked.items() if value})
