"""Recording changes, and reading them back.

Every change of money, access, personal data, policy or configuration calls ``record`` in its own transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.audit import composing, reading, store, subjects
from trueup.audit.types import Action, AuditEntry, Phase
from trueup.kernel.actor import Actor
from trueup.kernel.errors import NotFound
from trueup.runtime import clock

REQUEST_ID: Final[ContextVar[str]] = ContextVar("audit_request_id", default="")
"""The request that causes what happens now; set by the surfaces, empty elsewhere."""
ORIGIN: Final[ContextVar[str]] = ContextVar("audit_origin", default="")
"""From where it was asked for: a client's address, or a host; set by the surfaces, empty elsewhere."""
NEWEST: Final = 2**63 - 1


def record(
    connection: psycopg.Connection[tuple[Any, ...]],
    *,
    by: Actor,
    action: Action,
    object_type: str,
    object_id: str,
    livemode: bool = True,
    why: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    facts: Sequence[str] = (),
    subject: str = "",
    phase: Phase = Phase.DONE,
    intent: int | None = None,
    at: datetime | None = None,
) -> int:
    """Write one entry on the caller's connection, for the sequencer to take; returns the entry's id.

    If the entry cannot be written the error leaves the caller's transaction unusable, so the change does not happen
    either. ``livemode`` says which log it belongs to; what is of no account's mode belongs to the live one. ``before``
    and ``after`` hold what changed and never a secret. Of their values those that the catalogue calls plain stand in
    the log as they are; the others, ``why`` and where the request came from are kept apart under the key of
    ``subject``, such as ``customer:cus_1``, and can be erased. Without one that is the object where it is a person,
    else whoever acts.

    For an effect outside, where no transaction reaches, write an entry with ``Phase.INTENT`` and commit it, do it, and
    write the outcome with the same action and ``intent``, the first entry's id. ``facts`` are ids of events that caused
    the change; ``at`` is given for what was recorded elsewhere before.
    """
    draft = composing.compose(
        at=at or clock.now(),
        livemode=livemode,
        by=by,
        action=action,
        object_type=object_type,
        object_id=object_id,
        why=why,
        origin=ORIGIN.get(),
        before=before,
        after=after,
        facts=facts,
        subject=subject,
        phase=phase,
        intent=intent,
        request_id=REQUEST_ID.get(),
    )
    if not draft.disclosures:
        return store.insert(connection, draft.columns)
    wanted = list(dict.fromkeys(one.subject for one in draft.disclosures))
    keys = subjects.at_hand(wanted)
    if len(keys) < len(wanted):
        keys = subjects.keys_for(connection, wanted)
    entry_id, keys_stand = store.insert_disclosing(connection, draft.columns, draft.sealed(keys))
    if not keys_stand:
        # A key at hand was destroyed by an erasure meanwhile; whoever is spoken of again has another.
        store.reseal(connection, entry_id, draft.sealed(subjects.keys_for(connection, wanted)))
    return entry_id


def entries(
    connection: psycopg.Connection[tuple[Any, ...]],
    *,
    object_type: str = "",
    object_id: str = "",
    action: str = "",
    actor_kind: str = "",
    actor_id: str = "",
    request_id: str = "",
    livemode: bool | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int = NEWEST,
    limit: int = 50,
    opened: bool = False,
) -> list[AuditEntry]:
    """Recorded changes, newest first; every filter that is given has to match, and ``before_id`` pages on.

    The span from ``since`` up to ``until`` is half-open. ``opened`` reads the personal values too, as far as they were
    not erased: ask for them only where the reader may see them.
    """
    wanted: dict[str, Any] = {
        name: value
        for name, value in (
            ("object_type", object_type),
            ("object_id", object_id),
            ("action", action),
            ("actor_kind", actor_kind),
            ("actor_id", actor_id),
            ("request_id", request_id),
        )
        if value
    }
    if livemode is not None:
        wanted["livemode"] = livemode
    rows = store.entries(connection, wanted, since=since, until=until, before_id=before_id, limit=limit)
    return reading.read(connection, rows, opened=opened)


def entry(connection: psycopg.Connection[tuple[Any, ...]], entry_id: int, *, opened: bool = False) -> AuditEntry:
    """One entry; ``NotFound`` where there is none, or where retention has dropped its month."""
    row = store.entry(connection, entry_id)
    if row is None:
        raise NotFound(
            f"There is no entry {entry_id} in the audit log.",
            code="audit_entry_unknown",
            hint="List what there is: trueup audit list",
        )
    return reading.read(connection, [row], opened=opened)[0]
