"""Many lives at once: into a sandbox, or into a file of events for load tests."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.sandbox.scenarios.shop import Obj
from trueup.sandbox.scenarios.stage import Stage
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.requests import Request
from trueup.sandbox.subscriptions.periods import add_months
from trueup.sandbox.wire import forms
from trueup.sandbox.world.store import Told

_KEY: Final = "Bearer sk_test_lives"
_LEVEL: Final = 3
"""gzip's: a file of events is written once and read often, but nobody wants to wait for its last tenth."""

_HOUR: Final = 3_600


class Written(Record, frozen=True):
    """A file of events. ``first`` and ``last`` are unix seconds; ``broken`` says which lives were refused to go on."""

    path: str
    customers: int
    months: int
    events: int
    bytes: int
    first: int
    last: int
    broken: tuple[str, ...] = ()


class Asking:
    """An engine as scenarios ask it, without HTTP."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def now(self) -> int:
        """The unix second of its own clock."""
        return self._engine.now()

    def request(self, method: str, path: str, params: Mapping[str, Any] | None = None) -> Obj:
        """Ask the API. Raises ``Refused`` with Stripe's words for an error."""
        answer = self._engine.answer(
            Request(
                method=method,
                path=path,
                query="" if method == "POST" else forms.encode(params or {}),
                body=orjson.dumps(params or {}) if method == "POST" else b"",
                headers={"authorization": _KEY, "content-type": "application/json"},
            )
        )
        found: Obj = orjson.loads(answer.body)
        if "error" in found:
            raise Refused(found["error"]["message"], code=found["error"].get("code") or found["error"]["type"])
        return found

    def advance(self, to: int) -> int:
        """Turn its own clock to a unix second."""
        return self._engine.advance(to)


def populate(
    engine: Engine,
    *,
    customers: int,
    months: int,
    seed: str,
    names: Iterable[str] = (),
    on_progress: Callable[[int], None] | None = None,
) -> Stage:
    """Live ``customers`` lives over the ``months`` that follow the engine's present, at whose end its clock then is.

    ``names`` chooses scenarios, all of them by default. Raises ``Refused`` for a name that is none. The same engine,
    seed and numbers give the same lives.
    """
    since = engine.now()
    until = add_months(since, months)
    stage = Stage(Asking(engine), seed=seed)
    stage.populate(customers, since=min(since + _HOUR, until), until=until, names=names)
    stage.run(until, on_progress=on_progress)
    return stage


def write_load(
    path: Path,
    *,
    customers: int,
    months: int,
    seed: str = "load",
    start: int | None = None,
    names: Iterable[str] = (),
    on_progress: Callable[[int], None] | None = None,
) -> Written:
    """Write every event of so many lives to ``path``: gzip, one event's JSON a line, in the order told.

    The engine keeps its state in a temporary file beside ``path``, so memory does not grow with the number of events.
    An existing file is replaced when all is written. Raises ``Refused`` for an unknown scenario.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    count = first = last = 0

    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".load-") as folder:
        engine = Engine(Path(folder) / "state.db", seed=seed, start=start)
        unfinished = Path(folder) / "events.gz"
        try:
            with gzip.open(unfinished, "wb", compresslevel=_LEVEL) as file:

                def listen(told: list[Told]) -> None:
                    nonlocal count, first, last
                    count += len(told)
                    first = first or told[0].created
                    last = told[-1].created
                    file.write(b"".join(one.body + b"\n" for one in told))

                engine.listeners.append(listen)
                stage = populate(
                    engine, customers=customers, months=months, seed=seed, names=names, on_progress=on_progress
                )
        finally:
            engine.close()
        size = unfinished.stat().st_size
        unfinished.replace(path)
    return Written(
        path=str(path),
        customers=customers,
        months=months,
        events=count,
        bytes=size,
        first=first,
        last=last,
        broken=tuple(stage.broken),
    )


def read_load(path: Path) -> Iterator[Obj]:
    """The events of a file that ``write_load`` wrote, one after another."""
    with gzip.open(path, "rb") as file:
        for line in file:
            yield orjson.loads(line)
