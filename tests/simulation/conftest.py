"""A database of the simulation's own, in which everybody commits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from pytest_django import DjangoDbBlocker

import trueup.customer.tasks
import trueup.mirror.tasks  # noqa: F401 - the drains and errands that the simulation runs
from tests import instance
from trueup.ops.simulation.play import play
from trueup.ops.simulation.types import Outcome, Plan

NAME = f"trueup_simulation_{os.getpid()}"

Play = Callable[..., Outcome]


@pytest.fixture(scope="session")
def simulated(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a migrated database; each seed empties it first."""
    with django_db_blocker.unblock(), instance.own_database(NAME) as address:
        yield address


@pytest.fixture
def played(simulated: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Play]:
    """Play a plan in this process."""

    def run(plan: Plan, *, telling: bool = False) -> Outcome:
        return play(plan, conninfo=simulated, telling=telling)

    with django_db_blocker.unblock(), instance.in_database(NAME):
        yield run
