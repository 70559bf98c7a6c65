"""Stripe's codes, amounts and dates in plain English words."""

from __future__ import annotations

import re
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
    "ach_credit_transfer": "Bank transfer",
    "ach_debit": "Bank account",
    "acss_debit": "Pre-authorized debit",
    "affirm": "Affirm",
    "afterpay_clearpay": "Afterpay",
    "alipay": "Alipay",
    "alma": "Alma",
    "amazon_pay": "Amazon Pay",
    "au_becs_debit": "BECS debit",
    "bacs_debit": "Bacs debit",
    "bancontact": "Bancontact",
    "bank_account": "Bank account",
    "billie": "Billie",
    "blik": "BLIK",
    "boleto": "Boleto",
    "card": "Card",
    "card_present": "Card",
    "cashapp": "Cash App",
    "customer_balance": "Bank transfer",
    "eps": "EPS",
    "fpx": "FPX",
    "giropay": "giropay",
    "grabpay": "GrabPay",
    "ideal": "iDEAL",
    "interac_present": "Interac",
    "kakao_pay": "Kakao Pay",
    "klarna": "Klarna",
    "konbini": "Konbini",
    "kr_card": "Korean card",
    "link": "Link",
    "mb_way": "MB WAY",
    "mobilepay": "MobilePay",
    "multibanco": "Multibanco",
    "naver_pay": "Naver Pay",
    "nz_bank_account": "Bank account",
    "oxxo": "OXXO",
    "p24": "Przelewy24",
    "pay_by_bank": "Pay by Bank",
    "payco": "PAYCO",
    "paynow": "PayNow",
    "paypal": "PayPal",
    "payto": "PayTo",
    "pix": "Pix",
    "promptpay": "PromptPay",
    "revolut_pay": "Revolut Pay",
    "samsung_pay": "Samsung Pay",
    "satispay": "Satispay",
    "sepa_credit_transfer": "Bank transfer",
    "sepa_debit": "SEPA debit",
    "sofort": "Sofort",
    "stripe_account": "Stripe account",
    "swish": "Swish",
    "twint": "TWINT",
    "upi": "UPI",
    "us_bank_account": "Bank account",
    "wechat": "WeChat Pay",
    "wechat_pay": "WeChat Pay",
    "wero": "Wero",
    "zip": "Zip",
}


_CARD_NUMBER: Final = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


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


def amount_of(data: dict[str, Any]) -> Money | None:
    """The ``amount`` of an object in its ``currency``."""
    return money_of(data.get("amount"), data.get("currency"))


def sentence(code: object) -> str:
    """A code as words that stand alone: ``product_not_received`` is ``Product not received``; empty without one."""
    told = text(code)
    return spoken(told).capitalize() if told is not None else ""


def about(what: str, amount: Money | None, verb: str, tone: Tone, detail: str | None = None) -> Said:
    """``Payment of $49.00 failed``; without an amount ``Payment failed``."""
    title = f"{what} {verb}" if amount is None else f"{what} of {money(amount)} {verb}"
    return Said(title, detail or "", tone, amount)


def masked(words: str) -> str:
    """Without card numbers, which people do write into names and descriptions; the last four digits stay.

    Taken for one is what has 13 to 19 digits and the check digit of a card (ISO/IEC 7812).
    """
    return _CARD_NUMBER.sub(_last_four, words)


def _last_four(found: re.Match[str]) -> str:
    digits = [int(sign) for sign in found.group() if sign.isdigit()]
    total = sum(digits[-1::-2]) + sum(_DOUBLED[digit] for digit in digits[-2::-2])
    return f"…{''.join(map(str, digits[-4:]))}" if total % 10 == 0 else found.group()
