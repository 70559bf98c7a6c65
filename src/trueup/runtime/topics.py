"""Who wants to know what.

Packages subscribe drains to topics, and lower packages wake topics without knowing who listens.
"""

from __future__ import annotations

from trueup.kernel.errors import Broken
from trueup.runtime.drains import Drain

_drains: dict[str, Drain] = {}


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
