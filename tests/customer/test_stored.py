"""A state is the same after it was written and read."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.customer.builders import customer, item, told
from tests.customer.test_fold_properties import OBJECTS
from trueup.customer.fold import fold
from trueup.customer.stored import decode, encode
from trueup.mirror.types import MirrorObject


@given(st.lists(OBJECTS, max_size=8))
@settings(max_examples=100, deadline=None)
def test_any_state_is_read_as_it_was_written(objects: list[MirrorObject]) -> None:
    state = fold("cus_1", objects)

    assert decode(encode(state)) == state
    assert decode(encode(state).decode()) == state


def test_a_fact_that_set_many_fields_is_written_once() -> None:
    data: dict[str, Any] = {"status": "active", "customer": "cus_1", "items": {"data": [item()]}}
    state = fold("cus_1", [customer(name="A", email="a@example.com"), told("subscription", "sub_1", **data)])

    text = encode(state).decode()

    assert len(state.why) > 8
    assert text.count("evt_cus_1") == 1
    assert text.count("evt_sub_1") == 1
