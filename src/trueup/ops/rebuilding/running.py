"""A rebuild from its beginning to its end: build, compare, and put in place what somebody agreed to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict
from trueup.ops.rebuilding import views
from trueup.ops.rebuilding.building import Building, Progress, silent
from trueup.ops.rebuilding.differing import Comparison, failures
from trueup.ops.rebuilding.reasons import Judge
from trueup.ops.rebuilding.types import Rebuilt, Target
from trueup.runtime import clock
from trueup.runtime.shadows import held

Agreed = Callable[[Rebuilt], bool]
"""Asked with what would change; nothing is changed unless it says so."""

CONFIRMATIONS: Final = 3
"""How often rows that differ are looked at again, once both sides have caught up."""


def rebuild(
    target: Target,
    *,
    by: Actor,
    agreed: Agreed,
    pace: float = 1.0,
    examples: int = 3,
    progress: Progress = silent,
) -> Rebuilt:
    """Make tables anew beside the live ones, compare, and put them in place where ``agreed`` says so; audited.

    Everything else runs on meanwhile. Ended at any moment, it leaves the live tables as they were. ``Conflict`` while
    another rebuild runs, and where the rules fail on rows that the live tables hold; ``Unavailable`` where it cannot
    keep up, or the tables are held by others all the time.
    """
    if target is Target.VIEWS:
        return _views(by=by, agreed=agreed)
    with held():
        started = clock.monotonic()
        building = Building(target, pace=pace, progress=progress)
        building.build()
        seconds = clock.monotonic() - started
        comparison = Comparison(building.shadow, examples=examples)
        comparison.note(progress)
        for _ in range(CONFIRMATIONS):
            # What was on its way when the two were compared has arrived in both by the next look.
            building.catch_up()
            comparison.strike()
        judge = Judge(building.shadow, mirror_too=building.mirror)
        failed, number = failures(building.shadow, limit=examples * 10)
        found = Rebuilt(
            target=target,
            events=building.events,
            customers=building.folded,
            seconds=round(seconds, 3),
            rows_per_second=round((building.events + building.folded) / seconds, 1),
            tables=tuple(comparison.tables(judge, progress)),
            failures=tuple(failed),
            failed=number,
            views=tuple(views.differences()) if target is Target.ALL else (),
        )
        if not agreed(found):
            return found
        if number:
            raise Conflict(
                f"The rules fail on {number} rows that the live tables could make, so those would be lost.",
                code="rebuild_fails",
                hint="Nothing was changed. The preview names them.",
            )
        counts = {
            one.table: {"added": one.added, "removed": one.removed, "changed": one.changed} for one in found.tables
        }
        waited = building.swap(by=by, after={"events": found.events, "tables": counts})
        if found.views:
            views.install(by=by)
        return msgspec.structs.replace(found, swapped=True, locked_seconds=round(waited, 3))


def _views(*, by: Actor, agreed: Agreed) -> Rebuilt:
    started = clock.monotonic()
    lines = tuple(views.differences())
    found = Rebuilt(
        target=Target.VIEWS,
        events=0,
        customers=0,
        seconds=round(clock.monotonic() - started, 3),
        rows_per_second=0.0,
        tables=(),
        failures=(),
        failed=0,
        views=lines,
    )
    if not agreed(found):
        return found
    views.install(by=by)
    return msgspec.structs.replace(found, swapped=True)
