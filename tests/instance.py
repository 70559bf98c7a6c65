"""Real installations for tests: events posted as Stripe does, an intake behind a socket, processes on a database."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
import uvicorn
from django.core.management import call_command
from django.db import connection as django_connection
from django.db import connections
from psycopg.conninfo import make_conninfo

from trueup.audit import months
from trueup.config.intake import Application
from trueup.config.serving import configured
from trueup.inbox import service as inbox
from trueup.inbox.intake.app import Intake
from trueup.inbox.intake.protocol import protocol
from trueup.kernel.actor import system
from trueup.runtime import clock
from trueup.runtime.crypto import Sealer

SOURCES = Path(__file__).resolve().parents[1] / "src"
SECRET = "whsec_" + "7" * 32
TABLES = (
    "inbox_sweep inbox_alarm inbox_pastalarm inbox_discarded mirror_replay mirror_replayevent mirror_fetch inbox_event "
    "inbox_pending inbox_awaitingfetch inbox_quarantined mirror_object mirror_version mirror_about mirror_backfillrun "
    "mirror_backfillspan mirror_drift mirror_reconcilerun mirror_reconcileseen mirror_changed customer_customer "
    "customer_turn notices_item notices_delivery notices_change notices_seen notices_rule customer_moved "
    "customer_lookup customer_merged customer_trait customer_dismissal customer_owner customer_note customer_view "
    "accounts_account accounts_webhooksecret accounts_revision accounts_canary accounts_budget audit_entry "
    "audit_pending audit_logentry audit_unsealed audit_disclosure audit_subjectkey audit_leaf audit_tile "
    "audit_checkpoint audit_signingkey audit_cosignature audit_anchor audit_sink audit_minimum audit_erasure "
    "audit_hold audit_verification audit_check audit_look"
).split()

TESTER = system("test")

Json = dict[str, Any]


def eventually(question: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Ask until the answer is true; fail with the words ``what`` when it is not in time."""
    end = time.monotonic() + seconds
    while not question():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.02)


# --- events ----------------------------------------------------------------------------------------------------------


def event(kind: str, about: Json, *, at: int = 1_790_000_000, id: str = "", **fields: Any) -> Json:  # noqa: A002
    """A snapshot event about one object, in Stripe's envelope; ``fields`` are put beside or over the envelope's."""
    named = json.dumps([kind, about, at], sort_keys=True, default=str)
    return {
        "id": id or f"evt_{hashlib.sha256(named.encode()).hexdigest()[:24]}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": at,
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": None,
        "type": kind,
    } | fields


def customer(id: str = "cus_1", **fields: Any) -> Json:  # noqa: A002 - the field's name
    """A customer as Stripe tells of one, as far as anybody here reads it."""
    return {
        "id": id,
        "object": "customer",
        "name": "Acme",
        "email": "ada@acme.example",
        "created": 1_700_000_000,
    } | fields


def encoded(told: Json) -> bytes:
    """An event as Stripe writes it: indented by two."""
    return json.dumps(told, indent=2).encode()


def signed(body: bytes, secret: str = SECRET, *, at: int | None = None) -> str:
    """The value of ``Stripe-Signature``, made now unless told otherwise."""
    stamp = clock.unix() if at is None else at
    return f"t={stamp},v1={hmac.new(secret.encode(), b'%d.' % stamp + body, hashlib.sha256).hexdigest()}"


# --- HTTP ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.json["error"]["code"])


def request(
    port: int,
    path: str,
    body: bytes | Iterable[bytes] = b"",
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request over a connection of its own; a body in parts is sent chunked."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.connect()
        # A server may answer and close before it has read a body that it refuses for its size.
        with suppress(ConnectionError):
            connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.read(), {name.lower(): value for name, value in response.getheaders()})


def post_all(
    port: int,
    path: str,
    bodies: Sequence[bytes],
    *,
    connections: int = 16,
    secret: str = SECRET,
    headers: Mapping[str, str] | None = None,
) -> list[Answer]:
    """Post bodies over kept connections, each signed when it is sent; the answers in the bodies' order."""
    extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    answers: list[Answer] = [Answer(0, b"")] * len(bodies)
    numbers = iter(range(len(bodies)))

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for number in numbers:
                writer.write(head(path, bodies[number], secret, extra) + bodies[number])
                answers[number] = await answer(reader)
        finally:  # A connection left to the garbage collector fails whichever test runs then.
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def all_work() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(connections, len(bodies))):
                group.create_task(work())

    asyncio.run(all_work())
    return answers


def head(path: str, body: bytes, secret: str = SECRET, extra: str = "") -> bytes:
    """The head of a signed request."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nStripe-Signature: {signed(body, secret)}\r\n"
        f"Content-Type: application/json; charset=utf-8\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    ).encode()


async def answer(reader: asyncio.StreamReader) -> Answer:
    """Read one answer; ``EOFError`` when the other side went away."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(lines[0].split(" ")[1]), body, headers)


# --- an intake in this process ---------------------------------------------------------------------------------------


