"""How far each type of a backfill is, and about how much is left: from what was read, never from a wish. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trueup.connectors.stripe.resources import RESOURCES
from trueup.kernel.records import Record
from trueup.mirror.backfill import rules
from trueup.mirror.backfill.rules import Span
from trueup.mirror.backfill.types import Counts, Run, TypeProgress, TypeStatus


class Waiting(Record, frozen=True):
    """An open span of a list that is within nothing, and whether any page of it was read."""

    object_type: str
    variant: int
    span: Span
    seen: bool


def by_type(
    run: Run, counts: Mapping[str, Counts], waiting: Sequence[Waiting]
) -> tuple[tuple[TypeProgress, ...], int | None]:
    """How far each type of a run is, in its order, and about how many pages are left; None while nobody can tell."""
    told: dict[str, TypeProgress] = {}
    left: list[int | None] = []
    # The customers of test clocks are listed even where no customers were asked for.
    names = [*run.types, *(name for name in sorted(counts) if name not in run.types)]
    for name in names:
        count = counts.get(name, Counts(object_type=name))
        mine = [one for one in waiting if one.object_type == name]
        told[name] = _type(run, count, mine, told)
        left.append(_pages_left(count, told))
    known = [pages for pages in left if pages is not None]
    return tuple(told[name] for name in names), sum(known) if len(known) == len(left) else None


def _type(run: Run, count: Counts, waiting: Sequence[Waiting], told: Mapping[str, TypeProgress]) -> TypeProgress:
    parent = _parent(count.object_type, told)
    code, error = count.error_code, count.error
    if parent is not None and parent.status is TypeStatus.FAILED:
        status, code = TypeStatus.FAILED, "backfill_parent_failed"
        error = f"They are listed for each {parent.object_type}, and those could not be read."
    elif count.failed:
        status = TypeStatus.FAILED
    elif count.absent:
        status = TypeStatus.ABSENT
    elif count.open or (parent is not None and not _over(parent)):
        status = TypeStatus.READING if count.pages else TypeStatus.WAITING
    else:
        status = TypeStatus.DONE
    return TypeProgress(
        object_type=count.object_type,
        status=status,
        listed=count.listed,
        new=count.new,
        changed=count.changed,
        known=count.known,
        pages=count.pages,
        expected=_expected(run, status, count, waiting, parent),
        error_code=code,
        error=error,
    )


def _parent(object_type: str, told: Mapping[str, TypeProgress]) -> TypeProgress | None:
    parent = RESOURCES[object_type].parent
    return None if parent is None else told.get(parent.object_type)


def _over(one: TypeProgress) -> bool:
    return one.status not in {TypeStatus.WAITING, TypeStatus.READING}


def _expected(
    run: Run, status: TypeStatus, count: Counts, waiting: Sequence[Waiting], parent: TypeProgress | None
) -> int | None:
    """About how many objects of a type there are: those listed, and those that are probably left."""
    if status not in {TypeStatus.WAITING, TypeStatus.READING}:
        return count.listed
    if parent is not None:
        if parent.expected is None or not count.parents_done:
            return None
        return max(count.listed, round(count.listed * parent.expected / count.parents_done))
    if count.parents_left or not RESOURCES[count.object_type].created_filter:
        return None
    left = 0
    for variant in {one.variant for one in waiting}:
        mine = [one for one in waiting if one.variant == variant]
        oldest = min(mine, key=lambda one: one.span.since)
        more = rules.left(
            [one.span for one in mine],
            listed=count.listed,
            since=run.since or 0,
            newest=count.newest,
            oldest_seen=oldest.seen or oldest.span.since > (run.since or 0),
        )
        if more is None:
            return None
        left += more
    return count.listed + left


def _pages_left(count: Counts, told: Mapping[str, TypeProgress]) -> int | None:
    mine = told[count.object_type]
    if _over(mine):
        return 0
    if mine.expected is None:
        return None
    parent = _parent(count.object_type, told)
    if parent is not None:
        return max(0, (parent.expected or 0) - count.parents_done)
    return max(count.open, -(-(mine.expected - mine.listed) // rules.PAGE))
