"""Time, actors, records and the error tree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from trueup.kernel import errors, time
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import TrueupError


class Undecided(tzinfo):
    """A zone that does not know its offset, as Python allows."""

    @override
    def utcoffset(self, dt: datetime | None, /) -> timedelta | None:
        return None

    @override
    def dst(self, dt: datetime | None, /) -> timedelta | None:
        return None

    @override
    def tzname(self, dt: datetime | None, /) -> str | None:
        return None


@pytest.mark.parametrize(
    "naive",
    [datetime(2026, 11, 20, 12, 0), datetime(2026, 11, 20, 12, 0, tzinfo=Undecided())],  # noqa: DTZ001
)
def test_a_moment_without_a_zone_is_refused(naive: datetime) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        time.aware(naive)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)), st.integers(-720, 840))  # noqa: DTZ001
def test_an_aware_moment_is_the_same_moment_in_utc(moment: datetime, minutes: int) -> None:
    given_moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))

    found = time.aware(given_moment)

    assert found == given_moment
    assert found.tzinfo is UTC


def test_stripes_seconds_are_utc() -> None:
    assert time.from_unix(1_790_000_000) == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert time.from_unix(0) == datetime(1970, 1, 1, tzinfo=UTC)


def test_trueup_acts_by_the_name_of_a_part() -> None:
    assert system("intake") == Actor(kind=ActorKind.SYSTEM, id="intake")


def test_a_record_cannot_change_and_is_compared_by_value() -> None:
    actor = system("intake")

    with pytest.raises(AttributeError, match="immutable"):
        actor.id = "other"  # type: ignore[misc]
    assert actor == system("intake") != system("worker")
    assert msgspec.json.encode(actor) == b'{"kind":"system","id":"intake"}'


def tree(parent: type[TrueupError]) -> list[type[TrueupError]]:
    """A class and all that are derived from it in the kernel."""
    below = [found for child in parent.__subclasses__() for found in tree(child)]
    return [found for found in [parent, *below] if found.__module__ == errors.__name__]


@pytest.mark.parametrize(
    ("kind", "status", "code", "refused"),
    [
        (errors.Refused, 400, "refused", True),
        (errors.NotFound, 404, "not_found", True),
        (errors.Conflict, 409, "conflict", True),
        (errors.Forbidden, 403, "forbidden", True),
        (errors.Unauthenticated, 401, "unauthenticated", True),
        (errors.Unavailable, 503, "unavailable", False),
        (errors.Broken, 500, "broken", False),
        (errors.TrueupError, 500, "error", False),
    ],
)
def test_an_error_has_a_status_and_a_stable_code(
    kind: type[TrueupError], status: int, code: str, refused: bool
) -> None:
    error = kind("A customer is not there.")

    assert (error.status, error.code, error.hint) == (status, code, "")
    assert str(error) == error.message == "A customer is not there."
    assert isinstance(error, errors.Refused) is refused


def test_every_kind_of_error_has_its_own_code() -> None:
    kinds = tree(TrueupError)

    assert len({kind.code for kind in kinds}) == len(kinds) == 8


def test_an_error_may_carry_a_narrower_code_and_the_next_step() -> None:
    error = errors.Refused("No.", code="port_unavailable", hint="Choose another.")

    assert (error.code, error.hint) == ("port_unavailable", "Choose another.")
    assert errors.Refused.code == "refused"
