"""The runbooks: every command that one names exists, takes what it is given, and every page is found from the index."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from trueup.ops import cli

TRUEUP = get_command(cli.app)
LONGEST_PAGE = 100
NAMES = {
    *("intake-down", "database-down", "dead-endpoint", "drift", "poison-event"),
    *("replay", "rebuild", "secret-rotation", "restore"),
}
CODE = re.compile(r"^```[a-z]*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+\.md)[^)]*\)")


def pages(repository: Path) -> list[Path]:
    """All runbooks, with their index."""
    return sorted((repository / "docs" / "runbooks").glob("*.md"))


def commands(text: str) -> Iterator[str]:
    """Every ``trueup`` command of a page, in its blocks and in its sentences, without comments."""
    for block, inline in CODE.findall(text):
        for line in (block or inline).splitlines():
            words = line.partition("   #")[0].partition(" # ")[0].strip()
            if words.startswith("trueup "):
                yield words


def wrong(line: str) -> str:
    """What is wrong with a command as it is typed; empty when it would run."""
    # Square brackets are what may be left out, an ellipsis is what a person fills in.
    words = shlex.split(re.sub(r"\[[^]]*\]", "", line).replace("…", "x"))[1:]
    try:
        _parsed(TRUEUP, words)
    except Exception as error:
        # Typer's own errors of usage know how to show themselves.
        if not hasattr(error, "show"):
            raise
        return f"{line}: {error}"
    return ""


def _parsed(command: Any, words: list[str]) -> None:
    context = command.make_context("trueup", words)
    rest = [*getattr(context, "_protected_args", ()), *context.args]
    if hasattr(command, "resolve_command") and rest:
        _name, below, after = command.resolve_command(context, rest)
        _parsed(below, after)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("trueup conjure", "No such command"),
        ("trueup backup --keep none", "none"),
        ("trueup restore latest --everything", "No such option"),
        ("trueup restore latest --dry-run", ""),
        ("trueup secrets retire acme 3", ""),
        ("trueup replay --object sub_1ABC --dry-run", ""),
    ],
)
def test_a_command_that_would_not_run_is_seen(line: str, said: str) -> None:
    assert (said in wrong(line)) if said else wrong(line) == ""


def test_every_command_that_a_runbook_names_exists(repository: Path) -> None:
    named = [(page.name, line) for page in pages(repository) for line in commands(page.read_text(encoding="utf-8"))]

    problems = [(name, found) for name, line in named if (found := wrong(line))]

    assert problems == []
    assert len(named) > 50


def test_every_runbook_is_there_short_and_in_the_index(repository: Path) -> None:
    folder = repository / "docs" / "runbooks"
    index = (folder / "README.md").read_text(encoding="utf-8")

    assert {page.stem for page in pages(repository)} >= NAMES | {"README"}
    assert {page.name for page in pages(repository)} - {"README.md"} == {
        link for link in LINK.findall(index) if "/" not in link
    }
    assert [page.name for page in pages(repository) if len(page.read_text("utf-8").splitlines()) > LONGEST_PAGE] == []


def test_every_link_of_a_runbook_leads_somewhere(repository: Path) -> None:
    links = [(page, link) for page in pages(repository) for link in LINK.findall(page.read_text(encoding="utf-8"))]

    assert [(page.name, link) for page, link in links if not (page.parent / link).is_file()] == []