class Door:
    """The real intake behind a real socket, served from a thread."""

    def __init__(
        self,
        conninfo: str,
        *,
        sealer: Sealer,
        trusted_proxies: str = "",
        path: str = "",
        mounted: bool = False,
        tls: tuple[str, str] = ("", ""),
    ) -> None:
        self.intake = Intake(conninfo=conninfo, sealer=sealer, trusted_proxies=trusted_proxies)
        self.path = path
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        # As `trueup intake` serves it, or as it is mounted by `trueup up`: an ASGI application like any other.
        config = configured(
            Application(self.intake),
            tls_cert=tls[0],
            tls_key=tls[1],
            protocol=None if mounted else protocol(self.intake),
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, name="door")

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self._server.started, "the intake listens")
        return self

    def __exit__(self, *raised: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._socket.close()
        assert not self._thread.is_alive()

    def post(
        self,
        told: Json | bytes,
        *,
        secret: str = SECRET,
        path: str = "",
        at: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Post one event, signed."""
        body = told if isinstance(told, bytes) else encoded(told)
        return request(
            self.port,
            path or self.path,
            body,
            headers={"Stripe-Signature": signed(body, secret, at=at), **(headers or {})},
        )

    def post_all(self, bodies: Sequence[bytes], *, connections: int = 16) -> list[Answer]:
        """Post many, signed."""
        return post_all(self.port, self.path, bodies, connections=connections)


# --- databases -------------------------------------------------------------------------------------------------------


def conninfo() -> str:
    """The address of the database that Django works in at the moment."""
    return make_conninfo(os.environ["DATABASE_URL"], dbname=str(django_connection.settings_dict["NAME"]))


@contextmanager
def own_database(name: str) -> Iterator[str]:
    """A migrated database beside the tests' own, in which everybody commits; dropped at the end.

    Its name says whose it is: the tests of one module may run in two processes, and each would drop the other's.
    """
    if str(os.getpid()) not in name:
        message = f"the name {name!r} lacks the process's number, so that another may use the same database"
        raise ValueError(message)
    settings = django_connection.settings_dict
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f'drop database if exists "{name}" with (force)'.encode())
        server.execute(f'create database "{name}"'.encode())
    address = make_conninfo(os.environ["DATABASE_URL"], dbname=name)
    with in_database(name):
        call_command("migrate", interactive=False, verbosity=0)
        inbox.ensure_partitions()
        months.ensure_partitions()
    assert settings["NAME"] != name
    yield address
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f'drop database "{name}" with (force)'.encode())


@contextmanager
def in_database(name: str) -> Iterator[None]:
    """Let Django's connections, of every thread, work in another database of the same server."""
    settings = django_connection.settings_dict
    before = settings["NAME"]
    connections.close_all()
    settings["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        settings["NAME"] = before


def wipe(address: str) -> None:
    """Empty our tables; the triggers that keep the audit log append-only are off for this transaction alone."""
    with psycopg.connect(address) as connection:
        connection.execute("set local session_replication_role = replica")
        connection.execute(";".join(f"delete from {table}" for table in TABLES).encode())


@contextmanager
def rows(address: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """A way to ask the database, beside everybody else."""
    with psycopg.connect(address, autocommit=True) as connection:
        yield lambda statement, *values: connection.execute(statement.encode(), values or None).fetchall()


# --- processes -------------------------------------------------------------------------------------------------------


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent to look does not."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return told.rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def children(pid: int) -> dict[str, int]:
    """The processes that a process started, by their module's last name."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with suppress(OSError, IndexError):
            parent = int((entry / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if parent == pid and "-m" in words:
                found[words[words.index("-m") + 1].rpartition(".")[2]] = int(entry.name)
    return found


@dataclass
class Home:
    """An installation in a folder of its own, run by real processes."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environ(self, **more: str) -> dict[str, str]:
        """What its processes are told."""
        base = {
            name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
        }
        base = {name: value for name, value in base.items() if not name.startswith(("TRUEUP_", "PYTEST", "COV"))}
        paths = {"PYTHONPATH": str(SOURCES), "TRUEUP_HOME": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        # A test that compares with Stripe says so: the hour at which it runs is not to do it.
        return base | paths | {"TRUEUP_RECONCILE_HOUR": "-1"} | self.environment | more

    def trueup(self, *arguments: str, **more: str) -> str:
        """Run one command to its end; its output."""
        ended = subprocess.run(
            [sys.executable, "-m", "trueup.ops.main", *arguments],
            env=self.environ(**more),
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )
        assert ended.returncode == 0, f"{arguments} ended with {ended.returncode}: {ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def start(self, *arguments: str, log: str = "", **more: str) -> subprocess.Popen[bytes]:
        """Start ``python -m`` with these words in a session of its own; what it says goes to a file beside the home."""
        with (self.root.parent / f"{log or arguments[-1]}.log").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env=self.environ(**more),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def end(self) -> None:
        """Kill what still runs of what was started here."""
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
