"""``/v1/payment_intents``."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import address, metadata
from trueup.sandbox.assumptions import LARGEST_CHARGE, MINIMUM_CHARGE
from trueup.sandbox.payment_methods import actions, errors, methods, options
from trueup.sandbox.payment_methods.setup_routes import check_verifiable
from trueup.sandbox.payments import capturing, intents, ledger
from trueup.sandbox.payments.refunds import money
from trueup.sandbox.wire.errors import StripeError, invalid, missing
from trueup.sandbox.world.world import Obj, World

_SETTINGS: Final = (
    "application_fee_amount",
    "confirmation_method",
    "on_behalf_of",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
_TOO_SMALL: Final = (
    "The amount must be greater than or equal to the minimum charge amount allowed for your account and the currency "
    "set (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).  If you want to save a Payment "
    "Method for future use without an immediate payment, use a Setup Intent instead: "
    "https://docs.stripe.com/payments/setup-intents"
)


def check_amount(amount: int, currency: str) -> None:
    """Raises Stripe's 400 for an amount that nobody can be charged."""
    if amount < 1:
        raise invalid(_TOO_SMALL, param="amount", code="parameter_invalid_integer")
    if amount < MINIMUM_CHARGE:
        message = f"Amount must be at least {money(MINIMUM_CHARGE, currency)} {currency}"
        raise invalid(message, param="amount", code="amount_too_small")
    if amount > LARGEST_CHARGE:
        message = f"Amount must be no more than {money(LARGEST_CHARGE, currency)}"
        raise invalid(message, param="amount", code="amount_too_large")


def find(world: World, intent_id: str) -> Obj:
    """The intent that a path names, its customer's clock in force. Raises Stripe's 404."""
    found = world.find("payment_intent", intent_id)
    if found is None:
        error = missing("payment_intent", intent_id)
        error.param = "intent"
        raise error
    world.follow(world.find("customer", found["customer"]) or {})
    ledger.ripen(world, found["latest_charge"])
    return found


def _create(world: World, call: Call) -> Obj:
    currency = call.params["currency"].lower()
    check_amount(call.params["amount"], currency)
    customer = None
    if customer_id := call.value("customer"):
        customer = world.get("customer", customer_id, param="customer")
        world.follow(customer)
    method = methods.described(world, call, customer)
    settings: dict[str, Any] = {name: call.value(name) for name in _SETTINGS if call.given(name)}
    if call.value("shipping"):
        settings["shipping"] = shipping(call.params["shipping"])
    intent = intents.create(
        world,
        amount=call.params["amount"],
        currency=currency,
        customer=customer,
        payment_method=method,
        description=call.value("description"),
        metadata=metadata({}, call.params.get("metadata")),
        allowed_payment_method_types=call.value("allowed_payment_method_types"),
        excluded_payment_method_types=call.value("excluded_payment_method_types"),
        automatic_payment_methods=call.value("automatic_payment_methods"),
        payment_method_options=call.value("payment_method_options"),
        capture_method=call.value("capture_method"),
        **settings,
    )
    if method is not None:
        errors.check_kind(intent, method)
    if call.value("confirm"):
        return _confirmed(world, intent, call, method)
    if call.given("off_session") or call.given("error_on_requires_action"):
        name = "off_session" if call.given("off_session") else "error_on_requires_action"
        message = f"You can only provide `{name}` when `confirm` is set to true."
        raise invalid(message, param=name)
    return intent


def shipping(given: Any) -> Obj:
    """Where something is sent, with all fields."""
    return {
        "address": address(given.get("address")),
        "carrier": given.get("carrier") or None,
        "name": given.get("name") or None,
        "phone": given.get("phone") or None,
        "tracking_number": given.get("tracking_number") or None,
    }


def _confirmed(world: World, intent: Obj, call: Call, method: Obj | None) -> Obj:
    """Confirm and answer: the intent, or the 402 of a decline."""
    if method is None and intent["payment_method"] is None:
        raise errors.unexpected(intent, _missing(intent))
    if call.given("return_url"):
        intent["$return_url"] = call.value("return_url")
    if call.value("mandate_data"):
        intent["$mandate_data"] = call.params["mandate_data"]
    if call.value("mandate"):
        intent["$mandate"] = world.get("mandate", call.params["mandate"], param="mandate")["id"]
    intents.confirm(world, intent, payment_method=method, off_session=bool(call.value("off_session")))
    if intent["status"] == "requires_action" and call.value("error_on_requires_action"):
        raise StripeError(
            "This payment required an authentication action to complete, but `error_on_requires_action` was set. When "
            "you're ready, you can upgrade your integration to handle actions at "
            "https://stripe.com/docs/payments/payment-intents/upgrade-to-handle-actions.",
            status=402,
            type="card_error",
            code="authentication_required",
        )
    error = intent["last_payment_error"]
    if intent["status"] == "requires_payment_method" and error is not None:
        raise errors.answer(error, field="payment_intent", intent=intent)
    return intent


def _missing(intent: Obj) -> str:
    start = "You cannot confirm this PaymentIntent because it's missing a payment method. "
    if intent["customer"]:
        return (
            f"{start}To confirm the PaymentIntent with {intent['customer']}, specify a payment method attached to this "
            "customer along with the customer ID."
        )
    return (
        f"{start}You can either update the PaymentIntent with a payment method and then confirm it again, or confirm "
        "it again directly with a payment method or ConfirmationToken."
    )


