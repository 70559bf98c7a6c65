"""One SQLite file with everything a sandbox knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson

from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.sandbox.world.kinds import KINDS

Obj = dict[str, Any]

_KEPT: Final = 50_000
_SCHEMA: Final = """
create table if not exists meta(key text primary key, value text not null) without rowid;
create table if not exists object(
    seq integer primary key, kind text not null, id text not null, created integer not null,
    deleted integer not null default 0, changed integer not null default 0, body blob not null, unique(kind, id));
create index if not exists object_listed on object(kind, created, seq) where not deleted;
create table if not exists link(
    kind text not null, field text not null, value text not null, created integer not null, seq integer not null,
    id text not null, primary key(kind, field, value, created, seq)) without rowid;
create index if not exists link_of on link(kind, id);
create table if not exists timer(
    clock text not null, due integer not null, rank integer not null, seq integer not null, name text not null,
    about text not null, primary key(clock, due, rank, seq)) without rowid;
create index if not exists timer_about on timer(about, name);
create table if not exists event(
    seq integer primary key, id text not null unique, type text not null, created integer not null, about text not null,
    clock text not null, body blob not null);
create index if not exists event_listed on event(created, seq);
create index if not exists event_about on event(about, seq);
create table if not exists idempotency(
    key text primary key, at integer not null, print text not null, status integer not null, body blob not null,
    request text not null) without rowid;
