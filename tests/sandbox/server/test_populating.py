"""A file of events: whole, in order, the same for the same seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from trueup.kernel.errors import Refused
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.populating import populate, read_load, write_load
from trueup.sandbox.wire.schema import violations

START = 1_767_225_600


def test_a_load_has_all_events_in_order(tmp_path: Path) -> None:
    path = tmp_path / "load" / "events.jsonl.gz"
    seen: list[int] = []

    written = write_load(path, customers=12, months=3, start=START, on_progress=seen.append)

    events = list(read_load(path))
    assert written.events == len(events) > 100
    assert written.bytes == path.stat().st_size
    assert [e["created"] for e in events] == sorted(e["created"] for e in events)
    assert (written.first, written.last) == (events[0]["created"], events[-1]["created"])
    assert len({e["id"] for e in events}) == len(events)
    assert all(violations(e) == [] for e in events)
    assert written.broken == ()
    assert seen == sorted(seen)
    assert list(path.parent.iterdir()) == [path]


def test_the_same_seed_writes_the_same_events(tmp_path: Path) -> None:
    def digest(seed: str) -> str:
        path = tmp_path / f"{seed}.gz"
        write_load(path, customers=5, months=2, seed=seed, start=START, names=["upgrade", "seats"])
        found = hashlib.sha256(b"".join(repr(e).encode() for e in read_load(path))).hexdigest()
        path.unlink()
        return found

    assert digest("a") == digest("a")
    assert digest("a") != digest("b")


def test_a_scenario_that_is_none_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        write_load(tmp_path / "events.gz", customers=2, months=1, names=["nobody"])

    assert list(tmp_path.iterdir()) == []


def test_a_sandbox_is_populated_up_to_its_end(engine: Engine) -> None:
    began = engine.now()

    stage = populate(engine, customers=3, months=2, seed="x", names=["happy_monthly"])

    assert stage.broken == []
    assert engine.now() == began + 59 * 86_400
    assert len(engine.events("invoice.paid")) >= 3
