"""``/v1/charges``, the balance, mandates and early fraud warnings."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.payments import ledger
from trueup.sandbox.payments.intent_routes import shipping
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.kinds import KINDS
from trueup.sandbox.world.world import Obj, World

_ENDED: Final = (
    "Card Token usage on the Customers API and Charges API has reached end of life. In order to continue processing "
    "your payments, you will need to use the Payment Intents and Payment Methods API. Read more about what you should "
    "do here: https://docs.stripe.com/payments/payment-methods/integration-options. If you need to continue to use "
    "Card Tokens on the Customers and Charges API, enable this functionality in your API policies settings: "
    "https://dashboard.stripe.com/settings/developers/api-policies"
)
_NOT_LEGACY: Final = (
    "This Customer doesn't have any legacy saved payment details, but does have a Payment Method attached. Use a "
    "Payment Intent instead of creating a Charge: https://stripe.com/docs/payments/payment-intents/migration"
)
_NO_DETAILS: Final = (
    "This Customer doesn't have any saved payment details. Attach a legacy Token, Card, Bank Account, or Source to "
    "this Customer and then try this request again, or use Payment Intents and Payment Methods instead."
)


def find(world: World, charge_id: str) -> Obj:
    """The charge that a path names, its customer's clock in force, its transaction's status up to date."""
    charge = world.get("charge", charge_id)
    world.follow(world.find("customer", charge["customer"]) or {})
    ledger.ripen(world, charge_id)
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


def _create(world: World, call: Call) -> Obj:
    """Charges without an intent have had their day: what Stripe answers, as recorded at 2026-08-26.dahlia."""
    if call.value("source"):
        raise invalid(_ENDED)
    if customer_id := call.value("customer"):
        customer = world.get("customer", customer_id, param="customer")
        has_method = next(world.select("payment_method", customer=customer["id"]), None) is not None
        message = _NOT_LEGACY if has_method else _NO_DETAILS
        raise StripeError(message, status=402, type="card_error", code="missing", param="card")
    message = "Must provide source or customer."
    raise invalid(message, code="parameter_missing")


def _capture(world: World, call: Call) -> Obj:
    charge = find(world, call.ids["charge"])
    if charge["captured"] or charge["status"] != "succeeded":
        message = f"Charge {charge['id']} has already been captured."
        raise invalid(message, code="charge_already_captured")
    message = (
        f"This uncaptured Charge was created by a PaymentIntent ({charge['payment_intent']}). You must capture the "
        "PaymentIntent instead of the Charge. See https://stripe.com/docs/api/payment_intents/capture."
    )
    raise invalid(message)


def _balance(world: World, _call: Call) -> Obj:
    return ledger.balance(world)


def _transaction(world: World, call: Call) -> Obj:
    return ledger.ripened(world, world.get("balance_transaction", call.ids["id"]))


def _transactions(world: World, call: Call) -> Obj:
    if str(call.value("source", "")).startswith(KINDS["dispute"].prefix + "_"):
        # Stripe finds nothing by a dispute, though its transactions name it as their source (recorded at 2026-08-26).
        return pages.of(call, [], kind="balance_transaction")
    wanted = {name: call.value(name) for name in ("type", "payout", "currency") if call.value(name)}
    found = (
        transaction
        for transaction in ledger.all_ripened(world, source=call.value("source"))
        if all(transaction.get(name) == value for name, value in wanted.items())
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
    "POST /v1/charges": _create,
    "GET /v1/charges": _list,
    "GET /v1/charges/{charge}": _retrieve,
    "POST /v1/charges/{charge}": _update,
    "POST /v1/charges/{charge}/capture": _capture,
    "GET /v1/balance": _balance,
    "GET /v1/balance_transactions": _transactions,
    "GET /v1/balance_transactions/{id}": _transaction,
    "GET /v1/radar/early_fraud_warnings": _warnings,
    "GET /v1/radar/early_fraud_warnings/{early_fraud_warning}": _warning,
}
