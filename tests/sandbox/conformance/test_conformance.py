"""Recorded steps give what was recorded, but for the differences in a file that may only shrink."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.sandbox.conformance import exempt, recordings
from tests.sandbox.conformance.report import Report, faults, gather, known
from tests.sandbox.conformance.running import run
from trueup.sandbox.wire import schema


@pytest.fixture(scope="module")
def report(shared: Path) -> Report:
    return gather(map(run, recordings.steps(shared / "stripe" / "corpus")))


def test_at_least_95_of_100_leaves_are_as_recorded(report: Report) -> None:
    assert report.enough, report.table()
    assert report.compared.total() > 60_000


def test_what_differs_is_in_the_file_and_nothing_else_is(report: Report) -> None:
    assert faults(report, known()) == []


def test_a_step_that_was_not_run_has_its_reason(report: Report) -> None:
    assert report.steps == 962
    assert Counter(why for _, why in report.skipped) == {
        "Connect": 1,
        "Connect: application is set": 9,
        "Connect: application_fee_amount is set": 7,
        "gone from the API": 1,
        "hosted pages": 6,
    }


def test_nothing_is_exempt_that_no_recording_needs(report: Report) -> None:
    fields = {*exempt.CHOSEN, *exempt.ECHOES, *exempt.ADDED, *exempt.REMOVED}

    assert fields - report.exempted == set()


def test_what_newer_versions_added_is_in_the_schema_and_what_is_an_echo_is_not() -> None:
    assert [
        (kind, path) for kind, path in exempt.ADDED if path.split(".")[0].removesuffix("[]") not in schema.fields(kind)
    ] == []
    assert [(kind, path) for kind, path in exempt.ECHOES if path in schema.fields(kind)] == []
