"""Reading values that may be of any type, and how an object was before its event."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from trueup.mirror.upcast.shape import (
    card_brand,
    currency_of,
    decimal_of,
    id_of,
    listed,
    mapping,
    moment,
    overlay,
    text,
    whole,
)

READERS = [id_of, text, whole, mapping, listed, currency_of, decimal_of, moment, card_brand]


@pytest.mark.parametrize(
    ("_case_reader", "_case_value"), list(itertools.product(READERS, [None, True, 1.5, [], {}, object()]))
)
def test_readers_answer_nothing_for_values_of_another_type(_case_reader: Any, _case_value: object) -> None:
    assert not _case_reader(_case_value)


@pytest.mark.parametrize(
    ("_case_found", "_case_expected"),
    [
        (id_of("cus_1"), "cus_1"),
        (id_of({"id": "cus_1"}), "cus_1"),
        (id_of(""), None),
        (text(""), None),
        (whole(2**70), 2**70),
        (listed([1]), [1]),
        (listed({"data": [1]}), [1]),
        (listed({"data": "odd"}), []),
        (currency_of("USD"), "usd"),
        (currency_of("us1"), None),
        (currency_of("ü€x"), None),
        (currency_of("usdx"), None),
        (decimal_of("-12.50"), "-12.50"),
        (decimal_of("1e5"), None),
        (decimal_of("1/3"), None),
        (decimal_of("١٢"), None),
        (moment(-1), None),
        (moment(253_402_300_800), None),
        (card_brand("MasterCard"), "mastercard"),
        (card_brand("Diners Club"), "diners"),
        (card_brand(""), None),
    ],
)
def test_readers_know_the_forms_that_stripe_uses(_case_found: object, _case_expected: object) -> None:
    assert _case_found == _case_expected


def test_an_overlay_tells_how_the_object_was_before() -> None:
    now = {"status": "active", "metadata": {"a": "new", "b": "kept"}, "items": {"data": [2], "url": "/x"}, "x": 1}

    before = overlay(now, {"status": "trialing", "metadata": {"a": None}, "items": {"data": [1]}, "x": {"deep": 1}})

    assert before == {
        "status": "trialing",
        "metadata": {"a": None, "b": "kept"},
        "items": {"data": [1], "url": "/x"},
        "x": {"deep": 1},
    }
    assert now["metadata"] == {"a": "new", "b": "kept"}


def test_an_overlay_takes_what_is_nested_too_deep_as_it_stands() -> None:
    now: dict[str, Any] = {"kept": 1}
    previous: dict[str, Any] = {"old": 1}
    for _ in range(9):
        now, previous = {"in": now}, {"in": previous}

    found = overlay(now, previous)
    for _ in range(9):
        found = found["in"]

    assert found == {"old": 1}
