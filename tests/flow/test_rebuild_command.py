"""``trueup rebuild`` as people and programs run it, and when it is ended at any moment."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.flow.conftest import Ask, Lived
from tests.flow.laying import lay
from tests.flow.rebuilds import SHADOWS
from tests.flow.tables import differences, stored
from tests.flow.test_rebuild import lives, tell
from tests.instance import Door, Home, eventually
from tests.ops.conftest import as_url
from trueup.accounts.types import Account
from trueup.ops import cli
from trueup.runtime import configuration, installation
from trueup.runtime.crypto import Sealer

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def settled(
    connect: Callable[..., Account],
    database: str,
    sealer: Sealer,
    lived: Lived,
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Home]:
    """An installation on the database, with a log of which all is read; what processes of it are told."""

    def fill() -> None:
        connect("lived")
        with Door(database, sealer=sealer) as door:
            tell(door, "lived", lives(lived(100)), at_once=3000)

    lay("commanded", database, fill)
    monkeypatch.setenv("DATABASE_URL", as_url(database))
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield Home(tmp_path, {"DATABASE_URL": as_url(database)})
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


@pytest.fixture
def run(settled: Home, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: its exit status and the JSON it printed."""
    del settled

    def ran(*options: str) -> tuple[int, Any]:
        capsys.readouterr()
        status = cli.run(["rebuild", *options, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return ran


def test_without_a_terminal_it_shows_and_with_yes_it_does(run: Run, ask: Ask) -> None:
    before = stored(ask)
    ask("update customer_customer set name = 'nobody' where name is not null returning 1")

    status, shown = run("customers", "--examples", "1")

    assert (status, shown["swapped"]) == (0, False)
    (table,) = [one for one in shown["tables"] if one["table"] == "customer_customer"]
    assert table["changed"] > 1
    assert [(field["field"], field["rows"], len(field["examples"])) for field in table["fields"]] == [
        ("name", table["changed"], 1)
    ]
    assert table["fields"][0]["examples"][0]["before"] == "nobody"
    assert ask("select distinct name from customer_customer where name is not null") == [("nobody",)]

    status, done = run("customers", "--yes")

    assert (status, done["swapped"]) == (0, True)
    assert list(islice(differences(stored(ask), before), 20)) == []


def test_people_are_told_what_would_change_and_why(settled: Home, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    del settled
    ask("update customer_customer set name = 'nobody' where id = (select max(id) from customer_customer) returning 1")

    assert cli.run(["rebuild", "customers"]) == 0

    said, more = capsys.readouterr()
    assert "customer_customer: 1 changed. It is not what the same facts and rules give" in said
    assert "name: 1 rows" in said
    assert "nobody → " in said
    assert "--yes" in more


def test_a_check_ends_with_1_where_something_is_found(run: Run, ask: Ask) -> None:
    status, found = run("--check")
    assert (status, found["found"], found["findings"]) == (0, 0, [])
    ((key,),) = ask(
        "update inbox_event set body = body || ' '::bytea where event_id = (select max(event_id) from inbox_event) "
        "returning event_id"
    )

    status, found = run("--check", "--all")

    assert (status, found["found"]) == (1, 1)
    assert [(one["table"], one["key"]) for one in found["findings"]] == [("inbox_event", key)]


def test_orphans_are_only_shown_until_somebody_agrees(run: Run, ask: Ask) -> None:
    orphan = "insert into inbox_pending (account_id, livemode, event_id, created) values (1, false, 'evt_x', now())"
    ask(f"{orphan} returning 1")

    assert run("--orphans") == (0, {"orphans": [
        {"table": "inbox_pending", "what": "an event to be read, whose event is not in the log", "rows": 1,
         "examples": ["evt_x"]}
    ], "removed": {}})  # fmt: skip
    assert ask("select count(*) from inbox_pending") == [(1,)]
    assert run("--orphans", "--yes")[1]["removed"] == {"inbox_pending": 1}
    assert run("--orphans", "--yes") == (0, {"orphans": [], "removed": {}})


def test_options_that_exclude_each_other_are_refused(run: Run) -> None:
    status, told = run("--check", "--orphans")

    assert (status, told["error"]["code"]) == (2, "rebuild_options")


@pytest.mark.parametrize(("way", "status", "left"), [(signal.SIGKILL, -9, 1), (signal.SIGINT, 130, 0)])
def test_ended_at_any_moment_it_leaves_the_live_tables_as_they_were(
    way: signal.Signals, status: int, left: int, *, settled: Home, run: Run, ask: Ask
) -> None:
    before = stored(ask)
    process: subprocess.Popen[bytes] = settled.start("trueup.ops.main", "rebuild", "--yes", "--pace", "0.05")
    eventually(lambda: ask(SHADOWS) == [(1,)], "shadow tables are made")

    process.send_signal(way)

    assert process.wait(60) == status, [said.read_text() for said in settled.root.parent.glob("*.log")]
    assert ask(SHADOWS) == [(left,)]
    assert list(islice(differences(stored(ask), before), 20)) == []
    # The server may take a moment to notice that the other is gone; until then it is refused.
    eventually(lambda: run("mirror")[0] == 0, "the next rebuild runs")
    assert ask(SHADOWS) == [(0,)]
