"""What a customer owes or has left: the balance that invoices draw on, and the transactions that made it."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.sandbox.catalog.bounds import sized
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World


def adjust(
    world: World,
    customer: Obj,
    amount: int,
    *,
    type: str,  # noqa: A002 - Stripe's name of the field
    currency: str,
    invoice: str | None = None,
    credit_note: str | None = None,
    checkout_session: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Obj:
    """Change the balance by ``amount`` in minor units, negative for a credit; the transaction, which has no event.

    The customer is told at the end of the change; tell it before where the order matters. A customer without a currency
    gets this one. Raises Stripe's 400 for another currency than the customer's, or too
    large an amount or balance.
    """
    known = customer["currency"]
    if known not in {None, currency}:
        message = (
            f"You cannot combine currencies on a single customer. This customer has a balance or invoices in {known}, "
            f"so it cannot have a balance transaction in {currency}."
        )
        raise invalid(message, param="currency")
    sized(amount, "amount")
    sized(customer["balance"] + amount, "amount")
    customer["currency"] = currency
    customer["balance"] += amount
    return world.new(
        "customer_balance_transaction",
        {
            "amount": amount,
            "checkout_session": checkout_session,
            "created": world.now,
            "credit_note": credit_note,
            "currency": currency,
            "customer": customer["id"],
            "customer_account": None,
            "description": description,
            "ending_balance": customer["balance"],
            "invoice": invoice,
            "livemode": False,
            "metadata": dict(metadata or {}),
            "type": type,
        },
    )


def by_currency(customer: Obj) -> dict[str, int]:
    """What ``expand`` shows as ``invoice_credit_balance``: minor units by currency, nothing where the balance is 0."""
    return {customer["currency"]: customer["balance"]} if customer["currency"] and customer["balance"] else {}
