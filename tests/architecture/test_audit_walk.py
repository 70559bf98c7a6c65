"""Every change is recorded: this walks all services and all commands, and runs each of them for real.

A function of a service, or a command, has to stand in one of the tables below. What changes state is run and must leave
exactly the entries named beside it; what only reads is run in a transaction that forbids writing; the few that write
what no one decided (partitions, queues of derived work) stand there with the reason.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psycopg
import pytest
from pytest_django import Settings
from typer.main import get_command

import trueup
from tests.web.console import world
from trueup.accounts import registry
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.customer import service as customers
from trueup.customer.types import Failure
from trueup.inbox import service as inbox
from trueup.kernel.actor import Actor, ActorKind
from trueup.mirror import service as mirror
from trueup.mirror.types import ObjectKey
from trueup.operators import service as operators
from trueup.operators.types import NewToken, Person, Scope
from trueup.ops import cli
from trueup.ops.commands import demo
from trueup.ops.demo.session import Remembered
from trueup.runtime import configuration, database, installation
from trueup.runtime.crypto import Sealer

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
FAILURE = Failure(
    amount=None, at=datetime(2026, 11, 1, tzinfo=UTC), object_type="charge", object_id="ch_1", code=None, reason=""
)
NO_CASES = b'{"format": "growth-metric-cases/1", "cases": []}'
PASSWORD = "correct horse battery"
SECRET = "whsec_" + "b" * 32
SEALER = Sealer(bytes(32))


class Stage:
    """What the scenarios act on: an account, customers, a person and a token."""

    def __init__(self) -> None:
        self.account: Account = world.connect()
        world.many(self.account, 2)
        self.person: Person = operators.create_operator(email="elena@acme.example", password=PASSWORD, by=BY)
        self.token: NewToken = operators.create_token(name="ci", scopes=[Scope.READ], by=BY)
        self.customer = customers.get("cus_000")
        self.key = (self.account.id, False, "cus_000")
        self.second = accounts.add_webhook_secret(slug="acme", secret=SECRET, sealer=SEALER, by=BY)


def connect(name: str = "other", **given: Any) -> Account:
    """Connect an account by its service."""
    fields: dict[str, Any] = {
        "api_key": "",
        "webhook_secrets": [],
        "livemode": None,
        "access": None,
        "api_base": None,
        "stripe_account_id": None,
    }
    return accounts.connect(name=name, sealer=SEALER, by=BY, **(fields | given))


Scenario = Callable[[Stage], object]
CUSTOMER = ObjectKey(account_id=1, livemode=False, object_type="customer", object_id="cus_000")

CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "accounts.connect": (
        lambda _: [connect(webhook_secrets=[SECRET]), connect(stripe_account_id="acct_1")],
        ["accounts.account.connected", "accounts.webhook_secret.added", "accounts.account.changed"],
    ),
    "accounts.add_webhook_secret": (
        lambda _: accounts.add_webhook_secret(slug="acme", secret=SECRET + "c", sealer=SEALER, by=BY),
        ["accounts.webhook_secret.added"],
    ),
    "accounts.retire_webhook_secret": (
        lambda stage: accounts.retire_webhook_secret(slug="acme", secret_id=stage.second.id, by=BY),
        ["accounts.webhook_secret.retired"],
    ),
    "accounts.registry.appear": (
        lambda stage: registry.appear(
            database.connection(), parent_id=stage.account.id, livemode=False, stripe_account_id="acct_2"
        ),
        ["accounts.account.appeared"],
    ),
    "operators.create_operator": (
        lambda _: operators.create_operator(email="a@b.example", password=PASSWORD, by=BY),
        ["operators.operator.created"],
    ),
    "operators.set_password": (
        lambda stage: operators.set_password(email=stage.person.email, password=PASSWORD, by=BY),
        ["operators.operator.password_set"],
    ),
    "operators.create_token": (
        lambda _: operators.create_token(name="x", scopes=[Scope.READ], by=BY),
        ["operators.token.created"],
    ),
    "operators.revoke_token": (
        lambda stage: operators.revoke_token(token_id=stage.token.id, by=BY),
        ["operators.token.revoked"],
    ),
    "operators.record_sign_in": (
        lambda stage: operators.record_sign_in(stage.person.id),
        ["operators.operator.signed_in"],
    ),
    "operators.record_sign_out": (
        lambda stage: operators.record_sign_out(stage.person.id),
        ["operators.operator.signed_out"],
    ),
    "operators.record_refused_sign_in": (
        lambda stage: operators.record_refused_sign_in(stage.person.email),
        ["operators.operator.sign_in_refused"],
    ),
    "inbox.retry_set_aside": (lambda _: inbox.retry_set_aside(by=BY), ["inbox.pending.retried"]),
    "customer.retry_set_aside": (lambda _: customers.retry_set_aside(by=BY), ["customer.folds.retried"]),
    "customer.refold": (lambda _: customers.refold(ids=["cus_000"], by=BY), ["customer.customers.refolded"]),
}
"""What changes state, and the entries it has to leave, in order."""

READS: dict[str, Scenario] = {
    "accounts.accounts": lambda _: accounts.accounts(),
    "accounts.api_key_of": lambda stage: accounts.api_key_of(stage.account, sealer=SEALER),
    "accounts.check": lambda _: accounts.check(
        name="x", api_key="", webhook_secrets=[], livemode=None, access=None, api_base=None
    ),
    "accounts.webhook_secrets": lambda _: accounts.webhook_secrets("acme"),
    "audit.entries": lambda _: audit.entries(database.connection()),
    "operators.find_operator": lambda _: operators.find_operator("elena@acme.example"),
    "operators.operator_count": lambda _: operators.operator_count(),
    "operators.tokens": lambda _: operators.tokens(),
    "inbox.bodies": lambda stage: inbox.bodies([(*stage.key, datetime.now(UTC))]),  # noqa: TID251 - any moment does
    "inbox.depth": lambda _: inbox.depth(database.connection()),
    "inbox.event": lambda _: inbox.event(inbox.events().data[0].event_id),
    "inbox.events": lambda _: inbox.events(),
    "inbox.pending_events": lambda _: inbox.pending_events([]),
    "inbox.quarantined": lambda _: inbox.quarantined(),
    "inbox.quarantined_body": lambda _: [inbox.quarantined_body(row.id) for row in inbox.quarantined().data],
    "inbox.stats": lambda _: inbox.stats(),
    "mirror.depth": lambda _: mirror.depth(database.connection()),
    "mirror.history": lambda stage: mirror.history(stage.key, before=(2**62, ""), only=["customer.created"], limit=5),
    "mirror.event_types": lambda _: mirror.event_types([(CUSTOMER, 0, "evt_1")]),
    "mirror.last_events": lambda stage: mirror.last_events([stage.key]),
    "mirror.objects": lambda _: mirror.objects([]),
    "mirror.objects_at": lambda stage: mirror.objects_at(customers=[stage.key], types=["customer"], at=2**31),
    "mirror.objects_of": lambda stage: mirror.objects_of([stage.key], ["customer"]),
    "customer.contact": lambda _: customers.contact("cus_000"),
    "customer.counts": lambda _: customers.counts(),
    "customer.failure_told": lambda _: customers.failure_told(FAILURE),
    "customer.folding": lambda _: customers.folding(),
    "customer.get": lambda _: customers.get("cus_000"),
    "customer.get_at": lambda _: customers.get_at("cus_000", at=datetime.now(UTC)),  # noqa: TID251 - any moment does
    "customer.metric_cases": lambda _: customers.metric_cases(NO_CASES),
    "customer.names": lambda stage: customers.names([stage.key]),
    "customer.price_names": lambda _: customers.price_names(customers.get("cus_000")),
    "customer.search": lambda _: customers.search(),
    "customer.timeline": lambda _: customers.timeline("cus_000"),
    "customer.why": lambda _: customers.why("cus_000", "stage"),
}
"""What only reads; it is run where writing is forbidden."""

UNRECORDED = {
    "accounts.check_key": "Plants the canary of a key that the operator set; nothing is decided here.",
    "audit.record": "Is the record.",
    "customer.mark_outdated": "Queues derived state to be computed again; the rule that changed it is in the release.",
    "inbox.ensure_partitions": "Makes room by the calendar.",
    "mirror.mark_changed": "Queues derived state; what the caller changed is the caller's to record.",
    "operators.authenticate": "Notes when a token was last used, once a minute; reads through it are not changes.",
    "operators.begin_sign_in": "Counts attempts for minutes; how the attempt ends is recorded.",
}
"""What writes and is not recorded, and why."""

COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "connect": (["connect", "--name", "other"], ["accounts.account.connected"]),
    "secrets add": (["secrets", "add", "acme", "--secret", SECRET + "c"], ["accounts.webhook_secret.added"]),
    "secrets retire": (["secrets", "retire", "acme", "{second}"], ["accounts.webhook_secret.retired"]),
    "operator create": (
        ["operator", "create", "a@b.example", "--password", PASSWORD],
        ["operators.operator.created"],
    ),
    "operator password": (
        ["operator", "password", "elena@acme.example", "--password", PASSWORD],
        ["operators.operator.password_set"],
    ),
    "token create": (["token", "create", "--name", "x"], ["operators.token.created"]),
    "token revoke": (["token", "revoke", "{token}"], ["operators.token.revoked"]),
    "retry": (["retry"], ["inbox.pending.retried", "customer.folds.retried"]),
    "customer refold": (["customer", "refold", "cus_000"], ["customer.customers.refolded"]),
    "accounts": (["accounts"], []),
    "customers": (["customers"], []),
    "customer contact": (["customer", "contact", "cus_000"], []),
    "customer show": (["customer", "show", "cus_000"], []),
    "customer timeline": (["customer", "timeline", "cus_000"], []),
    "customer why": (["customer", "why", "cus_000", "stage"], []),
    "events": (["events"], []),
    "event": (["event", "{event}"], []),
    "status": (["status"], []),
    "secrets list": (["secrets", "list", "acme"], []),
    "token list": (["token", "list"], []),
    "migrate": (["migrate"], []),
    "metrics case": (["metrics", "case", "{cases}"], []),
    "views list": (["views", "list"], []),
    "views sql": (["views", "sql", "customers"], []),
}
"""Commands as they are typed, and the entries each has to leave; those that read leave none."""

SERVING = {
    "up": "Serves; what is changed through it is changed by services.",
    "web": "Serves; see up.",
    "intake": "Serves; stores what is signed, and accounts.registry.appear records what appears.",
    "worker": "Derives; see up.",
    "demo": "Makes its person, token and account by services; run in a test of its own below.",
}
"""Commands that do not end, and where what they change is recorded."""


def public_functions(module: ModuleType) -> list[str]:
    """The names of the functions that a module offers."""
    return [
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]


def services() -> Iterator[tuple[str, ModuleType]]:
    """Every package that has a service."""
    for package in pkgutil.iter_modules(trueup.__path__):
        name = f"{trueup.__name__}.{package.name}"
        if any(file.name == "service" for file in pkgutil.iter_modules(importlib.import_module(name).__path__)):
            yield package.name, importlib.import_module(f"{name}.service")


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

    assert acting - {"audit.record"} <= CHANGES.keys()
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
    found = set(commands(get_command(cli.app)))

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
        "{event}": inbox.events().data[0].event_id,
        "{cases}": str(cases),
    }

    def run() -> None:
        status = cli.run([names.get(word, word) for word in arguments])
        assert status == 0, capsys.readouterr().err

    assert recorded(run) == expected
    found = audit.entries(database.connection(), limit=len(expected))
    assert {(entry.actor_kind, entry.request_id) for entry in found} <= {("command_line", "cli")}


def test_the_demo_records_what_it_makes(stage: Stage) -> None:
    state = Remembered(
        now=datetime(2026, 11, 20, tzinfo=UTC), companies=1, seed=1, password=PASSWORD, webhook_secret=SECRET
    )

    assert recorded(lambda: demo._people_and_account(state)) == [
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
