"""Short ways to write traces: states are small numbers, and the API version is the same unless said."""

from __future__ import annotations

from typing import Any

from trueup.mirror.order.types import Place, PlaceKind, Resolution, Trace

OF = 10
"""When the object of these tests was made."""


def step(second: int, before: int | None, state: int, **changes: Any) -> Trace:
    """An update from one state to another; its id tells both."""
    given: dict[str, Any] = {
        "second": second,
        "fact_id": f"evt_{second}_{before}{state}",
        "event_type": "thing.updated",
        "state": state,
        "before": before,
        "made": OF,
        "version": "v1",
    }
    return Trace(**(given | changes))


def shown(second: int, state: int, **changes: Any) -> Trace:
    """An event that does not say what was before."""
    return step(second, None, state, **({"event_type": "thing.paid", "fact_id": f"evt_{second}_{state}"} | changes))


def born(second: int, state: int, **changes: Any) -> Trace:
    return step(second, None, state, **({"event_type": "thing.created", "fact_id": f"evt_{second}_+{state}"} | changes))


def gone(second: int, state: int, **changes: Any) -> Trace:
    return step(
        second,
        None,
        state,
        **({"event_type": "thing.deleted", "fact_id": f"evt_{second}_{state}-", "deleted": True} | changes),
    )


def read(second: int, state: int, **changes: Any) -> Trace:
    return step(
        second, None, state, **({"event_type": "", "fact_id": f"read_{second}_{state}", "read": True} | changes)
    )


def ids(traces: tuple[Trace, ...]) -> list[str]:
    return [trace.fact_id for trace in traces]


def kinds(resolution: Resolution) -> list[tuple[PlaceKind, int]]:
    return [(place.kind, place.second) for place in resolution.places]


def place(kind: PlaceKind, second: int, *facts: str, made: int | None = OF) -> Place:
    return Place(kind=kind, second=second, facts=facts, made=made)
