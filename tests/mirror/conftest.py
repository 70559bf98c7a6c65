"""What tests of the mirror share: the SQL views, installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from trueup.mirror.views import install
from trueup.runtime import database


@pytest.fixture(scope="module")
def installed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The views, in the test's database for as long as this module runs."""
    with django_db_blocker.unblock():
        assert install.refresh() is install.Outcome.INSTALLED
    yield
    with django_db_blocker.unblock():
        database.execute("drop schema stripe cascade")


@pytest.fixture
def views(installed: None, db: None) -> None:
    """Each test has the views and a transaction of its own."""
