"""Setup intents: a payment method is made ready for payments to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trueup.sandbox.payment_methods import actions, cards, errors, mandates, methods, options, shapes
from trueup.sandbox.world.world import Obj, World

OPEN: Final = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
KINDS: Final = ("card", "link", "sepa_debit", "us_bank_account")
"""What the account's configuration offers where an intent does not name its kinds."""


def begin(
    world: World,
    *,
    customer: Obj | None = None,
    payment_method: Obj | None = None,
    description: str | None = None,
    metadata: Mapping[str, str] | None = None,
    allowed_payment_method_types: Sequence[str] | None = None,
    excluded_payment_method_types: Sequence[str] | None = None,
    automatic_payment_methods: Mapping[str, Any] | None = None,
    payment_method_options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Obj:
    """A new setup intent, with ``setup_intent.created``; nothing is asked of a bank yet.

    ``usage`` is always ``off_session``: what a request says of it is taken and ignored, as recorded at
    2026-08-26.dahlia.
    """
    offered = options.offered(
        world, KINDS, allowed_payment_method_types, excluded_payment_method_types, automatic_payment_methods
    )
    intent_id = world.id("setup_intent")
    intent = world.new(
        "setup_intent",
        {
            "id": intent_id,
            "allowed_payment_method_types": None,
            "application": None,
            "automatic_payment_methods": None,
            "cancellation_reason": None,
            "client_secret": f"{intent_id}_secret_{world.ids.text(31)}",
            "created": world.now,
            "customer": customer["id"] if customer else None,
            "customer_account": None,
            "description": description,
            "excluded_payment_method_types": None,
            "flow_directions": None,
            "last_setup_error": None,
            "latest_attempt": None,
            "livemode": False,
            "managed_payments": {"enabled": False},
            "mandate": None,
            "metadata": dict(metadata or {}),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": payment_method["id"] if payment_method else None,
            "payment_method_configuration_details": None,
            "payment_method_options": options.of_setup(offered["payment_method_types"], payment_method_options),
            "payment_method_types": [],
            "single_use_mandate": None,
            "status": "requires_confirmation" if payment_method else "requires_payment_method",
            "usage": "off_session",
            **offered,
            **settings,
        },
    )
    world.tell("setup_intent.created", intent)
    return intent


def confirm(world: World, intent: Obj, *, payment_method: Obj | None = None) -> Obj:
    """Ask whether the payment method can be used. Never raises on a refusal: ``status`` and ``last_setup_error`` tell.

    Without any payment method the intent waits for one; one that is not to be confirmed (again) stays as it is.
    """
    method = payment_method or world.find("payment_method", intent["payment_method"])
    if intent["status"] not in OPEN:
        return intent
    if method is None:
        intent["status"] = "requires_payment_method"
        return intent
    intent["payment_method"] = method["id"]
    intent["next_action"] = None
    action = actions.wanted(world, intent, method)
    if action is not None:
        return _ask(world, intent, method, action)
    behaviour = cards.behaviour(method)
    if behaviour.authentication in {"always", "unless_set_up"}:
        return _ask(world, intent, method, actions.three_d_secure(world, intent))
    return _decide(world, intent, method)


def authenticate(world: World, intent: Obj, succeed: bool) -> Obj:  # noqa: FBT001 - as for payment intents
    """Let the holder do, or fail at, what ``next_action`` asks. Other states stay as they are."""
    if intent["status"] != "requires_action":
        return intent
    method = world.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if succeed:
        if method["type"] == "us_bank_account":
            method["$verified"] = True
        return _decide(world, intent, method)
    return _fail(world, intent, method, errors.not_authenticated(method, setup=True))


def _ask(world: World, intent: Obj, method: Obj, action: Obj) -> Obj:
    intent["next_action"] = action
    intent["status"] = "requires_action"
    _attempt(world, intent, method, "requires_action")
    world.tell("setup_intent.requires_action", intent)
    _signal(world, intent, "requires_action")
    return intent


def _decide(world: World, intent: Obj, method: Obj) -> Obj:
    behaviour = cards.behaviour(method)
    if behaviour.declines_setup and behaviour.decline is not None:
        return _fail(world, intent, method, errors.declined(behaviour.decline, method, setup=True))
    customer = world.find("customer", intent["customer"])
    if customer is not None and not customer.get("deleted") and method["customer"] is None:
        methods.bind(world, method, customer)
    method["$set_up"] = True
    mandate = mandates.accepted(world, intent, method)
    intent["mandate"] = mandate["id"] if mandate else None
    intent["last_setup_error"] = None
    intent["status"] = "succeeded"
    _attempt(world, intent, method, "succeeded")
    world.tell("setup_intent.succeeded", intent)
    _signal(world, intent, "succeeded")
    return intent


def _fail(world: World, intent: Obj, method: Obj, error: Obj) -> Obj:
    intent["last_setup_error"] = error
    intent["payment_method"] = None
    intent["status"] = "requires_payment_method"
    _attempt(world, intent, method, "failed", error)
    world.tell("setup_intent.setup_failed", intent)
    _signal(world, intent, "failed")
    return intent


def cancel(world: World, intent: Obj, *, reason: str | None = None) -> Obj:
    """End an intent that is open, with ``setup_intent.canceled``; another stays as it is."""
    if intent["status"] not in OPEN:
        return intent
    intent["cancellation_reason"] = reason
    intent["next_action"] = None
    intent["status"] = "canceled"
    attempt = world.find("setup_attempt", intent["latest_attempt"])
    if attempt is not None and attempt["status"] == "requires_action":
        attempt["status"] = "abandoned"
    world.tell("setup_intent.canceled", intent)
    _signal(world, intent, "canceled")
    return intent


def _attempt(world: World, intent: Obj, method: Obj, status: str, error: Obj | None = None) -> None:
    """The attempt that goes on, otherwise a new one."""
    held = world.find("setup_attempt", intent["latest_attempt"])
    if held is not None and held["status"] == "requires_action" and held["payment_method"] == method["id"]:
        held["status"], held["setup_error"] = status, error
        return
    made = world.new(
        "setup_attempt",
        {
            "application": None,
            "created": world.now,
            "customer": intent["customer"],
            "customer_account": None,
            "flow_directions": None,
            "livemode": False,
            "on_behalf_of": None,
            "payment_method": method["id"],
            "payment_method_details": _details(method),
            "setup_error": error,
            "setup_intent": intent["id"],
            "status": status,
            "usage": intent["usage"],
        },
    )
    intent["latest_attempt"] = made["id"]


def _details(method: Obj) -> Obj:
    kind = method["type"]
    if kind != "card":
        return {kind: {}, "type": kind}
    seen = shapes.checked(method)["card"]
    names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    card = {name: seen[name] for name in names} | {"network": seen["brand"], "three_d_secure": None, "wallet": None}
    return {"card": card, "type": kind}


def _signal(world: World, intent: Obj, outcome: str) -> None:
    world.signal("setup_settled", setup_intent=intent, outcome=outcome)
