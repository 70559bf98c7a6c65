"""``/v1/setup_intents``, setup attempts, and mandates."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.payment_methods import actions, errors, methods, options, setup_intents
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.world.world import Obj, World, render

_MISSING: Final = (
    "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent "
    "with a payment method and then confirm it again, or confirm it again directly with a payment method or "
    "ConfirmationToken."
)


def find(world: World, intent_id: str) -> Obj:
    """The intent that a path names, its customer's clock in force. Raises Stripe's 404."""
    found = world.find("setup_intent", intent_id)
    if found is None:
        message = f"No such setupintent: '{intent_id}'"
        raise StripeError(message, status=404, code="resource_missing", param="intent")
    world.follow(world.find("customer", found["customer"]) or {})
    return found


def _create(world: World, call: Call) -> Obj:
    customer = None
    if customer_id := call.value("customer"):
        customer = world.get("customer", customer_id, param="customer")
        world.follow(customer)
    method = methods.described(world, call, customer, on="SetupIntent")
    settings = {name: call.value(name) for name in ("flow_directions", "on_behalf_of") if call.given(name)}
    intent = setup_intents.begin(
        world,
        customer=customer,
        payment_method=method,
        description=call.value("description"),
        metadata=metadata({}, call.params.get("metadata")),
        allowed_payment_method_types=call.value("allowed_payment_method_types"),
        excluded_payment_method_types=call.value("excluded_payment_method_types"),
        automatic_payment_methods=call.value("automatic_payment_methods"),
        payment_method_options=call.value("payment_method_options"),
        **settings,
    )
    if method is not None:
        errors.check_kind(intent, method)
    return _confirmed(world, intent, call, method) if call.value("confirm") else intent


def _confirmed(world: World, intent: Obj, call: Call, method: Obj | None) -> Obj:
    """Confirm and answer: the intent, or the 402 of a refusal."""
    if method is None and intent["payment_method"] is None:
        raise errors.unexpected(intent, _MISSING)
    if intent["status"] == "succeeded":
        raise errors.unexpected(intent, "You cannot confirm this SetupIntent because it has already succeeded.")
    if intent["status"] == "canceled":
        raise errors.unexpected(intent, "You cannot confirm this SetupIntent because it has been canceled.")
    if call.given("return_url"):
        intent["$return_url"] = call.value("return_url")
    if call.value("mandate_data"):
        intent["$mandate_data"] = call.params["mandate_data"]
    setup_intents.confirm(world, intent, payment_method=method)
    error = intent["last_setup_error"]
    if intent["status"] == "requires_payment_method" and error is not None:
        raise errors.answer(error, field="setup_intent", intent=intent)
    return intent


def _confirm(world: World, call: Call) -> Obj:
    intent = find(world, call.ids["intent"])
    method = methods.described(world, call, world.find("customer", intent["customer"]), on="SetupIntent", intent=intent)
    options.renew(world, intent, call, setup_intents.KINDS, options.of_setup)
    if method is not None:
        errors.check_kind(intent, method)
    return _confirmed(world, intent, call, method)


def _retrieve(world: World, call: Call) -> Obj:
    return find(world, call.ids["intent"])


def _list(world: World, call: Call) -> Obj:
    return pages.page(
        world, call, "setup_intent", customer=call.value("customer"), payment_method=call.value("payment_method")
    )


def _update(world: World, call: Call) -> Obj:
    intent = find(world, call.ids["intent"])
    customer = world.find("customer", intent["customer"])
    if call.value("customer"):
        customer = world.get("customer", call.params["customer"], param="customer")
        intent["customer"] = customer["id"]
    method = methods.described(world, call, customer, on="SetupIntent", intent=intent)
    if method is not None:
        if intent["status"] not in setup_intents.OPEN:
            word = "it has already succeeded" if intent["status"] == "succeeded" else "it has been canceled"
            raise errors.unexpected(intent, f"You cannot update this SetupIntent because {word}.")
        errors.check_kind(intent, method)
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
        intent["next_action"] = None
    if call.given("metadata"):
        intent["metadata"] = metadata(intent["metadata"], call.params["metadata"])
    for name in ("description", "flow_directions"):
        if call.given(name):
            intent[name] = call.value(name)
    options.renew(world, intent, call, setup_intents.KINDS, options.of_setup)
    return intent


def _cancel(world: World, call: Call) -> Obj:
    intent = find(world, call.ids["intent"])
    if intent["status"] == "canceled":
        raise errors.unexpected(intent, "You cannot cancel this SetupIntent because it is already canceled.")
    if intent["status"] not in setup_intents.OPEN:
        message = (
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}. Only a SetupIntent "
            "with one of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, "
            "or `requires_action`."
        )
        raise errors.unexpected(intent, message)
    return setup_intents.cancel(world, intent, reason=call.value("cancellation_reason"))


def _verify(world: World, call: Call) -> Obj:
    intent = find(world, call.ids["intent"])
    check_verifiable(intent, "SetupIntent")
    actions.verifies(call.value("amounts"), call.value("descriptor_code"))
    return setup_intents.authenticate(world, intent, succeed=True)


def check_verifiable(intent: Obj, word: str) -> None:
    """Raises Stripe's 400 where no deposits wait for their verification."""
    action = (intent["next_action"] or {}).get("type")
    if intent["status"] == "requires_action" and action == "verify_with_microdeposits":
        return
    message = (
        f"This {word} cannot be actioned on because it has a status of {intent['status']}. Only a {word} with one of "
        "the "
        'following statuses may be actioned on: ["requires_action"].'
    )
    raise StripeError(message, code="intent_invalid_state", fields={intent["object"]: render(intent)})


def _attempts(world: World, call: Call) -> Obj:
    return pages.page(world, call, "setup_attempt", setup_intent=call.value("setup_intent"))


def _mandate(world: World, call: Call) -> Obj:
    return world.get("mandate", call.ids["mandate"])


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/setup_intents": _create,
    "GET /v1/setup_intents": _list,
    "GET /v1/setup_intents/{intent}": _retrieve,
    "POST /v1/setup_intents/{intent}": _update,
    "POST /v1/setup_intents/{intent}/confirm": _confirm,
    "POST /v1/setup_intents/{intent}/cancel": _cancel,
    "POST /v1/setup_intents/{intent}/verify_microdeposits": _verify,
    "GET /v1/setup_attempts": _attempts,
    "GET /v1/mandates/{mandate}": _mandate,
}
