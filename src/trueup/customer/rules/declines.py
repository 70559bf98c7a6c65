"""Why a payment failed, in plain words: Stripe's decline codes, failure codes and outcomes.

Pure and total: a code of tomorrow is told by its own name. Sources: https://docs.stripe.com/declines/codes,
https://docs.stripe.com/error-codes, https://docs.stripe.com/declines/card and
https://docs.stripe.com/billing/revenue-recovery/smart-retries (which codes Stripe itself does not retry).
"""

from __future__ import annotations

import re
from typing import Any, Final

from trueup.kernel.records import Record
from trueup.mirror.upcast.shape import mapping, text

NEVER_RETRIED: Final = frozenset(
    """
    authentication_required highest_risk_level incorrect_number lost_card pickup_card revocation_of_all_authorizations
    revocation_of_authorization stolen_card transaction_not_allowed
    """.split()
)
"""The codes on which Stripe's own retries charge nothing until there is a new payment method."""

_CONFIDENTIAL: Final = frozenset(
    "fraudulent highest_risk_level lost_card merchant_blacklist pickup_card rule security_violation stolen_card".split()
)
"""Stripe asks not to tell these to whoever pays, who may not be the card's owner: say that the card was declined."""

_BANK: Final = ("declined by the bank", "The bank declined the payment and gave no reason.")
_CALL: Final = ("declined by the bank", "The bank wants to speak to the customer before it lets the payment through.")
_CARD: Final = ("card declined", "The bank declined the card and gave no reason.")
_AUTHENTICATE: Final = ("authentication required", "The bank wants the customer to confirm the payment.")
_UNCONFIRMED: Final = ("authentication failed", "The customer did not pass the bank's check.")
_CVC: Final = ("wrong security code", "The card's security code is wrong.")
_NUMBER: Final = ("wrong card number", "The card number is wrong.")
_EXPIRY: Final = ("wrong expiry date", "The card's expiry date is wrong.")
_POSTCODE: Final = ("wrong postal code", "The postal code does not match the one that the bank knows.")
_ADDRESS: Final = ("wrong address", "The billing address does not match the one that the bank knows.")
_LIMIT: Final = ("card limit exceeded", "The payment is over the card's limit.")
_REVOKED: Final = ("customer withdrew the authorization", "The customer told the bank to stop these payments.")
_PIN: Final = ("PIN required", "The card asks for a PIN.")
_WRONG_PIN: Final = ("wrong PIN", "The PIN is wrong.")
_BLOCKED: Final = ("card cannot be used", "The bank has blocked the card.")
_AMOUNT: Final = ("amount not allowed", "The amount is not allowed for this payment method.")
_INVALID: Final = ("card or account invalid", "The card, or the account behind it, is not valid.")
_LATER: Final = ("processing error", "Something went wrong while the payment was processed.")
_PROVIDER: Final = ("declined by the provider", "The provider of the payment method declined the payment.")
_CLOSED: Final = ("bank account closed", "The bank account has been closed.")
_NO_ACCOUNT: Final = ("bank account not found", "The bank knows no account with these details.")
_RESTRICTED: Final = ("bank account cannot be debited", "The bank account does not allow to be debited.")
_DEBIT: Final = ("debit not authorized", "The customer has not allowed this debit, or has withdrawn it.")
_DETAILS: Final = ("wrong bank details", "The bank details are wrong.")
_UNVERIFIED: Final = ("bank account not verified", "The customer has not verified the bank account.")
_MANDATE: Final = ("mandate not valid", "The customer's permission to be debited is no longer valid.")
_ABANDONED: Final = ("not completed in time", "The customer did not complete the payment in time.")
_SETUP: Final = ("not set up to be charged", "The payment method cannot be used for this payment.")
_TEST: Final = ("test card declined", "A test card was used.")
_OURS: Final = ("the request was refused", "Stripe refused the request, so nobody was charged.")

