"""One incarnation, second by second: what may be the newest, whether something is missing, where to start again.

The full resolution and the incremental one walk the same way, so that they cannot differ: only where they begin does.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from trueup.kernel.records import Record
from trueup.mirror.order.second import RankKey, Second, ordered, rank_key, settle
from trueup.mirror.order.types import Checkpoint, Head, Trace, Verdict


class Moment(Record, frozen=True):
    """All that is known of one second, and what follows for the object after it.

    ``checkpoint`` is where deciding this second again begins; ``prior`` holds the comparable states before it,
    ``None`` when they are unknown, and ``expected`` the one that was sure. ``gaps`` counts missing events between
    ``prior`` and the end of the second. ``ends`` are the states that may be the newest, ``None`` when they cannot be
    compared with what follows. ``tied`` says that one more reading should confirm the end that was found, and ``gap``
    that a gap is open. ``earlier`` are the facts that a read of this second is known to be later than, in their order;
    ``events`` and ``reads`` are the others.
    """

    at: int
    earlier: tuple[Trace, ...]
    events: Second | None
    reads: tuple[Trace, ...]
    checkpoint: Checkpoint
    prior: frozenset[int] | None
    expected: int | None
    gaps: int
    ends: frozenset[int] | None
    newest: Trace
    decided: bool
    tied: bool
    gap: bool
    floor: int


def distinct(traces: Iterable[Trace]) -> list[Trace]:
    """Each fact once. Should one be told in two ways, one of them is taken, whatever the order."""
    kept: dict[tuple[int, bool, str], Trace] = {}
    for trace in traces:
        key = (trace.second, trace.read, trace.fact_id)
        other = kept.get(key)
        if other is None or (other != trace and repr(trace) < repr(other)):
            kept[key] = trace
    return list(kept.values())


def moments(traces: Iterable[Trace], start: Checkpoint, *, floor: int = 0) -> list[Moment]:
    """The seconds of one incarnation in their order, from ``start``; no deletions, each fact once."""
    walked: list[Moment] = []
    before: Moment | None = None
    for at, facts in groupby(sorted(traces, key=_second), key=_second):
        before = _moment(at, list(facts), before, start, floor)
        walked.append(before)
    return walked


def head_of(last: Moment, made: int | None) -> Head:
    """What the row keeps when this second is the newest of the incarnation."""
    newest = last.newest
    verdict = Verdict.AMBIGUOUS if not last.decided else Verdict.GAP if last.gap else Verdict.CERTAIN
    return Head(
        second=last.at,
        fact_id=newest.fact_id,
        event_type=newest.event_type,
        state=newest.state,
        verdict=verdict,
        checkpoint=last.checkpoint,
        made=made,
        version=newest.version,
        read=newest.read,
        floor=last.floor,
        gap=last.gap,
        tied=last.tied,
    )


def after(head: Head, since: int) -> Checkpoint:
    """The checkpoint just after a head that is decided, for facts from ``since`` on."""
    return Checkpoint(since=since, state=head.state, version=head.version, gap=head.gap)


def deletion(traces: Iterable[Trace], made: int | None) -> Head | None:
    """The head of an incarnation that one of these facts ended: the earliest deletion, events before reads.

    It depends on deletions alone, and on the reads that refute some: what is deleted stays so, and no doubt about what
    was before matters any more.
    """
    gone = endings(traces, made)
    if not gone:
        return None
    first = min(gone, key=deletion_key)
    return Head(
        second=first.second,
        fact_id=first.fact_id,
        event_type=first.event_type,
        state=first.state,
        verdict=Verdict.CERTAIN,
        checkpoint=Checkpoint(since=first.second),
        made=made,
        version=first.version,
        deleted=True,
        read=first.read,
    )


def endings(traces: Iterable[Trace], made: int | None) -> list[Trace]:
    """The deletions among the facts of an incarnation that count.

    A read that found nothing was misled where one that began later, and knew of it, found the object; and what was
    deleted in the second in which it was made came back in that second where such a read found it.
    """
    traces = list(traces)
    gone = [trace for trace in traces if trace.deleted]
    if not any(may_be_refuted(trace, made) for trace in gone):
        return gone
    refuted = {fact_id for trace in traces if trace.read and not trace.deleted for fact_id in trace.after}
    return [trace for trace in gone if not may_be_refuted(trace, made) or trace.fact_id not in refuted]


def may_be_refuted(gone: Trace | Head, made: int | None) -> bool:
    """Whether a deletion of the incarnation ``made`` may be none, or not its end.

    One was only read. The other happened in the very second in which the object was made: one that is made anew under
    its id within that second looks like the same incarnation.
    """
    return gone.read or gone.second == made


def refutes(trace: Trace, head: Head) -> bool:
    """Whether a fact shows that ``head``, a deletion of the same incarnation, is none, or not its end."""
    return may_be_refuted(head, head.made) and trace.read and not trace.deleted and head.fact_id in trace.after


def supersedes(trace: Trace, head: Head) -> bool:
    """Whether a fact is a deletion that counts before ``head``, a deletion of the same incarnation."""
    known = Trace(
        second=head.second, fact_id=head.fact_id, event_type=head.event_type, state=head.state, read=head.read
    )
    return trace.deleted and deletion_key(trace) < deletion_key(known)


def deletion_key(trace: Trace) -> tuple[bool, int, RankKey]:
    """The order in which deletions of one incarnation count: events before reads, the earliest first."""
    return (trace.read, trace.second, rank_key(trace))


def _second(trace: Trace) -> int:
    return trace.second


def _moment(at: int, facts: list[Trace], before: Moment | None, start: Checkpoint, floor: int) -> Moment:
    earlier, reads, told = _sides(facts)
    events = settle(told) if told else None
    ends, version, gap = _before(before, start)
    if reads:
        # Whatever was before a read, the read does not depend on it.
        checkpoint = Checkpoint(since=at)
    elif before is None:
        checkpoint = Checkpoint(since=at, state=start.state, version=start.version, gap=start.gap)
    elif before.decided:
        checkpoint = Checkpoint(since=at, state=before.newest.state, version=version, gap=gap)
    else:
        checkpoint = before.checkpoint
    comparable = {fact.version for fact in facts} == {version}
    prior = ends if comparable else None
    sure = checkpoint.state if comparable and checkpoint.since == at else None
    possible = frozenset(read.state for read in reads) | (frozenset() if events is None else events.ends)
    goes_on = False
    if events is None:
        newest = reads[-1]
    elif goes_on := _goes_on(events, reads):
        newest = ordered(events, prior=reads[-1].state)[-1]
        possible = events.ends
    else:
        newest = ordered(events, prior=sure)[-1]
    return Moment(
        at=at,
        earlier=earlier,
        events=events,
        reads=reads,
        checkpoint=checkpoint,
        prior=prior,
        expected=sure,
        gaps=_gaps(facts, reads, events, prior),
        ends=frozenset(possible) if len({fact.version for fact in facts}) == 1 or len(possible) == 1 else None,
        newest=newest,
        decided=len(possible) == 1,
        tied=goes_on or (not reads and len({trace.state for trace in told}) > 1),
        gap=not reads and (gap or _gaps(facts, reads, events, prior) > 0),
        floor=at if reads else before.floor if before is not None else floor,
    )


def _sides(facts: list[Trace]) -> tuple[tuple[Trace, ...], tuple[Trace, ...], list[Trace]]:
    """The facts of a second that a read is known to be later than, then the other reads, then the other events."""
    reads = [fact for fact in facts if fact.read]
    if not reads:
        return (), (), facts
    known = {fact_id for read in reads for fact_id in read.after}
    newer = [fact for fact in facts if fact.fact_id not in known]
    if not any(fact.read for fact in newer):
        # Reads that claim to be later than each other, or than themselves, say nothing.
        newer = facts
    events = [fact for fact in facts if not fact.read and fact not in newer]
    earlier = sorted((fact for fact in reads if fact not in newer), key=rank_key)
    earlier += ordered(settle(events)) if events else []
    return (
        tuple(earlier),
        tuple(sorted((fact for fact in newer if fact.read), key=rank_key)),
        [fact for fact in newer if not fact.read],
    )


def _goes_on(events: Second, reads: tuple[Trace, ...]) -> bool:
    """Whether the events begin with the one state that was read, and end in one: so they came after the reading.

    That a missing event led back to what was read cannot be ruled out, so it is worth confirming.
    """
    seen = frozenset(read.state for read in reads)
    return (
        len(seen) == 1
        and not events.born
        and events.starts == (seen,)
        and len(events.ends) == 1
        and len({trace.version for trace in (*reads, *events.events)}) == 1
    )


def _gaps(facts: list[Trace], reads: tuple[Trace, ...], events: Second | None, prior: frozenset[int] | None) -> int:
    """How many events are missing at least between what was before and the end of the second."""
    told = [fact for fact in facts if not fact.read]
    if not told:
        return int(prior is not None and all(read.state not in prior for read in reads))
    if events is None or len(told) != len(events.events):
        events = settle(told)
    return events.gaps(prior)


def _before(before: Moment | None, start: Checkpoint) -> tuple[frozenset[int] | None, str | None, bool]:
    if before is not None:
        return before.ends, before.newest.version, before.gap
    return None if start.state is None else frozenset((start.state,)), start.version, start.gap
