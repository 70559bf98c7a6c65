"""That the simulation can fail: with one rule of Trueup's taken out, a seed differs that is right with it.

What comes at the end of a seed, a sweep, a backfill and a reconciliation, repairs nearly anything: here it is left out,
and what only these could know is not looked at.
"""

from __future__ import annotations

from typing import Final

import pytest
from msgspec.structs import replace

from tests.simulation.broken import RULES, without
from tests.simulation.conftest import Play
from trueup.ops.simulation.plan import draw
from trueup.ops.simulation.types import Kind, Outcome, Plan, Weather

UNTOLD: Final = frozenset({"invoice_payment", "invoiceitem", "payment_intent", "setup_intent", "price", "product"})
"""Types that change, or come, without an event of theirs."""
CALM: Final = Weather(dropped=0, twice=20, late=50, thin=0, thin_alone=0, meanwhile=0)
STEPS: Final = frozenset({Kind.LIFE, Kind.TURN, Kind.POST, Kind.MIRROR, Kind.CUSTOMER, Kind.FETCH, Kind.HEAL})
READING: Final = STEPS | {Kind.BACKFILL}
CAUGHT: Final[dict[str, tuple[int, Weather, frozenset[Kind]]]] = {
    "order by time": (1, CALM, STEPS),
    "order by cause": (2, CALM, STEPS),
    "deletions are final": (1, CALM, STEPS),
    "gaps are seen": (12, replace(CALM, dropped=50), STEPS),
    "ties are confirmed": (2, replace(CALM, dropped=25), STEPS),
    "lists are completed": (2, CALM, STEPS),
    "readings know what they are after": (2, replace(CALM, dropped=25, meanwhile=80), READING),
    "readings are of when they began": (1, replace(CALM, dropped=10, meanwhile=80), READING),
    "thin events are fetched": (1, replace(CALM, thin=100, thin_alone=100), STEPS),
}
"""By the rule: a seed that notices when it is missing, in which weather and with which steps."""


def plan(rule: str) -> Plan:
    seed, weather, kinds = CAUGHT[rule]
    drawn = draw(seed)
    steps = tuple(step for step in drawn.steps if step.kind in kinds)
    return replace(drawn, weather=weather, steps=steps, looked_after=False)


def differing(outcome: Outcome) -> set[tuple[str, str, str]]:
    """What differs of what events tell, to the top of the field; a problem stands for itself."""
    found = {
        (one.object_type, one.object_id, one.field.partition(".")[0].partition("[")[0])
        for one in outcome.differences
        if one.field and one.object_type not in UNTOLD
    }
    return found | ({("problem", outcome.problem.partition(":")[0], "")} if outcome.problem else set())


def test_every_rule_has_a_seed_that_notices() -> None:
    assert CAUGHT.keys() == RULES.keys()


@pytest.mark.parametrize("rule", CAUGHT)
def test_without_a_rule_a_seed_differs_that_is_right_with_it(played: Play, rule: str) -> None:
    intact = differing(played(plan(rule)))
    with without(rule):
        broken = differing(played(plan(rule)))

    assert not any(name == "problem" for name, _what, _field in intact)
    assert broken - intact
