"""The same with real processes: intake, web, worker and the database are killed while the lives go on."""

from __future__ import annotations

import pytest

from trueup.ops.simulation import running
from trueup.ops.simulation.types import Outcome

SEEDS = range(1, 4)


@pytest.mark.timeout(300)
def test_the_state_equals_stripes_whatever_is_killed() -> None:
    ended: list[Outcome] = []

    outcomes = running.simulate_with_kills(SEEDS, jobs=3, on_outcome=ended.append)

    assert sorted(one.seed for one in ended) == list(SEEDS)
    for outcome in outcomes:
        told = "\n".join(outcome.history[-40:])
        assert not outcome.diverged, f"{outcome.seed}: {outcome.problem} {outcome.differences}\n{told}"
    assert sum(outcome.counts[f"killed_{kind}"] for outcome in outcomes for kind in ("intake", "web", "worker")) > 0
    assert sum(outcome.counts["killed_postgres"] for outcome in outcomes) > 0
