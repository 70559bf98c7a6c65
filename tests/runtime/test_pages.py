"""Cursors: opaque, ours, and checked."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.kernel.errors import Refused
from trueup.runtime.pages import Moment, Number, decode_cursor, encode_cursor

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


def raw(value: object) -> str:
    """A cursor that holds anything."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(st.integers(-(2**63), 2**63 - 1), TEXT)
def test_a_cursor_comes_back_as_it_was_given(number: int, text: str) -> None:
    cursor = encode_cursor(number, text)

    assert decode_cursor(cursor, tuple[Number, str]) == (number, text)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")


def test_a_moment_comes_back_to_the_microsecond() -> None:
    moment = datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)

    assert decode_cursor(encode_cursor(moment.isoformat(), "x"), tuple[Moment, str]) == (moment, "x")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!!!",
        "ü",
        "a",
        "e30",
        raw([1]),
        raw([1, "x", "y"]),
        raw(["1", "x"]),
        raw([1, 2]),
        raw([1.5, "x"]),
        raw([2**63, "x"]),
        raw([True, "x"]),
        raw([1, "a\x00b"]),
        raw({"0": 1}),
        raw(None),
    ],
)
def test_a_cursor_that_no_list_gave_is_refused(cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        decode_cursor(cursor, tuple[Number, str])
    assert (refused.value.code, refused.value.status) == ("cursor_invalid", 400)
    assert refused.value.hint != ""


@pytest.mark.parametrize("moment", ["2026-11-20T00:00:00", "yesterday", "0000-00-00T00:00:00Z", ""])
def test_a_moment_in_a_cursor_has_a_zone(moment: str) -> None:
    with pytest.raises(Refused, match="is not one that this list gave"):
        decode_cursor(raw([moment, "x"]), tuple[Moment, str])


@given(st.text(max_size=60))
def test_a_text_is_refused_unless_a_list_gave_it(text: str) -> None:
    with pytest.raises(Refused) as refused:
        decode_cursor(text, tuple[Number, str])
    assert refused.value.code == "cursor_invalid"
