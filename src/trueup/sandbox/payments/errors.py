"""Errors that intents remember, and how the API answers with them."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.payment_methods import shapes
from trueup.sandbox.payment_methods.declines import Decline, documented
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.world.world import Obj, render

_NOT_AUTHENTICATED: Final = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to "
    "attempt to fulfill this PaymentIntent again."
)
_SETUP_NOT_AUTHENTICATED: Final = (
    "The latest attempt to set up the payment method has failed because authentication failed."
)


def declined(decline: Decline, method: Obj, *, charge: str | None = None) -> Obj:
    """``last_payment_error`` or ``last_setup_error`` after a refusal."""
    fields: dict[str, Any] = decline.error() | {
        "type": "card_error" if method["type"] == "card" else "invalid_request_error"
    }
    if method["type"] != "card":
        fields["code"] = "payment_intent_payment_attempt_failed"
        fields["doc_url"] = documented(fields["code"])
    if charge:
        fields["charge"] = charge
    return _of(fields, method)


def not_authenticated(method: Obj, *, setup: bool = False) -> Obj:
    """The same after the holder did not authenticate."""
    code = "setup_intent_authentication_failure" if setup else "payment_intent_authentication_failure"
    message = _SETUP_NOT_AUTHENTICATED if setup else _NOT_AUTHENTICATED
    return _of({"code": code, "doc_url": documented(code), "message": message, "type": "invalid_request_error"}, method)


def _of(fields: Obj, method: Obj) -> Obj:
    return dict(
        sorted((fields | {"payment_method": shapes.shown(method), "payment_method_type": method["type"]}).items())
    )


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
