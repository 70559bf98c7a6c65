"""Refunds: money back to the payer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from trueup.sandbox.assumptions import REFUND_STEP_SECONDS
from trueup.sandbox.payment_methods import cards
from trueup.sandbox.payments import charges, disputes, ledger, stems, warnings
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World

_SYMBOLS: Final = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "CA$", "aud": "A$"}


def create(
    world: World,
    *,
    charge: Obj,
    amount: int | None = None,
    reason: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Obj:
    """Give back ``amount`` of a charge (all that is left without one), with ``refund.created`` and ``charge.refunded``.

    Raises Stripe's 400 for a charge that cannot be refunded or an amount beyond what is left of it.
    """
    left = charge["amount_captured"] - charge["amount_refunded"]
    _check(world, charge, left, amount)
    given = left if amount is None else amount
    method = world.find("payment_method", charge["payment_method"]) or {}
    later = cards.behaviour(method).refund
    pending = later == "pending"
    refund = _new(world, charge, given, reason=reason, metadata=metadata, status="pending" if pending else "succeeded")
    if pending:
        refund["pending_reason"] = "processing"
    if charge["balance_transaction"] is None:
        # Money can only go back that came in: the payment is entered before its refund.
        charges.settle(world, charge)
        world.unschedule("charge_settled", charge["id"])
        world.tell("charge.updated", charge)
    refund["balance_transaction"] = _enter(world, charge, refund, -given, "refund")["id"]
    charge["amount_refunded"] += given
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    world.tell("refund.created", refund)
    world.tell("charge.refunded", charge)
    if charge["refunded"]:
        warnings.settle(world, charge)
        disputes.refunded(world, charge)
    world.schedule(world.now + REFUND_STEP_SECONDS, "refund_step", refund["id"])
    return refund


def release(world: World, charge: Obj, *, expired: bool = False) -> Obj:
    """Let go what was authorized and not captured: a refund without a balance transaction, for no money had moved.

    With ``refund.created``, and ``charge.refunded``, or ``charge.expired`` where its time was over.
    """
    refund = _new(
        world, charge, charge["amount"], reason="expired_uncaptured_charge" if expired else None, status="succeeded"
    )
    if "card" in refund["destination_details"]:
        refund["destination_details"]["card"] = {"type": "reversal"}
    charge["amount_refunded"] = charge["amount"]
    charge["refunded"] = True
    world.tell("refund.created", refund)
    world.tell("charge.expired" if expired else "charge.refunded", charge)
    return refund


def _new(
    world: World,
    charge: Obj,
    amount: int,
    *,
    reason: str | None,
    status: str,
    metadata: Mapping[str, str] | None = None,
) -> Obj:
    refund = world.new(
        "refund",
        {
            "id": stems.sibling(
                world, "refund", charge["id"], prefix="re" if charge["id"].startswith("ch_") else "pyr"
            ),
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "created": world.now,
            "currency": charge["currency"],
            "customer": charge["customer"],
            "customer_account": None,
            "destination_details": _destination(charge),
            "metadata": dict(metadata or {}),
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": status,
            "transfer_reversal": None,
        },
    )
    refund.pop("livemode")
    return refund


def _check(world: World, charge: Obj, left: int, amount: int | None) -> None:
    if charge["status"] != "succeeded":
        message = f"This PaymentIntent ({charge['payment_intent']}) does not have a successful charge to refund."
        raise invalid(message)
    if not charge["captured"] and not charge["refunded"]:
        message = (
            f"This PaymentIntent ({charge['payment_intent']}) does not have a successful charge to refund. You must "
            "cancel the PaymentIntent to release an uncaptured charge."
        )
        raise invalid(message)
    disputes.refuse_refund(world, charge)
    if left <= 0:
        raise StripeError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount is not None and amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, param="amount", code="parameter_invalid_integer")
    if amount is not None and amount > left:
        currency = charge["currency"]
        message = (
            f"Refund amount ({money(amount, currency)}) is greater than unrefunded amount on charge "
            f"({money(left, currency)})"
        )
        raise invalid(message, param="amount")


def money(amount: int, currency: str) -> str:
    """An amount of minor units as Stripe's messages write it."""
    whole = currency in {"jpy", "krw", "vnd", "clp"}
    figure = f"{amount:,}" if whole else f"{amount // 100:,}.{amount % 100:02d}"
    return f"{_SYMBOLS.get(currency, currency.upper() + ' ')}{figure}"


def _destination(charge: Obj) -> Obj:
    kind = charge["payment_method_details"]["type"]
    if kind == "card":
        card = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
        return {"card": card, "type": "card"}
    if kind == "us_bank_account":
        return {"type": "us_bank_transfer", "us_bank_transfer": {"reference": None, "reference_status": "pending"}}
    if kind == "sepa_debit":
        return {"eu_bank_transfer": {"reference": None, "reference_status": "pending"}, "type": "eu_bank_transfer"}
    return {"type": kind}


def _enter(world: World, charge: Obj, refund: Obj, amount: int, kind: str) -> Obj:
    words = "REFUND FOR CHARGE" if kind == "refund" else "REFUND FAILURE FOR CHARGE"
    payment = "" if charge["id"].startswith("ch_") else "payment_"
    return ledger.enter(
        world,
        source=refund["id"],
        of=charge["id"],
        type=f"{payment}refund" if kind == "refund" else "refund_failure",
        category=kind,
        amount=amount,
        currency=charge["currency"],
        description=f"{words} ({charge['description']})" if charge["description"] else words,
    )


def step(world: World, refund_id: str) -> None:
    """What time brings: a reference for the payer's bank, a late success, or a failure."""
    refund = world.get("refund", refund_id)
    charge = world.get("charge", refund["charge"])
    method = world.find("payment_method", charge["payment_method"]) or {}
    if refund["status"] not in {"pending", "succeeded"}:
        return
    if cards.behaviour(method).refund == "fails":
        fail(world, refund, charge)
        return
    if refund["status"] == "pending":
        refund["status"] = "succeeded"
        refund.pop("pending_reason", None)
    for details in refund["destination_details"].values():
        if isinstance(details, dict) and details.get("reference_status") == "pending":
            details["reference"] = f"{world.ids.below(10**23):023d}"
            details["reference_status"] = "available"
    tell(world, refund)


def fail(
    world: World, refund: Obj, charge: Obj, *, reason: str = "expired_or_canceled_card", status: str = "failed"
) -> None:
    """The money came back: it returns to the balance, and to what can be refunded of the charge."""
    refund["failure_balance_transaction"] = _enter(world, charge, refund, refund["amount"], "refund_failure")["id"]
    if status == "failed":
        refund["failure_reason"] = reason
    refund["status"] = status
    refund.pop("pending_reason", None)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    tell(world, refund)
    if status == "failed":
        world.tell("refund.failed", refund)
    world.tell("charge.updated", charge)


def tell(world: World, refund: Obj) -> None:
    """``refund.updated``, and the older ``charge.refund.updated`` with the same content."""
    told = len(world.events)
    world.tell("refund.updated", refund)
    if len(world.events) > told:
        data = orjson.loads(world.events[-1].body)["data"]
        world.write("charge.refund.updated", data, about=refund["id"])


def cancel(world: World, refund: Obj) -> Obj:
    """Stop a refund that is pending. Raises Stripe's 400 for any other."""
    if refund["status"] != "pending":
        message = "Canceling this refund is unsupported."
        raise invalid(message)
    world.unschedule("refund_step", refund["id"])
    fail(world, refund, world.get("charge", refund["charge"]), status="canceled")
    return refund
