"""Commands that erase from the log, and the holds that forbid it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest
import typer

from tests.audit.commands.asking import answered, run
from tests.audit.writing import record, record_many, seal_all
from trueup.audit import months
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.runtime import database

pytestmark = pytest.mark.usefixtures("db", "home")
ELENA = "customer:cus_1"


def tell() -> int:
    """An entry with two values that speak of Elena."""
    return record(
        action=Action.LINK_ADDED,
        object_type="customer",
        object_id="cus_1",
        why="Elena asked.",
        after={"value": "elena@acme.example"},
    )


def left(entry: int) -> tuple[str, ...]:
    """The places of the values that can no longer be read."""
    return audit.entry(database.connection(), entry, opened=True).hidden


def test_an_erasure_is_shown_before_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    entry = tell()

    shown = run(capsys, "erase", ELENA, "customer:cus_2")
    rehearsed = answered(capsys, "erase", ELENA, "--dry-run")

    assert [line.split()[:2] for line in shown.splitlines()[1:3]] == [[ELENA, "2"], ["customer:cus_2", "0"]]
    assert "add --yes and --why" in shown
    assert (rehearsed["values"], rehearsed["dry_run"]) == (2, True)
    assert left(entry) == ()


def test_an_erasure_takes_a_reason_and_is_on_record(capsys: pytest.CaptureFixture[str]) -> None:
    entry = tell()
    refused = answered(capsys, "erase", ELENA, "--yes", status=2)
    assert (refused["error"]["code"], left(entry)) == ("audit_erasure_unnamed", ())

    said = run(capsys, "erase", ELENA, "--yes", "--why", "Art. 17, request 9.")

    assert "Erased: 2 values of 1 subject." in said
    assert left(entry) == ("after.value", "why")
    [told] = audit.entries(database.connection(), action=Action.SUBJECT_ERASED, opened=True)
    assert (told.object_type, told.object_id, told.why) == ("customer", "cus_1", "Art. 17, request 9.")
    assert "erased before" in run(capsys, "erase", ELENA, "--dry-run")


@pytest.mark.parametrize(("typed", "erased"), [("erase", True), ("Erase", False), ("yes", False), ("", False)])
def test_somebody_at_a_terminal_types_the_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str, *, erased: bool
) -> None:
    entry = tell()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    answers = iter(["Art. 17.", typed])
    monkeypatch.setattr(typer, "prompt", lambda *_asked, **_how: next(answers))

    said = run(capsys, "erase", ELENA)

    assert ("Nothing was erased." in said, left(entry) == ()) == (not erased, not erased)


def test_a_hold_forbids_it_until_it_is_released(capsys: pytest.CaptureFixture[str]) -> None:
    tell()
    hold = answered(capsys, "holds", "place", "case 12", "--why", "Subpoena.", "--subject", ELENA)
    assert (hold["name"], hold["subject"], hold["released_at"]) == ("case 12", ELENA, None)

    refused = answered(capsys, "erase", ELENA, "--yes", "--why", "Art. 17.", status=2)

    assert refused["error"]["code"] == "audit_held"
    assert "case 12" in run(capsys, "holds", "list")
    said = run(capsys, "holds", "release", str(hold["id"]), "--why", "Settled.")
    assert f"The legal hold {hold['id']} (case 12) no longer keeps {ELENA}." in said
    assert answered(capsys, "holds", "list")["data"] == []
    assert answered(capsys, "holds", "list", "--all")["data"][0]["id"] == hold["id"]
    assert answered(capsys, "erase", ELENA, "--yes", "--why", "Art. 17.")["values"] == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["erase", "Elena"], "audit_subject_invalid"),
        (["holds", "place", "x", "--why", " "], "audit_hold_unnamed"),
        (["holds", "place", "x", "--why", "y", "--subject", "nobody"], "audit_subject_invalid"),
        (["holds", "release", "99", "--why", "y"], "audit_hold_unknown"),
    ],
)
def test_what_cannot_be_is_refused(capsys: pytest.CaptureFixture[str], words: list[str], code: str) -> None:
    assert answered(capsys, *words, status=2)["error"]["code"] == code


def test_old_months_are_shown_before_they_are_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    old = datetime(2001, 2, 3, tzinfo=UTC)
    months.ensure_partitions(now=old)
    record_many(3, at=old)
    record_many(1)
    seal_all()

    shown = run(capsys, "drop-months")
    rehearsed = answered(capsys, "drop-months", "--dry-run")
    left = database.execute("select count(*) from audit_logentry").fetchone()
    said = run(capsys, "drop-months", "--yes", "--why", "Seven years are over.")

    assert "Would be dropped: 3 entries of 2001-02." in shown
    assert "add --yes" in shown
    assert (rehearsed["months"], rehearsed["entries"], rehearsed["dry_run"]) == (["2001-02"], 3, True)
    assert left == (5,)
    assert "Dropped: 3 entries of 2001-02, and 0 values." in said
    [told] = audit.entries(database.connection(), action=Action.MONTHS_DROPPED, opened=True, livemode=True)
    assert told.why == "Seven years are over."
    assert "No month is old enough" in run(capsys, "drop-months")
    assert answered(capsys, "drop-months", "--yes")["entries"] == 0