# Code: words, whether the customer can do something about it (None: nobody can tell), whether a retry is pointless.
_Told = tuple[tuple[str, str], bool | None, bool]
_CARDS: Final[dict[str, _Told]] = {
    "approve_with_id": (_BANK, True, False),
    "authentication_failure": (_UNCONFIRMED, True, False),
    "authentication_not_handled": (("authentication not completed", _UNCONFIRMED[1]), True, False),
    "authentication_required": (_AUTHENTICATE, True, True),
    "call_issuer": (_CALL, True, False),
    "card_declined": (_CARD, None, False),
    "card_decline_rate_limit_exceeded": (
        ("too many declines", "The card was declined too often, and Stripe lets it rest."),
        True,
        False,
    ),
    "card_not_supported": (
        ("card does not support this purchase", "The card cannot be used for this kind of purchase."),
        True,
        False,
    ),
    "card_velocity_exceeded": (_LIMIT, True, False),
    "currency_not_supported": (
        ("card does not support this currency", "The card cannot be charged in this currency."),
        True,
        False,
    ),
    "do_not_honor": (_BANK, True, False),
    "do_not_try_again": (("declined by the bank", "The bank declined the payment and wants no retry."), True, True),
    "duplicate_transaction": (
        ("duplicate of a recent payment", "The same amount was charged to the same card moments before."),
        False,
        False,
    ),
    # Banks let some expired cards pass, and networks renew others, so that a retry may work.
    "expired_card": (("card expired", "The card has expired."), True, False),
    "fraudulent": (("suspected fraud", "The payment was declined because it looks like fraud."), None, True),
    "generic_decline": (_CARD, None, False),
    "incorrect_address": (_ADDRESS, True, False),
    "incorrect_cvc": (_CVC, True, False),
    "incorrect_number": (_NUMBER, True, True),
    "incorrect_pin": (_WRONG_PIN, True, False),
    "incorrect_postal_code": (_POSTCODE, True, False),
    "incorrect_zip": (_POSTCODE, True, False),
    "insufficient_funds": (("insufficient funds", "There was not enough money on the card or account."), True, False),
    "invalid_account": (_INVALID, True, True),
    "invalid_amount": (_AMOUNT, True, False),
    "invalid_card_type": (("card does not support this purchase", "This kind of card is not accepted."), True, True),
    "invalid_cvc": (_CVC, True, False),
    "invalid_expiry_month": (_EXPIRY, True, False),
    "invalid_expiry_year": (_EXPIRY, True, False),
    "invalid_number": (_NUMBER, True, True),
    "invalid_pin": (_WRONG_PIN, True, False),
    "issuer_not_available": (("bank not reachable", "The bank could not be reached."), False, False),
    "live_mode_test_card": (_TEST, True, True),
    "lost_card": (("card reported lost", "The card has been reported lost."), True, True),
    "merchant_blacklist": (("blocked by a rule", "The payment matches your own block list."), False, True),
    "mobile_device_authentication_required": (_AUTHENTICATE, True, False),
    "new_account_information_available": (_INVALID, True, True),
    "no_action_taken": (_BANK, True, False),
    "not_permitted": (("payment not permitted", "The bank does not permit the payment."), True, False),
    "offline_pin_required": (_PIN, True, False),
    "online_or_offline_pin_required": (_PIN, True, False),
    "pickup_card": (("card cannot be used", "The bank has called the card in; it may be lost or stolen."), True, True),
    "pin_try_exceeded": (("too many wrong PINs", "A wrong PIN was entered too often."), True, False),
    "processing_error": (_LATER, False, False),
    "reenter_transaction": (_BANK, False, False),
    "restricted_card": (_BLOCKED, True, False),
    "revocation_of_all_authorizations": (_REVOKED, True, True),
    "revocation_of_authorization": (_REVOKED, True, True),
    "security_violation": (_BANK, True, False),
    "service_not_allowed": (_BANK, True, False),
    "stolen_card": (("card reported stolen", "The card has been reported stolen."), True, True),
    "stop_payment_order": (("customer stopped the payment", _REVOKED[1]), True, True),
    "test_mode_live_card": (("live card in test mode", "A real card was used in test mode."), True, True),
    "testmode_decline": (_TEST, True, True),
    "transaction_not_allowed": (("declined by the bank", "The bank does not allow this kind of payment."), True, True),
    "try_again_later": (_BANK, False, False),
    "withdrawal_count_limit_exceeded": (_LIMIT, True, False),
}

