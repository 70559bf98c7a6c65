"""From an object that was read from the API to a fact."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.mirror.rules import facts_of, whole
from trueup.mirror.types import Reading


def reading(**told: Any) -> dict[str, Any]:
    """An envelope of ours around an object that was read."""
    about = {"id": "in_1", "object": "invoice", "lines": {"data": [1], "has_more": True, "url": "/v1/x"}}
    return {
        "id": "read_1",
        "object": "trueup.read",
        "type": "trueup.read",
        "created": 5,
        "data": {"object": about},
    } | told


def test_what_was_read_is_a_fact_of_no_type_that_says_what_it_knew() -> None:
    found = facts_of(reading(read={"after": ["evt_1", 7], "made": 3, "lists": {"lines": [1, 2], "odd": 4}}))

    assert found is not None
    assert (found.event_type, found.deleted, found.created) == ("", False, 5)
    assert found.reading == Reading(after=("evt_1",), made=3, lists={"lines": [1, 2]})
    assert whole(found)["lines"] == {"object": "list", "data": [1, 2], "has_more": False, "url": "/v1/x"}


@pytest.mark.parametrize("told", [None, [], {}, {"after": "evt_1", "made": -1, "lists": []}])
def test_a_reading_that_says_nothing_of_itself_is_one_all_the_same(told: object) -> None:
    found = facts_of(reading(read=told))

    assert found is not None
    assert found.reading == Reading()
    assert whole(found) is found.data


def test_a_list_within_another_object_is_completed_in_its_place() -> None:
    found = facts_of(reading(read={"lists": {"details.items": [1, 2], "more.items": [3]}}))

    assert found is not None
    assert whole(found)["details"] == {"items": {"object": "list", "data": [1, 2], "has_more": False}}
    assert whole(found)["more"]["items"]["data"] == [3]
    assert whole(found)["lines"] is found.data["lines"]


def test_a_stub_that_was_read_tells_of_a_deletion() -> None:
    stub = {"id": "cus_1", "object": "customer", "deleted": True}
    found = facts_of(reading(data={"object": stub}))

    assert found is not None
    assert (found.deleted, found.customer) == (True, "cus_1")
