"""What lines say, letter for letter as Stripe words it. Source: recorded invoices."""

# ruff: noqa: RUF001, RUF002 - Stripe writes the multiplication sign

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

from trueup.kernel.money import decimals

_SIGNS: Final = {
    "aud": "A$",
    "brl": "R$",
    "cad": "CA$",
    "cny": "CN¥",
    "eur": "€",
    "gbp": "£",
    "hkd": "HK$",
    "ils": "₪",
    "inr": "₹",
    "jpy": "¥",
    "krw": "₩",
    "mxn": "MX$",
    "nzd": "NZ$",
    "twd": "NT$",
    "usd": "$",
    "vnd": "₫",
}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def money(minor: Fraction, currency: str) -> str:
    """``$20.00``: an exact amount of minor units as people write it, with more decimals where it has them."""
    places = decimals(currency)
    value = abs(minor) / 10**places
    shown = places
    while (value * 10**shown).denominator != 1 and shown < places + 12:
        shown += 1
    digits = str(round(value * 10**shown)).rjust(shown + 1, "0")
    whole, part = (digits[:-shown], digits[-shown:]) if shown else (digits, "")
    text = f"{int(whole):,}" + (f".{part}" if part else "")
    sign = "-" if minor < 0 else ""
    return f"{sign}{_SIGNS[currency]}{text}" if currency in _SIGNS else f"{sign}{currency.upper()} {text}"


def interval(recurring: Mapping[str, Any] | None) -> str:
    """`` / month``, `` / every 3 months``, or nothing for a price that does not recur."""
    if not recurring:
        return ""
    count, unit = recurring["interval_count"], recurring["interval"]
    return f" / {unit}" if count == 1 else f" / every {count} {unit}s"


def counted(quantity: int, product: Mapping[str, Any]) -> str:
    """``10 user × Test Subscription``."""
    unit = f" {product['unit_label']}" if product.get("unit_label") else ""
    return f"{quantity}{unit} × {product['name']}"


def of_period(
    quantity: int,
    product: Mapping[str, Any],
    unit_amount: Fraction,
    currency: str,
    recurring: Mapping[str, Any] | None,
    *,
    tier: int | None = None,
) -> str:
    """``1 × Default (at $10.00 / month)``; of a tier ``1 seat × Monthly (Tier 1 at $18.00 / month)``."""
    at = "at" if tier is None else f"Tier {tier} at"
    return f"{counted(quantity, product)} ({at} {money(unit_amount, currency)}{interval(recurring)})"


def of_flat_fee(
    product: Mapping[str, Any], amount: Fraction, currency: str, recurring: Mapping[str, Any] | None, tier: int
) -> str:
    """``Monthly (Tier 1 flat fee at $5.00 / month)``."""
    return f"{product['name']} (Tier {tier} flat fee at {money(amount, currency)}{interval(recurring)})"


def of_trial(quantity: int, product: Mapping[str, Any], *, classic: bool = False) -> str:
    """``Free trial for 1 × Default``; in classic billing ``Trial period for Default (per user)``."""
    if classic:
        unit = f" (per {product['unit_label']})" if product.get("unit_label") else ""
        return f"Trial period for {product['name']}{unit}"
    return f"Free trial for {counted(quantity, product)}"


def of_proration(quantity: int, product: Mapping[str, Any], at: int, *, credit: bool) -> str:
    """``Unused time on Default after 10 Nov 2025``; other quantities than one are named: ``on 3 × Default …``."""
    several = f"{quantity} × " if quantity != 1 else ""
    return f"{'Unused' if credit else 'Remaining'} time on {several}{product['name']} after {day(at)}"


def day(at: int) -> str:
    """``10 Nov 2025``, of UTC."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year}"
