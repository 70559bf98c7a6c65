"""Stripe's codes, amounts and dates in plain English words."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from trueup.customer.types import PaymentMethod, Tone
from trueup.kernel.money import Money
from trueup.mirror.upcast.shape import currency_of, mapping, text, whole

_SYMBOLS: Final = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_INTERVALS: Final = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}

_BRANDS: Final = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "Eftpos",
    "jcb": "JCB",
    "link": "Link",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}

_METHODS: Final = {
    "acss_debit": "Pre-authorized debit",
    "au_becs_debit": "BECS debit",
    "bacs_debit": "Bacs debit",
    "bank_account": "Bank account",
    "card": "Card",
    "cashapp": "Cash App",
    "customer_balance": "Bank transfer",
    "ideal": "iDEAL",
    "link": "Link",
    "paypal": "PayPal",
    "sepa_debit": "SEPA debit",
    "us_bank_account": "Bank account",
}

# https://docs.stripe.com/declines/codes and https://docs.stripe.com/error-codes
_FAILURES: Final = {
    "account_closed": "bank account closed",
    "approve_with_id": "declined by the bank",
    "authentication_failure": "authentication failed",
    "authentication_not_handled": "authentication not completed",
    "authentication_required": "authentication required",
    "bank_account_declined": "bank account declined",
    "call_issuer": "declined by the bank",
    "card_declined": "card declined",
    "card_not_supported": "card does not support this purchase",
    "card_velocity_exceeded": "card limit exceeded",
    "currency_not_supported": "card does not support this currency",
    "debit_not_authorized": "debit not authorized",
    "do_not_honor": "declined by the bank",
    "do_not_try_again": "declined by the bank",
    "duplicate_transaction": "duplicate of a recent payment",
    "expired_card": "card expired",
    "fraudulent": "suspected fraud",
    "generic_decline": "card declined",
    "highest_risk_level": "blocked, risk too high",
    "incorrect_cvc": "wrong security code",
    "incorrect_number": "wrong card number",
    "incorrect_pin": "wrong PIN",
    "incorrect_zip": "wrong postal code",
    "insufficient_funds": "insufficient funds",
    "invalid_account": "card or account invalid",
    "invalid_amount": "amount not allowed",
    "invalid_cvc": "wrong security code",
    "invalid_expiry_month": "wrong expiry date",
    "invalid_expiry_year": "wrong expiry date",
    "invalid_number": "wrong card number",
    "issuer_not_available": "bank not reachable",
    "lost_card": "card reported lost",
    "merchant_blacklist": "blocked by a rule",
    "no_account": "bank account not found",
    "no_action_taken": "declined by the bank",
    "not_permitted": "payment not permitted",
    "offline_pin_required": "PIN required",
    "online_or_offline_pin_required": "PIN required",
    "payment_intent_authentication_failure": "authentication failed",
    "payment_method_customer_decline": "declined by the customer",
    "payment_method_provider_decline": "declined by the provider",
    "payment_method_provider_timeout": "provider did not answer",
    "pickup_card": "card cannot be used",
    "pin_try_exceeded": "too many wrong PINs",
    "processing_error": "processing error",
    "reenter_transaction": "declined by the bank",
    "restricted_card": "card cannot be used",
    "revocation_of_all_authorizations": "customer withdrew the authorization",
    "revocation_of_authorization": "customer withdrew the authorization",
    "security_violation": "declined by the bank",
    "service_not_allowed": "declined by the bank",
    "setup_intent_authentication_failure": "authentication failed",
    "stolen_card": "card reported stolen",
    "stop_payment_order": "customer stopped the payment",
    "testmode_decline": "test card declined",
    "transaction_not_allowed": "declined by the bank",
    "try_again_later": "declined by the bank",
    "withdrawal_count_limit_exceeded": "card limit exceeded",
}

_UNTOLD: Final = frozenset({"generic_decline", "card_declined"})


class Said(NamedTuple):
    """What an entry of the timeline says, before it is bound to its fact."""

    title: str
    detail: str
    tone: Tone
    amount: Money | None = None


def money_of(minor: object, currency: object) -> Money | None:
    """An amount of Stripe's as money, or ``None`` when either half is not usable."""
    amount, code = whole(minor), currency_of(currency)
    return None if amount is None or code is None else Money(minor=amount, currency=code)


def money(amount: Money) -> str:
    """``$1,234.50``, ``¥5,000``, ``CHF 12.00``; a minus stands in front of the symbol."""
    major, point, fraction = amount.major.removeprefix("-").partition(".")
    symbol = _SYMBOLS.get(amount.currency) or f"{amount.currency.upper()} "
    return f"{'-' if amount.minor < 0 else ''}{symbol}{int(major):,}{point}{fraction}"


def day(at: datetime) -> str:
    """``May 26, 2026``, the day in UTC."""
    return f"{_MONTHS[at.month - 1]} {at.day}, {at.year}"


def counted(number: int, noun: str) -> str:
    """``1 day``, ``3 days``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def interval(recurring: object) -> str | None:
    """``monthly``, ``every 3 months``; ``None`` when it does not recur."""
    every = mapping(recurring)
    unit, count = text(every.get("interval")), whole(every.get("interval_count"))
    if unit is None:
        return None
    if count is None or count == 1:
        return _INTERVALS.get(unit, f"every {unit}")
    return f"every {counted(count, unit)}"


def method(paid_with: PaymentMethod) -> str:
    """``Visa ending 4242``, ``SEPA debit ending 3000``, ``PayPal``."""
    name = _BRANDS.get(paid_with.brand or "") or _METHODS.get(paid_with.type or "") or spoken(paid_with.type or "")
    if paid_with.last4 is None:
        return name or "Payment method"
    return f"{name or 'Payment method'} ending {paid_with.last4}"


def spoken(code: str) -> str:
    """A code that we have no words for: ``missing_features`` is ``missing features``."""
    return code.replace("_", " ").strip()


def failure(error: dict[str, Any]) -> str | None:
    """Why a payment failed, from an error of Stripe's or a failed charge; the bank's reason before Stripe's code."""
    codes = [text(error.get(field)) for field in ("decline_code", "code", "failure_code")]
    told = [code for code in codes if code is not None]
    best = next((code for code in told if code not in _UNTOLD), told[0] if told else None)
    return None if best is None else _FAILURES.get(best, spoken(best))


def joined(*parts: str | None) -> str:
    """The parts that say something, with a middle dot between them."""
    return " · ".join(part for part in parts if part)
