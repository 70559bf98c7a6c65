"""The promise of the inbox: what was answered 200 is on disk and reaches its customer, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import psycopg
import pytest
from typing_extensions import override

from tests.flow.homes import Installed, kill
from tests.instance import Answer, alive, answer, eventually, head
from tests.ports import free_port
from trueup.runtime import clock
from trueup.runtime.postgres.cluster import Cluster

PATH = "/webhooks/stripe/acme"
SEED = 7_413
OBJECTS = 500
CONNECTIONS = 32


class Part:
    """One process that somebody outside keeps running, as a service manager does."""

    def __init__(self, home: Installed, kind: str, port: int = 0) -> None:
        self.kind = kind
        self.port = port
        self.killed = 0
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def tend(self) -> None:
        """Start it when it does not run."""
        if self._process is None or self._process.poll() is not None:
            more = {"TRUEUP_PORT": str(self.port)} if self.port else {}
            self._process = self._home.start("trueup.ops.main", self.kind, **more)

    def kill(self) -> bool:
        """SIGKILL, in whatever it is doing, also while it starts; whether there was anybody to kill."""
        pid = self._process.pid if self._process is not None else 0
        found = bool(pid) and alive(pid)
        kill(pid)
        self.killed += found
        return found

    def stop(self) -> None:
        """SIGTERM, and its end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)


class Database(Part):
    """The server's first process; its keeper starts another."""

    def __init__(self, home: Installed) -> None:
        super().__init__(home, "postgres")

    @override
    def tend(self) -> None:
        """Nothing: that is the keeper's work."""

    @override
    def kill(self) -> bool:
        """SIGKILL; its backends notice."""
        pid = self._home.postmaster()
        kill(pid)
        self.killed += bool(pid)
        return bool(pid)


class Load:
    """Posts events as Stripe does: what is not answered 200 comes again."""

    def __init__(self, bodies: list[bytes], ports: list[int]) -> None:
        self.answered = 0
        self.tries = 0
        self._bodies = bodies
        self._ports = ports

    def run(self) -> None:
        """Send all."""
        asyncio.run(self._all())

    async def _all(self) -> None:
        numbers = iter(range(len(self._bodies)))
        async with asyncio.TaskGroup() as group:
            for first in range(CONNECTIONS):
                group.create_task(
                    self._work(numbers, itertools.cycle(self._ports[first % 2 :] + self._ports[: first % 2]))
                )

    async def _work(self, numbers: Iterator[int], ports: Iterator[int]) -> None:
        port, streams = next(ports), None
        for number in numbers:
            body = self._bodies[number]
            while True:
                self.tries += 1
                got = Answer(0, b"")
                try:
                    async with asyncio.timeout(20):
                        streams = streams or await asyncio.open_connection("127.0.0.1", port)
                        streams[1].write(head(PATH, body) + body)
                        got = await answer(streams[0])
                except (OSError, EOFError, TimeoutError):
                    if streams is not None:
                        streams[1].close()
                    # Stripe's balancer sends the next attempt elsewhere.
                    port, streams = next(ports), None
                if got.status == 200:
                    self.answered += 1
                    break
                await asyncio.sleep(0.1)
        if streams is not None:
            streams[1].close()
            await streams[1].wait_closed()


