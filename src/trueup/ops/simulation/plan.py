"""What a seed does: drawn once, before anything happens, so that it can be cut down to what matters."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

from trueup.ops.simulation.types import Kind, Plan, Step, Weather

WEIGHTS: Final[Mapping[Kind, int]] = {
    Kind.LIFE: 48,
    Kind.TURN: 12,
    Kind.POST: 22,
    Kind.MIRROR: 9,
    Kind.CUSTOMER: 4,
    Kind.FETCH: 5,
    Kind.FAULT: 3,
    Kind.SWEEP: 2,
    Kind.BACKFILL: 1,
    Kind.RECONCILE: 1,
    Kind.REPLAY: 1,
    Kind.HEAL: 1,
}
LEAST: Final = 50
MOST: Final = 110

_DROPPED: Final = (0, 0, 2, 5, 10, 25, 60)
_TWICE: Final = (0, 5, 20, 50)
_LATE: Final = (0, 20, 50, 80)
_THIN: Final = (0, 0, 0, 20, 100)
_ALONE: Final = (0, 30, 100)
_MEANWHILE: Final = (0, 20, 50, 80)


def draw(seed: int) -> Plan:
    """The plan of a seed; the same seed gives the same plan."""
    rng = random.Random(f"plan {seed}")  # noqa: S311 - chances, not secrets
    weather = Weather(
        dropped=rng.choice(_DROPPED),
        twice=rng.choice(_TWICE),
        late=rng.choice(_LATE),
        thin=rng.choice(_THIN),
        thin_alone=rng.choice(_ALONE),
        meanwhile=rng.choice(_MEANWHILE),
    )
    kinds = rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=rng.randint(LEAST, MOST))
    return Plan(seed=seed, weather=weather, steps=tuple(Step(kind=kind, draw=rng.getrandbits(48)) for kind in kinds))
