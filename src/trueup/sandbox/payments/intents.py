"""Payment intents: made, confirmed, authenticated, captured, canceled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from trueup.sandbox.assumptions import AUTHORIZATION_SECONDS, CANCELED_DEBIT, INVOICES_WAIT_FOR_AUTHENTICATION
from trueup.sandbox.payment_methods import actions, cards, errors, mandates, methods, options
from trueup.sandbox.payment_methods.behaviours import Behaviour
from trueup.sandbox.payment_methods.declines import AUTHENTICATION
from trueup.sandbox.payments import charges, consequences, refunds
from trueup.sandbox.world.world import Obj, World

Outcome = Literal["succeeded", "failed", "requires_action", "processing", "canceled"]

OPEN: Final = frozenset({"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"})
"""The states in which an intent can be canceled; while it is processing only some can."""

_ORDER_LENGTH: Final = 25


def create(
    world: World,
    *,
    amount: int,
    currency: str,
    customer: Obj | None = None,
    invoice: Obj | None = None,
    payment_method: Obj | None = None,
    description: str | None = None,
    metadata: Mapping[str, str] | None = None,
    off_session: bool = False,
    payment_method_types: Sequence[str] | None = None,
    allowed_payment_method_types: Sequence[str] | None = None,
    excluded_payment_method_types: Sequence[str] | None = None,
    automatic_payment_methods: Mapping[str, Any] | None = None,
    payment_method_options: Mapping[str, Any] | None = None,
    capture_method: str | None = None,
    **settings: Any,
) -> Obj:
    """A new intent over ``amount`` minor units, with ``payment_intent.created``; nothing is charged yet.

    An intent of an invoice takes ``payment_method_types`` or the account's kinds, and captures at once; another goes by
    the account's configuration unless it names its kinds. ``settings`` are further fields of the intent, as the API
    names them.
    """
    del off_session  # It belongs to the confirmation; creation takes it so that both can be called alike.
    capture = capture_method or ("automatic" if invoice else "automatic_async")
    enabled = options.enabled(currency, manual=capture == "manual")
    offered: Obj
    if invoice is not None:
        kinds = payment_method_types or {*enabled, *([payment_method["type"]] if payment_method else [])}
        offered = {"payment_method_types": sorted(kinds)}
    else:
        offered = options.offered(
            world,
            enabled,
            allowed_payment_method_types,
            excluded_payment_method_types,
            automatic_payment_methods,
        )
    kinds_options = options.of_payment(
        offered["payment_method_types"], payment_method_options, of_invoice=invoice is not None
    )
    intent_id = world.id("payment_intent")
    fields: Obj = {
        "id": intent_id,
        "allowed_payment_method_types": None,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": capture,
        "client_secret": f"{intent_id}_secret_{world.ids.text(25)}",
        "confirmation_method": "automatic",
        "created": world.now,
        "currency": currency,
        "customer": customer["id"] if customer else None,
        "customer_account": None,
        "description": description,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": dict(metadata or {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": payment_method["id"] if payment_method else None,
        "payment_method_configuration_details": None,
        "payment_method_options": kinds_options,
        "payment_method_types": [],
        "payment_record": None,
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_confirmation" if payment_method else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        **offered,
    }
    if invoice is not None:
        if invoice["parent"] is not None:
            fields["payment_details"] = {"customer_reference": None, "order_reference": invoice["id"][:_ORDER_LENGTH]}
        fields["$invoice"] = invoice["id"]
    fields.update(settings)
    intent = world.new("payment_intent", fields)
    world.tell("payment_intent.created", intent)
    return intent


def confirm(world: World, intent: Obj, *, payment_method: Obj | None = None, off_session: bool = False) -> Obj:
    """Try to get the money. Never raises on a decline: ``status`` and ``last_payment_error`` say what came of it.

    Without any payment method the intent waits for one. An intent that is not to be confirmed (again) stays as it is.
    """
    method = payment_method or world.find("payment_method", intent["payment_method"])
    if intent["status"] not in {"requires_payment_method", "requires_confirmation", "requires_action"}:
        return intent
    if method is None:
        intent["status"] = "requires_payment_method"
        return intent
    intent["payment_method"] = method["id"]
    intent["next_action"] = None
    behaviour = cards.behaviour(method)
    action = actions.wanted(world, intent, method)
    if action is not None:
        return _ask(world, intent, action)
    card = intent["payment_method_options"].get("card") or {}
    requested = card.get("request_three_d_secure") in {"any", "challenge"}
    if asks(behaviour, method, off_session=off_session, requested=requested):
        if off_session and not (INVOICES_WAIT_FOR_AUTHENTICATION and intent.get("$invoice")):
            return _refuse(world, intent, method)
        return _ask(world, intent, actions.three_d_secure(world, intent))
    return _charge(world, intent, method)


def asks(behaviour: Behaviour, method: Obj, *, off_session: bool, requested: bool = False) -> bool:
    """Whether the holder has to authenticate; ``requested`` is that we want it, not only the bank."""
    if behaviour.authentication == "unless_set_up":
        return not (off_session and method.get("$set_up"))
    if behaviour.authentication == "on_session":
        return not off_session
    if behaviour.authentication == "on_request":
        return requested and not off_session
    return behaviour.authentication == "always"


def authenticate(world: World, intent: Obj, succeed: bool) -> Obj:  # noqa: FBT001 - the contract of the admin route
    """Let the holder of the payment method do, or fail at, what ``next_action`` asks. Other states stay as they are."""
    if intent["status"] != "requires_action":
        return intent
    method = world.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if succeed:
        if method["type"] == "us_bank_account":
            method["$verified"] = True
        return _charge(world, intent, method, authenticated=method["type"] == "card")
    intent["payment_method"] = None
    intent["last_payment_error"] = errors.not_authenticated(method)
    intent["status"] = "requires_payment_method"
    world.tell("payment_intent.payment_failed", intent)
    _signal(world, intent, "failed")
    return intent


def _ask(world: World, intent: Obj, action: Obj) -> Obj:
    intent["next_action"] = action
    intent["status"] = "requires_action"
    world.tell("payment_intent.requires_action", intent)
    _signal(world, intent, "requires_action")
    return intent


def _refuse(world: World, intent: Obj, method: Obj) -> Obj:
    """The holder is not there to authenticate: no charge is made. Recorded at 2026-08-26.dahlia."""
    intent["last_payment_error"] = errors.declined(AUTHENTICATION, method, checked=False)
    intent["payment_method"] = None
    intent["status"] = "requires_payment_method"
    world.tell("payment_intent.payment_failed", intent)
    _signal(world, intent, "failed")
    return intent


def _charge(world: World, intent: Obj, method: Obj, *, authenticated: bool = False) -> Obj:
    """Ask the bank."""
    behaviour = cards.behaviour(method)
    decline = behaviour.decline
    pending = behaviour.settles is not None
    if pending:
        mandates.accepted(world, intent, method)
    charge = charges.make(
        world, intent, method, decline=None if pending else decline, pending=pending, authenticated=authenticated
    )
    intent["latest_charge"] = charge["id"]
    if pending:
        return _process(world, intent, method, charge, behaviour)
    if decline is not None:
        return failed(world, intent, method, charge, errors.declined(decline, method, charge=charge["id"]))
    _keep_method(world, intent, method)
    intent["last_payment_error"] = None
    if intent["capture_method"] == "manual":
        return _hold(world, intent, charge)
    return succeeded(world, intent, method, charge)


def _process(world: World, intent: Obj, method: Obj, charge: Obj, behaviour: Behaviour) -> Obj:
    _keep_method(world, intent, method)
    intent["last_payment_error"] = None
    intent["status"] = "processing"
    world.tell("charge.pending", charge)
    world.tell("payment_intent.processing", intent)
    if not behaviour.never:
        world.schedule(world.now + (behaviour.settles or 0), "charge_settled", charge["id"])
    _signal(world, intent, "processing")
    return intent


def _hold(world: World, intent: Obj, charge: Obj) -> Obj:
    intent["amount_capturable"] = intent["amount"]
    intent["status"] = "requires_capture"
    world.tell("charge.succeeded", charge)
    world.tell("payment_intent.amount_capturable_updated", intent)
    world.schedule(world.now + AUTHORIZATION_SECONDS, "charge_settled", charge["id"])
    return intent


def succeeded(world: World, intent: Obj, method: Obj, charge: Obj) -> Obj:
    """The money is there: the charge's event, what the test card brings about, the intent's event, the signal."""
    if charge["payment_method_details"]["type"] == "card" and intent["capture_method"] == "automatic_async":
        charges.settle_soon(world, charge)
    else:
        charges.settle(world, charge)
    world.tell("charge.succeeded", charge)
    consequences.follow(world, charge, cards.behaviour(method))
    intent["amount_received"] = charge["amount_captured"]
    intent["status"] = "succeeded"
    world.tell("payment_intent.succeeded", intent)
    _signal(world, intent, "succeeded")
    return intent


def failed(world: World, intent: Obj, method: Obj, charge: Obj, error: Obj) -> Obj:
    """The bank refused: the charge's event, the intent's, the signal. The intent waits for another method."""
    del method
    intent["last_payment_error"] = error
    intent["payment_method"] = None
    intent["processing"] = None
    intent["status"] = "requires_payment_method"
    world.tell("charge.failed", charge)
    world.tell("payment_intent.payment_failed", intent)
    _signal(world, intent, "failed")
    return intent


def _keep_method(world: World, intent: Obj, method: Obj) -> None:
    """Attach what is to be used again; what is not attached has had its one use."""
    future = intent["setup_future_usage"]
    if future == "off_session":
        method["$set_up"] = True
    if method["customer"] is not None:
        return
    customer = world.find("customer", intent["customer"]) if future else None
    if customer is not None and not customer.get("deleted"):
        methods.bind(world, method, customer)
    else:
        method["$spent"] = True


def cancel(world: World, intent: Obj, *, reason: str | None = None) -> Obj:
    """End an intent that did not succeed, with ``payment_intent.canceled``; what was authorized is released.

    One that succeeded or was canceled before stays as it is.
    """
    if intent["status"] in {"succeeded", "canceled"}:
        return intent
    charge = world.find("charge", intent["latest_charge"])
    if charge is not None:
        world.unschedule("charge_settled", charge["id"])
    held = intent["status"]
    intent["amount_capturable"] = 0
    intent["canceled_at"] = world.now
    intent["cancellation_reason"] = reason
    intent["next_action"] = None
    intent["processing"] = None
    intent["status"] = "canceled"
    if charge is not None and held == "requires_capture":
        refunds.release(world, charge)
    if charge is not None and held == "processing":
        charge["status"] = "failed"
        charge["captured"], charge["amount_captured"] = False, 0
        charge["failure_code"], charge["failure_message"] = CANCELED_DEBIT
        world.tell("charge.failed", charge)
    world.tell("payment_intent.canceled", intent)
    _signal(world, intent, "canceled")
    return intent


def _signal(world: World, intent: Obj, outcome: Outcome) -> None:
    world.signal("intent_settled", intent=intent, outcome=outcome)