@pytest.fixture(scope="session")
def loadgen(shared: Path) -> ModuleType:
    """The load generator that the benchmarks use."""
    path = shared / "bench" / "loadgen.py"
    if not path.exists():
        pytest.skip(f"There is no load generator at {path}.")
    specification = importlib.util.spec_from_file_location("loadgen", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def bodies_of(loadgen: ModuleType, shared: Path, count: int) -> list[bytes]:
    """An hour of events about customers, subscriptions and invoices; the last about each is its newest."""
    templates = [path.read_bytes() for path in sorted((shared / "bench" / "payloads").glob("*.json"))]
    start = clock.unix() - 3600
    # The pool's size and the number of templates share no factor, so that every object meets every template.
    return [
        loadgen.fill(
            templates[number % len(templates)],
            number,
            OBJECTS,
            start + number * 3600 // count,
            templates=len(templates),
        )
        for number in range(count)
    ]


@contextmanager
def tended(parts: list[Part]) -> Iterator[None]:
    """Keep the parts running, from a thread."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.1):
            for part in parts:
                part.tend()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        for part in parts:
            part.stop()


def newest(bodies: list[bytes]) -> dict[tuple[str, str], dict[str, Any]]:
    """The newest event about each object: they were made in order."""
    found = {}
    for body in bodies:
        event = orjson.loads(body)
        about = event["data"]["object"]
        found[about["object"], about["id"]] = event
    return found


def patiently(url: str, statement: str) -> Callable[[], list[tuple[Any, ...]]]:
    """Ask a database that may have been killed a moment ago; nothing when it does not answer."""

    def question() -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
                return connection.execute(statement.encode()).fetchall()
        except psycopg.OperationalError:
            return []

    return question


def survive(home: Installed, bodies: list[bytes], *, kills_each: int) -> None:
    """Send everything while every part is killed at moments that the seed draws; then nothing may wait any more."""
    luck = random.Random(SEED)
    intake, web = Part(home, "intake", free_port()), Part(home, "web", free_port())
    parts = [intake, web, Part(home, "worker"), Database(home)]
    victims = [part for part in parts for _ in range(kills_each)]
    luck.shuffle(victims)
    moments = sorted(luck.sample(range(len(bodies) // 20, len(bodies) * 19 // 20), len(victims)))
    with Cluster(home.root) as cluster, tended(parts):
        eventually(lambda: home.ready(intake.port) and home.ready(web.port), "everything runs", 60)
        load = Load(bodies, [intake.port, web.port])
        sending = threading.Thread(target=load.run, daemon=True)
        sending.start()
        for victim, moment in zip(victims, moments, strict=True):
            eventually(lambda moment=moment: load.answered >= moment, "the load goes on", 60)  # type: ignore[misc]
            eventually(victim.kill, f"{victim.kind} runs to be killed", 30)
        sending.join(120)
        assert not sending.is_alive()
        assert load.answered == len(bodies)
        assert [part.killed for part in parts] == [kills_each] * len(parts)
        idle = "select (select count(*) from inbox_pending) + (select count(*) from mirror_changed)"
        eventually(lambda: patiently(cluster.url, idle)() == [(0,)], "all reach their customers without help", 60)
        compare(cluster.url, bodies)


def compare(url: str, bodies: list[bytes]) -> None:
    """Nothing is lost, nothing is there twice, and every state is of the newest event."""
    last = newest(bodies)
    with psycopg.connect(url) as connection:
        kept = connection.execute("select body from inbox_event").fetchall()
        assert sorted(body for (body,) in kept) == sorted(bodies)
        assert connection.execute("select count(*) from inbox_quarantined").fetchone() == (0,)
        versions = connection.execute("select count(*) from mirror_version where event_id like 'evt_1LG%'").fetchone()
        assert versions == (len(bodies),)
        current = connection.execute("select object_type, object_id, event_id from mirror_object").fetchall()
        assert {(kind, name): event_id for kind, name, event_id in current} == {
            key: event["id"] for key, event in last.items()
        }
        emails: dict[str, str] = dict(
            connection.execute("select stripe_customer_id, email from customer_customer").fetchall()
        )
    customers = {name: event["data"]["object"] for (kind, name), event in last.items() if kind == "customer"}
    assert len(customers) == OBJECTS
    assert {name: emails[name] for name in customers} == {name: about["email"] for name, about in customers.items()}


@pytest.mark.timeout(240)
def test_whatever_is_killed_no_answered_event_is_lost_and_all_reach_their_customers(
    home: Installed, loadgen: ModuleType, shared: Path
) -> None:
    bodies = bodies_of(loadgen, shared, 20_000)

    survive(home, bodies, kills_each=2)
