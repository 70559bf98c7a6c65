"""Answers that were dear, given again for a while: counts of large tables that several pages show at once."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from trueup.runtime import clock

_Told = TypeVar("_Told")

MOST: Final = 200
"""So many answers are kept in each place."""
_places: Final[weakref.WeakSet[Recalled[object]]] = weakref.WeakSet()


class Recalled(Generic[_Told]):
    """Answers of one kind, in the memory of this process.

    Only what ``dear`` says was dear is kept, so that small installations, and tests, always see what is.
    """

    def __init__(self, *, seconds: float, dear: Callable[[_Told], bool]) -> None:
        self._seconds = seconds
        self._dear = dear
        self._kept: dict[Hashable, tuple[float, _Told]] = {}
        _places.add(self)  # type: ignore[arg-type]

    def of(self, key: Hashable, ask: Callable[[], _Told]) -> _Told:
        """The answer of before if one is kept and fresh, else what ``ask`` says now."""
        now = clock.monotonic()
        kept = self._kept.get(key)
        if kept is not None and kept[0] > now:
            return kept[1]
        fresh = ask()
        if self._dear(fresh):
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[key] = (now + self._seconds, fresh)
        return fresh


def forget() -> None:
    """Forget all answers of this process, as when its database was emptied."""
    for place in list(_places):
        place._kept.clear()  # noqa: SLF001 - the places are this module's own
