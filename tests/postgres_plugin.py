"""Gives a test run one throw-away PostgreSQL, before Django's settings load; use it with ``-p tests.postgres_plugin``.

Nothing happens when ``DATABASE_URL`` is set. Otherwise the run's first process (not the workers of xdist, which inherit
its environment) starts ``postgres_throwaway`` and holds a pipe to it; when the pipe closes, by the run's end or by its
death, the server and its folder go away. This module imports nothing of the product: coverage has to see every import.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

_RUNNING: list[subprocess.Popen[str]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the run choose the major version."""
    parser.addoption(
        "--postgres-major",
        type=int,
        choices=[16, 18],
        default=int(os.environ.get("TRUEUP_TEST_POSTGRES") or 18),
        help="major version of the throw-away PostgreSQL (default: TRUEUP_TEST_POSTGRES, or 18)",
    )


# A wrapper, because pytest-django loads the settings in this hook and wrappers begin before plain implementations.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Start the server and put its address into the environment."""
    # A test signs somebody in with a password alone, unless it is about second factors and says so.
    os.environ.setdefault("TRUEUP_MFA", "optional")
    options = early_config.known_args_namespace
    asked_for_words = getattr(options, "help", False) or getattr(options, "version", 0)
    if not (os.environ.get("DATABASE_URL") or os.environ.get("PYTEST_XDIST_WORKER") or asked_for_words):
        os.environ["DATABASE_URL"] = _start(options.postgres_major)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Take the server away and wait until it is gone."""
    while _RUNNING:
        _stop(_RUNNING.pop())


def _start(major: int) -> str:
    paths = [str(REPOSITORY / "src"), str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "tests" / "postgres_throwaway.py"), str(major)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
        text=True,
    )
    if process.stdin is None or process.stdout is None:
        raise pytest.UsageError("the throw-away PostgreSQL has no pipe")
    said = json.loads(process.stdout.readline() or "{}")
    if "url" not in said:
        _stop(process)
        reason = said.get("error", "it said nothing; its words are above")
        message = f"The throw-away PostgreSQL {major} did not start: {reason}"
        raise pytest.UsageError(message)
    _RUNNING.append(process)
    return str(said["url"])


def _stop(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()
    os.environ.pop("DATABASE_URL", None)
