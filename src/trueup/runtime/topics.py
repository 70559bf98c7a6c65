"""Who wants to know what, and who heals what an older rule made.

Packages subscribe drains to topics, and lower packages wake topics without knowing who listens.
"""

from __future__ import annotations

from collections.abc import Callable

from trueup.kernel.errors import Broken
from trueup.runtime.drains import Drain

Heal = Callable[[], int]
"""Does a bounded piece of healing, or queues it; answers how many rows, 0 when all is well."""

_drains: dict[str, Drain] = {}
_heals: dict[Heal, None] = {}


def subscribe(drain: Drain) -> Drain:
    """Register a drain by its name; called once at import of a package's ``tasks``.

    Another drain of the same name is refused.
    """
    known = _drains.get(drain.name)
    if known is not None and known != drain:
        raise Broken(f"Two drains are called {drain.name}.", code="drain_name_taken")
    _drains[drain.name] = drain
    return drain


def drains() -> tuple[Drain, ...]:
    """All drains, in the order they were subscribed."""
    return tuple(_drains.values())


def heal(by: Heal) -> Heal:
    """Register what the sweep calls to find and heal rows that older rules made; repeating it changes nothing."""
    _heals[by] = None
    return by


def heals() -> tuple[Heal, ...]:
    """All that were registered, in that order."""
    return tuple(_heals)
