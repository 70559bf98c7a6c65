"""Merging on the command line: what would be is shown first, and nothing is done that nobody confirmed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.console import world
from trueup.customer import service as customers
from trueup.ops import cli
from trueup.runtime import configuration, installation

Caught = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home folder of this test's own, and three customers."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    world.many(world.connect(), 3)
    yield
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


def total() -> int | None:
    return customers.search().total


@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--dry-run", "--yes"], ["--json"], ["--json", "--dry-run"]])
def test_without_a_confirmation_a_merge_is_only_shown(more: list[str], capsys: Caught) -> None:
    assert cli.run(["customer", "merge", "cus_000", "cus_001", *more]) == 0

    said = capsys.readouterr().out
    assert "cus_000" in said
    assert "✓" not in said
    assert total() == 3


def test_a_merge_shows_before_and_after_and_a_split_undoes_it(capsys: Caught) -> None:
    before = customers.get("cus_001").state

    assert cli.run(["customer", "merge", "cus_000", "cus_001", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "Before" in said
    assert "cus_000 cus_001" in said
    assert "20.01 USD" in said
    assert total() == 2

    assert cli.run(["customer", "merge", "cus_000", "cus_001", "--yes"]) == 0
    assert "Everything is so already." in capsys.readouterr().out
    assert cli.run(["customer", "split", "cus_000", "--yes"]) == 0
    assert "✓ Done." in capsys.readouterr().out
    assert customers.get("cus_001").state == before


def test_programs_get_the_same_object_for_the_preview_and_for_what_was_done(capsys: Caught) -> None:
    def run(*arguments: str) -> Any:
        assert cli.run(["customer", *arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    preview = run("merge", "cus_000", "cus_001")
    done = run("merge", "cus_000", "cus_001", "--yes")

    assert (preview["done"], done["done"]) == (False, True)
    assert {**preview, "done": True} == done
    apart = run("split", "cus_000", "cus_001", "--yes")
    assert (apart["action"], len(apart["after"])) == ("split", 2)


def test_links_people_and_duplicates_are_shown_to_people(capsys: Caught) -> None:
    for arguments, says in (
        (["link", "cus_000", "crm", "77", "--system", "hubspot"], "cus_000 is linked to crm 77."),
        (["links", "cus_000"], "crm:hubspot"),
        (["link", "cus_001", "crm", "77", "--system", "hubspot"], "✓"),
        (["duplicates"], "Both are the same record in the CRM."),
        (["dismiss", "cus_000", "cus_001"], "will not be suggested as one"),
        (["duplicates"], "No two customers look like one."),
        (["dismiss", "cus_000", "cus_001", "--undo"], "may be suggested again"),
        (["unlink", "cus_000", "crm", "77", "--system", "hubspot"], "any more"),
        (["people", "--customer", "cus_000"], "Company 000 (active)"),
        (["people", "--limit", "1"], "tp_"),
        (["violations"], "No customer breaks a rule."),
    ):
        assert cli.run(["customer", *arguments]) == 0
        assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["merge", "cus_000", "cus_000", "--yes"], "merge_itself"),
        (["merge", "cus_000", "cus_x", "--yes"], "customer_unknown"),
        (["split", "cus_000", "cus_000"], "split_leader"),
        (["link", "cus_000", "crm", "1"], "link_invalid"),
        (["unlink", "cus_000", "user", "1"], "link_unknown"),
        (["dismiss", "cus_000", "cus_000"], "duplicate_itself"),
        (["people", "--after", "x"], "cursor_invalid"),
    ],
)
def test_refusals_have_their_codes(arguments: list[str], code: str, capsys: Caught) -> None:
    assert cli.run(["customer", *arguments, "--json"]) == 2

    assert json.loads(capsys.readouterr().out)["error"]["code"] == code
