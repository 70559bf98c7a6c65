"""How far upcasting reaches is measured against the newest shape, and the page that says so is true."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tools import newest_shape, upcast_coverage
from tools.newest_shape import Field
from tools.upcast_coverage import PROBE, Coverage, Tally
from tools.upcast_reasons import reason
from trueup.mirror.upcast import upcast

Json = dict[str, Any]

SHAPES = newest_shape.read(newest_shape.TABLE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def coverage(shared: Path) -> Coverage:
    return upcast_coverage.measured(upcast_coverage.recorded(shared / "stripe" / "corpus"), SHAPES)


def filled(fields: Mapping[str, Field]) -> Json:
    """An object that has every field that is never null, and nothing else."""
    return {name: valued(field) for name, field in fields.items() if not field.nullable}


def valued(field: Field) -> Any:
    value: Any = filled(field.fields) if field.fields else "some"
    for _ in range(field.lists):
        value = [value]
    return value


def test_the_table_of_the_newest_shape_is_that_of_the_schema(shared: Path) -> None:
    schema = json.loads((shared / newest_shape.SCHEMA).read_bytes())

    assert newest_shape.TABLE.read_text(encoding="utf-8") == newest_shape.written(schema)
    assert SHAPES.keys() == schema.keys()
    assert [
        kind
        for kind, shape in schema.items()
        if {name: field.get("null", False) for name, field in shape["fields"].items()}
        != {name: field.nullable for name, field in SHAPES[kind].items()}
    ] == []


@pytest.mark.parametrize("_case_type", sorted(SHAPES))
def test_what_has_every_field_of_the_newest_shape_passes_as_it_is(_case_type: str) -> None:
    newest = filled(SHAPES[_case_type])

    assert list(newest_shape.unknown(SHAPES[_case_type], newest)) == []
    assert upcast(_case_type, newest) is newest


def test_a_field_is_unknown_when_it_is_absent_or_null_and_the_object_around_it_is_there() -> None:
    shape = newest_shape.read("thing: id name? owner?{id} parts[][]{id size?{unit}} sum{amount}")["thing"]

    found = newest_shape.unknown(
        shape,
        {"id": None, "owner": {}, "parts": [[{"id": "p", "size": {}}, "odd"], [{"id": None}], "odd"], "sum": "odd"},
    )

    assert list(found) == ["id", "owner.id", "parts[][].id", "parts[][].size.unit"]
    assert list(newest_shape.unknown(shape, {"id": "t", "owner": None, "parts": []})) == ["sum"]


def test_an_object_counts_with_what_its_surroundings_tell_and_once() -> None:
    event = {
        "object": "event",
        "api_version": "2019-05-16",
        "data": {
            "object": {
                "id": "sub_1",
                "object": "subscription",
                "current_period_end": 5,
                "items": {"object": "list", "data": [{"object": "subscription_item", "plan": {"object": "plan"}}]},
            }
        },
    }

    found = [
        (kind, version, newest.get("current_period_end"))
        for kind, version, newest in upcast_coverage.objects([event, {"object": "charge"}], "2020-08-27")
    ]

    assert sorted(found, key=str) == [
        ("charge", "2020-08-27", None),
        ("event", "2019-05-16", None),
        ("list", "2019-05-16", None),
        ("plan", "2019-05-16", None),
        ("price, made", "2019-05-16", None),
        ("subscription", "2019-05-16", 5),
        ("subscription_item", "2019-05-16", 5),
    ]


def test_a_miss_is_excused_only_when_the_payload_is_older_than_the_field() -> None:
    shapes = newest_shape.read("payout: id reconciliation_status\norder: id")
    payout = {"id": "po_1", "object": "payout"}
    payloads: list[tuple[object, str]] = [
        (payout, "2022-11-15"),
        (payout, ""),
        (payout, "2023-08-16"),
        (payout | {"reconciliation_status": "completed"}, "2023-08-16"),
        ({"id": "po_2", "object": "payout", "deleted": True}, "2023-08-16"),
        ({"object": "sku"}, ""),
    ]

    found = upcast_coverage.measured(payloads, shapes)

    assert found.of("payout") == Tally(objects=4, whole=1, told=3)
    assert found.misses == {
        ("payout", "reconciliation_status", "not told before 2023-03-02"): 2,
        ("payout", "reconciliation_status", ""): 1,
    }
    assert found.unexplained == [("payout", "reconciliation_status")]
    assert (found.deleted, found.gone) == (1, {"sku": 1})


def test_a_reason_is_half_a_sentence_or_nothing() -> None:
    assert reason("price, made", "product", "2018-01-23") == "not told before 2018-02-05"
    assert reason("invoice", "id", "2018-02-05") == "`invoice.upcoming`: a preview has no id"
    assert reason("invoice", "no_such_field", "") == ""


def test_every_miss_in_the_corpus_has_a_reason(coverage: Coverage) -> None:
    assert coverage.unexplained == []
    assert sum(tally.objects for tally in coverage.tallies.values()) > 4500


@pytest.mark.parametrize(("_case_type", "_case_percent"), list(PROBE.items()))
def test_more_payloads_reach_the_newest_shape_than_with_the_probe(
    _case_type: str, _case_percent: int, coverage: Coverage
) -> None:
    found = coverage.of(_case_type)

    assert found.objects > 200
    assert found.told == found.objects or 100 * found.told > _case_percent * found.objects


def test_the_page_says_what_is_measured(coverage: Coverage) -> None:
    assert upcast_coverage.PAGE.read_text(encoding="utf-8") == upcast_coverage.page(coverage)