"""


class Timer(Record, frozen=True, kw_only=False):
    """Something that falls due at the unix second ``due`` of ``clock`` (empty: the sandbox's own)."""

    clock: str
    due: int
    rank: int
    seq: int
    name: str
    about: str


class Told(Record, frozen=True, kw_only=False):
    """An event as it was written: ``body`` is its compact JSON, ``about`` the id of its object."""

    seq: int
    id: str
    type: str
    created: int
    about: str
    clock: str
    body: bytes


class Store:
    """Objects, links to look them up by, timers and events. One thread at a time; transactions are the caller's.

    ``path`` None keeps everything in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self.db.executescript("pragma journal_mode=wal; pragma synchronous=off; pragma cache_size=-64000;" + _SCHEMA)
        self._cache: dict[tuple[str, str], bytes] = {}
        self._meta: dict[str, str] = {}
        self._unsaved: set[str] = set()
        self.forget()

    def begin(self) -> None:
        """Begin a transaction."""
        self.db.execute("begin immediate")

    def commit(self) -> None:
        """End it, and keep what was done."""
        self.flush_meta()
        self.db.execute("commit")

    def rollback(self) -> None:
        """End it, and undo what was done."""
        self.db.execute("rollback")
        self.forget()

    def close(self) -> None:
        """Let the file go."""
        self.db.close()

    def save(self, path: Path) -> None:
        """Write everything into a new file; refuses one that is there."""
        self.db.execute("vacuum into ?", (str(path),))

    def load(self, path: Path) -> None:
        """Take everything over from a file that ``save`` wrote. Raises ``Refused`` for one that holds no sandbox."""
        if not path.is_file():
            raise Refused(f"{path} is not a file.", code="file_missing", hint="Name one that a sandbox saved.")
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as source:
            try:
                seed = source.execute("select value from meta where key = 'seed'").fetchone()
            except sqlite3.DatabaseError:
                seed = None
            if seed is None:
                raise Refused(f"{path} holds no sandbox.", code="file_strange", hint="Name one that a sandbox saved.")
            source.backup(self.db)
        self.forget()

    def meta(self, key: str, default: str) -> str:
        """A value of the sandbox itself."""
        return self._meta.get(key, default)

    def put_meta(self, key: str, value: str) -> None:
        """Keep a value of the sandbox itself; within a transaction it is written at its end."""
        self._meta[key] = value
        self._unsaved.add(key)
        if not self.db.in_transaction:
            self.flush_meta()

    def drop_meta(self, key: str) -> None:
        """Forget a value; harmless where there is none."""
        self._meta.pop(key, None)
        self._unsaved.add(key)
        if not self.db.in_transaction:
            self.flush_meta()

    def metas(self, prefix: str) -> list[tuple[str, str]]:
        """Keys that begin so, in order, with their values."""
        return sorted((key, value) for key, value in self._meta.items() if key.startswith(prefix))

    def flush_meta(self) -> None:
        """Write the values that were not written yet."""
        if self._unsaved:
            kept = [(key, self._meta[key]) for key in self._unsaved if key in self._meta]
            gone = [(key,) for key in self._unsaved if key not in self._meta]
            self.db.executemany("insert or replace into meta values (?, ?)", kept)
            self.db.executemany("delete from meta where key = ?", gone)
            self._unsaved.clear()

    def read(self, kind: str, object_id: str) -> bytes | None:
        """The stored JSON of an object, deleted ones as their stub; None if it never was."""
        key = (kind, object_id)
        found = self._cache.get(key)
        if found is None:
            row = self.db.execute("select body from object where kind = ? and id = ?", key).fetchone()
            if row is None:
                return None
            found = bytes(row[0])
            self._keep(key, found)
        return found

    def write(self, kind: str, obj: Obj, body: bytes, *, deleted: bool = False, at: int = 0) -> None:
        """Store an object and what it is looked up by; ``at`` is the unix second of the sandbox's own clock."""
        object_id, created = obj["id"], int(obj.get("created") or obj.get("date") or 0)
        seq = self.db.execute(
            "insert into object(kind, id, created, deleted, changed, body) values (?, ?, ?, ?, ?, ?)"
            " on conflict(kind, id) do update set created = excluded.created, deleted = excluded.deleted,"
            " changed = excluded.changed, body = excluded.body returning seq",
            (kind, object_id, created, deleted, at, body),
        ).fetchone()[0]
        self._keep((kind, object_id), body)
        known = KINDS.get(kind)
        if known is None or not known.index:
            return
        wanted = set() if deleted else {(f, v) for f in known.index for v in _values(obj, f)}
        have = {
            (f, v): c
            for f, v, c in self.db.execute(
                "select field, value, created from link where kind = ? and id = ?", (kind, object_id)
            )
        }
        for field, value in have.keys() - wanted:
            self.db.execute(
                "delete from link where kind = ? and field = ? and value = ? and created = ? and seq = ?",
                (kind, field, value, have[field, value], seq),
            )
        if missing := wanted - have.keys():
            self.db.executemany(
                "insert or replace into link values (?, ?, ?, ?, ?, ?)",
                [(kind, field, value, created, seq, object_id) for field, value in sorted(missing)],
            )

    def changed_since(self, kind: str, after: int) -> frozenset[str]:
        """Ids of the objects that were last written later than ``after`` of the sandbox's own clock."""
        rows = self.db.execute("select id from object where kind = ? and changed > ?", (kind, after))
        return frozenset(row[0] for row in rows)

    def ids(self, kind: str, where: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Ids of the objects that meet the first condition (all, without one), newest first, in bites."""
        before = (1 << 62, 1 << 62)
        while True:
            if where:
                field, value = where[0]
                rows = self.db.execute(
                    "select id, created, seq from link where kind = ? and field = ? and value = ?"
                    " and (created, seq) < (?, ?) order by created desc, seq desc limit 100",
                    (kind, field, value, *before),
                ).fetchall()
            else:
                rows = self.db.execute(
                    "select id, created, seq from object where kind = ? and not deleted"
                    " and (created, seq) < (?, ?) order by created desc, seq desc limit 100",
                    (kind, *before),
                ).fetchall()
            for row in rows:
                yield row[0]
            if len(rows) < 100:
                return
            before = (rows[-1][1], rows[-1][2])

    def forget(self) -> None:
        """Read everything anew, after a transaction was taken back or another state came in."""
        self._cache.clear()
        self._unsaved.clear()
        self._meta = {str(key): str(value) for key, value in self.db.execute("select key, value from meta")}

    def _keep(self, key: tuple[str, str], body: bytes) -> None:
        if len(self._cache) >= _KEPT:
            self._cache.clear()
        self._cache[key] = body


def _values(obj: Obj, field: str) -> Iterator[str]:
    """What a field is looked up by: its text, each of a list, nothing for null."""
    value: Any = obj
    for part in field.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    for one in value if isinstance(value, list) else (value,):
        if one is not None:
            yield text(one)


def text(value: object) -> str:
    """A value as links keep it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value["id"]) if isinstance(value, dict) else str(value)


def dumps(obj: object) -> bytes:
    """Compact JSON, keys in the order they have."""
    return orjson.dumps(obj)
