"""The casts that every column goes through: what fits is read exactly, what does not is null, and nothing fails."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mirror.selecting import scalar
from tests.web.console import world
from trueup.mirror.views import sql
from trueup.runtime import database

pytestmark = pytest.mark.usefixtures("views")


@pytest.mark.parametrize(
    ("cast", "value", "answer"),
    [
        ("as_bigint", "9223372036854775807", 2**63 - 1),
        ("as_bigint", "-9223372036854775808", -(2**63)),
        ("as_bigint", "9223372036854775808", None),
        ("as_bigint", "-9223372036854775809", None),
        ("as_bigint", "1.0", 1),
        ("as_bigint", "1.5", None),
        ("as_bigint", "1e400", None),
        ("as_bigint", '"7"', None),
        ("as_bigint", "true", None),
        ("as_numeric", "0.1", Decimal("0.1")),
        ("as_numeric", '"0.000000000001"', Decimal("0.000000000001")),
        ("as_numeric", '"-12.50"', Decimal("-12.50")),
        ("as_numeric", '"NaN"', None),
        ("as_numeric", '"Infinity"', None),
        ("as_numeric", '"1e5"', None),
        ("as_numeric", '"1_000"', None),
        ("as_numeric", '" 1"', None),
        ("as_numeric", '"1\\n"', None),
        ("as_numeric", '""', None),
        ("as_numeric", f'"{"9" * 101}"', None),
        ("as_numeric", "[1]", None),
        ("as_boolean", "false", False),
        ("as_boolean", '"false"', None),
        ("as_boolean", "0", None),
        ("as_text", '"Zoë"', "Zoë"),
        ("as_text", "5", None),
        ("as_text", "null", None),
        ("as_id", '"in_1"', "in_1"),
        ("as_id", '{"id": "in_1"}', "in_1"),
        ("as_id", '{"id": {"id": "in_1"}}', None),
        ("as_id", '{"id": null}', None),
        ("as_id", '["in_1"]', None),
        ("as_id", "1", None),
        ("as_timestamptz", "0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("as_timestamptz", "1790000000", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        ("as_timestamptz", "-62135596800", datetime(1, 1, 1, tzinfo=UTC)),
        ("as_timestamptz", "-62135596801", None),
        ("as_timestamptz", "253402300799", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("as_timestamptz", "253402300800", None),
        ("as_timestamptz", "1e300", None),
        ("as_timestamptz", '"1790000000"', None),
        ("as_timestamptz", '"2026-11-20T10:11:12.345Z"', datetime(2026, 11, 20, 10, 11, 12, 345000, tzinfo=UTC)),
        ("as_timestamptz", '"2024-02-29T00:00:00Z"', datetime(2024, 2, 29, tzinfo=UTC)),
        ("as_timestamptz", '"2026-02-29T00:00:00Z"', None),
        ("as_timestamptz", '"2026-04-31T00:00:00Z"', None),
        ("as_timestamptz", '"2026-13-01T00:00:00Z"', None),
        ("as_timestamptz", '"2026-01-01T24:00:00Z"', None),
        ("as_timestamptz", '"0000-01-01T00:00:00Z"', None),
        ("as_timestamptz", '"2026-11-20T10:11:12+02:00"', None),
        ("as_timestamptz", '"2026-11-20"', None),
        ("as_timestamptz", '"soon"', None),
        ("as_timestamptz", "{}", None),
        ("as_object", "[]", None),
        ("as_object", "null", None),
        ("as_array", "{}", None),
        ("as_array", "[1]", [1]),
    ],
)
def test_a_cast_answers_what_fits_and_else_null(cast: str, value: str, answer: Any) -> None:
    assert scalar(f"select stripe.{cast}(%(value)s::text::jsonb)", value=value) == answer


def test_milliseconds_are_told_apart_by_the_column() -> None:
    about = {"id": "tmr_1", "object": "terminal.reader", "last_seen_at": 1_790_000_000_123}
    world.told(world.connect(), world.event("terminal.reader.updated", about))

    seen = datetime(2026, 9, 21, 14, 13, 20, 123000, tzinfo=UTC)
    assert scalar("select last_seen_at from stripe.terminal_readers") == seen


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z", fullmatch=True)
    | st.from_regex(r"[+-]?[0-9]{1,5}(\.[0-9]{1,5})?", fullmatch=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "data", "x"]), inner),
    max_leaves=5,
)
CASTS = ", ".join(
    f"stripe.{made.name.partition('(')[0]}(%(value)s::text::jsonb)"
    for made in sql.FUNCTIONS
    if made.name.startswith("as_")
)


@given(value=ANY_JSON)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_makes_a_cast_fail(value: Any) -> None:
    (answers,) = database.execute(f"select {CASTS}", {"value": json.dumps(value)}).fetchall()

    assert len(answers) == 8


@given(moment=st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the zone is added
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_moment_in_words_is_read_to_the_microsecond(moment: datetime) -> None:
    words = f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"

    assert scalar("select stripe.moment_in(%(words)s)", words=words) == moment


@given(words=st.from_regex(r"[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z", fullmatch=True))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_days_and_hours_that_no_calendar_has_are_null(words: str) -> None:
    try:
        answer: datetime | None = datetime.fromisoformat(words)
    except ValueError:
        answer = None

    assert scalar("select stripe.moment_in(%(words)s)", words=words) == answer
