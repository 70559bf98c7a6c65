"""Every recorded payload, 2014 to 2026, reaches the newest shape as far as it can be known."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trueup.mirror.upcast import upcast

Json = dict[str, Any]


@pytest.fixture(scope="module")
def recorded(shared: Path) -> list[Json]:
    """Every Stripe object in the corpus, the ones inside others too, as it was recorded."""
    corpus = shared / "stripe" / "corpus"
    with (corpus / "INDEX.csv").open(newline="", encoding="utf-8") as source:
        files = [row["file"] for row in csv.DictReader(source)]
    return [found for name in files for found in objects_in(json.loads((corpus / name).read_bytes()))]


def objects_in(told: object) -> Iterator[Json]:
    waiting = [told]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
            if isinstance(value.get("object"), str):
                yield value
        elif isinstance(value, list):
            waiting.extend(value)


def test_every_recorded_object_is_upcast_and_a_second_time_changes_nothing(recorded: list[Json]) -> None:
    types: Counter[str] = Counter()
    for told in recorded:
        before = json.dumps(told)
        newest = upcast(told["object"], told)
        types[told["object"]] += 1

        assert json.dumps(told) == before
        assert upcast(told["object"], newest) == newest

    assert len(recorded) > 4000
    assert types["event"] > 300


def test_nobody_has_to_look_at_an_old_path_of_a_recorded_subscription(recorded: list[Json]) -> None:
    newest = [upcast("subscription", told) for told in recorded if told["object"] == "subscription"]

    items = [item for one in newest for item in one["items"]["data"]]
    periods = [item["current_period_end"] for item in items]
    prices = [item["price"] for item in items]

    assert all(type(end) is int for end in periods)
    assert all(type(price["recurring"]["interval"]) is str for price in prices)
    assert {one["billing_mode"]["type"] for one in newest} == {"classic", "flexible"}


def test_every_recorded_invoice_of_a_subscription_names_it_in_its_parent(recorded: list[Json]) -> None:
    invoices = [told for told in recorded if told["object"] == "invoice" and told.get("subscription") is not None]

    named = [upcast("invoice", told)["parent"]["subscription_details"]["subscription"] for told in invoices]

    assert len(invoices) > 150
    assert named == [told["subscription"] for told in invoices]


def test_every_recorded_line_that_has_a_price_tells_it_in_its_pricing(recorded: list[Json]) -> None:
    lines = [told for told in recorded if told["object"] == "line_item"]
    priced = [told for told in lines if isinstance(told.get("price") or told.get("plan"), dict)]

    named = [upcast("line_item", told)["pricing"]["price_details"]["price"] for told in priced]

    assert len(priced) > 150
    assert named == [(told.get("price") or told["plan"])["id"] for told in priced]
