"""Every recorded payload, 2014 to 2026, reaches the newest shape as far as it can be known."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trueup.mirror.upcast import upcast

Json = dict[str, Any]

LATER: dict[str, frozenset[str]] = {
    # Fields that did not exist when older payloads were rendered, and that no older path tells: they stay unknown.
    "customer": frozenset(),
    "subscription": frozenset({"automatic_tax", "billing_schedules", "invoice_settings"}),
    "subscription_item": frozenset({"discounts"}),
    "price": frozenset(),
    "product": frozenset({"marketing_features"}),
    "invoice": frozenset(
        {
            "amount_overpaid",
            "amount_shipping",
            "automatic_tax",
            "issuer",
            "payment_settings",
            "post_payment_credit_notes_amount",
            "pre_payment_credit_notes_amount",
        }
    ),
    "payment_intent": frozenset(),
    "charge": frozenset(),
    "payment_method": frozenset(),
}

REACHED: dict[str, tuple[int, int, Counter[str]]] = {
    # type: (how many reach every other field that is never null in the newest version, of how many, what the others miss)
    #
    # customer           one truncated fixture has neither time nor mode
    # subscription       nine hand-written ones of 2018-01 have no billing_cycle_anchor
    # price              plans of 2018-01 and before tell neither whether they are active nor, mostly, their product
    # product            four hand-written ones have active as null
    # invoice            invoice.upcoming has no id; before 2018-11 nothing told when a status changed; one is truncated
    # charge             before 2020-09 nothing told what part was captured of a charge that was partly refunded
    "customer": (386, 387, Counter(created=1, livemode=1)),
    "subscription": (214, 223, Counter(billing_cycle_anchor=9)),
    "subscription_item": (255, 255, Counter()),
    "price": (587, 597, Counter(active=10, product=9)),
    "product": (16, 20, Counter(active=4)),
    "invoice": (301, 321, Counter(status_transitions=16, id=7, default_tax_rates=1, discounts=1, starting_balance=1)),
    "payment_intent": (235, 235, Counter()),
    "charge": (233, 235, Counter(amount_captured=2)),
    "payment_method": (202, 202, Counter()),
}


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


def test_recorded_objects_reach_the_newest_shape_but_for_what_no_older_path_tells(
    recorded: list[Json], shared: Path
) -> None:
    schema = json.loads((shared / "stripe" / "schema-16.1.0.json").read_bytes())
    found: dict[str, list[Json]] = defaultdict(list)
    for told in recorded:
        if told["object"] in REACHED and told["object"] != "subscription_item":
            found[told["object"]].append(upcast(told["object"], told))
    found["subscription_item"] = [
        item for one in found["subscription"] for item in one.get("items", {}).get("data", [])
    ]
    found["price"] += [item["price"] for item in found["subscription_item"]]

    reached = {}
    for kind, later in LATER.items():
        fields = schema[kind]["fields"]
        needed = [name for name, field in fields.items() if not field.get("null") and name not in later]
        missed = [[name for name in needed if one.get(name) is None] for one in found[kind]]
        misses = Counter(name for names in missed for name in names)
        reached[kind] = (sum(not names for names in missed), len(missed), misses)

    assert reached == REACHED


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
