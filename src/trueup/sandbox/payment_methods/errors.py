"""Errors that intents remember, and how the API answers with them."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.payment_methods import shapes
from trueup.sandbox.payment_methods.declines import Decline, documented
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, render

_NOT_AUTHENTICATED: Final = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod "
    "to attempt to fulfill this PaymentIntent again."
)
_SETUP_NOT_AUTHENTICATED: Final = (
    "The latest attempt to set up the payment method has failed because authentication failed."
)


def declined(
    decline: Decline, method: Obj, *, charge: str | None = None, setup: bool = False, checked: bool = True
) -> Obj:
    """``last_payment_error`` after a refusal, or ``last_setup_error``, which always has a decline code."""
    fields: dict[str, Any] = decline.error() | {
        "type": "card_error" if method["type"] == "card" else "invalid_request_error"
    }
    if method["type"] != "card":
        fields["code"] = "payment_intent_payment_attempt_failed"
        fields["doc_url"] = documented(fields["code"])
    if charge:
        fields["charge"] = charge
    if setup:
        fields.setdefault("decline_code", decline.code)
    return _of(fields, method if checked is False else shapes.checked(method), setup=setup)


def not_authenticated(method: Obj, *, setup: bool = False) -> Obj:
    """The same after the holder did not authenticate."""
    code = "setup_intent_authentication_failure" if setup else "payment_intent_authentication_failure"
    message = _SETUP_NOT_AUTHENTICATED if setup else _NOT_AUTHENTICATED
    return _of(
        {"code": code, "doc_url": documented(code), "message": message, "type": "invalid_request_error"},
        method,
        setup=setup,
    )


def _of(fields: Obj, method: Obj, *, setup: bool) -> Obj:
    found = fields | {"payment_method": render(method)}
    if not setup:
        found["payment_method_type"] = method["type"]
    return dict(sorted(found.items()))


def answer(error: Obj, *, field: str, intent: Obj) -> StripeError:
    """The 402 for an intent's last error, with the intent in ``field``; what was done is kept."""
    beside = {
        name: value for name, value in error.items() if name not in {"code", "doc_url", "message", "param", "type"}
    }
    beside.pop("payment_method_type", None)
    raised = StripeError(
        error["message"],
        status=402,
        type=error["type"],
        code=error["code"],
        fields=dict(sorted((beside | {field: render(intent)}).items())),
        keep=True,
    )
    raised.param = error.get("param")
    return raised


def unexpected(intent: Obj, message: str, *, code: str | None = None, param: str | None = None) -> StripeError:
    """The 400 of an intent that is not in the state for what was asked; the intent stands beside the message."""
    field = intent["object"]
    return StripeError(message, code=code or f"{field}_unexpected_state", param=param, fields={field: render(intent)})


def check_kind(intent: Obj, method: Obj) -> None:
    """Raises Stripe's 400 for a kind of payment method that an intent does not take."""
    kind = method["type"]
    if kind in intent["payment_method_types"]:
        return
    word = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
    message = (
        f"The PaymentMethod provided ({kind}) is not allowed for this {word}. Please attach a different PaymentMethod "
        "to "
        f'try again. Alternatively update the allowed payment_method_types for this {word} to include "{kind}".'
    )
    raise invalid(message, param="payment_method")
