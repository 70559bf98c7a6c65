"""The command line: help for everything, tables that show what others wrote without obeying it, JSON for programs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.main import get_command

from tests.ops.conftest import Installation, Make
from tests.web.console import world
from trueup.kernel.errors import Refused
from trueup.ops import cli, main, output
from trueup.runtime import configuration, database, installation
from trueup.sandbox import start


def every(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and every group, as it is typed."""
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from every(below, (*path, name))


COMMANDS = list(every(get_command(cli.app)))


@pytest.fixture
def home(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder of this test's own, for commands that run in this process."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield tmp_path
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(words: tuple[str, ...], option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*words, option]) == 0

    said = capsys.readouterr().out
    assert f"Usage: trueup{''.join(f' {word}' for word in words)}" in said
    # The sentence between the usage line and the first table: a command without one explains nothing.
    assert re.search(r"\n\s+[A-Z][^╭]{10,}\.\s", said), said


def test_help_and_version_need_no_database_and_make_nothing(tmp_path: Path) -> None:
    offline = Installation(home=tmp_path / "home", database="postgresql://127.0.0.1:1/x")

    version = offline.run("--version")
    assert (version.status, version.out) == (0, f"trueup {metadata.version('trueup')}\n")
    assert offline.run("connect", "--help").status == 0
    assert offline.run().status in {0, 2}
    assert not offline.home.exists()


def test_a_command_that_ends_says_its_answer_and_no_more_where_both_outputs_are_one_pipe(fresh: Installation) -> None:
    first, listed, asked = (
        fresh.run("connect", "--name", "acme", "--json"),
        fresh.run("accounts", "--json"),
        fresh.run("accounts", "--json", TRUEUP_LOG_LEVEL="debug"),
    )

    # The first one makes all tables, which is worth a line to whoever asks for one.
    assert [ended.err for ended in (first, listed)] == ["", ""]
    assert listed.json == asked.json == [first.json["account"]]


def test_an_alarm_that_a_command_raises_is_said_in_words_alone(fresh: Installation) -> None:
    with start() as sandbox:
        fresh.run(
            "connect", "--name", "acme", "--api-key", sandbox.api_key, "--api-base", sandbox.base_url, "--offline"
        )
        swept = fresh.run("sweep", "--json")
        asked = fresh.run("sweep", "--json", TRUEUP_LOG_LEVEL="info")

    assert [alarm["code"] for alarm in swept.json["alarms"]] == ["endpoint_missing"]
    assert swept.err == ""
    assert asked.status == 0


def test_whoever_sets_the_level_and_whatever_lasts_gets_the_log(fresh: Installation, empty_database: Make) -> None:
    asked = fresh.run("migrate", TRUEUP_LOG_LEVEL="info")
    fresh.database = empty_database()
    lasting = fresh.start("worker")
    lines = iter(lasting.stderr or ())

    assert json.loads(asked.err)["event"] == "schema.migrating"
    assert json.loads(next(lines))["event"] == "schema.migrating"
    lasting.terminate()
    lasting.communicate(timeout=60)


