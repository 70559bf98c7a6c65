"""The real command, run as people run it, on a database of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests import instance

Make = Callable[[], str]


def as_url(conninfo: str) -> str:
    """An address of the test server as ``DATABASE_URL`` takes it."""
    given = psycopg.conninfo.conninfo_to_dict(conninfo)
    return f"postgresql://{given['user']}:{given['password']}@/{given['dbname']}?host={given['host']}"


@pytest.fixture
def server() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection beside everybody else."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def empty_database(server: psycopg.Connection[tuple[Any, ...]]) -> Iterator[Make]:
    """Make a new database without any tables; gives its address."""
    names: list[str] = []

    def make(template: str = "template0") -> str:
        names.append(f"trueup_ops_{uuid4().hex[:12]}")
        server.execute(f'create database "{names[-1]}" template "{template}"'.encode())
        return as_url(make_conninfo(os.environ["DATABASE_URL"], dbname=names[-1]))

    yield make
    for name in names:
        server.execute(f'drop database "{name}" with (force)'.encode())


@dataclass
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, which has to be one JSON value and nothing else."""
        return json.loads(self.out)


@dataclass
class Installation:
    """A home folder and a database, and the command that works on them."""

    home: Path
    database: str
    environment: dict[str, str] = field(default_factory=dict)

    def environ(self, **more: str) -> dict[str, str]:
        """What its processes are told: nothing of this test run's own environment but the way to Python."""
        return instance.Home(self.home).environ(**{"DATABASE_URL": self.database, **self.environment, **more})

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Start a command; both of its outputs are pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "trueup.ops.main", *arguments],
            env=self.environ(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **more: str) -> Ended:
        """Run a command to its end."""
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=90)
        return Ended(process.returncode, out, err)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask its database."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(statement.encode()).fetchall()


@pytest.fixture
def fresh(tmp_path: Path, empty_database: Make) -> Installation:
    """An installation that was never started."""
    return Installation(home=tmp_path / "home", database=empty_database())
