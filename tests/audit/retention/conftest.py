"""A folder for the files beside the database, and a database in which what is told is committed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests import instance
from trueup.audit import subjects
from trueup.runtime import configuration

NAME = f"trueup_retention_{os.getpid()}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the files beside the database; nobody has made it yet."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRUEUP_AUDIT_DIR", str(tmp_path / "audit"))
    configuration.current.cache_clear()
    subjects.forget()
    yield tmp_path / "audit"
    configuration.current.cache_clear()
    subjects.forget()


@pytest.fixture(scope="session")
def committing(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a database of our own, whose rows outlive a transaction."""
    with django_db_blocker.unblock(), instance.own_database(NAME) as address:
        yield address


@pytest.fixture
def committed(committing: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """That database, empty; Django works in it meanwhile."""
    with django_db_blocker.unblock(), instance.in_database(NAME):
        instance.wipe(committing)
        yield committing
