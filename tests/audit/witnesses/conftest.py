"""A home of its own for every test that asks witnesses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.audit.notes.keyring import LOG, SECOND
from tests.audit.outside import Asked, listening
from tests.audit.witnesses.stored import StoredLog
from trueup.audit.witnesses.serving import Application
from trueup.audit.witnesses.state import Witness
from trueup.runtime import configuration

Configure = Callable[..., None]
Answering = Callable[[Asked], tuple[int, str, bytes]]
Serve = Callable[..., str]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Set variables, by their names without ``TRUEUP_``; the home is the test's own folder."""

    def configured(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"TRUEUP_{name}", value)
        configuration.current.cache_clear()

    configured(HOME=str(tmp_path))
    yield configured
    monkeypatch.undo()
    configuration.current.cache_clear()


def serving(witness: Witness) -> Answering:
    """What a real witness answers."""

    def answering(asked: Asked) -> tuple[int, str, bytes]:
        status, body, content_type = Application(witness, [LOG.key]).answer(asked[2])
        return status, content_type, body

    return answering


@pytest.fixture
def serve(configure: Configure) -> Iterator[Serve]:
    """Put such a server up as the one witness elsewhere."""
    with ExitStack() as stack:

        def served(answering: Answering, key: str = "") -> str:
            url = stack.enter_context(listening(answering))
            configure(AUDIT_WITNESSES=f"{key or SECOND.key}={url}")
            return url

        yield served


@pytest.fixture
def witness(tmp_path: Path, configure: Configure) -> Iterator[Witness]:
    """A witness elsewhere, over HTTP."""
    made = Witness(tmp_path / "elsewhere", name="elsewhere.example/w1")
    with listening(serving(made)) as url:
        configure(AUDIT_WITNESSES=f"{made.key}={url}")
        yield made


@pytest.fixture
def log(db: None, configure: Configure) -> StoredLog:
    """A log that has 300 entries."""
    made = StoredLog()
    made.grow_to(300)
    return made