_OUTCOMES: Final[dict[str, _Told]] = {
    "elevated_risk_level": (("held for review, risk elevated", "Stripe's risk check asks for a review."), False, False),
    "highest_risk_level": (("blocked, risk too high", "Stripe blocked the payment as too risky."), None, True),
    "low_probability_of_authorization": (
        ("not sent to the bank", "Stripe held the payment back, because the bank would most likely decline it."),
        True,
        False,
    ),
    "previously_declined_do_not_retry": (
        ("not sent to the bank", "Stripe held the payment back, because the bank wanted no retry."),
        True,
        True,
    ),
    "requested_block_on_incorrect_cvc": (_CVC, True, False),
    "requested_block_on_incorrect_zip": (_POSTCODE, True, False),
    "rule": (("blocked by a rule", "One of your own rules in Stripe Radar blocked the payment."), False, True),
}

_OTHERS: Final[dict[str, _Told]] = {
    "account_closed": (_CLOSED, True, True),
    "account_invalid": (_INVALID, True, True),
    "account_number_invalid": (_DETAILS, True, True),
    "amount_too_large": (_AMOUNT, True, False),
    "amount_too_small": (_AMOUNT, False, True),
    "anomalous_money_movement_request": (
        ("blocked as unusual", "Stripe blocked the payment as unusual."),
        False,
        False,
    ),
    "balance_insufficient": (("insufficient funds", "There was not enough money on the account."), True, False),
    "bank_account_bad_routing_numbers": (_DETAILS, True, True),
    "bank_account_closed": (_CLOSED, True, True),
    "bank_account_declined": (
        ("bank account declined", "The bank account cannot be used, or has not been verified."),
        True,
        True,
    ),
    "bank_account_frozen": (_RESTRICTED, True, True),
    "bank_account_invalid_details": (_DETAILS, True, True),
    "bank_account_restricted": (_RESTRICTED, True, True),
    "bank_account_unusable": (("bank account cannot be used", "The bank account cannot be used."), True, True),
    "bank_account_unverified": (_UNVERIFIED, True, True),
    "bank_account_verification_failed": (_UNVERIFIED, True, True),
    "billing_invalid_mandate": (_MANDATE, True, True),
    "charge_exceeds_source_limit": (_LIMIT, True, False),
    "charge_exceeds_transaction_limit": (_LIMIT, True, False),
    "debit_authorization_not_match": (_DEBIT, True, True),
    "debit_not_authorized": (_DEBIT, True, True),
    "expired_payment_method": (("payment method expired", "The payment method has expired."), True, True),
    "incorrect_account_holder_name": (_DETAILS, True, True),
    "india_recurring_payment_mandate_canceled": (_MANDATE, True, True),
    "invalid_authorization": (_DEBIT, True, True),
    "invalid_customer_account": (_INVALID, True, True),
    "low_confidence": (
        ("not sent to the bank", "Stripe held the debit back, because it would most likely fail."),
        True,
        False,
    ),
    "no_account": (_NO_ACCOUNT, True, True),
    "partner_generic_decline": (_PROVIDER, None, False),
    "partner_high_risk": (("declined by the provider", "The provider declined the payment as too risky."), None, False),
    "payment_disputed": (("disputed by the customer", "The customer disputed the debit with the bank."), True, True),
    "payment_intent_action_required": (_AUTHENTICATE, True, True),
    "payment_intent_authentication_failure": (_UNCONFIRMED, True, False),
    "payment_intent_incompatible_payment_method": (_SETUP, True, True),
    "payment_intent_mandate_invalid": (_MANDATE, True, True),
    "payment_intent_payment_attempt_expired": (_ABANDONED, True, False),
    "payment_intent_payment_attempt_failed": (("payment failed", "The attempt to pay failed."), None, False),
    "payment_limit_exceeded": (_LIMIT, True, False),
    "payment_method_bank_account_blocked": (_RESTRICTED, True, True),
    "payment_method_billing_details_address_missing": (
        ("billing address missing", "The payment method needs a billing address."),
        True,
        True,
    ),
    "payment_method_currency_mismatch": (
        ("currency not supported", "The payment method cannot be charged in this currency."),
        True,
        True,
    ),
    "payment_method_customer_decline": (("declined by the customer", "The customer declined to pay."), True, False),
    "payment_method_microdeposit_failed": (_UNVERIFIED, True, True),
    "payment_method_microdeposit_verification_amounts_invalid": (_UNVERIFIED, True, True),
    "payment_method_microdeposit_verification_amounts_mismatch": (_UNVERIFIED, True, True),
    "payment_method_microdeposit_verification_attempts_exceeded": (_UNVERIFIED, True, True),
    "payment_method_microdeposit_verification_timeout": (_UNVERIFIED, True, True),
    "payment_method_not_available": (
        ("payment method not available", "The provider of the payment method is not available."),
        False,
        False,
    ),
    "payment_method_provider_decline": (_PROVIDER, True, False),
    "payment_method_provider_timeout": (("provider did not answer", "The provider did not answer."), False, False),
    "payment_method_restricted": (_BLOCKED, True, True),
    "payment_method_unactivated": (_OURS, False, True),
    "payment_method_unexpected_state": (_SETUP, True, True),
    "refer_to_customer": (_CALL, True, False),
    "routing_number_invalid": (_DETAILS, True, True),
    "sepa_unsupported_account": (_RESTRICTED, True, True),
    "setup_attempt_failed": (_SETUP, True, False),
    "setup_intent_authentication_failure": (_UNCONFIRMED, True, False),
    "setup_intent_mandate_invalid": (_MANDATE, True, True),
    "setup_intent_setup_attempt_expired": (_ABANDONED, True, False),
    "three_d_secure_authentication_not_supported": (_UNCONFIRMED, True, False),
    "three_d_secure_authentication_upstream_error": (_LATER, False, False),
    "tokenized_account_number_deactivated": (_CLOSED, True, True),
}

