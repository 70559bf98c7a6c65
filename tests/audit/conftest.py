"""A home for what the audit log keeps in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trueup.runtime import configuration, installation


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home folder of an installation that has a key and nothing else."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRUEUP_SECRET_KEY", "A" * 43 + "=")
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield tmp_path / "home"
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
