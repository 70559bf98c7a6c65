"""What a request is answered whose payment failed and undoes the request."""

from __future__ import annotations

from trueup.sandbox.invoices import invoice_payments
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.world.world import Obj, World

_PAYMENT_REQUIRED = 402


def refusal(world: World, invoice: Obj) -> StripeError:
    """Stripe's 402 for an invoice that could not be paid: the card's error, or that the customer has to act."""
    found = invoice_payments.default_intent(world, invoice)
    intent = found[1] if found else {}
    if intent.get("status") == "requires_action":
        return StripeError(
            "Payment for this subscription requires additional user action before it can be completed successfully. "
            "Payment can be completed using the PaymentIntent associated with subscription.latest_invoice. For more "
            "details see: https://stripe.com/docs/billing/subscriptions/overview#requires-action",
            status=_PAYMENT_REQUIRED,
            type="card_error",
            code="subscription_payment_intent_requires_action",
        )
    error = intent.get("last_payment_error") or {}
    shown = {name: error[name] for name in ("charge", "decline_code", "advice_code") if error.get(name)}
    return StripeError(
        error.get("message") or "Your card was declined.",
        status=_PAYMENT_REQUIRED,
        type=error.get("type") or "card_error",
        code=error.get("code") or "card_declined",
        param=error.get("param"),
        fields=shown,
    )


def no_method() -> StripeError:
    """Nothing to charge."""
    return StripeError(
        "This customer has no attached payment source or default payment method. Please consider adding a default "
        "payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting"
        "#payment-method-priority.",
        code="resource_missing",
    )
