"""``/v1/charges``, the balance, mandates and early fraud warnings."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.payments import ledger
from trueup.sandbox.payments.intent_routes import shipping
from trueup.sandbox.world.world import Obj, World


def find(world: World, charge_id: str) -> Obj:
    """The charge that a path names, its customer's clock in force, its transaction's status up to date."""
    charge = world.get("charge", charge_id)
    world.follow(world.find("customer", charge["customer"]) or {})
    transaction = world.find("balance_transaction", charge["balance_transaction"])
    if transaction is not None:
        ledger.ripened(world, transaction)
    return charge


def _retrieve(world: World, call: Call) -> Obj:
    return find(world, call.ids["charge"])


def _list(world: World, call: Call) -> Obj:
    group = call.value("transfer_group")
    return pages.page(
        world,
        call,
        "charge",
        keep=(lambda charge: charge["transfer_group"] == group) if group else None,
        payment_intent=call.value("payment_intent"),
        customer=call.value("customer"),
    )


def _update(world: World, call: Call) -> Obj:
    charge = find(world, call.ids["charge"])
    if call.given("metadata"):
        charge["metadata"] = metadata(charge["metadata"], call.params["metadata"])
    for name in ("description", "receipt_email", "transfer_group"):
        if call.given(name):
            charge[name] = call.value(name)
    if call.given("shipping"):
        charge["shipping"] = shipping(call.params["shipping"])
    if report := (call.value("fraud_details") or {}).get("user_report"):
        charge["fraud_details"] = {**charge["fraud_details"], "user_report": report}
    if call.value("customer") and charge["customer"] is None:
        charge["customer"] = world.get("customer", call.params["customer"], param="customer")["id"]
    world.tell("charge.updated", charge)
    return charge


def _balance(world: World, _call: Call) -> Obj:
    return ledger.balance(world)


def _transaction(world: World, call: Call) -> Obj:
    return ledger.ripened(world, world.get("balance_transaction", call.ids["id"]))


def _transactions(world: World, call: Call) -> Obj:
    currency = call.value("currency")
    found = ledger.all_ripened(
        world, source=call.value("source"), type=call.value("type"), payout=call.value("payout"), currency=currency
    )
    return pages.of(call, found, kind="balance_transaction")


def _warning(world: World, call: Call) -> Obj:
    return world.get("radar.early_fraud_warning", call.ids["early_fraud_warning"])


def _warnings(world: World, call: Call) -> Obj:
    return pages.page(
        world,
        call,
        "radar.early_fraud_warning",
        charge=call.value("charge"),
        payment_intent=call.value("payment_intent"),
    )


ROUTES: Final[dict[str, Handler]] = {
    "GET /v1/charges": _list,
    "GET /v1/charges/{charge}": _retrieve,
    "POST /v1/charges/{charge}": _update,
    "GET /v1/balance": _balance,
    "GET /v1/balance_transactions": _transactions,
    "GET /v1/balance_transactions/{id}": _transaction,
    "GET /v1/radar/early_fraud_warnings": _warnings,
    "GET /v1/radar/early_fraud_warnings/{early_fraud_warning}": _warning,
}
