"""What every test may ask for: where the checkout is, and the material that is kept beside it."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PURE = {"accounts", "audit", "connectors", "customer", "kernel", "mirror", "notices", "operators"}
"""The folders whose tests call the pure files, and cover them."""


def pytest_configure(config: pytest.Config) -> None:
    """Trace the processes that run tests, and not those that tests start: pure files are covered by calling them.

    And let an interrupt be heard. A shell that starts a run in the background has it ignored, by everything that the
    run starts, and then a test that interrupts a command waits for nothing.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_XDIST_WORKER" in os.environ or not config.getoption("numprocesses", default=None):
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Trace the tests that cover pure files; the others take 0.7 of their time again when each call is looked at."""
    traced = coverage.Coverage.current()
    if traced is None or item.path.relative_to(REPOSITORY / "tests").parts[0] in PURE:
        return (yield)
    traced.stop()
    try:
        return (yield)
    finally:
        traced.start()


def pytest_sessionfinish() -> None:
    """Keep what was traced: a worker that ends slowly is killed, and what it had in memory with it."""
    traced = coverage.Coverage.current()
    if traced is not None:
        traced.save()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of this checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with recorded payloads and catalogues, kept outside the repository.

    It is ``TRUEUP_SHARED``, by default ``../shared`` beside the checkout. Tests that need it skip where it is missing,
    unless ``TRUEUP_REQUIRE_SHARED=1`` makes that a failure, so that a machine meant to have it cannot pass by skipping.
    """
    named = os.environ.get("TRUEUP_SHARED", "")
    folder = Path(named).expanduser() if named else REPOSITORY.parent / "shared"
    if not (folder / "stripe").is_dir():
        message = f"There is no shared material at {folder}; set TRUEUP_SHARED to the folder that holds `stripe/`."
        if os.environ.get("TRUEUP_REQUIRE_SHARED") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Counts that a test before this one remembered are not given to this one."""
    from trueup.runtime import recalling  # noqa: PLC0415 - what is imported before coverage begins is not traced

    recalling.forget()
