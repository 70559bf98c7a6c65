"""Programs that ask the API, with tokens of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.kernel.actor import system
from trueup.operators.tokens import service as tokens
from trueup.operators.types import NewToken, Scope
from trueup.runtime import configuration, installation

Ask = Callable[..., Any]


@pytest.fixture
def account(db: None) -> Account:
    """A connected account in test mode."""
    return world.connect()


@pytest.fixture
def token(db: None) -> NewToken:
    """A token that may read."""
    return tokens.create_token(name="ci", scopes=[Scope.READ], by=system("test"))


@pytest.fixture
def program(token: NewToken) -> Client:
    """Something that sends the token with every request."""
    return Client(headers={"authorization": f"Bearer {token.token}"}, raise_request_exception=False)


@pytest.fixture
def ask(program: Client) -> Ask:
    """Ask for a path below ``/api/v1`` and get its JSON; anything else than 200 fails."""

    def get(path: str, **query: Any) -> Any:
        response = program.get(f"/api/v1{path}", query)
        assert response.status_code == 200, response.content
        return response.json()

    return get


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder of this test's own, for commands that run in this process."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield tmp_path
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
