"""Whether bodies in the log are the ones that were received."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from trueup.inbox.rereading import size
from trueup.runtime import database

_WHOLE: Final = "redacted_at is not null or sha256(body) = body_sha256"

_PAGE: Final = f"""
with page as (
    select received_at, event_id, account_id, livemode, created, {_WHOLE} as whole from inbox_event
    where %(received_at)s::timestamptz is null or (
        received_at >= %(received_at)s and (received_at, event_id, account_id, livemode, created)
            > (%(received_at)s, %(event_id)s, %(account_id)s, %(livemode)s, %(created)s)
    )
    order by received_at, event_id, account_id, livemode, created limit %(limit)s
)
select received_at, event_id, account_id, livemode, created,
       (select count(*) from page), array(select event_id from page where not whole order by 1)
from page order by received_at desc, event_id desc, account_id desc, livemode desc, created desc limit 1
"""  # noqa: S608 - constants of ours
_SAMPLE: Final = f"""
with picked as (
    select event_id, {_WHOLE} as whole from inbox_event tablesample bernoulli (%(share)s) limit %(limit)s
)
select (select count(*) from picked), array(select event_id from picked where not whole order by 1)
"""  # noqa: S608 - constants of ours
_NAMES: Final = ("received_at", "event_id", "account_id", "livemode", "created")


class Looked(NamedTuple):
    """A piece of the log: how many bodies, and the events whose body is another than was received."""

    seen: int
    damaged: list[str]


def damaged(*, sample: int | None, page: int) -> Iterator[Looked]:
    """Look at every body, a page at a time, or at about so many picked at random.

    An erased body is taken as it is: its checksum is that of the body as received.
    """
    if sample is not None:
        share = min(100.0, 100.0 * 1.5 * sample / max(size(), 1))
        row = database.execute(_SAMPLE, {"share": share, "limit": sample}).fetchone()
        yield Looked(*(row or (0, [])))
        return
    place: tuple[Any, ...] = (None,) * len(_NAMES)
    while True:
        values = dict(zip(_NAMES, place, strict=True))
        found = database.execute(_PAGE, values | {"limit": page}).fetchone()
        if found is None:
            return
        place = found[:5]
        yield Looked(found[5], found[6])
