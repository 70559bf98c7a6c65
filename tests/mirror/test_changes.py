"""What differs between two versions of an object, for any JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.mirror.changes import DEEPEST, LONGEST, MOST, changes
from trueup.mirror.types import FieldChange

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "a", "b"]), inner, max_size=3)
        | st.lists(st.fixed_dictionaries({"id": st.sampled_from(["x", "y", "z"]), "a": inner}), max_size=3)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["id", "a", "b", "c"]), JSON, max_size=4)


def differs(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """The changes as path, before and after; none may be left out or cut."""
    found, left_out = changes(before, after)
    assert left_out == 0
    assert not any(one.cut for one in found)
    return [(one.path, one.before, one.after) for one in found]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": 1}, {}, [("a", 1, None)]),
        ({}, {"a": 1}, [("a", None, 1)]),
        ({"a": None}, {}, []),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"b": 1, "a": 1}, {"a": 2, "b": 2}, [("a", 1, 2), ("b", 1, 2)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("a.b.c", 1, 2)]),
        ({"a": {"b": 1}}, {"a": None}, [("a", {"b": 1}, None)]),
        ({"a": {"b": 1}}, {"a": "sub_1"}, [("a", {"b": 1}, "sub_1")]),
        ({"a": [1, 2]}, {"a": [1, 3]}, [("a[1]", 2, 3)]),
        ({"a": [1, 2]}, {"a": [2]}, [("a", [1, 2], [2])]),
        (
            {"a": [{"id": "x", "q": 1}, {"id": "y", "q": 1}]},
            {"a": [{"id": "y", "q": 1}, {"id": "x", "q": 2}]},
            [("a[x].q", 1, 2)],
        ),
        ({"a": [{"id": "x"}]}, {"a": []}, [("a[x]", {"id": "x"}, None)]),
        ({"a": []}, {"a": [{"id": "x"}]}, [("a[x]", None, {"id": "x"})]),
        ({"a": [{"id": "x"}, {"id": "x"}]}, {"a": [{"id": "x"}]}, [("a", [{"id": "x"}] * 2, [{"id": "x"}])]),
        ({"a": [{"id": "x"}, 1]}, {"a": [{"id": "x"}, 2]}, [("a[1]", 1, 2)]),
        ({"a": {"c": 1, "b": 2}}, {"a": {"b": 2, "c": 1}}, []),
    ],
)
def test_a_difference_is_told_at_the_end_of_its_path(
    before: dict[str, Any], after: dict[str, Any], expected: list[tuple[str, Any, Any]]
) -> None:
    assert differs(before, after) == expected


def test_a_long_value_is_cut_to_the_beginning_of_its_json() -> None:
    whole = "x" * (LONGEST - 2)

    found, _left_out = changes({"a": whole, "b": whole + "x"}, {"a": None, "b": 1})

    assert found == (
        FieldChange(path="a", before=whole, after=None),
        FieldChange(path="b", before='"' + whole + "x", after=1, cut=True),
    )


def test_what_is_beyond_the_most_is_counted() -> None:
    found, left_out = changes({}, {f"k{number:03}": number for number in range(MOST + 3)})

    assert [one.after for one in found] == list(range(MOST))
    assert left_out == 3


def test_what_is_nested_deeper_than_people_read_is_told_as_a_whole() -> None:
    def nested(value: int) -> dict[str, Any]:
        inner: dict[str, Any] = {"v": value}
        for _ in range(DEEPEST + 2):
            inner = {"a": inner}
        return inner

    assert [path for path, _before, _after in differs(nested(1), nested(2))] == [".".join("a" * DEEPEST)]


@given(value=OBJECTS)
def test_nothing_differs_from_itself_or_its_copy(value: dict[str, Any]) -> None:
    assert changes(value, value) == ((), 0)
    assert changes(value, json.loads(json.dumps(value))) == ((), 0)


@given(before=OBJECTS, after=OBJECTS)
def test_the_way_back_is_the_same_with_both_sides_exchanged(before: dict[str, Any], after: dict[str, Any]) -> None:
    there, left_out = changes(before, after)
    back, left_out_back = changes(after, before)

    assert left_out == left_out_back
    assert [repr((one.path, one.before, one.after, one.cut)) for one in there] == [
        repr((one.path, one.after, one.before, one.cut)) for one in back
    ]
    assert len({one.path for one in there}) == len(there)
