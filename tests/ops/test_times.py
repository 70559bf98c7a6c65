"""Moments on the command line: every option that takes one takes the same forms of it, and refuses alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.web.console import world
from tests.web.console.world import DAY, START
from trueup.kernel.time import from_unix
from trueup.ops import cli
from trueup.runtime import configuration, installation


def options(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every option that takes a moment, and the command that has it."""
    for option in command.params:
        if option.type_descriptor.annotation is datetime:
            yield path, option.opts[0]
    for name, below in getattr(command, "commands", {}).items():
        yield from options(below, (*path, name))


OPTIONS = list(options(get_command(cli.app)))


@pytest.fixture
def told(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A customer who was told of at ``START`` and a day later."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    account = world.connect()
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"))
    world.told(account, world.event("customer.updated", world.customer("cus_1", "Apex"), at=START + DAY, id="evt_2"))
    yield
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


def answered(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    assert cli.run([*arguments, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_all_options_that_take_a_moment_are_seen_here() -> None:
    named = {f"{' '.join(path)} {option}" for path, option in OPTIONS}

    assert named >= {
        "sweep --since",
        "backfill start --since",
        "replay start --from",
        "replay start --to",
        "replay start --received-from",
        "replay start --received-to",
        "customer show --as-of",
        "customer show --known-at",
        "customer history --as-of",
        "object show --as-of",
        "object show --known-at",
    }


@pytest.mark.parametrize(
    ("path", "option"), OPTIONS, ids=lambda value: value if type(value) is str else " ".join(value)
)
def test_an_option_takes_every_form_of_a_moment(
    told: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], path: tuple[str, ...], option: str
) -> None:
    known = ["cus_1"] if path[-1] in {"show", "history"} else ["acme"] if path[0] in {"sweep", "backfill"} else []
    known = [str(tmp_path / "export")] if path[-1] == "export" else known
    known = ["nobody@acme.example"] if path == ("operator", "access") else known
    counted = ["--dry-run"] if path[0] == "replay" else []

    for written in ("2026-09-21", "2026-09-21 14:01", "2026-09-21T14:01Z", "2026-09-21T14:01:00+02:00"):
        cli.run([*path, *known, option, written, *counted, "--json"])
        # The moment itself was understood: the account has no key, nothing was known then, nothing is sealed, or
        # there is nobody.
        error = json.loads(capsys.readouterr().out.splitlines()[-1]).get("error", {})
        assert error.get("code", "") in {
            "",
            "api_key_missing",
            "audit_nothing_signed",
            "operator_unknown",
            *(f"{what}_unknown_then" for what in ("customer", "object")),
        }

    refused = answered(capsys, *path, *known, option, "yesterday", *counted, status=2)
    assert refused["error"]["code"] == "time_invalid"
    assert refused["error"]["message"] == "yesterday is no time."


def test_the_beginning_counts_and_the_end_does_not(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    def events(*words: str) -> int:
        return int(answered(capsys, "replay", *words, "--dry-run")["events"])

    first, second = (from_unix(at).isoformat() for at in (START, START + DAY))

    assert events("--from", first, "--to", second) == 1
    assert events("--from", first) == 2
    assert events("--from", second) == 1
    assert events("--to", first) == 0
    # The same moment as a clock two hours ahead shows it.
    ahead = f"{from_unix(START + 7200):%Y-%m-%d %H:%M:%S}+02:00"
    assert (events("--to", ahead), events("--from", ahead, "--to", second)) == (0, 1)


@pytest.mark.parametrize(
    ("words", "option"),
    [(["replay"], "--received-from"), (["backfill"], "--since"), (["event"], "--raw")],
)
def test_the_help_of_a_group_shows_the_options_that_need_no_other_word(
    words: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*words, "--help"]) == 0

    said = capsys.readouterr().out
    assert f"Usage: trueup {words[0]} [OPTIONS] COMMAND" in said
    assert option in said
