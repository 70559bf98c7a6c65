"""A database of the simulation's own, in which everybody commits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker
from typing_extensions import override

import trueup.customer.tasks
import trueup.mirror.tasks  # noqa: F401 - the drains and errands that the simulation runs
from tests import instance
from trueup.ops.simulation.play import Play as Playing
from trueup.ops.simulation.play import play
from trueup.ops.simulation.types import Outcome, Plan, Step

NAME = f"trueup_simulation_{os.getpid()}"

Play = Callable[..., Outcome]
Journal = Callable[..., tuple[list[str], Outcome]]
STOPS: Final = 20
"""Steps from one stop of a slow machine to the next."""
STOPPED: Final = 1.05
"""Seconds that it stops: longer than what is read again waits, and than a second of a Date header."""


class Slow(Playing):
    """A seed on a machine that stops for a while now and then."""

    @override
    def _do(self, step: Step) -> None:
        if step.draw % STOPS == 0:
            time.sleep(STOPPED)
        super()._do(step)


@pytest.fixture(scope="session")
def simulated(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a migrated database; each seed empties it first."""
    with django_db_blocker.unblock(), instance.own_database(NAME) as address:
        yield address


@contextmanager
def at_work() -> Iterator[None]:
    """Connections to the simulation's database, such as a worker has."""
    with instance.in_database(NAME):
        options = connection.settings_dict["OPTIONS"]
        options["prepare_threshold"] = 1
        try:
            yield
        finally:
            del options["prepare_threshold"]


@pytest.fixture
def played(simulated: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Play]:
    """Play a plan in this process."""

    def run(plan: Plan, *, telling: bool = False) -> Outcome:
        return play(plan, conninfo=simulated, telling=telling)

    with django_db_blocker.unblock(), at_work():
        yield run


@pytest.fixture
def journal(simulated: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Journal]:
    """Play a plan in this process; all that happened, line by line, and what it came to."""

    def run(plan: Plan, *, slow: bool = False) -> tuple[list[str], Outcome]:
        playing = (Slow if slow else Playing)(plan, conninfo=simulated, telling=True)
        outcome = playing.run()
        return playing.history, outcome

    with django_db_blocker.unblock(), at_work():
        yield run
