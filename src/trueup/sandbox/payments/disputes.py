"""Disputes: a payer asks their bank for the money back, and the bank decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from trueup.sandbox.assumptions import DISPUTE_DAYS, DISPUTE_DECIDED_SECONDS, DISPUTE_FEE, INQUIRY_DAYS
from trueup.sandbox.payments import charges, ledger, warnings
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World, render

_FIELDS: Final = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal "
    "customer_communication customer_email_address customer_name customer_purchase_ip customer_signature "
    "duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id enhanced_evidence "
    "product_description receipt refund_policy refund_policy_disclosure refund_refusal_explanation service_date "
    "service_documentation shipping_address shipping_carrier shipping_date shipping_documentation "
    "shipping_tracking_number uncategorized_file uncategorized_text"
).split()
_CODES: Final = {"fraudulent": "10.4", "product_not_received": "13.1", "inquiry": "10"}
_CLOSED: Final = frozenset({"won", "lost", "warning_closed", "prevented"})


def begin(world: World, charge: Obj, reason: str) -> Obj:
    """A dispute over the whole charge, or an inquiry that moves no money, with its events."""
    inquiry = reason == "inquiry"
    evidence: Obj = dict.fromkeys(_FIELDS)
    evidence["enhanced_evidence"] = {}
    evidence["product_description"] = charge["description"]
    customer = world.find("customer", charge["customer"])
    if customer is not None and not customer.get("deleted"):
        evidence["customer_email_address"], evidence["customer_name"] = customer["email"], customer["name"]
    details: dict[str, Any] = {}
    if charge["payment_method_details"]["type"] == "card":
        brand = charge["payment_method_details"]["card"]["brand"]
        card = {
            "brand": brand,
            "case_type": "inquiry" if inquiry else "chargeback",
            "network": brand,
            "network_reason_code": _CODES.get(reason),
        }
        details = {"payment_method_details": {"card": card, "type": "card"}}
    dispute = world.new(
        "dispute",
        {
            "amount": charge["amount_captured"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": world.now,
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": evidence,
            "evidence_details": {
                "due_by": _due(world.now),
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "is_charge_refundable": inquiry,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            **details,
            "reason": "fraudulent" if inquiry else reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        },
    )
    charge["disputed"] = True
    warnings.settle(world, charge)
    charge["$dispute"] = dispute["id"]
    if inquiry:
        world.tell("charge.dispute.created", dispute)
        world.schedule(world.now + INQUIRY_DAYS * 86_400, "dispute_step", dispute["id"])
        return dispute
    _withdraw(world, charge, dispute)
    world.tell("charge.dispute.created", dispute)
    world.tell("charge.dispute.funds_withdrawn", dispute)
    world.schedule(dispute["evidence_details"]["due_by"], "dispute_step", dispute["id"])
    return dispute


def _due(at: int) -> int:
    """The last second of the day (UTC) by which evidence has to be there."""
    midnight = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight + timedelta(days=DISPUTE_DAYS + 1)).timestamp()) - 1


def _withdraw(world: World, charge: Obj, dispute: Obj) -> None:
    if charge["balance_transaction"] is None:
        # What is taken back has to have been there: the payment is entered before its withdrawal.
        charges.settle(world, charge)
        world.unschedule("charge_settled", charge["id"])
    _enter(world, charge, dispute, amount=-dispute["amount"], fee=DISPUTE_FEE, word="withdrawal", category="dispute")


def _enter(world: World, charge: Obj, dispute: Obj, *, amount: int, fee: int, word: str, category: str) -> None:
    transaction = ledger.enter(
        world,
        source=dispute["id"],
        of=charge["id"],
        type="adjustment",
        amount=amount,
        currency=dispute["currency"],
        fee=fee,
        fee_description="Dispute fee",
        description=f"Chargeback {word} for {charge['id']}",
        category=category,
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], render(transaction)]


def submit(world: World, dispute: Obj, evidence: Obj, *, send: bool) -> None:
    """Add evidence, and send it to the bank unless it is kept back. Tells nothing. Raises Stripe's 400 when closed."""
    closed(dispute)
    held = dispute["evidence"]
    for name, value in evidence.items():
        held[name] = value or ({} if name == "enhanced_evidence" else None)
    details = dispute["evidence_details"]
    details["has_evidence"] = details["has_evidence"] or bool(evidence)
    if not send:
        return
    details["submission_count"] += 1
    details["submission_method"] = "manual"
    inquiry = dispute["status"].startswith("warning_")
    dispute["status"] = "warning_under_review" if inquiry else "under_review"
    word = held["uncategorized_text"]
    if word in {"winning_evidence", "losing_evidence", "escalate_inquiry_evidence"}:
        dispute["$decision"] = word
        world.schedule(world.now + DISPUTE_DECIDED_SECONDS, "dispute_step", dispute["id"])


