"""Processes that call Stripe at once: together within the limit, the urgent before the greedy, whoever dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict

from trueup.accounts import budget, calls
from trueup.accounts.calls import Lane
from trueup.accounts.types import Account
from trueup.runtime import configuration
from trueup.sandbox import Sandbox

LIMIT = 60


def address_of(database: str) -> str:
    """The address of the database that a connection string names, as our settings take it."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{conninfo_to_dict(database)['dbname']}").geturl()


class Greedy:
    """A process of eight threads that read as fast as they may."""

    def __init__(self, database: str, slug: str) -> None:
        self.spans: list[tuple[float, float]] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.accounts.greedy", slug],
            env=os.environ | {"DATABASE_URL": address_of(database), "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> None:
        """Wait until it reads."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def calls(self, number: int) -> None:
        """Wait until it has made so many calls more."""
        assert self._process.stdout is not None
        for _ in range(number):
            begun, ended = self._process.stdout.readline().split()
            self.spans.append((float(begun), float(ended)))

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._collect()

    def end(self) -> None:
        """Let it finish its calls."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._collect()

    def _collect(self) -> None:
        if self._process.returncode is not None:
            return
        with self._process as process:
            assert process.stdout is not None
            for line in process.stdout:
                # The last line of who is killed may be half of one.
                with suppress(ValueError):
                    begun, ended = line.split()
                    self.spans.append((float(begun), float(ended)))


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A sandbox that may be asked sixty times a second."""
    monkeypatch.setenv("TRUEUP_STRIPE_LIMIT_ELSEWHERE", str(LIMIT))
    configuration.current.cache_clear()
    yield
    configuration.current.cache_clear()


def most_beyond(spans: Sequence[tuple[float, float]], limit: float) -> float:
    """By how many calls the fullest stretch of time holds more than the budget gives for it.

    A token was taken somewhere between a call's beginning and its end, so what lies within a stretch was taken there.
    """
    worst = -limit
    by_end = sorted(spans, key=lambda span: span[1])
    for since in sorted({begun for begun, _ in spans}):
        within = 0
        for begun, ended in by_end:
            if begun >= since:
                within += 1
                worst = max(worst, within - limit * budget.BURST - limit * budget.FLOW * (ended - since))
    return worst


def test_two_greedy_processes_stay_within_the_limit_and_let_the_urgent_pass(
    called: Callable[..., Account], sandbox: Sandbox, database: str, limited: None
) -> None:
    account = called(sandbox.base_url)
    greedy = [Greedy(database, account.slug) for _ in range(2)]
    try:
        for one in greedy:
            one.ready()
        greedy[0].calls(20)
        urgent = []
        for _ in range(24):
            begun = time.monotonic()
            calls.get(account, "/v1/customers/search", {"query": "email:'a@b.c'"}, lane=Lane.COMMANDS)
            urgent.append((begun, time.monotonic()))
        greedy[0].kill()
        greedy[1].calls(30)
        greedy[1].end()
    finally:
        for one in greedy:
            one.kill()

    spans = [span for one in greedy for span in one.spans] + urgent
    assert len(spans) >= 60
    assert most_beyond(spans, LIMIT) <= 1e-6
    # Taking turns with sixteen greedy threads they would have waited for a third of a second each.
    assert urgent[-1][1] - urgent[0][0] < len(urgent) * 16 / (LIMIT * budget.FLOW) / 2


def test_what_is_beyond_the_limit_would_be_seen() -> None:
    assert most_beyond([(0.0, 0.1)] * 13, 10) > 0
    assert most_beyond([(0.0, 0.1), (0.0, 0.2)], 10) <= 0
