"""Invoices and the payments for them, at API version 2026-10-28.endive.

Invoice, payment and charge do not name each other since 2025-03-31.basil; ``invoice_payment`` is the link.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from trueup.kernel.money import Money, Rounding, rounded
from trueup.kernel.time import from_unix
from trueup.ops.demo.catalog import PERCENT_OFF
from trueup.ops.demo.engine import HOUR, Engine, Json, nulls

_SYMBOLS: Final = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
_SAYS: Final = {
    "expired_card": "Your card has expired.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "insufficient_funds": "Your card has insufficient funds.",
}
_OWN_CODE: Final = frozenset({"expired_card", "authentication_required"})
"""Declines with an error code of their own; the code of all others is ``card_declined``. Source: https://docs.stripe.com/error-codes"""

_NO_INVOICE: Final = nulls(
    "account_tax_ids amount_paid_off_stripe application automatically_finalizes_at custom_fields customer_account "
    "customer_phone customer_shipping default_payment_method default_source description due_date effective_at "
    "ending_balance footer from_invoice hosted_invoice_url invoice_pdf last_finalization_error latest_revision "
    "next_payment_attempt number on_behalf_of receipt_number rendering shipping_cost shipping_details "
    "statement_descriptor status_details test_clock webhooks_delivered_at"
)
_NO_PAYMENT: Final = nulls(
    "allowed_payment_method_types application application_fee_amount automatic_payment_methods canceled_at "
    "cancellation_reason customer_account excluded_payment_method_types last_payment_error latest_charge next_action "
    "on_behalf_of payment_method_configuration_details payment_record processing receipt_email review "
    "setup_future_usage shipping source statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
)
_NO_CHARGE: Final = nulls(
    "application application_fee application_fee_amount balance_transaction failure_balance_transaction failure_code "
    "failure_message on_behalf_of receipt_email receipt_number receipt_url review shipping source source_transfer "
    "statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
)
_CARD_SHOWN: Final = nulls("brand checks country exp_month exp_year fingerprint funding last4 regulated_status wallet")
"""What a charge tells of its card; the rest belongs to the payment method."""


