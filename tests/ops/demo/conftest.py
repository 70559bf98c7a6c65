"""One year for all tests of the demo, and endpoints for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.delivery.conftest import receiver
from trueup.ops.demo import year as years
from trueup.ops.demo.year import Year
from trueup.sandbox.server.engine import Engine

NOW = 1_795_188_600
"""2026-11-20 15:30 UTC."""

__all__ = ["receiver"]

Event = dict[str, Any]


def live(path: Path, *, companies: int, seed: int = 1, now: int = NOW, url: str = "http://127.0.0.1:9/hooks") -> Year:
    """Live a year into a file."""
    return years.live(path, companies=companies, seed=seed, now=now, url=url, on_progress=lambda _done, _total: None)


def told(path: Path) -> list[Event]:
    """All events of a sandbox's file."""
    engine = Engine(path)
    try:
        return engine.events()
    finally:
        engine.close()


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a whole year of 200 companies; only to be read."""
    path = tmp_path_factory.mktemp("demo") / "year.db"
    live(path, companies=200)
    return path


@pytest.fixture(scope="session")
def year(kept: Path) -> list[Event]:
    """The events of that year."""
    return told(kept)
