"""Stripe's codes, amounts and dates in plain English words."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from trueup.customer.rules.declines import explain_error
from trueup.customer.types import PaymentMethod, Tone
from trueup.kernel import locales
from trueup.kernel.money import Money
from trueup.mirror.upcast.shape import currency_of, mapping, text, whole

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
    """``$1,234.50``, ``¥5,000``, ``CHF 12.00``, as English writes it; a minus stands in front of the symbol."""
    return locales.money(amount, "en").replace("\u00a0", " ")


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
    """Why a payment failed, in a few words, from an error of Stripe's or a failed charge; ``None`` without a code."""
    found = explain_error(error)
    return None if found.code is None else found.short


def joined(*parts: str | None) -> str:
    """The parts that say something, with a middle dot between them."""
    return " · ".join(part for part in parts if part)
