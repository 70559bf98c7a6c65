"""From facts to traces: the one place where bodies are looked at."""

from __future__ import annotations

from typing import Any, Final

from trueup.mirror.order.fingerprint import fingerprint, fingerprints
from trueup.mirror.order.stages import stage_of
from trueup.mirror.order.types import Trace
from trueup.mirror.types import Fact
from trueup.mirror.upcast.shape import LATEST_SECOND

_NOTHING: Final[dict[str, Any]] = {}


def trace_of(fact: Fact, *, version: str | None = None) -> Trace:
    """The trace of an event; ``version`` is the API version that rendered its object, as the event's envelope says.

    States that different versions rendered are never compared: a change of version is not taken for a gap.
    """
    data = fact.data
    if (reading := fact.reading) is not None:
        return read_of(
            data,
            read_id=fact.event_id,
            started=fact.created,
            version=version,
            made=reading.made,
            after=reading.after,
        )
    state, before = fingerprints(data, fact.previous)
    return Trace(
        second=fact.created,
        fact_id=fact.event_id,
        event_type=fact.event_type,
        state=state,
        before=before,
        made=_made(data),
        version=version,
        stage=stage_of(fact.object_type, data),
        deleted=fact.deleted,
    )


def read_of(
    data: dict[str, Any] | None,
    *,
    read_id: str,
    started: int,
    version: str | None = None,
    made: int | None = None,
    after: tuple[str, ...] = (),
) -> Trace:
    """The trace of a snapshot from the API; ``started`` is the second, in the object's clock, before it was asked for.

    ``None``, or a stub that says ``deleted``, tells of a deletion. A stub does not say which incarnation it speaks of:
    the caller may, with ``made``, and else it is the newest one that was made before the second of the read. ``after``
    names the facts of that second that were known before the reading began.
    """
    given = _NOTHING if data is None else data
    own = _made(given)
    return Trace(
        second=started,
        fact_id=read_id,
        event_type="",
        state=fingerprint(given),
        made=made if own is None else own,
        version=version,
        deleted=data is None or data.get("deleted") is True,
        read=True,
        after=after,
    )


def _made(data: dict[str, Any]) -> int | None:
    created = data.get("created")
    return created if type(created) is int and 0 <= created <= LATEST_SECOND else None
