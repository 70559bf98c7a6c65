"""Why a bank or a network refuses a payment, and how Stripe says so."""

from __future__ import annotations

from typing import Any, Final

from trueup.kernel.records import Record

_DOCUMENTED: Final = "https://stripe.com/docs/error-codes/"
_DECLINED: Final = "Your card was declined."


class Decline(Record, frozen=True):
    """One refusal: Stripe's ``code`` and ``decline_code``, its sentence, and what the network and its advice say.

    ``reason`` and ``seller_message`` go into the charge's outcome. ``blocked`` is a refusal by Stripe before the
    network. Source: https://docs.stripe.com/declines/codes
    """

    code: str
    message: str
    reason: str
    seller_message: str
    decline_code: str | None = None
    network_decline_code: str | None = None
    advice_code: str | None = None
    param: str | None = None
    blocked: bool = False

    def error(self) -> dict[str, Any]:
        """The fields that the API's error, ``last_payment_error`` and ``last_setup_error`` share."""
        found: dict[str, Any] = {}
        if self.advice_code:
            found["advice_code"] = self.advice_code
        found["code"] = self.code
        if self.decline_code:
            found["decline_code"] = self.decline_code
        found["doc_url"] = documented(self.code)
        found["message"] = self.message
        if self.network_decline_code:
            found["network_decline_code"] = self.network_decline_code
        if self.param:
            found["param"] = self.param
        return found


def documented(code: str) -> str:
    """The address of an error code's page, as answers carry it."""
    return _DOCUMENTED + code.replace("_", "-")


def _bank(
    decline_code: str,
    network: str | None,
    advice: str | None,
    *,
    message: str = _DECLINED,
    code: str = "card_declined",
    param: str | None = None,
) -> Decline:
    return Decline(
        code=code,
        decline_code=decline_code if code in {"card_declined", "authentication_required"} else None,
        message=message,
        reason=decline_code,
        seller_message=f"The bank returned the decline code `{decline_code}`.",
        network_decline_code=network,
        advice_code=advice,
        param=param,
    )


GENERIC: Final = Decline(
    code="card_declined",
    decline_code="generic_decline",
    message=_DECLINED,
    reason="generic_decline",
    seller_message="The bank did not return any further details with this decline.",
    network_decline_code="01",
    advice_code="try_again_later",
)
INSUFFICIENT_FUNDS: Final = _bank(
    "insufficient_funds", "51", "try_again_later", message="Your card has insufficient funds."
)
LOST: Final = _bank("lost_card", "41", "do_not_try_again")
STOLEN: Final = _bank("stolen_card", "43", "do_not_try_again")
EXPIRED: Final = _bank(
    "expired_card", "54", "confirm_card_data", message="Your card has expired.", code="expired_card", param="exp_month"
)
INCORRECT_CVC: Final = _bank(
    "incorrect_cvc",
    "N7",
    "confirm_card_data",
    message="Your card's security code is incorrect.",
    code="incorrect_cvc",
    param="cvc",
)
PROCESSING_ERROR: Final = _bank(
    "processing_error",
    "96",
    "try_again_later",
    message="An error occurred while processing your card. Try again in a little bit.",
    code="processing_error",
)
VELOCITY: Final = _bank(
    "card_velocity_exceeded",
    "65",
    "try_again_later",
    message="Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
)
AUTHENTICATION: Final = _bank(
    "authentication_required",
    None,
    None,
    message="Your card was declined. This transaction requires authentication.",
    code="authentication_required",
)
BLOCKED: Final = Decline(
    code="card_declined",
    decline_code="fraudulent",
    message=_DECLINED,
    reason="highest_risk_level",
    seller_message="Stripe blocked this payment as too risky.",
    blocked=True,
)
INCORRECT_NUMBER: Final = Decline(
    code="incorrect_number",
    message="Your card number is incorrect.",
    reason="incorrect_number",
    seller_message="The bank returned the decline code `incorrect_number`.",
    param="number",
)
NOT_A_TEST_CARD: Final = Decline(
    code="card_declined",
    decline_code="test_mode_live_card",
    message=(
        "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test "
        "cards, visit: https://stripe.com/docs/testing."
    ),
    reason="test_mode_live_card",
    seller_message="Stripe blocked this payment.",
    blocked=True,
)


def bank_debit(code: str, message: str) -> Decline:
    """A bank account that could not be debited; the code is the failure's."""
    return Decline(code=code, message=message, reason=code, seller_message=message)
