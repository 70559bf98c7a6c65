"""The balance: one transaction for each movement of money, none ever changed but for its status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.sandbox.payments import fees, stems
from trueup.sandbox.world.world import Obj, World


def enter(
    world: World,
    *,
    source: str,
    of: str | None = None,
    type: str,  # noqa: A002 - Stripe's name of the field
    amount: int,
    currency: str,
    description: str | None,
    fee: int = 0,
    fee_description: str = "Stripe processing fees",
    category: str | None = None,
    immediate: bool = False,
) -> Obj:
    """A movement of ``amount`` (negative: out) less ``fee``; ``category`` is the reporting category, else the type.

    ``of`` is an object of the payment, where ``source`` is none whose id says which payment it belongs to.
    """
    details = (
        [
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": fee_description,
                "type": "stripe_fee",
            }
        ]
        if fee
        else []
    )
    transaction = world.new(
        "balance_transaction",
        {
            "id": stems.sibling(world, "balance_transaction", of or source),
            "amount": amount,
            "available_on": world.now if immediate else fees.available_on(world.now),
            "balance_type": "payments",
            "created": world.now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details,
            "net": amount - fee,
            "reporting_category": category or type,
            "source": source,
            "status": "available" if immediate else "pending",
            "type": type,
            "$clock": world.clock,
        },
    )
    transaction.pop("livemode")
    return transaction


def ripened(world: World, transaction: Obj) -> Obj:
    """The transaction with the status that it has by now."""
    if transaction["status"] == "pending" and transaction["available_on"] <= world.clocks.now(transaction["$clock"]):
        transaction["status"] = "available"
    return transaction


def ripen(world: World, charge_id: str | None) -> None:
    """Bring the status of a charge's transaction up to date, before it is shown."""
    charge = world.find("charge", charge_id)
    transaction = world.find("balance_transaction", charge["balance_transaction"]) if charge else None
    if transaction is not None:
        ripened(world, transaction)


def all_ripened(world: World, **where: Any) -> Iterator[Obj]:
    """Transactions, newest first."""
    for transaction in world.select("balance_transaction", **where):
        yield ripened(world, transaction)


def balance(world: World) -> Obj:
    """What the account has, per currency: available, and pending."""
    sums: dict[str, dict[str, int]] = {"available": {"usd": 0}, "pending": {"usd": 0}}
    for transaction in all_ripened(world):
        held = sums[transaction["status"]]
        held[transaction["currency"]] = held.get(transaction["currency"], 0) + transaction["net"]
    currencies = sorted(sums["available"].keys() | sums["pending"].keys())
    rows = {
        name: [
            {"amount": held.get(currency, 0), "currency": currency, "source_types": {"card": held.get(currency, 0)}}
            for currency in currencies
        ]
        for name, held in sums.items()
    }
    return {
        "object": "balance",
        "available": rows["available"],
        "livemode": False,
        "pending": rows["pending"],
        "refund_and_dispute_prefunding": {
            name: [{"amount": 0, "currency": currency} for currency in currencies] for name in ("available", "pending")
        },
    }
