"""A database of its own, for what several connections and processes do at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests import instance
from trueup.audit import subjects

NAME = f"trueup_sealing_{os.getpid()}"


@pytest.fixture(scope="session")
def sealing_database(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a database in which everybody commits."""
    with django_db_blocker.unblock(), instance.own_database(NAME) as address:
        yield address


@pytest.fixture
def committed(sealing_database: str, home: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """That database, empty, under a home without keys; Django works in it meanwhile, in every thread."""
    with django_db_blocker.unblock(), instance.in_database(NAME):
        instance.wipe(sealing_database)
        subjects.forget()
        yield sealing_database
        subjects.forget()