def _line(engine: Engine, item: Json, amount: int, text: str) -> Json:
    price = item["price"]
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": item["subscription"],
        "subscription_item": item["id"],
    }
    return {
        "id": engine.mint("il_1"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": text,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        "period": {"end": item["current_period_end"], "start": item["current_period_start"]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "quantity_decimal": str(item["quantity"]),
        "subtotal": amount,
        "taxes": [],
    }


def trial_line(engine: Engine, item: Json) -> Json:
    """The line of nothing that a trial puts on its first invoice."""
    return _line(engine, item, 0, f"Free trial for {_bought(item)}")


def period_line(engine: Engine, item: Json, discounts: Sequence[str]) -> Json:
    """One period at the full price, with what the discounts (none or one) take off named beside it."""
    price = item["price"]
    unit = _SYMBOLS[price["currency"]] + Money(minor=price["unit_amount"], currency=price["currency"]).major
    text = f"{_bought(item)} (at {unit} / {price['recurring']['interval']})"
    line = _line(engine, item, price["unit_amount"] * item["quantity"], text)
    off = rounded(Fraction(line["amount"] * PERCENT_OFF, 100), Rounding.HALF_AWAY)
    amounts = [{"amount": off, "discount": by} for by in discounts]
    return {**line, "discounts": list(discounts), "discount_amounts": amounts}


def proration_lines(engine: Engine, at: int, before: Json, after: Json, *, discounted: bool) -> list[Json]:
    """Credit for the unused time of the item ``before``, debit for the rest of the same period of the item ``after``.

    The discount is inside the amounts (``proration_discounts: included``); each line is rounded on its own.
    """
    start, end = before["current_period_start"], before["current_period_end"]
    share = Fraction(end - at, end - start) * Fraction(100 - PERCENT_OFF if discounted else 100, 100)
    day, lines = f"{from_unix(at):%d %b %Y}", []
    for item, sign, text in ((before, -1, "Unused time on"), (after, 1, "Remaining time on")):
        exact = sign * item["price"]["unit_amount"] * item["quantity"] * share
        amount = rounded(exact, Rounding.HALF_DOWN_CEILING)
        line = _line(engine, item, amount, f"{text} {_bought(item)} after {day}")
        line["parent"]["subscription_item_details"] |= {"invoice_item": engine.mint("ii_1"), "proration": True}
        lines.append({**line, "discountable": False, "period": {"end": end, "start": at}})
    return lines


def preview(at: int, of: Json, payer: Json, reason: str, lines: Sequence[Json]) -> Json:
    """A draft for the subscription ``of`` without ``id``, as ``invoice.upcoming`` shows it.

    A cycle's draft waits an hour before it is collected; any other is collected in the call that makes it.
    """
    subtotal = sum(line["amount"] for line in lines)
    off = [part for line in lines for part in line["discount_amounts"]]
    total = subtotal - sum(part["amount"] for part in off)
    cycle = reason == "subscription_cycle"
    waits = {"automatically_finalizes_at": at + HOUR, "next_payment_attempt": at + HOUR} if cycle else {}
    return {
        "object": "invoice",
        **_NO_INVOICE,
        "account_country": "US",
        "account_name": "Trueup demo",
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": total,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": cycle,
        "automatic_tax": {
            **nulls("disabled_reason liability provider status"),
            "enabled": False,
        },
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": at,
        "currency": of["currency"],
        "customer": payer["id"],
        "customer_address": payer["address"],
        "customer_email": payer["email"],
        "customer_name": payer["name"],
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [part["discount"] for part in off],
        "issuer": {"type": "self"},
        "lines": {"object": "list", "data": list(lines), "has_more": False, "total_count": len(lines)},
        "livemode": False,
        "metadata": {},
        "parent": {
            "quote_details": None,
            "subscription_details": {"metadata": of["metadata"], "subscription": of["id"]},
            "type": "subscription_details",
        },
        "payment_settings": nulls("default_mandate payment_method_options payment_method_types"),
        # The invoice's own period looks back; what is being bought is in the lines.
        "period_end": at,
        "period_start": of["items"]["data"][0]["current_period_start"] if cycle else at,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": nulls("finalized_at marked_uncollectible_at paid_at voided_at"),
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": off,
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [{**part, "type": "discount"} for part in off],
        "total_taxes": [],
        **waits,
    }


def invoice(engine: Engine, draft: Json) -> Json:
    """The preview ``draft`` become an invoice: with an id, in its lines too."""
    made = engine.mint("in_1")
    lines = [{**line, "invoice": made} for line in draft["lines"]["data"]]
    return {"id": made, **draft, "lines": {**draft["lines"], "data": lines, "url": f"/v1/invoices/{made}/lines"}}


def payment_intent(engine: Engine, at: int, of: Json, method: Json) -> Json:
    """A payment for the invoice ``of`` by card, before its first attempt."""
    made, first = engine.mint("pi_3"), of["billing_reason"] == "subscription_create"
    card = nulls("installments mandate_options network")
    return {
        "id": made,
        "object": "payment_intent",
        **_NO_PAYMENT,
        "amount": of["amount_due"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic",
        "client_secret": f"{made}_secret_{engine.mint('', 25)}",
        "confirmation_method": "automatic",
        "created": at,
        "currency": of["currency"],
        "customer": of["customer"],
        "description": f"Subscription {'creation' if first else 'update'}",
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "payment_details": {"customer_reference": None, "order_reference": of["id"]},
        "payment_method": method["id"],
        "payment_method_options": {"card": {**card, "request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "status": "requires_confirmation",
    }


def charge(engine: Engine, at: int, of: Json, method: Json, decline: str | None) -> Json:
    """One attempt of the payment ``of``: paid, or refused with the decline code ``decline``."""
    # The payment, its charges, refunds and balance transactions share the stem of their ids.
    stem = of["id"].removeprefix("pi_")[:17]
    outcome = {
        **nulls("advice_code network_advice_code network_decline_code reason"),
        "network_status": "approved_by_network",
        "risk_level": "normal",
        "risk_score": engine.rng.randrange(1, 60),
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    made = {
        "id": engine.mint(f"ch_{stem}", 7),
        "object": "charge",
        **_NO_CHARGE,
        "amount": of["amount"],
        "amount_captured": of["amount"],
        "amount_refunded": 0,
        "balance_transaction": engine.mint(f"txn_{stem}", 7),
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "TRUEUP DEMO",
        "captured": True,
        "created": at,
        "currency": of["currency"],
        "customer": of["customer"],
        "description": of["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "outcome": outcome,
        "paid": True,
        "payment_intent": of["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "card": {
                **{key: method["card"][key] for key in _CARD_SHOWN},
                "mandate": None,
                "network": method["card"]["brand"],
                "three_d_secure": None,
            },
            "type": "card",
        },
        "radar_options": {},
        "refunded": False,
        "status": "succeeded",
    }
    if decline is None:
        return made
    refused = {
        **outcome,
        "network_status": "declined_by_network",
        "reason": "generic_decline" if decline == "card_declined" else decline,
        "seller_message": "The bank declined the payment.",
        "type": "issuer_declined",
    }
    return {
        **made,
        "amount_captured": 0,
        "balance_transaction": None,
        "captured": False,
        "failure_code": decline if decline in _OWN_CODE else "card_declined",
        "failure_message": _SAYS.get(decline, "Your card was declined."),
        "outcome": refused,
        "paid": False,
        "status": "failed",
    }


def payment_error(attempt: Json, method: Json) -> Json:
    """The ``last_payment_error`` that the refused charge ``attempt`` leaves on its payment."""
    return {
        "charge": attempt["id"],
        "code": attempt["failure_code"],
        "decline_code": attempt["outcome"]["reason"],
        "message": attempt["failure_message"],
        "payment_method": method,
        "type": "card_error",
    }


def invoice_payment(engine: Engine, at: int, of: Json, by: Json) -> Json:
    """The link between the invoice ``of`` and the payment ``by`` that paid it at ``at``."""
    return {
        "id": engine.mint("inpay_1"),
        "object": "invoice_payment",
        "amount_paid": by["amount"],
        "amount_requested": by["amount"],
        "created": by["created"],
        "currency": of["currency"],
        "invoice": of["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": by["id"], "type": "payment_intent"},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": at},
    }


def refund(engine: Engine, at: int, of: Json, amount: int) -> Json:
    """``amount`` given back of the charge ``of``."""
    stem = of["id"].removeprefix("ch_")[:17]
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return {
        "id": engine.mint(f"re_{stem}", 7),
        "object": "refund",
        **nulls("customer_account receipt_number source_transfer_reversal transfer_reversal"),
        "amount": amount,
        "balance_transaction": engine.mint(f"txn_{stem}", 7),
        "charge": of["id"],
        "created": at,
        "currency": of["currency"],
        "customer": of["customer"],
        "destination_details": {"card": card, "type": "card"},
        "metadata": {},
        "payment_intent": of["payment_intent"],
        "payment_method": of["payment_method"],
        "reason": "requested_by_customer",
        "status": "succeeded",
    }


def _bought(item: Json) -> str:
    """Seats and plan, as the texts of lines begin."""
    return f"{item['quantity']} \N{MULTIPLICATION SIGN} {item['price']['metadata']['plan'].title()}"
