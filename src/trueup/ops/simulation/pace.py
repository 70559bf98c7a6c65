"""A seed's own pace: Trueup's clock is the sandbox's, and nothing waits, so any machine plays it in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from types import ModuleType
from typing import Any, Final

from trueup.accounts import calls
from trueup.connectors.stripe import reading
from trueup.kernel.time import from_unix
from trueup.mirror.reconcile import judging
from trueup.runtime import clock

_HASTE: Final[Mapping[ModuleType, Mapping[str, float]]] = {
    # Nobody else waits at a sandbox.
    calls: {"FIRST_PAUSE": 0.001, "LONGEST_PAUSE": 0.004, "THROTTLED_SECONDS": 0.005},
    # What is looked at again goes behind what was looked at before it, however long that took.
    judging: {"AGAIN_SECONDS": 0.0, "AWAY_SECONDS": 0.0},
    # While an answer is on its way a whole reconciliation may happen.
    reading: {"TIMEOUT_SECONDS": 600},
}
_TICK: Final = 0.000001
"""Seconds between two looks at the clock: whoever waits for no time at all sees it pass."""


@contextmanager
def hurried() -> Iterator[None]:
    """Let pauses be short, and waits for an answer long."""
    with _in_place(_HASTE):
        yield


@contextmanager
def told_by(now: Callable[[], int]) -> Iterator[None]:
    """Let Trueup's time be the one that ``now`` gives, in unix seconds. The database's is this machine's still."""
    ticks = count()
    replaced: Mapping[str, Callable[[], object]] = {
        "now": lambda: from_unix(now()),
        "unix": now,
        "monotonic": lambda: now() + next(ticks) * _TICK,
    }
    with _in_place({clock: replaced}):
        yield


@contextmanager
def _in_place(wanted: Mapping[ModuleType, Mapping[str, Any]]) -> Iterator[None]:
    before = {module: {name: vars(module)[name] for name in names} for module, names in wanted.items()}
    for module, names in wanted.items():
        vars(module).update(names)
    try:
        yield
    finally:
        for module, names in before.items():
            vars(module).update(names)
