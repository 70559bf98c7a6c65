"""One year of events for all tests of the demo, and what goes on after it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from trueup.ops.demo.lives import World
from trueup.ops.demo.trickle import trickle

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def world() -> World:
    """A world that was run to ``NOW`` and then an hour or so further; its events are in ``year`` and ``hour``."""
    return World(companies=200, seed=1, now=NOW, months=12)


@pytest.fixture(scope="session")
def year(world: World) -> list[dict[str, Any]]:
    """The events up to ``NOW``."""
    return list(world.run(NOW))


@pytest.fixture(scope="session")
def hour(world: World, year: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of the trickle's first thousand steps."""
    return [event for _, events in islice(trickle(world, start=NOW), 1000) for event in events]