REASONS: Final = _CARDS | _OUTCOMES | _OTHERS
"""Every code that there are words for."""

_UNTOLD: Final = frozenset({"generic_decline", "card_declined"})
_NO_DECLINES: Final = frozenset({"approved_by_network", "authorized"})
_ADVICE: Final = {"do_not_try_again": True, "try_again_later": False}
_ADVISED: Final = {
    "confirm_card_data": "The bank asks to check the card's details before another try.",
    "do_not_try_again": "The bank asks not to try again.",
    "try_again_later": "The bank says that trying again later may work.",
}
_DIGITS: Final = re.compile(r"[0-9](?:[ -]?[0-9]){6,}")


class Explanation(Record, frozen=True):
    """What a failure means to whoever supports the customer."""

    code: str | None
    """Stripe's word for the reason; ``None`` where it gave none."""
    short: str
    """A fragment for behind a colon, such as ``card expired``; nothing for whoever pays unless ``may_be_told``."""
    plain: str
    """One short sentence."""
    customer_can_fix: bool | None
    """Whether the customer can do something: confirm, call the bank, pay in another way. ``None``: nobody can tell."""
    hard: bool
    """Whether trying the same payment method again as it is would be pointless."""
    may_be_told: bool = True
    """Whether the reason may be told to whoever pays; otherwise say only that the card was declined."""
    known: bool = True
    """Whether there are words of ours for the code."""
    advice: str | None = None
    """What the bank advises, in Stripe's word; ``None`` where it said nothing."""

    @property
    def retry(self) -> str:
        """Whether trying the same payment method again can help, in one sentence or two."""
        advice = _ADVISED.get(self.advice or "", "")
        if self.code in NEVER_RETRIED:
            told = "Trying again as it is cannot help: Stripe charges nothing until there is a new payment method."
        elif self.hard:
            told = "Trying the same payment method again cannot help."
        else:
            told = "" if advice else "Trying again may help."
        return " ".join(part for part in (told, advice) if part)