def closed(dispute: Obj) -> None:
    """Raises Stripe's 400 where a dispute is decided."""
    if dispute["status"] in _CLOSED:
        message = "This dispute is already closed"
        raise invalid(message)


def close(world: World, dispute: Obj) -> Obj:
    """Give in: the dispute is lost (an inquiry closed), with its event. Raises Stripe's 400 when it is closed."""
    closed(dispute)
    _end(world, dispute, "warning_closed" if dispute["status"].startswith("warning_") else "lost")
    tell_charge(world, dispute)
    return dispute


def tell_charge(world: World, dispute: Obj) -> None:
    """Tell the charge of a dispute that moved on. Nothing that is shown of it changed: Stripe tells it all the same."""
    charge = world.get("charge", dispute["charge"])
    world.write("charge.updated", {"object": render(charge), "previous_attributes": {}}, about=charge["id"])


def step(world: World, dispute_id: str) -> None:
    """What time brings: the bank's decision, or the end of the days in which evidence could be given."""
    dispute = world.get("dispute", dispute_id)
    if dispute["status"] in _CLOSED:
        return
    decision = dispute.pop("$decision", None)
    inquiry = dispute["status"].startswith("warning_")
    if decision == "winning_evidence":
        _end(world, dispute, "warning_closed" if inquiry else "won")
    elif decision == "escalate_inquiry_evidence" and inquiry:
        _escalate(world, dispute)
    elif decision is not None or inquiry:
        _end(world, dispute, "warning_closed" if inquiry else "lost")
    elif dispute["status"] == "needs_response":
        dispute["evidence_details"]["past_due"] = True
        _end(world, dispute, "lost")


def _escalate(world: World, dispute: Obj) -> None:
    charge = world.get("charge", dispute["charge"])
    dispute["status"] = "needs_response"
    dispute["is_charge_refundable"] = False
    dispute["evidence_details"]["due_by"] = _due(world.now)
    if dispute.get("payment_method_details"):
        dispute["payment_method_details"]["card"].update(
            case_type="chargeback", network_reason_code=_CODES["fraudulent"]
        )
    _withdraw(world, charge, dispute)
    world.tell("charge.dispute.updated", dispute)
    world.tell("charge.dispute.funds_withdrawn", dispute)
    world.schedule(dispute["evidence_details"]["due_by"], "dispute_step", dispute["id"])


def _end(world: World, dispute: Obj, status: str) -> Obj:
    charge = world.get("charge", dispute["charge"])
    world.unschedule("dispute_step", dispute["id"])
    won = status == "won"
    if won:
        _enter(world, charge, dispute, amount=dispute["amount"], fee=0, word="reversal", category="dispute_reversal")
        world.tell("charge.dispute.funds_reinstated", dispute)
    dispute["status"] = status
    dispute["is_charge_refundable"] = won or status == "warning_closed"
    world.tell("charge.dispute.closed", dispute)
    return dispute


def refunded(world: World, charge: Obj) -> None:
    """A charge went back whole: there is nothing left to inquire about. A dispute that took the money stays."""
    dispute = world.find("dispute", charge.get("$dispute"))
    if dispute is not None and dispute["status"].startswith("warning_") and dispute["status"] not in _CLOSED:
        _end(world, dispute, "warning_closed")


def refuse_refund(world: World, charge: Obj) -> None:
    """Raises Stripe's 400 for a charge whose money a dispute has taken."""
    dispute = world.find("dispute", charge.get("$dispute"))
    if dispute is not None and not dispute["is_charge_refundable"]:
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise StripeError(message, code="charge_disputed")
