"""A log in the database as the sequencer leaves it, without entries: its tiles, its checkpoints and its key."""

from __future__ import annotations

import threading
from typing import Any

from tests.audit.notes.keyring import LOG, Held, checkpoint_by
from trueup.audit.merkle.hashing import leaf_hashes, root_of
from trueup.audit.merkle.tiles import grow
from trueup.audit.notes.checkpoints import Checkpoint
from trueup.audit.witnesses import asking
from trueup.runtime import database


def ask(sql: str, **values: Any) -> list[tuple[Any, ...]]:
    cursor = database.execute(sql, values)
    return cursor.fetchall() if cursor.description else []


class StoredLog:
    """The log of the live mode; entries are named, so that one with another name is another log."""

    def __init__(self, holder: Held = LOG, *, name: str = "entry") -> None:
        self._holder = holder
        self._name = name
        ask(
            "insert into audit_signingkey (livemode, number, verifier_key, entry_id, announced_at) "
            "values (true, 1, %(key)s, 1, now()) on conflict do nothing",
            key=str(holder.key),
        )

    def grow_to(self, size: int, *, signed: bool = True) -> Checkpoint:
        """Put the log in place as it is at this size, whatever was there before; a superuser can."""
        leaves = leaf_hashes([f"{self._name} {number}".encode() for number in range(size)])
        found = Checkpoint(origin=self._holder.key.name, size=size, root=root_of(leaves))
        ask("set session_replication_role = replica")
        ask("delete from audit_tile where livemode")
        ask("delete from audit_checkpoint where livemode and size >= %(size)s", size=size)
        for tile, hashes in grow(0, leaves, {}).items():
            ask(
                "insert into audit_tile (livemode, level, tile_index, hashes) "
                "values (true, %(level)s, %(at)s, %(hashes)s)",
                level=tile.level,
                at=tile.index,
                hashes=hashes,
            )
        ask(
            "insert into audit_checkpoint (livemode, size, root, note, made_at, signed_at) "
            "values (true, %(size)s, %(root)s, %(note)s, now(), now())",
            size=size,
            root=found.root,
            note=checkpoint_by(found, self._holder).decode() if signed else None,
        )
        ask("set session_replication_role = origin")
        return found


def pass_time(seconds: int) -> None:
    """Let all places have been asked so much longer ago."""
    ask(
        "update audit_sink set tried_at = tried_at - make_interval(secs => %(s)s), "
        "reached_at = reached_at - make_interval(secs => %(s)s)",
        s=seconds,
    )


def look() -> int:
    return asking.ask(threading.Event())


def sinks() -> dict[str, tuple[int | None, int, str]]:
    """By kind: the size that it has, how often it failed, and why."""
    rows = ask("select kind, size, failures, coalesce(last_error, '') from audit_sink where livemode")
    return {kind: (size, failures, error.partition(":")[0]) for kind, size, failures, error in rows}
