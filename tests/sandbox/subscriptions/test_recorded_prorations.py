"""Every proration that was recorded against Stripe, computed again."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import orjson
import pytest

from trueup.sandbox.subscriptions.periods import add_months
from trueup.sandbox.subscriptions.prorations import prorated

Json = dict[str, Any]

MONTHS = {"month": 1, "year": 12}


def objects(value: Any) -> Iterator[Json]:
    """All objects within a value, itself included."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from objects(one)


def prorates(line: Json) -> bool:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return bool(line.get("proration") or details.get("proration"))


def price_of(line: Json) -> str:
    named = ((line.get("pricing") or {}).get("price_details") or {}).get("price")
    return str(named or line["price"]["id"])


def begins(end: int, months: int, before: int) -> int:
    """When the period began that ends at ``end``: of the 30th it may have been the 31st of the month before."""
    starts = (add_months(end, -months) + days * 86_400 for days in range(4))
    return max(start for start in starts if start <= before and add_months(start, months) == end)


@pytest.fixture(scope="module")
def recorded(shared: Path) -> tuple[dict[str, Json], dict[str, Json]]:
    """Recorded lines of prorations, each once, and recorded prices, by their ids."""
    lines: dict[str, Json] = {}
    prices: dict[str, Json] = {}
    for path in sorted((shared / "stripe" / "corpus" / "pay-rails__pay").rglob("*.json")):
        for found in objects(orjson.loads(path.read_bytes())):
            if found.get("object") == "price" and found.get("recurring"):
                prices[found["id"]] = found
            elif found.get("object") == "line_item" and prorates(found):
                lines[found["id"]] = found
    return lines, prices


def test_all_recorded_lines_are_computed_to_the_cent(recorded: tuple[dict[str, Json], dict[str, Json]]) -> None:
    lines, prices = recorded

    computed: dict[str, int] = {}
    for line_id, line in lines.items():
        price, period = prices[price_of(line)], line["period"]
        months = MONTHS[price["recurring"]["interval"]] * price["recurring"]["interval_count"]
        whole = Fraction(price["unit_amount_decimal"]) * line["quantity"]
        credit = line["description"].startswith("Unused time")
        computed[line_id] = prorated(
            -whole if credit else whole,
            start=begins(period["end"], months, period["start"]),
            end=period["end"],
            at=period["start"],
        )

    assert computed == {line_id: line["amount"] for line_id, line in lines.items()}
    assert len(lines) == 30


def test_credits_and_debits_are_both_among_them(recorded: tuple[dict[str, Json], dict[str, Json]]) -> None:
    signs = [line["amount"] > 0 for line in recorded[0].values()]

    assert (signs.count(False), signs.count(True)) == (22, 8)
