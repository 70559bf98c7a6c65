"""What Stripe refuses of single values, wherever in the catalogue they stand."""

from __future__ import annotations

import re
from typing import Final

from trueup.sandbox.assumptions import AMOUNT_MOST
from trueup.sandbox.wire.errors import invalid

_ID: Final = re.compile(r"[A-Za-z0-9_\-]{1,255}")


def named(chosen: str | None, *, param: str = "id") -> None:
    """Raise Stripe's 400 for a chosen id that could not stand in a path."""
    if chosen is not None and not _ID.fullmatch(chosen):
        message = "Invalid ID: it may only have letters, digits, dashes and underscores, and at most 255 of them."
        raise invalid(message, param=param)


def positive(value: int | None, param: str, *, most: int | None = None) -> None:
    """Raise Stripe's 400 for a number below 1 or above ``most``."""
    if value is not None and value < 1:
        raise invalid("Invalid positive integer", param=param, code="parameter_invalid_integer")
    if value is not None and most is not None and value > most:
        raise invalid(f"Invalid integer: {value}. It must be at most {most}.", param=param)


def amount(value: int, param: str) -> None:
    """Raise Stripe's 400 for an amount in minor units below 0 or too large."""
    if value < 0:
        raise invalid("Invalid non-negative integer", param=param, code="parameter_invalid_integer")
    sized(value, param)


def sized(value: int, param: str) -> None:
    """Raise Stripe's 400 for an amount in minor units that is too large either way."""
    if abs(value) > AMOUNT_MOST:
        message = f"Amount must be no more than {AMOUNT_MOST} in the smallest unit of the currency."
        raise invalid(message, param=param, code="amount_too_large")
