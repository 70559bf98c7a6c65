"""`trueup metrics case`: a table for people, JSON for programs, a status for scripts, and no database at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.ops.conftest import Installation
from trueup.ops import cli

GROUPS = ["--group", "mrr, discount", "--group", "status", "--group", "tax"]


@pytest.fixture
def file(shared: Path) -> str:
    return str(shared / "metrics" / "metric_cases.json")


@pytest.fixture
def changed(file: str, tmp_path: Path) -> str:
    """The same file, with another expectation in the first case of discounts."""
    told = json.loads(Path(file).read_bytes())
    next(one for one in told["cases"] if one["group"] == "discount")["expect"][0] = "1"
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return str(path)


def ran(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    status = cli.run(["metrics", "case", *arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_groups_that_are_supported_agree(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = ran(file, *GROUPS, capsys=capsys)

    assert status == 0
    assert {one["group"] for one in told["cases"]} == {"mrr", "discount", "status", "tax"}
    assert (told["agree"], told["differ"], told["unsupported"]) == (len(told["cases"]), 0, 0)
    assert set(told["cases"][0]) == {"id", "group", "title", "answers", "expected", "equal", "unsupported"}


def test_a_group_that_is_not_supported_is_said_to_be_and_fails(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = ran(file, "--group", "cohort", capsys=capsys)

    assert status == 1
    assert told["agree"] == told["differ"] == 0
    assert all(one["equal"] is None and one["unsupported"] for one in told["cases"])


def test_an_answer_that_differs_fails_and_is_shown_beside_what_was_expected(
    changed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = ran(changed, *GROUPS, capsys=capsys)

    assert status == 1
    assert told["differ"] == 1
    assert cli.run(["metrics", "case", changed, *GROUPS]) == 1
    shown = capsys.readouterr().out
    assert shown.count("DIFFERS") == 1
    assert f"{len(told['cases'])} cases: {told['agree']} agree, 1 differ, 0 are not supported." in shown


def test_a_table_shows_amounts_movements_and_what_is_left_out(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["metrics", "case", file]) == 1

    shown = capsys.readouterr().out
    assert "8000/3" in shown
    assert "c1 new 5000 2025-01-15T00:00:00Z" in shown
    assert "the metric `cohorts` is not supported yet" in shown


def test_a_file_without_cases_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.json"
    path.write_text('{"format": "growth-metric-cases/1", "cases": []}', encoding="utf-8")

    assert cli.run(["metrics", "case", str(path)]) == 0
    assert "The file has no cases." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("_case_text", "_case_arguments", "_case_code"),
    [
        ("no JSON", [], "case_file_invalid"),
        ('{"format": "else", "cases": []}', [], "case_file_invalid"),
        ('{"format": "growth-metric-cases/1", "cases": []}', ["--group", "mrr"], "group_unknown"),
        (None, [], "case_file_unreadable"),
    ],
)
def test_a_bad_file_is_refused_with_what_to_do(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    _case_text: str | None,
    _case_arguments: list[str],
    _case_code: str,
) -> None:
    path = tmp_path / "cases.json"
    if _case_text is not None:
        path.write_text(_case_text, encoding="utf-8")

    status, told = ran(str(path), *_case_arguments, capsys=capsys)

    assert status == 2
    assert told["error"]["code"] == _case_code
    assert told["error"]["hint"]


def test_no_database_is_needed_and_nothing_is_made(file: str, tmp_path: Path) -> None:
    offline = Installation(home=tmp_path / "home", database="postgresql://127.0.0.1:1/x")

    ended = offline.run("metrics", "case", file, "--json", *GROUPS)

    assert (ended.status, ended.err) == (0, "")
    assert ended.json["differ"] == 0
    assert not offline.home.exists()
