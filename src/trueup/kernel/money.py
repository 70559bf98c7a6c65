"""Money is an integer count of minor units with a currency.

Rates are exact fractions, rounded only where asked by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Final

from trueup.kernel.records import Record

ZERO_DECIMAL: Final = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
"""Currencies whose minor unit is the whole unit. Source: https://docs.stripe.com/currencies#zero-decimal"""

THREE_DECIMAL: Final = frozenset("bhd jod kwd omr tnd".split())
"""Currencies with a thousandth. Source: https://docs.stripe.com/currencies#three-decimal"""


WHOLE_UNITS: Final = frozenset({"isk", "ugx"})
"""Currencies without decimals that Stripe counts in hundredths for compatibility: 500 is 5 ISK, and 550 is refused.

Source: https://docs.stripe.com/currencies#special-cases
"""

WHOLE_PAYOUTS: Final = frozenset({"huf", "twd"}) | WHOLE_UNITS
"""Currencies that are charged in hundredths and paid out in whole units. Source: as ``WHOLE_UNITS``."""

CURRENCY: Final = re.compile("[a-z]{3}")


class Rounding(StrEnum):
    """How an exact amount becomes a whole number of minor units; always named at the call, never a default."""

    HALF_AWAY = "half_away"
    """Halves go away from zero, as people expect on a page."""
    HALF_DOWN_CEILING = "half_down_ceiling"
    """``ceil(x - 1/2)``: Stripe's rule for prorations (halves go down)."""


def exponent(currency: str) -> int:
    """How many decimals the currency's major unit has: 0, 2 or 3.

    Stripe charges UGX in whole units times 100 (as 2).
    """
    if currency == "ugx":
        return 2
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def decimals(currency: str) -> int:
    """How many decimals people write for the currency: its ``exponent``, but none for ISK and UGX."""
    return 0 if currency in WHOLE_UNITS else exponent(currency)


def step(currency: str, *, payout: bool = False) -> int:
    """The minor units that an amount Stripe takes has to be a multiple of, for charges or for payouts.

    100 where only whole units exist, 10 for three-decimal currencies (their last digit has to be 0), otherwise 1.
    Source: https://docs.stripe.com/currencies#special-cases and #three-decimal
    """
    if currency in (WHOLE_PAYOUTS if payout else WHOLE_UNITS):
        return 100
    return 10 if currency in THREE_DECIMAL else 1


def rounded(value: Fraction, mode: Rounding) -> int:
    """The whole number nearest to ``value``, halves as ``mode`` says."""
    if mode is Rounding.HALF_DOWN_CEILING:
        return -((-(value - Fraction(1, 2))).__floor__())
    magnitude = (abs(value) + Fraction(1, 2)).__floor__()
    return magnitude if value >= 0 else -magnitude


class Money(Record, frozen=True):
    """An amount in minor units (cents, or whole yen) of a lower-case ISO currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse what Stripe never sends: a currency that is not three lower-case letters."""
        if CURRENCY.fullmatch(self.currency) is None:
            message = f"{self.currency!r} is not a lower-case ISO currency"
            raise ValueError(message)

    def __add__(self, other: Money) -> Money:
        """The sum; adding two currencies raises ``ValueError``."""
        if other.currency != self.currency:
            message = f"cannot add {other.currency} to {self.currency}"
            raise ValueError(message)
        return Money(minor=self.minor + other.minor, currency=self.currency)

    @property
    def major(self) -> str:
        """The amount in major units as a plain decimal string, such as ``49.00`` or ``-0.050``."""
        places = exponent(self.currency)
        sign, digits = ("-" if self.minor < 0 else ""), str(abs(self.minor)).rjust(places + 1, "0")
        return f"{sign}{digits}" if places == 0 else f"{sign}{digits[:-places]}.{digits[-places:]}"

    def __sub__(self, other: Money) -> Money:
        """The difference; two currencies raise ``ValueError``."""
        return self + -other

    def __neg__(self) -> Money:
        """The same size the other way."""
        return Money(minor=-self.minor, currency=self.currency)


def sums(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """One total per currency, sorted by currency; a currency that comes to zero keeps its zero.

    There is no total over currencies: that needs a rate, and a rate needs a day.
    """
    totals: dict[str, int] = {}
    for amount in amounts:
        totals[amount.currency] = totals.get(amount.currency, 0) + amount.minor
    return tuple(Money(minor=minor, currency=currency) for currency, minor in sorted(totals.items()))


def total(amounts: Iterable[Money], *, currency: str) -> Money:
    """The total of amounts that are all in ``currency``; zero for none. Another currency raises ``ValueError``."""
    return sum(amounts, start=Money(minor=0, currency=currency))
