"""What the commands about objects and events print to people, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.console import world
from tests.web.console.world import DAY, START
from trueup.ops import cli
from trueup.runtime import configuration, database, installation


@pytest.fixture
def told(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A customer with a hostile name whose history has a gap and an erasure, and two objects of one id."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    world.told(
        world.connect(),
        world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"),
        world.event(
            "customer.updated",
            world.customer("cus_1", "[red]\x9b2J", "a@b.example"),
            at=START + DAY,
            id="evt_2",
            previous={"name": "Acme", "email": None},
        ),
        world.event(
            "customer.updated",
            world.customer("cus_1", "End"),
            at=START + 2 * DAY,
            id="evt_3",
            previous={"name": "Missed"},
        ),
        world.event("plan.created", {"id": "gold", "object": "plan"}),
        world.event("coupon.created", {"id": "gold", "object": "coupon"}),
    )
    yield
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(list(arguments)) == 0
    return capsys.readouterr().out


def erase(event_id: str) -> None:
    database.execute("delete from inbox_event where event_id = %(id)s", {"id": event_id})


def test_an_object_says_where_it_came_from_and_how_sure_it_is(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "object", "show", "cus_1")

    head, _brace, contents = said.partition("{")
    assert "customer cus_1" in head
    assert "acme (test mode)" in head
    assert "evt_3  customer.updated  2026-09-23 14:13" in head
    assert "gap: This is the newest version known" in head
    assert json.loads("{" + contents)["name"] == "End"


def test_an_object_is_shown_as_it_was_and_as_it_was_sent(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "object", "show", "cus_1", "--as-of", "2026-09-21T14:13:20", "--told")

    assert "certain: All events known fit together" in said
    assert json.loads("{" + said.partition("{")[2]) == world.customer("cus_1", "Acme")


def test_an_object_whose_event_was_erased_says_so(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    erase("evt_3")

    said = run(capsys, "object", "show", "cus_1")

    assert "Its body is gone from the log." in said
    assert "{" not in said


def test_versions_are_told_as_a_difference_with_their_doubts(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "object", "versions", "cus_1")

    assert said.splitlines() == [
        "2026-09-23 14:13  customer.updated  evt_3  (current)",
        "  ! Between evt_2 and this an event is missing.",
        "  email",
        '    - "a@b.example"',
        "  name",
        '    - "[red]\ufffd2J"',
        '    + "End"',
        "2026-09-22 14:13  customer.updated  evt_2",
        "  email",
        '    + "a@b.example"',
        "  name",
        '    - "Acme"',
        '    + "[red]\ufffd2J"',
        "2026-09-21 14:13  customer.created  evt_1",
        "  the first version known",
    ]


def test_versions_without_a_body_say_that_it_is_gone(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    erase("evt_2")

    said = run(capsys, "object", "versions", "cus_1")

    assert said.count("Its body is gone from the log.") == 1
    assert said.count("what changed is not known: the body of one of the two is gone") == 2


def test_long_histories_and_lists_say_how_to_go_on(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["object", "versions", "cus_1", "--limit", "1"]) == 0
    cursor = capsys.readouterr().err.split()[-1]
    assert run(capsys, "object", "versions", "cus_1", "--after", cursor).count("evt_1") == 1
    assert cli.run(["objects", "--limit", "1"]) == 0
    cursor = capsys.readouterr().err.split()[-1]
    assert run(capsys, "objects", "--after", cursor).count("cus_1") == 2


def test_the_list_names_type_id_and_verdict(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "objects", "--verdict", "gap")

    (row,) = said.splitlines()[1:]
    assert row.split() == ["acme", "customer", "cus_1", "cus_1", "gap", "evt_3"]
    assert run(capsys, "objects", "--customer", "cus_2") == "No object matches.\n"


def test_an_id_of_two_objects_is_refused_with_their_types(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["object", "show", "gold"]) == 2

    said = capsys.readouterr().err
    assert "2 objects have the id gold." in said
    assert "coupon in acme, plan in acme" in said


def test_an_event_is_shown_with_and_without_the_word_show(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "event", "show", "evt_1")

    assert shown.startswith("evt_1  customer.created  folded")
    assert run(capsys, "event", "evt_1") == shown
    assert run(capsys, "event", "--raw", "evt_1") == run(capsys, "event", "show", "evt_1", "--raw")
    assert "show" in run(capsys, "event", "--help")
