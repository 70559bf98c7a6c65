"""The run of all gates."""

from __future__ import annotations

import pytest

from tools.check import GATES, main

PASSES = ("python", "-c", "print('all is well')")
FAILS = ("python", "-c", "import sys; sys.exit('a line is wrong')")


def test_every_gate_runs_and_those_that_failed_are_named_last(capsys: pytest.CaptureFixture[str]) -> None:
    code = main([], {"one": FAILS, "two": PASSES, "three": FAILS})

    said = capsys.readouterr().out
    assert code == 1
    assert said.endswith("\nFailed: one, three.\n")
    assert "all is well" in said
    assert said.count("a line is wrong") == 2


def test_all_gates_passing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {"one": PASSES}) == 0
    assert capsys.readouterr().out.endswith("All 1 gates passed.\n")


def test_a_name_selects_gates_and_an_unknown_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["one"], {"one": PASSES, "two": FAILS}) == 0
    assert main(["three"], {"one": PASSES, "two": FAILS}) == 2
    assert "There is no gate three; there are: one, two." in capsys.readouterr().out


def test_no_gate_can_reach_the_database(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://seen.example/")

    main([], {"one": ("python", "-c", "import os; print(os.environ.get('DATABASE_URL'))")})

    assert "None" in capsys.readouterr().out


def test_the_gates_are_those_that_the_house_promises() -> None:
    assert set(GATES) == {
        *("types", "imports", "format", "style", "dependencies", "test dependencies", "migrations", "money"),
        "messages",
    }
