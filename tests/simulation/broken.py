"""Rules of Trueup's, each of which can be taken out, to see that the simulation notices."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from msgspec.structs import replace

from trueup.mirror.order.types import Verdict

Broken = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Makes what stands in a function's place, from the function."""


def _always(answer: Any) -> Callable[..., Any]:
    return lambda *_asked, **_more: answer


def _by_arrival(_advance: Callable[..., Any]) -> Callable[..., Any]:
    """The fact that was mirrored last is the newest, whatever it says of its time."""

    def advance(head: Any, new: Any, known: Any = None) -> Any:
        found = _advance(None, list(new)[-1:])
        return found if head is None or found != head else head

    return advance


def _without_causes(settle: Callable[..., Any]) -> Callable[..., Any]:
    """Of the events of a second the one with the highest type and id is the last."""

    def broken(events: Any) -> Any:
        second = settle(events)
        return replace(second, ends=frozenset((second.events[-1].state,)))

    return broken


def _mortal(_deletion: Callable[..., Any]) -> Callable[..., Any]:
    """What is told of an object after its deletion brings it back."""
    return _always(None)


def _blind_to_gaps(_gaps: Callable[..., Any]) -> Callable[..., Any]:
    return _always(0)


def _sure_of_the_next(following: Callable[..., Any]) -> Callable[..., Any]:
    def broken(head: Any, trace: Any) -> Any:
        return replace(following(head, trace), gap=False, verdict=Verdict.CERTAIN)

    return broken


def _sure_of_ties(doubt: Callable[..., Any]) -> Callable[..., Any]:
    """The end that was found among the events of a second is never confirmed by a reading."""
    return lambda head: doubt(replace(head, tied=False))


def _content_with_beginnings(_truncated: Callable[..., Any]) -> Callable[..., Any]:
    return _always(False)


def _late_readings(before: Callable[..., Any]) -> Callable[..., Any]:
    """What was known before a reading began is not noted."""
    return _always({})


def _readings_of_now(told_at: Callable[..., Any]) -> Callable[..., Any]:
    """A reading counts as of the moment at which it is written, however long it was under way."""

    def broken(account: Any, reads: Sequence[Any], **more: Any) -> Any:
        return told_at(account, [replace(one, second=one.second + 100 * 86_400) for one in reads], **more)

    return broken


def _never_sought(_want: Callable[..., Any]) -> Callable[..., Any]:
    return _always(0)


_UNCONFIRMED: Final = ("trueup.mirror.fetching", "doubt", _sure_of_ties)

RULES: Final[dict[str, tuple[tuple[str, str, Broken], ...]]] = {
    "order by time": (("trueup.mirror.drain", "advance", _by_arrival), _UNCONFIRMED),
    "order by cause": (("trueup.mirror.order.history", "settle", _without_causes), _UNCONFIRMED),
    "deletions are final": (("trueup.mirror.order.history", "deletion", _mortal),),
    "gaps are seen": (
        ("trueup.mirror.order.history", "_gaps", _blind_to_gaps),
        ("trueup.mirror.order.resolve", "_next", _sure_of_the_next),
    ),
    "ties are confirmed": (_UNCONFIRMED,),
    "lists are completed": (("trueup.mirror.fetching", "truncated", _content_with_beginnings),),
    "readings know what they are after": (("trueup.mirror.reads", "_before", _late_readings),),
    "readings are of when they began": (("trueup.mirror.reads", "keep", _readings_of_now),),
    "thin events are fetched": (("trueup.mirror.fetching", "want", _never_sought),),
}
"""By what the rule says: where it stands, and what stands there without it.

A tie is read once more whatever order says, so the rules of order are seen only where that is left out too.
"""


@contextmanager
def without(rule: str) -> Iterator[None]:
    """Play without a rule."""
    before: list[tuple[Any, str, Any]] = []
    try:
        for module, name, broken in RULES[rule]:
            found = importlib.import_module(module)
            before.append((found, name, getattr(found, name)))
            setattr(found, name, broken(getattr(found, name)))
        yield
    finally:
        for found, name, function in before:
            setattr(found, name, function)