def _retrieve(world: World, call: Call) -> Obj:
    return find(world, call.ids["intent"])


def _list(world: World, call: Call) -> Obj:
    return pages.page(world, call, "payment_intent", customer=call.value("customer"))


def _update(world: World, call: Call) -> Obj:
    intent = find(world, call.ids["intent"])
    _set(world, intent, call)
    return intent


def _set(world: World, intent: Obj, call: Call) -> None:
    """What an update and a confirmation may change; what was settled only metadata and description."""
    loose = {"metadata", "description", "expand", "receipt_email", "transfer_group", "payment_details"}
    tight = [name for name in call.params if name not in loose]
    if tight and intent["status"] in {"succeeded", "canceled", "processing", "requires_capture"}:
        message = (
            f"This PaymentIntent's {tight[0]} could not be updated because it has a status of {intent['status']}. You "
            "may only update the "
            f"{tight[0]} of a PaymentIntent with one of the following statuses: requires_payment_method, "
            "requires_confirmation, requires_action."
        )
        raise errors.unexpected(intent, message, param=tight[0])
    if call.given("amount"):
        check_amount(call.params["amount"], call.value("currency", intent["currency"]).lower())
        intent["amount"] = call.params["amount"]
    if call.given("currency"):
        intent["currency"] = call.params["currency"].lower()
    customer = world.find("customer", intent["customer"])
    if call.value("customer"):
        customer = world.get("customer", call.params["customer"], param="customer")
        intent["customer"] = customer["id"]
    if call.given("metadata"):
        intent["metadata"] = metadata(intent["metadata"], call.params["metadata"])
    for name in (*_SETTINGS, "description", "capture_method"):
        if call.given(name):
            intent[name] = call.value(name)
    if call.given("shipping"):
        intent["shipping"] = shipping(call.params["shipping"]) if call.value("shipping") else None
    _renew_kinds(world, intent, call)
    method = methods.described(world, call, customer, intent=intent)
    if method is not None:
        errors.check_kind(intent, method)
        intent["payment_method"] = method["id"]
        if intent["status"] in {"requires_payment_method", "requires_action"}:
            intent["status"] = "requires_confirmation"
            intent["next_action"] = None


def _renew_kinds(world: World, intent: Obj, call: Call) -> None:
    enabled = options.enabled(intent["currency"], manual=intent["capture_method"] == "manual")
    options.renew(world, intent, call, enabled, options.of_payment)


def _confirm(world: World, call: Call) -> Obj:
    intent = find(world, call.ids["intent"])
    if intent["status"] not in {"requires_payment_method", "requires_confirmation", "requires_action"}:
        raise errors.unexpected(intent, _not_confirmable(intent))
    customer = world.find("customer", intent["customer"])
    method = methods.described(world, call, customer, intent=intent)
    _renew_kinds(world, intent, call)
    if method is not None:
        errors.check_kind(intent, method)
    for name in ("receipt_email", "setup_future_usage", "capture_method"):
        if call.given(name):
            intent[name] = call.value(name)
    if call.given("shipping"):
        intent["shipping"] = shipping(call.params["shipping"]) if call.value("shipping") else None
    return _confirmed(world, intent, call, method)


def _not_confirmable(intent: Obj) -> str:
    status = intent["status"]
    if status == "succeeded":
        return (
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
        )
    return (
        f"You cannot confirm this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one of "
        "the following statuses may be confirmed: requires_confirmation, requires_action."
    )


def _cancel(world: World, call: Call) -> Obj:
    intent = find(world, call.ids["intent"])
    status = intent["status"]
    if status in {"succeeded", "canceled"}:
        message = (
            f"You cannot cancel this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one "
            "of the following statuses may be canceled: requires_payment_method, requires_capture, "
            "requires_reauthorization, requires_confirmation, requires_action, expired, processing."
        )
        raise errors.unexpected(intent, message)
    return intents.cancel(world, intent, reason=call.value("cancellation_reason"))


def _capture(world: World, call: Call) -> Obj:
    intent = find(world, call.ids["intent"])
    if call.given("metadata"):
        intent["metadata"] = metadata(intent["metadata"], call.params["metadata"])
    for name in ("application_fee_amount", "statement_descriptor", "statement_descriptor_suffix"):
        if call.given(name):
            intent[name] = call.value(name)
    return capturing.capture(world, intent, call.params.get("amount_to_capture"))


def _increment(world: World, call: Call) -> Obj:
    intent = find(world, call.ids["intent"])
    return capturing.increment(world, intent, call.params["amount"])


def _verify(world: World, call: Call) -> Obj:
    intent = find(world, call.ids["intent"])
    check_verifiable(intent, "PaymentIntent")
    actions.verifies(call.value("amounts"), call.value("descriptor_code"))
    return intents.authenticate(world, intent, succeed=True)


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/payment_intents": _create,
    "GET /v1/payment_intents": _list,
    "GET /v1/payment_intents/{intent}": _retrieve,
    "POST /v1/payment_intents/{intent}": _update,
    "POST /v1/payment_intents/{intent}/confirm": _confirm,
    "POST /v1/payment_intents/{intent}/cancel": _cancel,
    "POST /v1/payment_intents/{intent}/capture": _capture,
    "POST /v1/payment_intents/{intent}/increment_authorization": _increment,
    "POST /v1/payment_intents/{intent}/verify_microdeposits": _verify,
}
