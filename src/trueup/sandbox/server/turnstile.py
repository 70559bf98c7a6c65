"""A lock that goes from hand to hand."""

from __future__ import annotations

import threading
from types import TracebackType


class Turnstile:
    """A re-entrant lock that is given in about the order in which it is asked for.

    With an ordinary lock a thread that lets go and at once asks again, as an advance does between its transactions,
    keeps all others out until it is over.
    """

    def __init__(self) -> None:
        self._first = threading.Lock()
        self._held = threading.Lock()
        self._owner = 0
        self._depth = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self._owner != me:
            with self._first:
                self._held.acquire()
            self._owner = me
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._owner = 0
            self._held.release()
