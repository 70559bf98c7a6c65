"""Every change is recorded: this walks all services and all commands, and runs each of them for real.

A function of a service, or a command, has to stand in one of the tables of ``audit_tables``. What changes state is run
and must leave exactly the entries named beside it; what only reads is run in a transaction that forbids writing; the
few that write what no one decided (partitions, queues of derived work) stand there with the reason.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psycopg
import pytest
from pytest_django import Settings
from typer.main import get_command

import trueup
from tests.architecture import audit_tables_notices, audit_tables_team
from tests.architecture.audit_tables import (
    CHANGES,
    COMMANDS,
    NO_CASES,
    PASSWORD,
    READS,
    SECRET,
    SERVING,
    UNRECORDED,
    Stage,
)
from tests.architecture.audit_tables_audit import READY
from trueup.accounts import registry
from trueup.audit import service as audit
from trueup.customer import merging
from trueup.customer.identity import service as identity
from trueup.inbox import dead_letters
from trueup.inbox import service as inbox
from trueup.kernel.actor import Actor
from trueup.ops import cli
from trueup.ops.commands import demo
from trueup.ops.demo.session import Remembered
from trueup.runtime import configuration, database, installation


def public_functions(module: ModuleType) -> list[str]:
    """The names of the functions that a module offers."""
    return [
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]


def services() -> Iterator[tuple[str, ModuleType]]:
    """Every package that has a service, at any depth, and what stands beside one."""
    for file in pkgutil.walk_packages(trueup.__path__, f"{trueup.__name__}."):
        if file.name.endswith(".service"):
            yield file.name.removeprefix("trueup.").removesuffix(".service"), importlib.import_module(file.name)
    yield "customer.merging", merging
    yield "inbox.dead_letters", dead_letters


def unknown(modules: Mapping[str, ModuleType]) -> set[str]:
    """Functions of services that stand in no table."""
    known = CHANGES.keys() | READS.keys() | UNRECORDED.keys()
    return {f"{package}.{name}" for package, module in modules.items() for name in public_functions(module)} - known


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command as it is typed."""
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path)


def recorded(doing: Callable[[], object]) -> list[str]:
    """The entries that something leaves, oldest first."""
    before = audit.entries(database.connection(), limit=1)
    newest = before[0].id if before else 0
    doing()
    found = audit.entries(database.connection(), limit=1000)
    return [entry.action for entry in reversed(found) if entry.id > newest]


@pytest.fixture
def stage(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Stage]:
    """A small world, and a home folder for commands."""
    # A hash that is dear to guess is dear to make, and each test makes one.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    # The zeros that the world's secrets are sealed with, in base64.
    monkeypatch.setenv("TRUEUP_SECRET_KEY", "A" * 43 + "=")
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield Stage()
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


def test_every_function_of_every_service_stands_in_one_table() -> None:
    found = dict(services())

    assert set(found) >= {"accounts", "audit", "customer", "inbox", "mirror", "operators"}
    assert unknown(found) == set()
    tables = [*CHANGES, *READS, *UNRECORDED]
    assert len(tables) == len(set(tables))


def test_what_the_tables_name_exists() -> None:
    offered = {f"{package}.{name}" for package, module in services() for name in public_functions(module)}

    assert {*CHANGES, *READS, *UNRECORDED} - offered == {"accounts.registry.appear"}
    assert "appear" in public_functions(registry)


def test_whoever_is_named_as_the_actor_of_a_call_changes_something() -> None:
    acting = {
        f"{package}.{name}"
        for package, module in services()
        for name in public_functions(module)
        if "by" in inspect.signature(getattr(module, name)).parameters
    }

    asking = {"operators.permissions_of", "operators.require", "operators.approvals.concerns"} | {
        *("operators.approvals.asked_by", "operators.approvals.waiting_for", "operators.viewing.active"),
        *("notices.person_of", "notices.preview"),
    }
    # It asks a provider outside: tests/operators/sso looks at its entry.
    elsewhere = {"operators.sso.refresh"}
    assert acting - {"audit.record"} - asking - elsewhere <= CHANGES.keys()
    assert len(acting) >= 9


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_change_leaves_its_entries(stage: Stage, name: str) -> None:
    scenario, expected = CHANGES[name]

    assert recorded(lambda: scenario(stage)) == expected


@pytest.mark.parametrize("name", sorted(READS))
def test_what_reads_writes_nothing(stage: Stage, name: str) -> None:
    with database.transaction() as connection:
        connection.execute("set transaction read only")
        READS[name](stage)


def test_every_command_stands_in_one_table() -> None:
    # These work on a store of their own and open no installation whose log they could write to.
    found = {name for name in commands(get_command(cli.app)) if not name.startswith(("sandbox ", "simulate"))}

    assert found == COMMANDS.keys() | SERVING.keys()
    assert not COMMANDS.keys() & SERVING.keys()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_leaves_its_entries_and_no_others(
    stage: Stage, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, expected = COMMANDS[name]
    cases = tmp_path / "cases.json"
    cases.write_bytes(NO_CASES)
    names = {
        "{second}": str(stage.second.id),
        "{token}": str(stage.token.id),
        "{person}": identity.people().data[0].id,
        "{event}": inbox.events().data[0].event_id,
        "{cases}": str(cases),
        "{replay}": str(stage.replay.id),
        "{entry}": str(audit.entries(database.connection(), limit=1)[0].id),
        "{cause}": dead_letters.groups()[0].cause,
        **audit_tables_team.names(),
        "{rule}": str(audit_tables_notices.rule().id),
        "{message}": str(audit_tables_notices.failed()),
        "{hold}": str(READY.get(name, int)()),
    }

    def run() -> None:
        status = cli.run([names.get(word, word) for word in arguments])
        assert status == 0, capsys.readouterr().err

    assert recorded(run) == expected
    found = audit.entries(database.connection(), limit=len(expected))
    assert {(entry.actor_kind, entry.request_id) for entry in found} <= {("command_line", "cli")}


def test_the_demo_records_what_it_makes(stage: Stage) -> None:
    state = Remembered(companies=1, seed=1, password=PASSWORD, webhook_secret=SECRET)
    stripe = {"api_key": "sk_test_sandbox", "api_base": "http://127.0.0.1:8001", "stripe_account_id": "acct_1"}

    assert recorded(lambda: demo._people_and_account(state, **stripe)) == [
        "operators.operator.created",
        "operators.token.created",
        "accounts.account.connected",
        "accounts.webhook_secret.added",
    ]


def test_a_function_that_nobody_put_in_a_table_is_seen() -> None:
    module = ModuleType("seeded.service")

    def drop_everything(*, by: Actor) -> None:
        """Change something."""

    drop_everything.__module__ = module.__name__
    module.drop_everything = drop_everything  # type: ignore[attr-defined]

    assert unknown({"seeded": module}) == {"seeded.drop_everything"}


def test_a_command_that_nobody_put_in_a_table_is_seen() -> None:
    leaf = SimpleNamespace()
    seeded = SimpleNamespace(commands={"token": SimpleNamespace(commands={"steal": leaf}), "up": leaf})

    assert set(commands(seeded)) - COMMANDS.keys() - SERVING.keys() == {"token steal"}


def test_a_change_without_an_entry_is_seen(stage: Stage) -> None:
    silent = "update operators_apitoken set revoked_at = now()"

    assert recorded(lambda: database.execute(silent)) == []


def test_a_read_that_writes_is_seen(stage: Stage) -> None:
    def attempt() -> None:
        with database.transaction() as connection:
            connection.execute("set transaction read only")
            database.execute("update operators_apitoken set revoked_at = now()")

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        attempt()