def explain(code: str | None, message: str | None) -> Explanation:
    """The reason behind a decline code, failure code or outcome.

    A code without words here is told by its own name, and is neither hard nor known. ``message`` is Stripe's own
    sentence, and is used where there is no code at all; of a long number in it only the last four digits stay.
    """
    if not code:
        plain = _safe(message or "") or "Stripe gave no reason."
        return Explanation(
            code=None, short="no reason given", plain=plain, customer_can_fix=None, hard=False, known=False
        )
    told = REASONS.get(code)
    if told is None:
        short = _safe(code.replace("_", " ")).strip() or "unknown reason"
        plain = f"The payment failed: {short}."
        return Explanation(code=code, short=short, plain=plain, customer_can_fix=None, hard=False, known=False)
    (short, plain), can_fix, hard = told
    return Explanation(
        code=code,
        short=short,
        plain=plain,
        customer_can_fix=can_fix,
        hard=hard,
        may_be_told=code not in _CONFIDENTIAL,
    )


def explain_error(error: dict[str, Any]) -> Explanation:
    """The reason in an error of Stripe's: ``last_payment_error``, ``last_setup_error``, or a failed charge.

    The bank's reason comes before Stripe's, and the more exact of two before ``card_declined``; then what Radar said.
    The bank's advice, where it gave one, decides whether a retry is pointless.
    """
    outcome = mapping(error.get("outcome"))
    codes = [
        text(error.get("decline_code")),
        text(outcome.get("reason")),
        text(error.get("code")),
        text(error.get("failure_code")),
    ]
    told = [code for code in codes if code is not None and code not in _NO_DECLINES]
    best = next((code for code in told if code not in _UNTOLD), told[0] if told else None)
    found = explain(best, text(error.get("message")) or text(error.get("failure_message")))
    return advised(found, advice_of(error)[0])


def advice_of(error: dict[str, Any]) -> tuple[str | None, str | None]:
    """The bank's advice in an error or a failed charge, and the card network's code for it.

    Source: https://docs.stripe.com/declines#retrying-issuer-declines
    """
    outcome = mapping(error.get("outcome"))
    advice, network = (
        text(error.get(name)) or text(outcome.get(name)) for name in ("advice_code", "network_advice_code")
    )
    return advice, network


def advised(found: Explanation, advice: str | None) -> Explanation:
    """The reason with the bank's advice, which decides whether a retry is pointless; an unknown one decides nothing.

    What Stripe never retries stays pointless, whatever the bank advises.
    """
    hard = _ADVICE.get(advice or "", found.hard) or found.code in NEVER_RETRIED
    return Explanation(
        code=found.code,
        short=found.short,
        plain=found.plain,
        customer_can_fix=found.customer_can_fix,
        hard=hard,
        may_be_told=found.may_be_told,
        known=found.known,
        advice=advice,
    )


def _safe(words: str) -> str:
    """Without a card or account number: of seven digits or more the last four stay."""
    return _DIGITS.sub(lambda found: f"…{re.sub('[ -]', '', found.group())[-4:]}", words)
