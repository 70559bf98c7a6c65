"""The demo as tests run it: all of its processes, on a database of its own, with invented companies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.conftest import REPOSITORY
from tests.instance import signed
from tests.ports import free_port

START_SECONDS = 90


class Console(NamedTuple):
    """A running console, and who may sign in."""

    url: str
    email: str
    password: str
    home: Path
    database: str
    """The address of its database."""

    def receive(self, body: bytes) -> None:
        """Let Stripe deliver ``body``, signed, to the real intake."""
        secret = json.loads((self.home / "demo.json").read_bytes())["webhook_secret"]
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        with closing(connection):
            connection.request("POST", "/webhooks/stripe/demo", body, {"Stripe-Signature": signed(body, secret)})
            assert connection.getresponse().status == 200

    @property
    def environment(self) -> dict[str, str]:
        """What a command of Trueup needs to act on this installation."""
        return _environment(self.home, self.database, str(urlsplit(self.url).port))


def _environment(home: Path, database: str, port: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": database,
        "TRUEUP_HOME": str(home),
        "TRUEUP_PORT": port,
        # Tests tell of objects that the sandbox never had: a comparison at night would take them away again.
        "TRUEUP_RECONCILE_HOUR": "-1",
        # Providers of single sign-on run on this machine as well.
        "TRUEUP_SSO_NETWORKS": "127.0.0.0/8,::1",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)]),
    }


@contextmanager
def running(home: Path, *, name: str, companies: int) -> Iterator[Console]:
    """Start the demo in ``home``, on a database whose name begins with ``name``; both end with the block."""
    given = os.environ["DATABASE_URL"]
    name = f"{name}_{os.getpid()}"
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    database_url = urlsplit(given)._replace(path=f"/{name}").geturl()
    env = _environment(home, database_url, str(free_port()))
    command = [sys.executable, "-m", "trueup.ops.main", "demo", "--no-trickle", "--json", "--companies", str(companies)]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=env, stdout=subprocess.PIPE, text=True)
    overdue = threading.Timer(START_SECONDS, process.kill)
    overdue.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        overdue.cancel()
        assert line, "the demo did not start; its words are above"
        said = json.loads(line)
        yield Console(url=said["url"], email=said["email"], password=said["password"], home=home, database=database_url)
    finally:
        overdue.cancel()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        with psycopg.connect(given, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
