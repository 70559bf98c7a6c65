"""Whatever is asked in whatever order: never a failure of ours, everything adds up, and the same again is the same.

``TRUEUP_SANDBOX_EXAMPLES`` and ``TRUEUP_SANDBOX_STEPS`` make it look longer; the gates take 60 runs of 50 steps.
"""

from __future__ import annotations

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant
from typing_extensions import override

from tests.sandbox.properties.choices import Json
from tests.sandbox.properties.folding import SILENT, Fold, told
from tests.sandbox.properties.invariants import stored
from tests.sandbox.properties.passing import Passing
from tests.sandbox.properties.visitor import Visitor
from trueup.sandbox.catalog.plans import plan_of
from trueup.sandbox.world.world import render

EXAMPLES: Final = int(os.environ.get("TRUEUP_SANDBOX_EXAMPLES", "60"))
STEPS: Final = int(os.environ.get("TRUEUP_SANDBOX_STEPS", "50"))


class Chance(Passing):
    """Any requests and any passing of time."""

    @invariant()
    def all_is_well(self) -> None:
        found = self.visitor.faults()
        assert found == [], found

    @override
    def teardown(self) -> None:
        other = None
        try:
            if not self.visitor.broken:
                found = unlike(self.visitor)
                assert found == [], found
                other = self.visitor.again()
                assert other.bodies == self.visitor.bodies
                assert other.told == self.visitor.told
        finally:
            self.visitor.close()
            if other is not None:
                other.close()


def unlike(visitor: Visitor) -> list[str]:
    """Where the fold of all events, in an order of chance, is not what the sandbox has."""
    fold = Fold(visitor.events(), seed=len(visitor.steps))
    found = [f"{key}: a version was not told" for key in fold.gaps()]
    there = list(stored(visitor.engine))
    now = {(obj["object"], obj["id"]): render(obj) for obj in there}
    plans = [plan_of(obj) for obj in there if obj["object"] == "price"]
    now |= {("plan", plan["id"]): plan for plan in plans if plan is not None}
    for key, head in fold.sure().items():
        if head.deleted:
            found += [f"{key}: deleted, and there"] if key in now and key[0] != "discount" else []
        elif key not in now:
            found.append(f"{key}: gone without being deleted")
        elif key[0] not in SILENT and told(fold.object(key)) != told(now[key]):
            found.append(f"{key}: {differing(told(fold.object(key)), told(now[key]))}")
    return found


def differing(one: Json, other: Json) -> Json:
    """The fields in which two objects differ."""
    return {
        name: (one.get(name), other.get(name)) for name in one.keys() | other.keys() if one.get(name) != other.get(name)
    }


Chance.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestChance = pytest.mark.timeout(0 if EXAMPLES > 100 else 120)(Chance.TestCase)
