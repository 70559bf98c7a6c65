"""Days, months, quarters and years as a zone lives them, billing periods, and how far away something is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.kernel.errors import Refused
from trueup.kernel.time import (
    Span,
    Window,
    age,
    away,
    day_of,
    day_start,
    days_between,
    months_after,
    parse,
    period,
    renewal,
    window,
    windows,
    zone,
)

ZONES = st.sampled_from(
    """
    UTC Europe/Berlin America/New_York America/Sao_Paulo America/Havana America/St_Johns America/Scoresbysund
    Africa/Casablanca Asia/Beirut Asia/Kathmandu Asia/Tehran Australia/Lord_Howe Pacific/Apia Pacific/Kwajalein
    Pacific/Chatham Pacific/Kiritimati
    """.split()
).map(zone)
DAYS = st.dates(date(1950, 1, 1), date(2037, 12, 31))
MOMENTS = st.datetimes(datetime(1950, 1, 3), datetime(2037, 12, 30)).map(lambda naive: naive.replace(tzinfo=UTC))  # noqa: DTZ001
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("_case_zone", "_case_day", "_case_start", "_case_hours"),
    [
        ("UTC", date(2026, 11, 21), "2026-11-21T00:00", 24),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00", 23),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00", 25),
        ("America/New_York", date(2026, 3, 8), "2026-03-08T05:00", 23),
        ("America/New_York", date(2026, 11, 1), "2026-11-01T04:00", 25),
        # The clocks went from 00:00 to 01:00: the day began at 01:00.
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00", 23),
        # From 23:30 to 00:30: the day began at 00:30.
        ("America/Toronto", date(1919, 3, 30), "1919-03-30T05:00", 23.5),
        ("America/Toronto", date(1919, 3, 31), "1919-03-31T04:30", 23.5),
        # The clocks went from 24:00 back to 23:00: the day before was the long one.
        ("America/Sao_Paulo", date(2018, 2, 17), "2018-02-17T02:00", 25),
        # At 01:00 back to 00:00: midnight struck twice, and the first counts.
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00", 25),
        # At 00:01 back to 23:01 of the day before, which had ended.
        ("America/St_Johns", date(2006, 10, 29), "2006-10-29T02:30", 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-04T13:00", 24.5),
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00", 24),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00", 0),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00", 24),
        ("Pacific/Kwajalein", date(1993, 8, 21), "1993-08-21T12:00", 0),
        ("Asia/Kathmandu", date(2026, 1, 1), "2025-12-31T18:15", 24),
    ],
)
def test_a_day_is_as_long_as_its_zone_lives_it(
    _case_zone: str, _case_day: date, _case_start: str, _case_hours: float
) -> None:
    found = window(Span.DAY, _case_day, zone(_case_zone))

    assert found.start == at(_case_start)
    assert found.start.tzinfo is UTC is found.end.tzinfo
    assert found.length == timedelta(hours=_case_hours)


@given(DAYS, ZONES)
@settings(deadline=None)
def test_days_follow_each_other_without_gap_or_overlap(day: date, where: object) -> None:
    today, tomorrow = (window(Span.DAY, one, where) for one in (day, day + timedelta(days=1)))  # type: ignore[arg-type]

    assert today.end == tomorrow.start
    assert timedelta(0) <= today.length <= timedelta(hours=48)


@given(MOMENTS, ZONES)
@settings(deadline=None)
def test_every_moment_is_in_the_window_of_its_day_and_of_no_other(moment: datetime, where: object) -> None:
    day = day_of(moment, where)  # type: ignore[arg-type]
    around = [day + timedelta(days=distance) for distance in (-2, -1, 0, 1, 2)]

    assert [one for one in around if moment in window(Span.DAY, one, where)] == [day]  # type: ignore[arg-type]


def test_the_hour_that_comes_twice_is_of_the_day_already_begun_and_no_moment_is_of_a_day_jumped_over() -> None:
    newfoundland, apia = zone("America/St_Johns"), zone("Pacific/Apia")

    assert day_of(at("2006-10-29T02:29:59"), newfoundland) == date(2006, 10, 28)
    assert day_of(at("2006-10-29T02:30:30"), newfoundland) == date(2006, 10, 29)
    assert day_of(at("2006-10-29T02:31"), newfoundland) == date(2006, 10, 29)
    assert day_of(at("2011-12-30T09:59:59"), apia) == date(2011, 12, 29)
    assert day_of(at("2011-12-30T10:00"), apia) == date(2011, 12, 31)


@pytest.mark.parametrize(
    ("_case_span", "_case_day", "_case_start", "_case_end"),
    [
        (Span.MONTH, date(2026, 3, 15), "2026-02-28T23:00", "2026-03-31T22:00"),
        (Span.MONTH, date(2026, 12, 31), "2026-11-30T23:00", "2026-12-31T23:00"),
        (Span.QUARTER, date(2026, 2, 1), "2025-12-31T23:00", "2026-03-31T22:00"),
        (Span.QUARTER, date(2026, 11, 21), "2026-09-30T22:00", "2026-12-31T23:00"),
        (Span.YEAR, date(2024, 2, 29), "2023-12-31T23:00", "2024-12-31T23:00"),
    ],
)
def test_months_quarters_and_years_begin_with_their_first_day(
    _case_span: Span, _case_day: date, _case_start: str, _case_end: str
) -> None:
    berlin = zone("Europe/Berlin")

    assert window(_case_span, _case_day, berlin) == Window(start=at(_case_start), end=at(_case_end))


@given(st.sampled_from(Span), MOMENTS, st.integers(1, 900), ZONES)
@settings(deadline=None, max_examples=60)
def test_windows_cover_a_stretch_once(span: Span, since: datetime, hours: int, where: object) -> None:
    until = since + hours * HOUR
    found = list(windows(span, since, until, where))  # type: ignore[arg-type]

    assert since in found[0]
    assert until - timedelta(microseconds=1) in found[-1]
    assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]
    assert all(one.length > timedelta(0) for one in found)


def test_a_stretch_without_moments_has_no_windows_and_a_day_jumped_over_is_left_out() -> None:
    noon = at("2026-11-21T12:00")
    days = list(windows(Span.DAY, at("2011-12-29T12:00"), at("2011-12-31T12:00"), zone("Pacific/Apia")))

    assert list(windows(Span.DAY, noon, noon, UTC)) == []
    assert list(windows(Span.YEAR, noon, noon - HOUR, UTC)) == []
    assert [day_of(one.start, zone("Pacific/Apia")).day for one in days] == [29, 31, 1]


@pytest.mark.parametrize(
    "_case_name", ["", "Mars/Olympus", "Europe", "../etc/passwd", "x" * 5000, "\0", "Europe/berlin "]
)
def test_a_zone_that_is_not_there_is_refused_with_a_hint(_case_name: str) -> None:
    with pytest.raises(Refused) as refused:
        zone(_case_name)

    assert (refused.value.code, "IANA" in refused.value.hint) == ("unknown_time_zone", True)


def test_a_window_knows_its_zone_and_its_order() -> None:
    start, end = at("2026-01-01T00:00"), at("2026-01-02T00:00")

    assert (start in Window(start=start, end=end), end in Window(start=start, end=end)) == (True, False)
    with pytest.raises(ValueError, match="is before"):
        Window(start=end, end=start)
    with pytest.raises(ValueError, match="has no time zone"):
        Window(start=start.replace(tzinfo=None), end=end)
    assert day_start(date(2026, 1, 1), UTC) == start


@pytest.mark.parametrize(
    ("_case_anchor", "_case_months", "_case_found"),
    [
        ("2026-01-31T10:00", 1, "2026-02-28T10:00"),
        ("2026-01-31T10:00", 2, "2026-03-31T10:00"),
        ("2026-01-31T10:00", 3, "2026-04-30T10:00"),
        ("2024-01-31T10:00", 1, "2024-02-29T10:00"),
        ("2024-02-29T10:00", 12, "2025-02-28T10:00"),
        ("2024-02-29T10:00", 48, "2028-02-29T10:00"),
        ("2026-01-31T10:00", -2, "2025-11-30T10:00"),
        ("2026-11-21T10:00", 2, "2027-01-21T10:00"),
        ("2026-11-21T10:00", 0, "2026-11-21T10:00"),
    ],
)
def test_a_day_that_a_month_lacks_becomes_its_last(_case_anchor: str, _case_months: int, _case_found: str) -> None:
    assert months_after(at(_case_anchor), _case_months) == at(_case_found)


def test_the_calendar_ends() -> None:
    with pytest.raises(ValueError, match="outside the calendar"):
        months_after(at("9999-12-01T00:00"), 1)
    with pytest.raises(ValueError, match="outside the calendar"):
        months_after(at("0001-01-01T00:00"), -1)


@pytest.mark.parametrize(
    ("_case_interval", "_case_count", "_case_number", "_case_found"),
    [
        ("day", 1, 3, "2026-02-03T10:00"),
        ("week", 2, 1, "2026-02-14T10:00"),
        ("month", 1, 1, "2026-02-28T10:00"),
        ("month", 3, 1, "2026-04-30T10:00"),
        ("year", 1, 2, "2028-01-31T10:00"),
        ("year", 1, -1, "2025-01-31T10:00"),
    ],
)
def test_a_subscription_renews_by_its_anchor(
    _case_interval: str, _case_count: int, _case_number: int, _case_found: str
) -> None:
    assert renewal(at("2026-01-31T10:00"), _case_interval, _case_count, _case_number) == at(_case_found)


@pytest.mark.parametrize(("_case_interval", "_case_count"), [("month", 0), ("day", -1), ("fortnight", 1)])
def test_what_is_no_billing_interval_is_refused(_case_interval: str, _case_count: int) -> None:
    anchor = at("2026-01-31T10:00")

    with pytest.raises(ValueError, match="no billing interval"):
        renewal(anchor, _case_interval, _case_count, 1)
    with pytest.raises(ValueError, match="no billing interval"):
        period(anchor, _case_interval, _case_count, anchor)


@given(MOMENTS, st.sampled_from(["day", "week", "month", "year"]), st.integers(1, 13), MOMENTS)
def test_every_moment_is_in_one_billing_period_of_any_anchor(
    anchor: datetime, interval: str, count: int, moment: datetime
) -> None:
    found = period(anchor, interval, count, moment)

    assert moment in found
    assert period(anchor, interval, count, found.start) == found
    assert period(anchor, interval, count, found.end).start == found.end


def test_tomorrow_is_one_day_away_whatever_the_hour() -> None:
    berlin = zone("Europe/Berlin")

    assert days_between(at("2026-11-21T22:59"), at("2026-11-21T23:00"), berlin) == 1
    assert days_between(at("2026-11-21T22:59"), at("2026-11-21T23:00"), UTC) == 0
    assert days_between(at("2026-03-01T12:00"), at("2026-02-27T12:00"), UTC) == -2


@pytest.mark.parametrize(
    ("_case_since", "_case_words"),
    [
        ("2026-11-21T12:00:00", "less than a minute"),
        ("2026-11-21T13:00:00", "less than a minute"),
        ("2026-11-21T11:59:00", "1 minute"),
        ("2026-11-21T11:00:01", "59 minutes"),
        ("2026-11-21T11:00:00", "1 hour"),
        ("2026-11-20T12:00:00", "1 day"),
        ("2026-11-18T11:59:00", "3 days"),
        ("2026-10-21T12:00:01", "30 days"),
        ("2026-10-21T12:00:00", "1 month"),
        ("2026-08-31T12:00:00", "2 months"),
        ("2025-11-21T12:00:00", "1 year"),
        ("2020-02-29T12:00:00", "6 years"),
    ],
)
def test_age_is_told_in_complete_units(_case_since: str, _case_words: str) -> None:
    assert age(at(_case_since), at("2026-11-21T12:00:00")) == _case_words


@pytest.mark.parametrize(
    ("_case_moment", "_case_words"),
    [
        ("2026-11-21T12:00:29", "now"),
        ("2026-11-21T11:59:31", "now"),
        ("2026-11-21T12:00:30", "in 1 minute"),
        ("2026-11-21T11:59:00", "1 minute ago"),
        ("2026-11-21T12:59:29", "in 59 minutes"),
        ("2026-11-21T12:59:31", "in 1 hour"),
        ("2026-11-21T14:30:00", "in 3 hours"),
        ("2026-11-22T11:40:00", "in 1 day"),
        ("2026-11-24T11:00:00", "in 3 days"),
        ("2026-11-18T12:00:00", "3 days ago"),
        ("2026-12-21T12:00:00", "in 1 month"),
        ("2026-12-21T11:59:59", "in 30 days"),
        ("2024-11-21T12:00:00", "2 years ago"),
    ],
)
def test_how_far_away_something_is(_case_moment: str, _case_words: str) -> None:
    assert away(at(_case_moment), at("2026-11-21T12:00:00")) == _case_words


@given(MOMENTS, MOMENTS)
def test_there_and_back_are_as_far(one: datetime, other: datetime) -> None:
    there, back = away(one, other), away(other, one)

    assert there.removeprefix("in ").removesuffix(" ago") == back.removeprefix("in ").removesuffix(" ago")
    assert there != back or there == "now"


@pytest.mark.parametrize(
    ("_case_text", "_case_moment"),
    [
        ("2026-05-01", "2026-05-01T00:00"),
        ("2026-05-01T12:00", "2026-05-01T12:00"),
        ("2026-05-01 12:00", "2026-05-01T12:00"),
        ("2026-05-01T12:00Z", "2026-05-01T12:00"),
        ("2026-05-01 12:00:30", "2026-05-01T12:00:30"),
        ("2026-05-01T12:00:30Z", "2026-05-01T12:00:30"),
        ("2026-05-01T12:00:30.5Z", "2026-05-01T12:00:30.5"),
        ("2026-05-01T00:00+02:00", "2026-04-30T22:00"),
        ("2026-05-01 12:00:30 -0330", "2026-05-01T15:30:30"),
        (" 2026-05-01t12:00z ", "2026-05-01T12:00"),
    ],
)
def test_a_moment_is_read_as_people_write_it(_case_text: str, _case_moment: str) -> None:
    found = parse(_case_text)

    assert found == at(_case_moment)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "_case_text",
    [
        "",
        "yesterday",
        "1767225600",
        "20260501",
        "2026-05",
        "2026-W18-5",
        "2026-05-01Z",
        "2026-05-01T12",
        "2026-02-30",
        "2026-05-01T24:01",
        "2026-05-01T12:00:60",
        "2026-05-01T12:00+25:00",
        "0001-01-01T00:00+14:00",
        "\uff12026-05-01",
    ],
)
def test_what_is_no_moment_is_refused_with_how_to_write_one(_case_text: str) -> None:
    with pytest.raises(Refused, match="is no time") as refused:
        parse(_case_text)

    assert refused.value.code == "time_invalid"
    assert "2026-05-01T12:00+02:00" in refused.value.hint


@given(MOMENTS)
def test_a_moment_as_a_program_writes_it_is_read_as_it_was(moment: datetime) -> None:
    assert parse(moment.isoformat()) == moment
