"""Rows of the mirror that nothing in the log supports."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from trueup.inbox.types import TOPIC as INBOX
from trueup.mirror import service
from trueup.mirror.types import ObjectKey
from trueup.runtime import database
from trueup.runtime.orphans import PIECE, Orphan
from trueup.runtime.wake import wake

_LOGGED: Final = """exists (
    select from inbox_event e where (e.account_id, e.livemode, e.event_id, e.created)
        = (t.account_id, t.livemode, t.event_id collate "default", to_timestamp(t.created))
)"""

VERSIONS: Final = Orphan(
    table="mirror_version",
    what="a version whose event is not in the log",
    key="concat_ws(' ', t.object_type, t.object_id, t.event_id)",
    condition=f"not {_LOGGED}",
)
OBJECTS: Final = Orphan(
    table="mirror_object",
    what="an object whose newest version nothing in the log tells of",
    key="concat_ws(' ', t.object_type, t.object_id)",
    condition=f"""(not {_LOGGED} or not exists (
        select from mirror_version v
        where (v.account_id, v.livemode, v.object_type, v.object_id, v.created, v.event_id)
            = (t.account_id, t.livemode, t.object_type, t.object_id, t.created, t.event_id)
    ))""",
)
ABOUT: Final = Orphan(
    table="mirror_about",
    what="whose an object is that is not there",
    key="concat_ws(' ', t.object_type, t.object_id)",
    condition="""not exists (
        select from mirror_object o where (o.account_id, o.livemode, o.object_type, o.object_id)
            = (t.account_id, t.livemode, t.object_type, t.object_id)
    )""",
)
CHANGED: Final = Orphan(
    table="mirror_changed",
    what="a customer to be folded of whom no version tells",
    key="t.object_id",
    condition="""t.object_type = 'customer' and not exists (
        select from mirror_version v
        where (v.account_id, v.livemode, v.customer) = (t.account_id, t.livemode, t.object_id)
    ) and not exists (
        select from customer_customer c
        where (c.account_id, c.livemode, c.stripe_customer_id) = (t.account_id, t.livemode, t.object_id)
    )""",
)
ORPHANS: Final = (VERSIONS, OBJECTS)
"""Removed together, object by object, by ``remove``."""
BESIDE: Final = (ABOUT, CHANGED)

_UNSUPPORTED: Final = f"""
    select distinct * from (
        (select account_id, livemode, object_type, object_id from mirror_version t where {VERSIONS.condition}
         limit %(limit)s)
        union all
        (select account_id, livemode, object_type, object_id from mirror_object t where {OBJECTS.condition}
         limit %(limit)s)
    ) t
"""  # noqa: S608 - constants of ours
_THIS: Final = f"""
    select account_id, livemode, object_type, object_id from mirror_object t
    where (t.account_id, t.livemode, t.object_type, t.object_id) = (%(account)s, %(livemode)s, %(type)s, %(id)s)
      and {OBJECTS.condition}
"""  # noqa: S608 - constants of ours
# What is left of such an object is read again from the log, so that its order is found from what there is.
_REMOVE: Final = f"""
with asked as materialized (%s), objects as (
    delete from mirror_object o using asked a
    where (o.account_id, o.livemode, o.object_type, o.object_id)
        = (a.account_id, a.livemode, a.object_type, a.object_id)
    returning o.account_id, o.livemode, o.object_type, o.object_id, o.customer
), versions as (
    delete from mirror_version v using asked a
    where (v.account_id, v.livemode, v.object_type, v.object_id)
        = (a.account_id, a.livemode, a.object_type, a.object_id)
    returning v.account_id, v.livemode, v.object_type, v.object_id, v.event_id, v.created, v.customer
), abouts as (
    delete from mirror_about b using asked a
    where (b.account_id, b.livemode, b.object_type, b.object_id)
        = (a.account_id, a.livemode, a.object_type, a.object_id)
), again as (
    insert into inbox_pending (account_id, livemode, event_id, created)
    select t.account_id, t.livemode, t.event_id, to_timestamp(t.created) from versions t where {_LOGGED}
    returning 1
)
select account_id, livemode, object_type, object_id, customer, (select count(*) from versions t where not {_LOGGED})
from objects
union select account_id, livemode, object_type, object_id, customer, null from versions
"""  # noqa: S608 - constants of ours
_REMOVE_NEXT: Final = _REMOVE.replace("%s", _UNSUPPORTED).encode()
_REMOVE_THIS: Final = _REMOVE.replace("%s", _THIS).encode()


def remove() -> int:
    """Remove the next objects with rows that nothing supports, in the caller's transaction; returns how many objects.

    What the log still tells of them is queued to be read again, and whose they were is queued to be folded. 0 when
    there are no more.
    """
    return _removed(_REMOVE_NEXT, {"limit": PIECE})


def remove_object(key: ObjectKey) -> bool:
    """Remove one object if nothing supports its row, as ``remove`` does; whether it was removed."""
    values = {
        "account": key.account_id,
        "livemode": key.livemode,
        "type": key.object_type,
        "id": key.object_id,
    }
    return _removed(_REMOVE_THIS, values) > 0


def _removed(statement: bytes, values: dict[str, Any]) -> int:
    connection = database.connection()
    rows = psycopg.Cursor(connection).execute(statement, values).fetchall()
    keys = {row[:4] for row in rows}
    dirty: dict[tuple[Any, ...], ObjectKey] = {}
    for account_id, livemode, object_type, object_id, customer, _number in rows:
        named = ("customer", customer) if customer is not None else (object_type, object_id)
        if customer is not None or object_type in {"product", "coupon", "test_helpers.test_clock"}:
            dirty[account_id, livemode, *named] = ObjectKey(
                account_id=account_id, livemode=livemode, object_type=named[0], object_id=named[1]
            )
    if dirty:
        service.mark_changed(dirty.values())
    if keys:
        wake(connection, INBOX)
    return len(keys)
