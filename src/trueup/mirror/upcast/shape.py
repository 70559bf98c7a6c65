"""Reading values out of Stripe's JSON without trusting their types.

Each function answers ``None`` (or something empty) for what is not of the wanted type, and never raises. ``bool`` is
not taken for a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from trueup.kernel.time import from_unix

LATEST_SECOND: Final = 253_402_300_799
"""The last second of the year 9999: beyond it neither ``datetime`` nor PostgreSQL can tell the time."""

_DEEPEST_OVERLAY: Final = 8

_DECIMAL: Final = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,15})?")

_CARD_BRANDS: Final = {
    "american express": "amex",
    "diners club": "diners",
    "cartes bancaires": "cartes_bancaires",
    "eftpos australia": "eftpos_au",
}


def id_of(value: object) -> str | None:
    """The id in a field that holds either an id or the expanded object."""
    if type(value) is dict:
        value = value.get("id")
    return value if type(value) is str and value != "" else None


def text(value: object) -> str | None:
    """A string that is not empty."""
    return value if type(value) is str and value != "" else None


def whole(value: object) -> int | None:
    """An integer of any size."""
    return value if type(value) is int else None


def mapping(value: object) -> dict[str, Any]:
    """A JSON object, not copied; an empty one in place of anything else."""
    return value if type(value) is dict else {}


def listed(value: object) -> list[Any]:
    """The elements of a list, or of Stripe's list object, not copied; empty in place of anything else."""
    if type(value) is dict:
        value = value.get("data")
    return value if type(value) is list else []


def each(elements: list[Any], newest: Callable[[dict[str, Any]], dict[str, Any]]) -> list[Any] | None:
    """The objects in a list in the newest shape, other values as they are; ``None`` when nothing changes."""
    changed: list[Any] | None = None
    for place, one in enumerate(elements):
        if type(one) is dict:
            new = newest(one)
            if new is not one:
                if changed is None:
                    changed = list(elements)
                changed[place] = new
    return changed


def each_in(listing: object, newest: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any] | None:
    """Stripe's list object with its elements in the newest shape; ``None`` when it is none or nothing changes."""
    elements = listing.get("data") if type(listing) is dict else None
    if type(listing) is not dict or type(elements) is not list:
        return None
    changed = each(elements, newest)
    return None if changed is None else {**listing, "data": changed}


def currency_of(value: object) -> str | None:
    """A lower-case ISO 4217 code; upper case, as some old payloads have it, is lowered."""
    if type(value) is not str or len(value) != 3 or not value.isascii() or not value.isalpha():
        return None
    return value.lower()


def decimal_of(value: object) -> str | None:
    """A decimal number as Stripe writes it in a string: digits, at most one point, no exponent."""
    return value if type(value) is str and _DECIMAL.fullmatch(value) is not None else None


def moment(value: object) -> datetime | None:
    """A time given in unix seconds, between 1970 and the year 9999."""
    return from_unix(value) if type(value) is int and 0 <= value <= LATEST_SECOND else None


def card_brand(value: object) -> str | None:
    """A card's brand as payment methods spell it (``amex``), also from the display names of old cards."""
    if type(value) is not str or value == "":
        return None
    lowered = value.lower()
    return _CARD_BRANDS.get(lowered, lowered)


def overlay(data: dict[str, Any], previous: dict[str, Any]) -> dict[str, Any]:
    """The object as it was before an event: its data with the event's ``previous_attributes`` laid over it.

    Hashes are merged key by key, as Stripe tells only the keys that changed; lists come whole and are replaced. A key
    that was new is told as null. Neither argument is changed; deeper than eight hashes the old value is taken whole.
    """
    return _laid(data, previous, _DEEPEST_OVERLAY)


def _laid(data: dict[str, Any], previous: dict[str, Any], levels: int) -> dict[str, Any]:
    before = dict(data)
    for key, old in previous.items():
        now = data.get(key)
        if levels and type(old) is dict and type(now) is dict:
            before[key] = _laid(now, old, levels - 1)
        else:
            before[key] = old
    return before
