"""Cutting a plan down to the steps that matter: what is left diverges in the same way, and says why it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from trueup.ops.simulation.types import Outcome, Plan, Step

Play = Callable[[Plan], Outcome]
Goes = Callable[[], bool]
"""Whether there is still time."""


def shrunk(plan: Plan, outcome: Outcome, play: Play, goes: Goes) -> Plan:
    """A plan with fewer steps, and calmer weather, that diverges as this one did; the same where nothing can go.

    Steps are left out in halves, then in quarters, and so on (delta debugging), until no single one can go or the time
    is over. Each plan is played; ``play`` gives what it comes to.
    """
    wanted = _signs(outcome)

    def still(candidate: Plan) -> bool:
        return bool(wanted & _signs(play(candidate)))

    plan = _calmer(plan, still, goes)
    steps: Sequence[Step] = plan.steps
    pieces = 2
    while len(steps) > 1 and goes():
        size = max(1, len(steps) // pieces)
        kept = steps
        for start in range(len(steps) - size, -1, -size):
            if not goes():
                break
            fewer = (*kept[:start], *kept[start + size :])
            if still(replace(plan, steps=fewer)):
                kept = fewer
        if len(kept) == len(steps) and size == 1:
            break
        pieces = pieces if len(kept) < len(steps) and size > 1 else pieces * 2
        steps = kept
    return _calmer(replace(plan, steps=tuple(steps)), still, goes)


def _calmer(plan: Plan, still: Callable[[Plan], bool], goes: Goes) -> Plan:
    """The plan with every fault of the weather left out that does not matter."""
    for name in plan.weather.__struct_fields__:
        if getattr(plan.weather, name) and goes():
            calm = replace(plan, weather=replace(plan.weather, **{name: 0}))
            if still(calm):
                plan = calm
    return plan


def _signs(outcome: Outcome) -> frozenset[tuple[str, str]]:
    """What divergences are recognised by: other ids and values come with every step that is left out."""
    found = {(one.object_type, one.field.partition(".")[0].partition("[")[0]) for one in outcome.differences}
    if outcome.problem:
        found.add(("problem", outcome.problem.partition(":")[0]))
    return frozenset(found)
