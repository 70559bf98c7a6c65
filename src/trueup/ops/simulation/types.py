"""The nouns of the simulation."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from trueup.kernel.records import Record


class Kind(StrEnum):
    """What a step does."""

    LIFE = "life"
    """Somebody does something at Stripe."""
    TURN = "turn"
    """Time passes at Stripe."""
    POST = "post"
    """Some of the events that wait are delivered."""
    MIRROR = "mirror"
    CUSTOMER = "customer"
    FETCH = "fetch"
    SWEEP = "sweep"
    BACKFILL = "backfill"
    RECONCILE = "reconcile"
    REPLAY = "replay"
    HEAL = "heal"
    FAULT = "fault"
    """Calls to the API begin to fail."""


class Step(Record, frozen=True):
    """One step: what, and where its chances come from. Leaving steps out leaves the chances of the others alone."""

    kind: Kind
    draw: int


class Weather(Record, frozen=True):
    """How deliveries and calls fare in one seed, in percent."""

    dropped: int
    """Events that never come."""
    twice: int
    late: int
    """Of those that wait, how many a delivery passes over."""
    thin: int
    """Events that come as thin ones too."""
    thin_alone: int
    """Of these, how many come as nothing else."""
    meanwhile: int
    """Calls to the API during which other things happen, before their answer comes."""


class Plan(Record, frozen=True):
    """All that a seed does."""

    seed: int
    weather: Weather
    steps: tuple[Step, ...]
    looked_after: bool = True
    """Whether a sweep, a backfill and a reconciliation come at the end. Without them only what was delivered counts."""


class Difference(Record, frozen=True):
    """Where Trueup is not as Stripe is: ``ours`` and ``theirs`` are JSON, cut at 300 characters.

    ``object_type`` is the Stripe type, ``customer state`` for a folded state, or ``trueup`` for what is not empty or
    not whole at the end.
    """

    object_type: str
    object_id: str
    field: str
    ours: str
    theirs: str


class Outcome(Record, frozen=True):
    """What a seed came to. ``counts`` say what was tried, by name."""

    seed: int
    differences: tuple[Difference, ...]
    counts: dict[str, int]
    seconds: float
    history: tuple[str, ...] = ()
    """What happened, in order; filled where it diverged."""
    facts: tuple[str, ...] = ()
    """All facts we have of the objects that differ."""
    steps: int = 0
    shrunk_from: int = 0
    """How many steps there were before those that do not matter were left out; 0 where nobody tried."""
    problem: str = ""
    """What ended the seed before its end, an error of ours."""

    @property
    def diverged(self) -> bool:
        """Whether anything is not as it should be."""
        return bool(self.differences or self.problem)


class Request(Record, frozen=True):
    """A plan to play; ``telling`` asks for the history, and ``kills`` for real processes that are killed."""

    plan: Plan
    telling: bool = False
    kills: bool = False


Json = dict[str, Any]
