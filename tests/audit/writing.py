"""Entries for tests, and what is stored of the tree."""

from __future__ import annotations

import threading
from typing import Any

from trueup.audit import service as audit
from trueup.audit.merkle.hashing import leaf_hash, root_of
from trueup.audit.notes.keys import VerifierKey
from trueup.audit.notes.signatures import verified
from trueup.audit.notes.signed import parse_note
from trueup.audit.sealing import sequencer, trees
from trueup.audit.sealing.trees import StoredCheckpoint
from trueup.audit.signing import keys
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind
from trueup.runtime import database

BY = Actor(kind=ActorKind.OPERATOR, id="7")


def record(**given: Any) -> int:
    """An entry in a transaction of its own."""
    fields: dict[str, Any] = {"by": BY, "action": Action.ACCOUNT_CHANGED, "object_type": "account", "object_id": "1"}
    with database.transaction() as connection:
        return audit.record(connection, **(fields | given))


def record_many(count: int, **given: Any) -> list[int]:
    """Entries in one transaction, each of another object."""
    with database.transaction():
        return [record(object_id=str(number), **given) for number in range(count)]


def wait_as_before(*entry_ids: int) -> None:
    """Let entries that wait do so as a version before wrote them: in the log already, with a row that says no more."""
    columns = "at, livemode, actor_kind, actor_id, behind_kind, behind_id, action, object_type, object_id, request_id"
    ids = list(entry_ids)
    database.execute("set local session_replication_role = replica")
    database.execute(
        f"insert into audit_logentry (id, {columns}, body)"
        f" select entry_id, {columns}, body from audit_unsealed where entry_id = any(%s)",
        (ids,),
    )
    database.execute(
        "update audit_unsealed set actor_kind = null, actor_id = null, behind_kind = null, behind_id = null,"
        " action = null, object_type = null, object_id = null, request_id = null, body = null"
        " where entry_id = any(%s)",
        (ids,),
    )
    database.execute("set local session_replication_role = default")


def seal(**given: Any) -> int:
    """One round of the sequencer."""
    return sequencer.seal_once(threading.Event(), **given)


def seal_all() -> None:
    """Rounds until nothing is pending."""
    while seal():
        pass


def bodies(*, livemode: bool = True) -> list[bytes]:
    """What the leaves are of, in their order, as the entries stand."""
    rows = database.execute(
        "select e.body from audit_leaf l join audit_logentry e on e.id = l.entry_id and e.at = l.at"
        " where l.livemode = %s order by l.leaf_index",
        (livemode,),
    )
    return [bytes(row[0]) for row in rows.fetchall()]


def root(*, livemode: bool = True) -> bytes:
    """The root over the entries as they stand."""
    return root_of(b"".join(leaf_hash(body) for body in bodies(livemode=livemode)))


def signed(*, livemode: bool = True) -> StoredCheckpoint:
    """The newest signed checkpoint."""
    found = trees.newest_signed(database.connection(), livemode=livemode)
    assert found is not None
    return found


def signers(checkpoint: StoredCheckpoint, *, livemode: bool = True) -> list[VerifierKey]:
    """The keys of the log whose signatures a checkpoint bears."""
    assert checkpoint.note is not None
    known = [one.key for one in keys.announced(database.connection(), livemode=livemode)]
    return [one.key for one in verified(parse_note(checkpoint.note.encode()), known)]
