"""The order of all facts about one object, and the same answer kept up to date fact by fact.

``resolve`` takes every fact and tells the whole history. ``advance`` takes the head that is stored and new facts, and
gives the head that ``resolve`` would give for all of them together: at once for the usual event, which is later than
the head, and otherwise from the facts that it asks for. Both depend on the set of facts alone, never on the order or
the number of their deliveries, and take whatever comes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Final

from trueup.mirror.order import history
from trueup.mirror.order.history import Moment
from trueup.mirror.order.second import before_of, ordered
from trueup.mirror.order.stages import begins, is_birth
from trueup.mirror.order.types import Checkpoint, Head, Need, Place, PlaceKind, Resolution, Trace, Verdict

_BEGINNING: Final = Checkpoint(since=0)
_NOTHING: Final = "There is no order among no facts."


def resolve(facts: Iterable[Trace]) -> Resolution:
    """The order of the facts about one object; none at all raises ``ValueError``."""
    versions: list[Trace] = []
    places: list[Place] = []
    head: Head | None = None
    for made, traces in _lives(history.distinct(facts)):
        told, doubts, head = _life(made, traces)
        versions += told
        places += doubts
    if head is None:
        raise ValueError(_NOTHING)
    return Resolution(versions=tuple(versions), head=head, places=tuple(places))


def advance(head: Head | None, new: Iterable[Trace], known: Iterable[Trace] | None = None) -> Head | Need:
    """The head after new facts about its object, or which stored facts are needed to tell.

    ``head`` is what is stored, ``None`` for an object not known yet. On ``Need``, call again with the same head and
    facts and, as ``known``, all that is stored from that second on; more does no harm. Facts that are known already,
    and those that cannot change the head any more, give the very head that came in. Without a head and without facts
    it raises ``ValueError``.
    """
    new = list(new)
    if head is None:
        return _first(new)
    fresh = [trace for trace in new if _matters(trace, head)]
    if not fresh:
        return head
    made = max((trace.made for trace in fresh if trace.made is not None), default=head.made)
    remade = made is not None and made != head.made
    gone = None if remade else history.deletion(fresh, head.made)
    if gone is not None and not history.may_be_refuted(gone, head.made):
        return gone
    if remade or head.deleted or any(trace.deleted for trace in fresh):
        # An object came back under its id, and what does not say which incarnation it means may now belong to this one;
        # or it was read that it is gone, and only all that was read of it tells whether that is so.
        since = made if remade and made is not None else 0
        return Need(since=since) if known is None else _again(made, 0, (*known, *new), _BEGINNING, 0)
    earliest = min(trace.second for trace in fresh)
    if earliest > head.second and head.verdict is not Verdict.AMBIGUOUS:
        return _later_head(head, fresh, earliest)
    start = head.checkpoint
    since = start.since
    if earliest < since:
        start, since = _BEGINNING, head.floor
    # Deletions that are stored were refuted: it lives.
    return Need(since=since) if known is None else _again(made, since, (*_living(known), *fresh), start, head.floor)


def _first(new: Sequence[Trace]) -> Head:
    """The head of an object that was not known yet."""
    if len(new) == 1 and not (new[0].read or new[0].deleted):
        # One event, which it nearly always is: what ``_newest`` gives, sooner.
        trace = new[0]
        return Head(
            second=trace.second,
            fact_id=trace.fact_id,
            event_type=trace.event_type,
            state=trace.state,
            verdict=Verdict.CERTAIN,
            checkpoint=Checkpoint(since=trace.second),
            made=trace.made,
            version=trace.version,
        )
    lives = _lives(history.distinct(new))
    if not lives:
        raise ValueError(_NOTHING)
    made, traces = lives[-1]
    return _newest(made, traces, _BEGINNING, 0)


def _later_head(head: Head, fresh: Sequence[Trace], earliest: int) -> Head:
    """The head after facts that are all later than a head that is decided."""
    if len(fresh) == 1 and not fresh[0].read:
        return _next(head, fresh[0])
    return _newest(head.made, history.distinct(fresh), history.after(head, earliest), head.floor)


def _next(head: Head, trace: Trace) -> Head:
    """The head after the one event of a later second, which nearly every event is: what ``_newest`` gives, sooner."""
    before = before_of(trace)
    told = trace.version == head.version and before is not None and not is_birth(trace.event_type)
    gap = head.gap or (told and before != head.state)
    return Head(
        second=trace.second,
        fact_id=trace.fact_id,
        event_type=trace.event_type,
        state=trace.state,
        verdict=Verdict.GAP if gap else Verdict.CERTAIN,
        checkpoint=history.after(head, trace.second),
        made=head.made,
        version=trace.version,
        floor=head.floor,
        gap=gap,
    )


def _matters(trace: Trace, head: Head) -> bool:
    """Whether a fact can change the head."""
    if trace.made is None and head.made is not None:
        if not _joins(trace, head.made):
            return False
    elif trace.made != head.made:
        return head.made is None or (trace.made is not None and trace.made > head.made)
    if head.deleted:
        return history.supersedes(trace, head) or history.refutes(trace, head)
    if trace.deleted:
        return True
    known = (head.second, head.read, head.fact_id, head.state)
    return trace.second >= head.floor and (trace.second, trace.read, trace.fact_id, trace.state) != known


def _joins(trace: Trace, made: int) -> bool:
    """Whether a fact that does not say which incarnation it means was told while this one was there.

    A read in the very second in which the object was made may have been earlier.
    """
    return trace.second > made or (trace.second == made and not trace.read)


def _lives(traces: Sequence[Trace]) -> list[tuple[int | None, list[Trace]]]:
    """The facts by incarnation, oldest first; what belongs to none that is known stands before all others."""
    known = sorted({trace.made for trace in traces if trace.made is not None})
    lives: dict[int | None, list[Trace]] = {made: [] for made in (None, *known)}
    for trace in traces:
        made = trace.made
        if made is None:
            count = bisect_left(known, trace.second) if trace.read else bisect_right(known, trace.second)
            made = known[count - 1] if count else None
        lives[made].append(trace)
    return [(made, own) for made, own in lives.items() if own]


def _again(made: int | None, since: int, traces: Iterable[Trace], start: Checkpoint, floor: int) -> Head:
    """The head of one incarnation from the facts since a second."""
    own = [
        trace
        for trace in history.distinct(traces)
        if trace.second >= since
        and (trace.made == made or (made is not None and trace.made is None and _joins(trace, made)))
    ]
    return _newest(made, own, start, floor)


def _newest(made: int | None, traces: Sequence[Trace], start: Checkpoint, floor: int) -> Head:
    gone = history.deletion(traces, made)
    if gone is not None:
        return gone
    return history.head_of(history.moments(_living(traces), start, floor=floor)[-1], made)


def _living(traces: Iterable[Trace]) -> list[Trace]:
    return [trace for trace in traces if not trace.deleted]


def _life(made: int | None, traces: Sequence[Trace]) -> tuple[list[Trace], list[Place], Head]:
    """One incarnation: its facts in order, what is not plain about them, and its head."""
    seconds = history.moments(_living(traces), _BEGINNING)
    versions: list[Trace] = []
    places: list[Place] = []
    for moment, following in zip_longest(seconds, seconds[1:]):
        line, doubts = _line(moment, following, versions[-1].fact_id if versions else None, made)
        versions += line
        places += doubts
    gone = history.endings(traces, made)
    for trace in sorted(traces, key=history.deletion_key):
        if trace.deleted and trace not in gone:
            # It stands before the first that knew better.
            versions.insert(next(at for at, one in enumerate(versions) if trace.fact_id in one.after), trace)
    head = history.deletion(gone, made)
    if head is None:
        return versions, places, history.head_of(seconds[-1], made)
    late = tuple(trace.fact_id for trace in versions if trace.second > head.second)
    if late:
        places.append(Place(kind=PlaceKind.AFTER_DELETION, second=head.second, facts=late, made=made))
    versions += sorted(gone, key=history.deletion_key, reverse=True)
    return versions, places, head


def _line(
    moment: Moment, following: Moment | None, last: str | None, made: int | None
) -> tuple[list[Trace], list[Place]]:
    """The facts of one second in order, and what is not plain about them; ``last`` names the fact before."""
    later = _later(following)
    line = [*moment.earlier, *moment.reads]
    if moment.events is not None:
        line += ordered(moment.events, prior=moment.expected, later=later)
    places: list[Place] = []
    first = line[0]
    if last is None and not first.read and not begins(first.event_type):
        places.append(Place(kind=PlaceKind.STARTS_LATE, second=moment.at, facts=(first.fact_id,), made=made))
    if moment.gaps:
        between = (last or first.fact_id, line[-1].fact_id)
        places.append(Place(kind=PlaceKind.GAP, second=moment.at, facts=between, made=made))
    if not moment.decided and (moment.ends is None or len(moment.ends.intersection(later)) != 1):
        doubtful = tuple(trace.fact_id for trace in line if moment.ends is None or trace.state in moment.ends)
        places.append(Place(kind=PlaceKind.AMBIGUOUS, second=moment.at, facts=doubtful, made=made))
    return line, places


def _later(following: Moment | None) -> frozenset[int]:
    """The states that the next second shows to have been the last of this one."""
    if following is None or following.prior is None:
        return frozenset()
    if following.events is None:
        return frozenset(read.state for read in following.reads)
    return frozenset().union(*following.events.starts)
