"""What payment methods are called on pages: names of products and brands, which are not translated."""

from __future__ import annotations

from typing import Final

from trueup.customer.types import PaymentMethod

METHOD_TYPES: Final[dict[str, str]] = {
    "card": "Card",
    "us_bank_account": "US bank account",
    "sepa_debit": "SEPA Direct Debit",
    "bacs_debit": "Bacs Direct Debit",
    "au_becs_debit": "BECS Direct Debit",
    "acss_debit": "Canadian debit",
    "link": "Link",
    "paypal": "PayPal",
    "cashapp": "Cash App Pay",
    "amazon_pay": "Amazon Pay",
    "ideal": "iDEAL",
    "bank_account": "Bank account",
}
BRANDS: Final[dict[str, str]] = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "Amex",
    "american express": "Amex",
    "discover": "Discover",
    "diners": "Diners",
    "diners club": "Diners",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "cartes_bancaires": "CB",
    "eftpos_au": "Eftpos",
}


def method_name(method: PaymentMethod) -> str:
    """A payment method in a few characters, ``Visa •••• 4242``; the dots stay beside their digits."""
    kind = method.type or ""
    name = METHOD_TYPES.get(kind) or kind.replace("_", " ").capitalize()
    if method.brand:
        name = BRANDS.get(method.brand.lower(), method.brand.replace("_", " ").title())
    return f"{name} ••••\xa0{method.last4}" if method.last4 else name
