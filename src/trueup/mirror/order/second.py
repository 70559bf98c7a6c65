"""The events of one object within one second: which is the last.

Each event that carries ``previous_attributes`` is a step from one state to another; a creation is a step from nothing.
The truth went through every step once, so it is a walk over all edges of a graph of states. Where the graph is one
connected piece, the degrees of its nodes tell where any such walk ends, even if the object went back and forth, and
even if there are several walks. An event without ``previous_attributes`` only shows a state: it belongs to the piece
that has this state, or is a piece of its own.

With all events of the second at hand, an end that is decided is never wrong. Nothing is concluded from what was before
the second: a change that came back to where it began (a circle) stays undecided, because a missing event elsewhere
would make the conclusion wrong without a sign.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from trueup.kernel.records import Record
from trueup.mirror.order.stages import is_birth
from trueup.mirror.order.types import Trace
from trueup.mirror.rules import event_rank

_NOTHING: Final = 2**64
"""The state before creation: no fingerprint is that large."""

RankKey = tuple[int, str, int]


class Piece(Record, frozen=True):
    """A connected piece: its states, its steps and what each began with, what only shows a state, where it may end."""

    nodes: frozenset[int]
    steps: tuple[tuple[int, Trace], ...]
    shown: tuple[Trace, ...]
    starts: tuple[frozenset[int], ...]
    ends: frozenset[int]


class Second(Record, frozen=True):
    """What the events of one second say together.

    ``ends`` are the states that may be the last, exactly one when it is decided. ``starts`` holds, for each stretch
    whose beginning nothing in this second explains, the states that it may have begun with. ``born`` says that the
    object was created in it. ``versions`` counts the API versions; states of several are not comparable.
    """

    events: tuple[Trace, ...]
    pieces: tuple[Piece, ...]
    ends: frozenset[int]
    starts: tuple[frozenset[int], ...]
    born: bool
    versions: int

    def gaps(self, prior: Collection[int] | None) -> int:
        """How many events are missing at least, given the states that may have been before; ``None``: unknown."""
        if self.versions > 1 or not self.starts:
            return 0
        if prior is None:
            return len(self.starts) - (not self.born)
        return len(self.starts) - any(not start.isdisjoint(prior) for start in self.starts)


def rank_key(trace: Trace) -> RankKey:
    """The interim order: rank of the type, event id; and the state, so that no two different facts are equal."""
    return (event_rank(trace.event_type), trace.fact_id, trace.state)


def before_of(trace: Trace) -> int | None:
    """The state that an event began with: nothing for a creation, ``None`` when it does not say."""
    return _NOTHING if is_birth(trace.event_type) else trace.before


def settle(events: Iterable[Trace]) -> Second:
    """Decide what can be decided among the events of one second: no reads, no deletions, one of each; at least one."""
    traces = tuple(sorted(events, key=rank_key))
    if len(traces) == 1:
        return _single(traces[0])
    pieces = tuple(_piece(group) for group in _connected(traces))
    ends = _ends(traces, pieces)
    return Second(
        events=traces,
        pieces=pieces,
        ends=ends,
        starts=tuple(start for piece in pieces for start in piece.starts),
        born=any(_NOTHING in piece.nodes for piece in pieces),
        versions=len({trace.version for trace in traces}),
    )


def _single(trace: Trace) -> Second:
    """The usual second: one event, nothing to decide."""
    before = before_of(trace)
    return Second(
        events=(trace,),
        pieces=(),
        ends=frozenset((trace.state,)),
        starts=() if before is None or before == _NOTHING else (frozenset((before,)),),
        born=before == _NOTHING,
        versions=1,
    )


def _connected(traces: tuple[Trace, ...]) -> list[list[Trace]]:
    """The events in groups that share states, directly or by others."""
    parents: dict[int, int] = {}

    def root(state: int) -> int:
        while (parent := parents.setdefault(state, state)) != state:
            parents[state] = state = parents.setdefault(parent, parent)
        return state

    for trace in traces:
        before = before_of(trace)
        if before is not None:
            parents[root(before)] = root(trace.state)
    groups: dict[int, list[Trace]] = {}
    for trace in traces:
        groups.setdefault(root(trace.state), []).append(trace)
    return list(groups.values())


def _piece(traces: list[Trace]) -> Piece:
    steps, shown = _steps(traces)
    explained = {trace.state for trace in shown if trace.before is None}
    nodes = {trace.state for trace in traces} | {before for before, _ in steps}
    balance = _balance(nodes, steps)
    surplus = [node for node, count in balance.items() for _ in range(count)]
    if surplus:
        starts = [frozenset({node}) for node in surplus if node != _NOTHING and node not in explained]
        ends = frozenset(node for node, count in balance.items() if count < 0)
    else:
        starts = [frozenset(nodes)] if nodes.isdisjoint(explained) else []
        ends = frozenset(nodes)
    return Piece(nodes=frozenset(nodes), steps=tuple(steps), shown=tuple(shown), starts=tuple(starts), ends=ends)


def _balance(nodes: Iterable[int], steps: Iterable[tuple[int, Trace]]) -> dict[int, int]:
    """How many more steps leave each state than arrive at it."""
    balance = dict.fromkeys(nodes, 0)
    for before, trace in steps:
        balance[before] += 1
        balance[trace.state] -= 1
    return balance


def _steps(traces: list[Trace]) -> tuple[list[tuple[int, Trace]], list[Trace]]:
    """The events that are steps, and those that only show a state.

    Two types may tell one change (``charge.refunded`` and ``charge.updated``): of events with the same before and after
    as many are steps as one type has. A second creation of the same content tells the first again.
    """
    told: dict[tuple[int | None, int], dict[str, int]] = {}
    for trace in traces:
        types = told.setdefault((before_of(trace), trace.state), {})
        types[trace.event_type] = types.get(trace.event_type, 0) + 1
    left = {edge: max(types.values()) for edge, types in told.items()}
    steps: list[tuple[int, Trace]] = []
    shown = []
    for trace in traces:
        edge = before, state = before_of(trace), trace.state
        if before is None or before == state or not left[edge]:
            shown.append(trace)
        else:
            left[edge] = 1 if before == _NOTHING else left[edge]
            left[edge] -= 1
            steps.append((before, trace))
    return steps, shown


def _ends(traces: tuple[Trace, ...], pieces: tuple[Piece, ...]) -> frozenset[int]:
    """The states that may be the last of the second.

    Among several pieces the creation's is not the last, and none that ends at an earlier stage than another event
    shows.
    """
    if len(pieces) == 1 and len(pieces[0].ends) == 1:
        return pieces[0].ends
    ends = frozenset().union(*(piece.ends for piece in pieces if _NOTHING not in piece.nodes))
    ends = ends or frozenset().union(*(piece.ends for piece in pieces))
    stages = _stages(traces)
    furthest = max(stages.values(), default=0)
    return frozenset(end for end in ends if stages.get(end) == furthest) or ends


def _stages(traces: tuple[Trace, ...]) -> dict[int, int]:
    """The stage of each state that an event shows; empty when one has none, or when a step leads back."""
    stages = {trace.state: trace.stage for trace in traces if trace.stage is not None}
    for trace in traces:
        before = before_of(trace)
        came_from = None if before is None else stages.get(before)
        if trace.stage is None or (came_from is not None and came_from > trace.stage):
            return {}
    return stages


def ordered(second: Second, *, prior: int | None = None, later: Collection[int] = ()) -> tuple[Trace, ...]:
    """All events of the second in the order that fits best, the chosen head last; the same for the same facts.

    What the states before and after the second suggest, ``prior`` and ``later``, decides among ``second.ends`` only.
    """
    if len(second.events) == 1:
        return second.events
    end = _choice(second, prior, later)
    return tuple(trace for piece in _in_line(second, prior, end) for trace in _walk(piece, prior, end))


def _choice(second: Second, prior: int | None, later: Collection[int]) -> int:
    possible = second.ends
    fitting = possible.intersection(later)
    if len(fitting) == 1:
        possible = fitting
    elif prior is not None and len(second.pieces) == 1:
        # One circle: a walk that began with the prior state ends with it.
        possible = possible.intersection((prior,)) or possible
    return next(trace.state for trace in reversed(second.events) if trace.state in possible)


def _in_line(second: Second, prior: int | None, end: int) -> list[Piece]:
    stages = _stages(second.events)

    def place(piece: Piece) -> tuple[bool, bool, bool, int, RankKey]:
        return (
            end in piece.nodes,
            _NOTHING not in piece.nodes,
            prior not in piece.nodes,
            max((stages.get(node, 0) for node in piece.nodes), default=0),
            max(rank_key(trace) for trace in _events(piece)),
        )

    return sorted(second.pieces, key=place)


def _events(piece: Piece) -> list[Trace]:
    return [*(trace for _, trace in piece.steps), *piece.shown]


def _walk(piece: Piece, prior: int | None, end: int) -> list[Trace]:
    """The events of a piece along a walk over all its steps; what only shows a state stands where that first was."""
    balance = _balance(piece.nodes, piece.steps)
    starts = [node for node, count in balance.items() for _ in range(count)]
    if len(starts) > 1:
        return sorted(_events(piece), key=lambda trace: (trace.state == end, rank_key(trace)))
    leaving: dict[int, list[Trace]] = {node: [] for node in piece.nodes}
    for before, trace in reversed(piece.steps):
        leaving[before].append(trace)
    if starts:
        start = starts[0]
    elif end in piece.nodes:
        start = end
    else:
        start = prior if prior in piece.nodes and prior is not None else min(piece.nodes)
    shown: dict[int, list[Trace]] = {}
    for trace in piece.shown:
        shown.setdefault(trace.state, []).append(trace)
    walked = shown.pop(start, [])
    for trace in _euler(start, leaving):
        walked += (trace, *shown.pop(trace.state, ()))
    return walked


def _euler(start: int, leaving: dict[int, list[Trace]]) -> list[Trace]:
    """A walk from ``start`` over all steps, by Hierholzer, each state's in their given order. Empties ``leaving``."""
    path: list[Trace] = []
    stack: list[tuple[int, Trace | None]] = [(start, None)]
    while stack:
        node, arrived_by = stack[-1]
        if leaving[node]:
            step = leaving[node].pop()
            stack.append((step.state, step))
        else:
            stack.pop()
            if arrived_by is not None:
                path.append(arrived_by)
    return path[::-1]
