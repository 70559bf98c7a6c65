"""Stripe's test cards: what they look like and what they do.

Source: https://docs.stripe.com/testing. A number is looked up and forgotten: only what Stripe would show of it, and the
name of what the card does, is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from trueup.kernel.records import Record
from trueup.sandbox.payment_methods import declines
from trueup.sandbox.payment_methods.banks import BANK_BEHAVIOURS
from trueup.sandbox.payment_methods.behaviours import Behaviour

_PLAIN: Final = Behaviour(name="plain")


class Card(Record, frozen=True):
    """What is seen of a test card, and the ``name`` of what it does."""

    brand: str
    last4: str
    behaviour: str
    funding: Literal["credit", "debit", "prepaid", "unknown"] = "credit"
    country: str = "US"
    cvc_check: str = "pass"
    postal_check: str | None = None
    line1_check: str | None = None


_BEHAVIOURS: Final[Mapping[str, Behaviour]] = {
    one.name: one
    for one in (
        _PLAIN,
        Behaviour(name="generic_decline", decline=declines.GENERIC, declines_setup=True),
        Behaviour(name="insufficient_funds", decline=declines.INSUFFICIENT_FUNDS, declines_setup=True),
        Behaviour(name="lost_card", decline=declines.LOST, declines_setup=True),
        Behaviour(name="stolen_card", decline=declines.STOLEN, declines_setup=True),
        Behaviour(name="expired_card", decline=declines.EXPIRED, declines_setup=True),
        Behaviour(name="incorrect_cvc", decline=declines.INCORRECT_CVC, declines_setup=True),
        Behaviour(name="processing_error", decline=declines.PROCESSING_ERROR, declines_setup=True),
        Behaviour(name="velocity", decline=declines.VELOCITY, declines_setup=True),
        Behaviour(name="blocked", decline=declines.BLOCKED),
        Behaviour(name="declines_after_attach", decline=declines.GENERIC),
        Behaviour(name="authenticates_unless_set_up", authentication="unless_set_up"),
        Behaviour(name="authenticates_always", authentication="always"),
        Behaviour(name="authenticates_on_request", authentication="on_request"),
        Behaviour(name="set_up_already", authentication="on_session"),
        Behaviour(name="authenticates_then_declines", authentication="always", decline=declines.GENERIC),
        Behaviour(
            name="authenticates_then_insufficient_funds",
            authentication="unless_set_up",
            decline=declines.INSUFFICIENT_FUNDS,
        ),
        Behaviour(name="dispute_fraudulent", dispute="fraudulent"),
        Behaviour(name="dispute_not_received", dispute="product_not_received"),
        Behaviour(name="dispute_inquiry", dispute="inquiry"),
        Behaviour(name="fraud_warning", fraud_warning=True),
        Behaviour(name="refund_pending", refund="pending"),
        Behaviour(name="refund_fails", refund="fails"),
        Behaviour(name="elevated_risk", risk_level="elevated"),
        Behaviour(name="bypasses_pending", immediate=True),
        *BANK_BEHAVIOURS,
    )
}


def _cards(
    brand: str, funding: Any, country: str, numbers: str, behaviour: str = "plain", **more: Any
) -> dict[str, Card]:
    return {
        number: Card(brand=brand, last4=number[-4:], behaviour=behaviour, funding=funding, country=country, **more)
        for number in numbers.split()
    }


_COUNTRIES: Final = {
    "ar": "4000000320000021", "br": "4000000760000002", "ca": "4000001240000000", "cl": "4000001520000001",
    "co": "4000001700000003", "mx": "4000004840008001", "at": "4000000400000008", "be": "4000000560000004",
    "bg": "4000001000000000", "cy": "4000001960000008", "cz": "4000002030000002", "dk": "4000002080000001",
    "ee": "4000002330000009", "fi": "4000002460000001", "fr": "4000002500000003", "de": "4000002760000016",
    "gr": "4000003000000030", "hu": "4000003480000005", "ie": "4000003720000005", "it": "4000003800000008",
    "nl": "4000005280000002", "no": "4000005780000007", "pl": "4000006160000005", "pt": "4000006200000007",
    "es": "4000007240000007", "se": "4000007520000008", "ch": "4000007560000009", "gb": "4000008260000000",
    "au": "4000000360000006", "cn": "4000001560000002", "hk": "4000003440000004", "in": "4000003560000008",
    "jp": "4000003920000003", "nz": "4000005540000008", "sg": "4000007020000003",
}  # fmt: skip

_NUMBERS: Final[Mapping[str, Card]] = {
    **_cards("visa", "credit", "US", "4242424242424242 4012888888881881 4111111111111111"),
    **_cards("visa", "debit", "US", "4000056655665556"),
    **_cards("mastercard", "credit", "US", "5555555555554444 2223003122003222"),
    **_cards("mastercard", "debit", "US", "5200828282828210"),
    **_cards("mastercard", "prepaid", "US", "5105105105105100"),
    **_cards("amex", "credit", "US", "378282246310005 371449635398431"),
    **_cards("discover", "credit", "US", "6011111111111117 6011000990139424"),
    **_cards("discover", "debit", "US", "6011981111111113"),
    **_cards("diners", "credit", "US", "3056930009020004 36227206271667"),
    **_cards("jcb", "credit", "JP", "3566002020360505"),
    **_cards("unionpay", "credit", "CN", "6200000000000005 6205500000000000004"),
    **_cards("unionpay", "debit", "CN", "6200000000000047"),
    **{
        number: one
        for code, at in _COUNTRIES.items()
        for number, one in _cards("visa", "credit", code.upper(), at).items()
    },
    **_cards("visa", "credit", "US", "4000000000000002", "generic_decline"),
    **_cards("visa", "credit", "US", "4000000000009995", "insufficient_funds"),
    **_cards("visa", "credit", "US", "4000000000009987", "lost_card"),
    **_cards("visa", "credit", "US", "4000000000009979", "stolen_card"),
    **_cards("visa", "credit", "US", "4000000000000069", "expired_card"),
    **_cards("visa", "credit", "US", "4000000000000127", "incorrect_cvc", cvc_check="fail"),
    **_cards("visa", "credit", "US", "4000000000000119", "processing_error"),
    **_cards("visa", "credit", "US", "4000000000006975", "velocity"),
    **_cards("visa", "credit", "US", "4100000000000019", "blocked"),
    **_cards("visa", "credit", "US", "4000000000004954", "blocked"),
    **_cards("visa", "credit", "US", "4000000000009235", "elevated_risk"),
    **_cards("visa", "credit", "US", "4000000000000101", cvc_check="fail"),
    **_cards("visa", "credit", "US", "4000000000000036", postal_check="fail"),
    **_cards("visa", "credit", "US", "4000000000000028", line1_check="fail"),
    **_cards("visa", "credit", "US", "4000000000000010", postal_check="fail", line1_check="fail"),
    **_cards("visa", "credit", "US", "4000000000000044", postal_check="unavailable", line1_check="unavailable"),
    **_cards("visa", "credit", "US", "4000000000000341", "declines_after_attach"),
    **_cards("visa", "credit", "US", "4000002500003155", "authenticates_unless_set_up"),
    **_cards("visa", "credit", "DE", "4000002760003184", "authenticates_always"),
    **_cards("visa", "credit", "IT", "4000003800000446", "set_up_already"),
    **_cards("visa", "credit", "IE", "4000000000003220", "authenticates_always"),
    **_cards("visa", "credit", "US", "4000000000003063", "authenticates_always"),
    **_cards("visa", "credit", "US", "4000000000003055", "authenticates_on_request"),
    **_cards("visa", "credit", "US", "4000008400001629", "authenticates_then_declines"),
    **_cards("visa", "credit", "GB", "4000008260003178", "authenticates_then_insufficient_funds"),
    **_cards("visa", "credit", "US", "4000000000000259", "dispute_fraudulent"),
    **_cards("visa", "credit", "US", "4000000000002685", "dispute_not_received"),
    **_cards("visa", "credit", "US", "4000000000001976", "dispute_inquiry"),
    **_cards("visa", "credit", "US", "4000000000005423", "fraud_warning"),
    **_cards("visa", "credit", "US", "4000000000007726", "refund_pending"),
    **_cards("visa", "credit", "US", "4000000000005126", "refund_fails"),
    **_cards("visa", "credit", "US", "4000000000000077", "bypasses_pending"),
}

_NAMES: Final[Mapping[str, str]] = {
    **_COUNTRIES,
    "us": "4242424242424242",
    "visa": "4242424242424242",
    "visa_debit": "4000056655665556",
    "mastercard": "5555555555554444",
    "mastercard_debit": "5200828282828210",
    "mastercard_prepaid": "5105105105105100",
    "amex": "371449635398431",
    "discover": "6011000990139424",
    "diners": "36227206271667",
    "jcb": "3566002020360505",
    "unionpay": "6200000000000005",
    "bypassPending": "4000000000000077",
    "chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedLostCard": "4000000000009987",
    "chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127",
    "chargeDeclinedProcessingError": "4000000000000119",
    "chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "chargeDeclinedFraudulent": "4100000000000019",
    "chargeCustomerFail": "4000000000000341",
    "radarBlock": "4000000000004954",
    "riskLevelHighest": "4000000000004954",
    "riskLevelElevated": "4000000000009235",
    "cvcCheckFail": "4000000000000101",
    "avsZipFail": "4000000000000036",
    "avsLine1Fail": "4000000000000028",
    "avsFail": "4000000000000010",
    "avsUnchecked": "4000000000000044",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredOnSetup": "4000002500003155",
    "authenticationRequiredSetupForOffSession": "4000003800000446",
    "authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "threeDSecure2Required": "4000000000003220",
    "threeDSecureRequired": "4000000000003063",
    "threeDSecureRequiredChargeDeclined": "4000008400001629",
    "threeDSecureOptional": "4000000000003055",
    "amex_threeDSecureNotSupported": "378282246310005",
    "createDispute": "4000000000000259",
    "createDisputeProductNotReceived": "4000000000002685",
    "createDisputeInquiry": "4000000000001976",
    "createIssuerFraudRecord": "4000000000005423",
    "pendingRefund": "4000000000007726",
    "refundFail": "4000000000005126",
}
"""What follows ``pm_card_`` and ``tok_``; all but countries and brands also stand behind ``visa_``."""


def behaviour(method: Mapping[str, Any]) -> Behaviour:
    """What a payment method does when it is set up, charged or refunded."""
    return _BEHAVIOURS.get(method.get("$behaviour", ""), _PLAIN)


def named(name: str) -> Card | None:
    """The card that ``visa`` or ``visa_chargeDeclined`` means: what follows ``pm_card_`` or ``tok_``."""
    number = _NAMES.get(name) or _NAMES.get(name.removeprefix("visa_"))
    return _NUMBERS[number] if number else None


def numbered(number: str) -> Card | declines.Decline:
    """The test card with a number, or why Stripe takes none such: it is no number at all, or no test card's."""
    digits = number.replace(" ", "").replace("-", "")
    if not digits.isascii() or not digits.isdigit() or not 12 <= len(digits) <= 19 or not _luhn(digits):
        return declines.INCORRECT_NUMBER
    return _NUMBERS.get(digits) or declines.NOT_A_TEST_CARD


def _luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812-1."""
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(map(int, odd)) + sum(sum(divmod(2 * int(one), 10)) for one in even)) % 10 == 0
