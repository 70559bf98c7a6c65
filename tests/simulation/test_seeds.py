"""Random lives at a sandbox while everything goes wrong between it and Trueup: at the end both are the same, exactly.

A seed that fails here is cut down and told by ``trueup simulate --seeds N``.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.simulation.conftest import Journal, Play
from trueup.ops.simulation.plan import draw

SEEDS = 50
TOGETHER = 5
AGAIN = (2, 3, 20)
"""Seeds that are played twice: in them much happens during calls, and they backfill, reconcile and replay."""


@pytest.mark.parametrize("first", range(1, SEEDS + 1, TOGETHER))
def test_the_state_equals_stripes_whatever_the_network_does(played: Play, first: int) -> None:
    for seed in range(first, first + TOGETHER):
        outcome = played(draw(seed))

        assert not outcome.diverged, f"trueup simulate --seeds {seed}: {outcome.problem} {outcome.differences}"
        assert outcome.counts["told"] > 0


@pytest.mark.parametrize("seed", AGAIN)
def test_the_same_seed_does_the_same_on_a_slow_machine(journal: Journal, seed: int) -> None:
    told, once = journal(draw(seed))
    told_again, again = journal(draw(seed), slow=True)

    assert told_again == told
    assert replace(again, seconds=0) == replace(once, seconds=0)


def test_another_seed_does_something_else() -> None:
    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
