"""Charges: attempts to get money by a payment method, and what banks answered."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.accounts.routes import account_id
from trueup.sandbox.assumptions import AUTHORIZATION_SECONDS, CHARGE_SETTLED_SECONDS
from trueup.sandbox.payment_methods import cards, prints, shapes
from trueup.sandbox.payment_methods.declines import Decline
from trueup.sandbox.payments import fees, ledger, stems
from trueup.sandbox.world.world import Obj, World

_BANK: Final = ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number")
_SEPA: Final = ("bank_code", "branch_code", "country", "fingerprint", "last4")

ECI: Final = "07"
"""What card networks answer for a payment on the internet without authentication."""


def make(world: World, intent: Obj, method: Obj, *, decline: Decline | None, pending: bool, authenticated: bool) -> Obj:
    """A charge for an intent: declined, pending, authorized for a later capture, or captured. Tells nothing."""
    behaviour = cards.behaviour(method)
    manual = intent["capture_method"] == "manual"
    held = decline is None and not pending
    shown = shapes.checked(method)
    card = method["type"] == "card"
    invoice = intent.get("$invoice")
    return world.new(
        "charge",
        {
            "id": stems.sibling(world, "charge", intent["id"], prefix=None if card else "py"),
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if (held and not manual) or pending else 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": intent["application_fee_amount"],
            "balance_transaction": None,
            "billing_details": shown["billing_details"],
            "calculated_statement_descriptor": _descriptor(world, intent),
            "captured": (held and not manual) or pending,
            "created": world.now,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": decline and decline.code,
            "failure_message": decline and decline.message,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": intent["on_behalf_of"],
            "outcome": outcome(world, behaviour.risk_level, decline),
            "paid": held,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": _details(world, intent, shown, decline, authenticated=authenticated),
            "radar_options": {},
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": None if decline else _receipt(world, invoice=bool(invoice)),
            "refunded": False,
            "review": None,
            "shipping": intent["shipping"],
            "source": None,
            "source_transfer": None,
            "statement_descriptor": intent["statement_descriptor"],
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": "failed" if decline else "pending" if pending else "succeeded",
            "transfer_data": None,
            "transfer_group": intent["transfer_group"],
            **({"$invoice": invoice} if invoice else {}),
        },
    )


def outcome(world: World, risk_level: str, decline: Decline | None) -> Obj:
    """What a charge says of the decision on it."""
    score = world.ids.below(30) + 65 if risk_level == "elevated" else world.ids.below(65)
    if decline is None:
        return {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None if risk_level == "normal" else "elevated_risk_level",
            "risk_level": risk_level,
            "risk_score": score,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "advice_code": decline.advice_code,
        "network_advice_code": None,
        "network_decline_code": decline.network_decline_code,
        "network_status": "not_sent_to_network" if decline.blocked else "declined_by_network",
        "reason": decline.reason,
        "risk_level": "highest" if decline.blocked else risk_level,
        "risk_score": 75 + world.ids.below(25) if decline.blocked else score,
        "seller_message": decline.seller_message,
        "type": "blocked" if decline.blocked else "issuer_declined",
    }


def _details(world: World, intent: Obj, method: Obj, decline: Decline | None, *, authenticated: bool) -> Obj:
    kind = method["type"]
    if kind == "card":
        return {"card": _card(world, intent, method["card"], decline, authenticated=authenticated), "type": "card"}
    seen = method.get(kind) or {}
    found: dict[str, Any] = dict(seen)
    if kind == "us_bank_account":
        found = {name: seen[name] for name in _BANK} | {"mandate": intent.get("$mandate"), "payment_reference": None}
    elif kind == "sepa_debit":
        found = {name: seen[name] for name in _SEPA} | {"mandate": intent.get("$mandate")}
    elif kind == "link":
        found = {"country": None}
    elif kind not in {"fpx", "ideal", "p24"}:
        found = {}
    return {kind: dict(sorted(found.items())), "type": kind}


def _card(world: World, intent: Obj, seen: Obj, decline: Decline | None, *, authenticated: bool) -> Obj:
    amount = intent["amount"]
    found = {
        "amount_authorized": None if decline else amount,
        "authorization_code": f"{world.ids.below(1_000_000):06d}",
        "brand": seen["brand"],
        "checks": dict(seen["checks"]),
        "country": seen["country"],
        "electronic_commerce_indicator": "05" if authenticated else ECI,
        "exp_month": seen["exp_month"],
        "exp_year": seen["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": seen["fingerprint"],
        "funding": seen["funding"],
        "incremental_authorization": {"status": "available" if _incremental(intent) else "unavailable"},
        "installments": None,
        "last4": seen["last4"],
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": seen["brand"],
        "network_token": {"used": False},
        "network_transaction_id": prints.digits(world, "network:" + seen["fingerprint"], 15),
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": seen["regulated_status"],
        "three_d_secure": _three_d_secure(world) if authenticated else None,
        "transaction_link_id": None,
        "wallet": None,
    }
    if intent["capture_method"] == "manual" and decline is None:
        found["capture_before"] = world.now + AUTHORIZATION_SECONDS
    return found


def _incremental(intent: Obj) -> bool:
    card = intent["payment_method_options"].get("card") or {}
    return intent["capture_method"] == "manual" and card.get("request_incremental_authorization") == "if_available"


def _three_d_secure(world: World) -> Obj:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": world.ids.text(36).lower(),
        "version": "2.2.0",
    }


def _descriptor(world: World, intent: Obj) -> str:
    """What a card's statement will say: at most 22 characters."""
    settings = world.get("account", account_id(world))["settings"]["payments"]
    base = str(intent["statement_descriptor"] or settings["statement_descriptor"])
    suffix = intent["statement_descriptor_suffix"]
    return (f"{base}* {suffix}" if suffix else base)[:22]


def _receipt(world: World, *, invoice: bool) -> str:
    token = world.ids.text(40)
    return f"https://pay.stripe.com/receipts/{'invoices' if invoice else 'payment'}/{token}" + (
        "?s=ap" if invoice else ""
    )


def settle(world: World, charge: Obj) -> Obj:
    """Enter what was captured of a charge into the balance. Tells nothing."""
    card = charge["payment_method_details"]["type"] == "card"
    amount = charge["amount_captured"]
    method = world.find("payment_method", charge["payment_method"])
    transaction = ledger.enter(
        world,
        source=charge["id"],
        type="charge" if card else "payment",
        category="charge",
        amount=amount,
        currency=charge["currency"],
        fee=fees.processing_fee(amount, charge["payment_method_details"]["type"]),
        description=charge["description"],
        immediate=method is not None and cards.behaviour(method).immediate,
    )
    charge["balance_transaction"] = transaction["id"]
    return transaction


def settle_soon(world: World, charge: Obj) -> None:
    """Have the balance transaction of an ``automatic_async`` payment appear a little later."""
    world.schedule(world.now + CHARGE_SETTLED_SECONDS, "charge_settled", charge["id"])
