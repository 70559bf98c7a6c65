"""What one event did: the version of an object that it made, where that stands among the others, and what is asked for.

Derived when somebody looks, from the log and the versions; stored nowhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from trueup.inbox.types import EventDetail
from trueup.kernel.records import Record
from trueup.mirror import reading, rules
from trueup.mirror.errors import Unusable
from trueup.mirror.types import ObjectKey, ObjectVersion
from trueup.mirror.upcast import upcast
from trueup.mirror.upcast.text import is_clean
from trueup.runtime import database

_FETCH: Final = """
select reason, since, set_aside_at is not null, last_error from mirror_fetch
where (account_id, livemode, object_type, object_id) = (%(account)s, %(livemode)s, %(type)s, %(id)s)
"""


class Asked(Record, frozen=True):
    """That the object is to be read from Stripe: why, since when, and whether that was set aside."""

    reason: str
    since: datetime
    set_aside: bool
    error: str | None


class Effect(Record, frozen=True):
    """What an event told and what came of it.

    ``shape`` is the object in the newest shape. ``version`` is the one that it made, None while the mirror has not read
    it; ``place`` is its number from the oldest, which is 1, of ``total``.
    """

    key: ObjectKey
    shape: dict[str, Any]
    version: ObjectVersion | None
    place: int
    total: int
    asked: Asked | None


def of(event: EventDetail) -> Effect | None:
    """What an event did; None for one that tells of no object, or whose body nobody can read any more."""
    try:
        fact = rules.facts_of(reading.parse(event.body))
    except (ValueError, RecursionError, Unusable):
        return None
    if fact is None:
        return None
    key = ObjectKey(
        account_id=event.account_id,
        livemode=event.livemode,
        object_type=fact.object_type,
        object_id=fact.object_id,
    )
    version, place, total = _version(key, event.event_id)
    return Effect(
        key=key,
        shape=upcast(fact.object_type, rules.whole(fact), clean=is_clean(event.body)),
        version=version,
        place=place,
        total=total,
        asked=_asked(key),
    )


def _version(key: ObjectKey, event_id: str) -> tuple[ObjectVersion | None, int, int]:
    try:
        order = reading.order_of(key)
    except ValueError:
        return None, 0, 0
    names = [trace.fact_id for trace in order.versions]
    if event_id not in names:
        return None, 0, len(names)
    place = names.index(event_id) + 1
    from_newest = len(names) - place
    return reading.versions_of(key, order, from_newest, from_newest + 1)[0], place, len(names)


def _asked(key: ObjectKey) -> Asked | None:
    values = {"account": key.account_id, "livemode": key.livemode, "type": key.object_type, "id": key.object_id}
    row = database.execute(_FETCH, values).fetchone()
    return None if row is None else Asked(reason=row[0], since=row[1], set_aside=row[2], error=row[3])
