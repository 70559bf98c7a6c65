"""What the commands about the audit log print to people and programs, and refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trueup.audit import service as audit
from trueup.audit.types import Action, Phase
from trueup.kernel.actor import Actor, ActorKind
from trueup.ops import cli
from trueup.runtime import configuration, database, installation

ADA = Actor(kind=ActorKind.OPERATOR, id="7")
PROGRAM = Actor(kind=ActorKind.TOKEN, id="3", behind=ADA)


@pytest.fixture
def home(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder of this test's own."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield tmp_path
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


def record(**given: Any) -> int:
    """An entry in a transaction of its own."""
    fields: dict[str, Any] = {
        "by": PROGRAM,
        "action": Action.LINK_ADDED,
        "object_type": "customer",
        "object_id": "cus_1",
        "why": "Elena asked.",
        "before": {"kind": "user", "value": "[red]"},
        "after": {"kind": "user", "value": "elena@acme.example"},
    }
    with database.transaction() as connection:
        return audit.record(connection, **(fields | given))


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert cli.run(["audit", *arguments]) == status
    return capsys.readouterr().out


def answered(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    return json.loads(run(capsys, *arguments, "--json", status=status))


def openings() -> list[tuple[Any, Any, str]]:
    """What was recorded of looking at personal values: the filters, the entries and the reason."""
    found = audit.entries(database.connection(), action=Action.VALUES_OPENED, opened=True)
    return [(one.after["filters"], one.after["entries"], one.why) for one in found]


def test_a_list_without_personal_values_leaves_no_entry(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = record()

    listed = run(capsys, "list", "--object", "customer:cus_1")

    assert "token:3 (operator:7)" in listed
    assert "customer.link.added" in listed
    assert "waits" in listed
    assert "Elena" not in listed
    [told] = answered(capsys, "list", "--action", "customer.*")["data"]
    assert (told["id"], told["why"], told["hidden"]) == (entry, "", ["after.value", "before.value", "why"])
    assert openings() == []


def test_personal_values_are_shown_when_asked_for_and_that_is_on_record(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = record()

    [told] = answered(capsys, "list", "--action", "customer.*", "--open", "--why", "Complaint 12.")["data"]

    assert (told["why"], told["after"]) == ("Elena asked.", {"kind": "user", "value": "elena@acme.example"})
    assert told["hidden"] == []
    assert openings() == [({"action": "customer.*"}, [entry], "Complaint 12.")]


def test_nothing_is_shown_that_could_not_be_recorded(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record()
    database.execute("alter table audit_unsealed add constraint full_up check (entry_id < 0) not valid")

    with pytest.raises(Exception, match="full_up"):
        cli.run(["audit", "list", "--open"])

    assert "Elena" not in capsys.readouterr().out


def test_an_entry_is_shown_with_its_values_before_and_after(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = record()

    closed = run(capsys, "show", str(entry))
    opened = run(capsys, "show", str(entry), "--open")

    assert "customer.link.added: A customer was linked by hand" in closed
    assert "Behind     operator:7" in closed
    assert closed.count("(not shown)") == 2
    assert "Not shown: after.value, before.value, why." in closed
    assert "Elena" not in closed
    assert "Why        Elena asked." in opened
    [line] = [line for line in opened.splitlines() if line.startswith("value")]
    assert line.split() == ["value", "[red]", "elena@acme.example"]
    assert "Not shown" not in opened
    assert openings() == [({}, [entry], "")]


def test_what_was_erased_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = record()
    database.execute("delete from audit_subjectkey")

    shown = run(capsys, "show", str(entry), "--open")

    assert "Erased: after.value, before.value, why." in shown
    assert shown.count("(erased)") == 2


def test_an_outcome_names_what_announced_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    intent = record(phase=Phase.INTENT)
    entry = record(phase=Phase.FAILED, intent=intent, facts=["evt_1", "evt_2"])

    shown = run(capsys, "show", str(entry))

    assert "customer.link.added (failed)" in shown
    assert f"Announced  by entry {intent}" in shown
    assert "Caused by  evt_1, evt_2" in shown


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "999999"], "audit_entry_unknown"),
        (["show", "live/7"], "audit_entry_unknown"),
        (["show", "../7"], "audit_entry_unknown"),
        (["show", "9" * 30], "audit_entry_unknown"),
        (["list", "--action", "x.y.z"], "audit_action_unknown"),
        (["list", "--actor", "ghost"], "audit_actor_unknown"),
        (["list", "--after", "x"], "cursor_invalid"),
        (["list", "--since", "never"], "time_invalid"),
        (["checkpoint"], "audit_checkpoint_unknown"),
        (["checkpoint", "--mode", "test", "--size", "7"], "audit_checkpoint_unknown"),
    ],
)
def test_what_there_is_not_is_refused_with_a_hint(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: str
) -> None:
    error = answered(capsys, *words, status=2)["error"]

    assert error["code"] == code
    assert error["hint"]
