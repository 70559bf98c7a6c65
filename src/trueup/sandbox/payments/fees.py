"""What Stripe keeps of a payment and when the rest can be had. Pure; amounts are whole minor units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from trueup.sandbox.assumptions import (
    AVAILABLE_DAYS,
    BANK_FEE_MOST,
    BANK_FEE_PERCENT,
    CARD_FEE_FIXED,
    CARD_FEE_PERCENT,
)


def processing_fee(amount: int, kind: str) -> int:
    """The fee on a payment with a kind of payment method, never more than the payment; halves round up."""
    if kind == "us_bank_account":
        return min(_half_up(amount * Fraction(BANK_FEE_PERCENT) / 100), BANK_FEE_MOST)
    return min(_half_up(amount * Fraction(CARD_FEE_PERCENT) / 100) + CARD_FEE_FIXED, amount)


def available_on(at: int) -> int:
    """The unix second from which money that came in at ``at`` is available: a midnight (UTC)."""
    midnight = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight + timedelta(days=AVAILABLE_DAYS)).timestamp())


def _half_up(amount: Fraction) -> int:
    return int((amount + Fraction(1, 2)) // 1)
