"""The columns that lists of money go by, as arrays for the statement that writes rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trueup.mirror.amounts import Amounts
from trueup.runtime import arrays


def values(found: Sequence[Amounts], *, unknown: int) -> dict[str, Any]:
    """One array a column; ``unknown`` stands for an amount that is not told, -1 for a moment, nothing for a word."""
    return {
        "status": arrays.texts([one.status or "" for one in found]),
        "currency": arrays.texts([one.currency or "" for one in found]),
        "amount": arrays.int8s([unknown if one.amount is None else one.amount for one in found]),
        "made": arrays.int8s([-1 if one.made is None else one.made for one in found]),
        "due": arrays.int8s([-1 if one.due is None else one.due for one in found]),
        "reason": arrays.texts([one.reason or "" for one in found]),
        "number": arrays.texts([one.number or "" for one in found]),
        "unknown": unknown,
    }