def test_an_account_is_connected_listed_and_given_secrets(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> Any:
        assert cli.run([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    made = run("connect", "--name", "Acme", "--webhook-secret", "whsec_12345678", "--webhook-secret", "whsec_abcdefgh")
    assert made["webhook_url"] == "http://127.0.0.1:8000/webhooks/stripe/acme"
    assert made["account"]["slug"] == "acme"
    assert run("accounts") == [made["account"]]
    assert [secret["hint"] for secret in run("secrets", "list", "acme")] == ["efgh", "5678"]
    added = run("secrets", "add", "acme", "--secret", "whsec_newone99")
    assert cli.run(["secrets", "retire", "acme", str(added["id"])]) == 0
    capsys.readouterr()
    assert [secret["hint"] for secret in run("secrets", "list", "acme")] == ["efgh", "5678"]


def test_a_token_is_made_listed_and_revoked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        cli.run(["token", "create", "--name", "ci", "--scope", "read", "--scope", "write", "--days", "7", "--json"])
        == 0
    )
    made = json.loads(capsys.readouterr().out)

    assert set(made) == {"id", "name", "token", "scopes", "expires_at", "former_until"}
    assert made["scopes"] == ["read", "write"]
    assert cli.run(["token", "list"]) == 0
    shown = capsys.readouterr().out
    assert made["token"][:10] in shown
    assert made["token"] not in shown
    assert cli.run(["token", "revoke", str(made["id"])]) == 0
    assert cli.run(["token", "revoke", str(made["id"]), "--json"]) == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["connect", "--name", "x", "--api-key", "pk_test_1234", "--json"], "api_key_invalid"),
        (["connect", "--name", "[/red]", "--webhook-secret", "nonsense", "--json"], "webhook_secret_invalid"),
        (["connect", "--name", "[/]", "--json"], "account_name_invalid"),
        (["connect", "--name", "x", "--access", "act", "--json"], "api_key_missing"),
        (["secrets", "list", "nobody", "--json"], "account_unknown"),
        (["events", "--state", "lost", "--json"], "state_unknown"),
        (["customer", "refold", "cus_none", "--json"], "customer_unknown"),
    ],
)
def test_a_refusal_is_told_to_people_and_to_programs(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    assert cli.run(arguments) == 2

    said = capsys.readouterr()
    error = json.loads(said.out)["error"]
    assert set(error) == {"code", "message", "hint"}
    assert error["code"] == code
    assert error["message"] in said.err
    assert f"({code})" in said.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fly", "--json"], "No such command"),
        (["accounts", "--colour", "--json"], "No such option"),
        (["customers", "--limit", "0", "--json"], "limit"),
        (["customers", "--stage", "happy", "--json"], "stage"),
        (["connect", "--json"], "name"),
        (["connect", "--name", "x", "--access", "all", "--json"], "access"),
        (["event", "--json"], "EVENT_ID"),
    ],
)
def test_words_that_make_no_command_are_refused(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert cli.run(arguments) == 2

    said = capsys.readouterr()
    error = json.loads(said.out)["error"]
    assert error["code"] == "usage"
    assert says.lower() in (error["message"] + said.err).lower()


def test_names_that_look_like_markup_or_drive_a_terminal_are_shown_and_not_obeyed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "[red]Zoë[/] \x1b[2J\x9b31m\x07 [/nothing]"
    account = world.connect()
    world.told(account, world.event("customer.created", world.customer("cus_1", hostile), id="evt_1"))

    for arguments in (["customers"], ["customer", "show", "cus_1"], ["customer", "history", "cus_1"]):
        assert cli.run(arguments) == 0
        shown = capsys.readouterr().out
        assert "[red]Zoë[/]" in shown
        assert "\x1b[2J" not in shown
        assert "\x9b" not in shown
        assert "\x07" not in shown


def test_a_token_with_a_name_like_markup_is_revoked_and_said_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["token", "create", "--name", "[/x]", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)

    assert cli.run(["token", "revoke", str(made["id"])]) == 0

    assert "[/x] is revoked." in capsys.readouterr().out


def test_events_are_listed_with_what_brought_them_and_errors_where_there_are_any(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "out", Console(highlight=False, width=120))
    account, about = world.connect(), world.customer("cus_TL5nbXkKCQzwm4", "Ada")
    world.told(account, world.event("customer.subscription.updated", about | {"id": "sub_1Pgc6I2eZvKYlo2CwMYzzzzz"}))

    def listed() -> list[str]:
        assert cli.run(["events"]) == 0
        return capsys.readouterr().out.splitlines()

    well = listed()
    database.execute(
        "insert into inbox_pending (account_id, livemode, event_id, created, attempts, last_error,"
        " set_aside_at) select account_id, livemode, event_id, created, 8, 'odd: It is odd.', now() from inbox_event"
    )

    assert [line.split() for line in well[:1]] == [["Received", "Source", "Event", "Type", "Object", "State"]]
    assert well[1].split()[2] == "webhook"
    assert len(well) == 2, "Ids of Stripe's length fit on one line of 120 columns."
    assert listed()[0].split()[-1] == "Error"


def test_an_events_bytes_are_written_as_they_are(home: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    body = b' {"id": "evt_raw", "type": "ping", "created": 1790000000,  "livemode": false, "data": {"object": {}}}\n'
    world.told(world.connect(), body, drain=False)

    assert cli.run(["event", "evt_raw", "--raw"]) == 0

    assert capfdbinary.readouterr().out == body


def test_a_lost_database_in_the_middle_is_told_as_such(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/x")
    configuration.current.cache_clear()

    assert cli.run(["accounts", "--json"]) == 1

    assert json.loads(capsys.readouterr().out)["error"]["code"] == "database_unavailable"


@pytest.mark.parametrize(
    ("arguments", "port"),
    [
        (["up", "--port", "9001"], "9001"),
        (["web", "--port=9002"], "9002"),
        (["up", "--port=", "9003"], ""),
        (["up", "--port"], ""),
        (["connect", "--name", "--port", "9004"], "unset"),
        (["customers", "--port", "9005"], "unset"),
    ],
)
def test_options_that_are_settings_are_taken_from_commands_that_serve(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], port: str
) -> None:
    monkeypatch.setenv("TRUEUP_PORT", "unset")

    main.adopt(arguments)

    assert os.environ["TRUEUP_PORT"] == port


def test_plain_text_keeps_lines_and_loses_what_drives_a_terminal() -> None:
    assert output.plain("a\tb\nc\rd\x1b[1m\x7f\x85é") == "a\tb\nc\ufffdd\ufffd[1m\ufffd\ufffdé"


def test_a_sentence_with_brackets_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.complain(Refused("[/] is [bold]no[/bold] name.", hint="Try [x]."), as_json=False) == 2

    said = capsys.readouterr().err
    assert "[/] is [bold]no[/bold] name." in said
    assert "Try [x]." in said
