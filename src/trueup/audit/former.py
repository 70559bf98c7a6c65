"""Entries of before there was a tree are taken over into the log, with the moment they had."""

from __future__ import annotations

from typing import Final

import msgspec

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind
from trueup.runtime import database

LIMIT: Final = 500

TAKE: Final = """
with taken as (
    delete from audit_pending
    where entry_id in (select entry_id from audit_pending order by entry_id limit %(limit)s for update skip locked)
    returning entry_id
)
select e.at, e.actor_kind, e.actor_id, e.action, e.object_type, e.object_id, e.why, e.before::text, e.after::text,
       e.request_id
from audit_entry e where e.id in (select entry_id from taken) order by e.id
"""

EMPTY: Final = """
set constraints all immediate;
alter table audit_entry disable trigger audit_entry_no_truncate;
truncate audit_entry, audit_pending;
alter table audit_entry enable trigger audit_entry_no_truncate
"""
"""What they told of people stands in disclosures now, where it can be erased; here it could not."""


def move(*, limit: int = LIMIT) -> int:
    """Take over up to ``limit`` former entries, and empty their table after the last; returns how many.

    Run by the sweep until there are none. Repeating it does no harm.
    """
    with database.transaction() as connection:
        rows = database.execute(TAKE, {"limit": limit}).fetchall()
        for at, kind, actor_id, action, object_type, object_id, why, before, after, request_id in rows:
            token = audit.REQUEST_ID.set(request_id)
            try:
                audit.record(
                    connection,
                    at=at,
                    by=Actor(kind=ActorKind(kind), id=actor_id),
                    action=Action(action),
                    object_type=object_type,
                    object_id=object_id,
                    why=why,
                    before=None if before is None else msgspec.json.decode(before),
                    after=None if after is None else msgspec.json.decode(after),
                )
            finally:
                audit.REQUEST_ID.reset(token)
        if not rows and database.execute("select exists (select from audit_entry)").fetchone() == (True,):
            # Whoever has the last of them in hand may fail still, so the question is asked once more under the lock.
            database.execute("lock table audit_pending, audit_entry in access exclusive mode")
            if database.execute("select exists (select from audit_pending)").fetchone() == (False,):
                connection.execute(EMPTY.encode())
    return len(rows)
