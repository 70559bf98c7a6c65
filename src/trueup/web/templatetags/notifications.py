"""What the pages of notifications ask for in their templates."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template

from trueup.web.console.notices import Place

register = template.Library()


@register.simple_tag
def place_url(place: Place, what: str, **arguments: Any) -> str:
    """The address of a page of the reader's own rules, or of the team's."""
    return place.address(what, **arguments)


@register.filter
def of(known: Mapping[Any, Any], key: Any) -> Any:
    """What a table has for a key."""
    return known.get(key, key)


@register.filter
def hour(number: int) -> str:
    """A full hour, as clocks show it."""
    return f"{number:02}:00"


@register.filter
def plain_amount(amount: Decimal | None) -> str:
    """An amount as it is typed, without zeros that say nothing; empty for none."""
    if amount is None or amount < 0:
        return ""
    return f"{amount.normalize():f}"
