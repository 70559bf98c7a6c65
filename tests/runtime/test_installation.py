"""Which database an installation uses, and who is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from trueup.runtime import configuration, installation
from trueup.runtime.crypto import load_key


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder, and no variable but the one that names it."""
    for variable in configuration.VARIABLES.values():
        monkeypatch.setenv(variable, "")
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield tmp_path
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


def test_a_database_named_in_the_file_is_passed_on_and_nothing_is_started(home: Path) -> None:
    (home / "trueup.toml").write_text('database_url = "postgresql://db.example/trueup"\n', encoding="utf-8")

    with installation.opened():
        assert os.environ["DATABASE_URL"] == "postgresql://db.example/trueup"

    assert [file.name for file in home.iterdir()] == ["trueup.toml"]


def test_the_sealer_uses_the_key_of_this_installation(home: Path) -> None:
    sealed = installation.sealer().seal(b"plain", purpose="a.b")

    assert load_key(text="", path=home / "secret.key") != bytes(32)
    assert installation.sealer() is installation.sealer()
    assert installation.sealer().open(sealed, purpose="a.b") == b"plain"


def test_another_key_file_is_used_where_one_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUEUP_SECRET_KEY_FILE", str(home / "elsewhere" / "my.key"))
    configuration.current.cache_clear()

    installation.sealer()

    assert (home / "elsewhere" / "my.key").exists()
    assert not (home / "secret.key").exists()
