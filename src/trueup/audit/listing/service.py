"""Looking into the audit log: lists of entries, one entry, checkpoints, and tiles as C2SP names them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import psycopg

from trueup.audit import reading
from trueup.audit import service as audit
from trueup.audit.catalogue import CATALOGUE
from trueup.audit.listing import store
from trueup.audit.listing.store import Leaf
from trueup.audit.listing.types import ListedCheckpoint, ListedEntry, Mode
from trueup.audit.merkle import tiles
from trueup.audit.merkle.errors import TileInvalid
from trueup.audit.merkle.hashing import leaf_hash
from trueup.audit.store import Row
from trueup.audit.types import Action, AuditEntry
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.records import Record
from trueup.runtime import database
from trueup.runtime.pages import Number, Page, decode_cursor, encode_cursor

PLACE: Final = re.compile(r"(live|test)/(0|[1-9][0-9]{0,17})", re.ASCII)
ENTRY_ID: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
ANYTHING: Final = "*"
LARGEST_TILE: Final = audit.NEWEST >> tiles.HEIGHT
"""Of a larger index no entry's number would fit the database."""
MEANINGS: Final[Mapping[str, str]] = {action.value: told.meaning for action, told in CATALOGUE.items()}


class Filters(Record, frozen=True):
    """Which entries: all that is given has to hold."""

    action: str = ""
    """One of the catalogue's, or the beginning of some with an asterisk, such as ``customer.*``."""
    actor: str = ""
    """A kind such as ``token``, or somebody, such as ``operator:7``."""
    object: str = ""
    """A type such as ``account``, or one object, such as ``customer:cus_1``."""
    request_id: str = ""
    mode: Mode | None = None
    since: datetime | None = None
    """From this moment on."""
    until: datetime | None = None
    """Before this moment."""


def entries(which: Filters, *, limit: int = 50, after: str | None = None) -> Page[ListedEntry]:
    """Entries, newest first, without personal values."""
    return _page(database.connection(), which, limit=limit, after=after, opened=False)


def open_entries(
    which: Filters, *, limit: int = 50, after: str | None = None, why: str = "", by: Actor
) -> Page[ListedEntry]:
    """The same with the personal values that are left; that they were looked at is recorded first."""
    with database.transaction() as connection:
        page = _page(connection, which, limit=limit, after=after, opened=True)
        _record_opening(connection, page.data, _told(which), why=why, by=by)
    return page


def entry(named: str) -> ListedEntry:
    """One entry by its id or its place in a tree, such as ``live/1234``; ``NotFound`` where there is none."""
    connection = database.connection()
    row, leaf = _found(connection, named)
    return _listed(connection, [(row, leaf)], opened=False)[0]


def open_entry(named: str, *, why: str = "", by: Actor) -> ListedEntry:
    """The same with its personal values; that they were looked at is recorded first."""
    with database.transaction() as connection:
        found = _listed(connection, [_found(connection, named)], opened=True)
        _record_opening(connection, found, {}, why=why, by=by)
    return found[0]


def checkpoints(mode: Mode, *, limit: int = 50, after: str | None = None) -> Page[ListedCheckpoint]:
    """The sizes that the tree of a mode had, the newest first."""
    before = audit.NEWEST if after is None else decode_cursor(after, tuple[Number])[0]
    rows = store.checkpoints(database.connection(), livemode=mode.livemode, before=before, limit=limit + 1)
    found = tuple(
        ListedCheckpoint(
            mode=mode, size=size, root=bytes(root).hex(), made_at=made_at, signed_at=signed_at, witnesses=tuple(names)
        )
        for _livemode, size, root, made_at, signed_at, names in rows[:limit]
    )
    return Page(data=found, next=encode_cursor(found[-1].size) if len(rows) > limit else None, total=None)


def checkpoint(mode: Mode, *, size: int | None = None) -> str:
    """The signed note of the newest checkpoint, or of one size, with the cosignatures that there are."""
    found = store.note(database.connection(), livemode=mode.livemode, size=size)
    if found is None:
        which = "" if size is None else f" of the size {size}"
        raise NotFound(
            f"The {mode.value} log has no signed checkpoint{which}.",
            code="audit_checkpoint_unknown",
            hint="A worker makes one within a second of an entry: is one running? See: trueup status",
        )
    note, lines = found
    return note + "".join(f"{line.rstrip()}\n" for line in lines)


def tile(mode: Mode, path: str) -> bytes:
    """A tile or bundle of entries by the path that C2SP gives it: ``tile/0/x001/067``, ``tile/entries/000.p/9``.

    ``NotFound`` for one that the tree does not have (yet), or whose entries retention has dropped.
    """
    try:
        wanted = tiles.parse_path(path)
    except TileInvalid as error:
        raise _no_tile(path) from error
    if wanted.index > LARGEST_TILE:
        raise _no_tile(path)
    connection = database.connection()
    if wanted.level == tiles.ENTRIES:
        bodies = store.bundle(connection, livemode=mode.livemode, start=wanted.start, end=wanted.start + wanted.width)
        if len(bodies) < wanted.width:
            raise _no_tile(path)
        return tiles.render_bundle(bodies)
    hashes = store.tile(connection, livemode=mode.livemode, level=wanted.level, tile_index=wanted.index)
    if len(hashes) < wanted.size:
        raise _no_tile(path)
    return hashes[: wanted.size]


def _no_tile(path: str) -> NotFound:
    return NotFound(
        f"There is no {path[:200]} in this log.",
        code="audit_tile_unknown",
        hint="Tiles are named as in https://c2sp.org/tlog-tiles; the checkpoint says how large the tree is.",
    )


def _page(
    connection: psycopg.Connection[tuple[Any, ...]], which: Filters, *, limit: int, after: str | None, opened: bool
) -> Page[ListedEntry]:
    before_id = audit.NEWEST if after is None else decode_cursor(after, tuple[Number])[0]
    rows = store.entries(
        connection, _wanted(which), since=which.since, until=which.until, before_id=before_id, limit=limit + 1
    )
    found = _listed(connection, rows[:limit], opened=opened)
    following = encode_cursor(found[-1].id) if len(rows) > limit else None
    return Page(data=tuple(found), next=following, total=None)


def _wanted(which: Filters) -> dict[str, Any]:
    """The values that columns have to have."""
    wanted: dict[str, Any] = {}
    if which.action:
        wanted["action"] = _actions(which.action)
    if which.actor:
        kind, _, identifier = which.actor.partition(":")
        if kind not in set(ActorKind):
            raise Refused(
                f"There is no kind of actor {kind}.",
                code="audit_actor_unknown",
                hint=f"Write one of {', '.join(ActorKind)}, or somebody, as operator:7.",
            )
        wanted |= {"actor_kind": kind} | ({"actor_id": identifier} if identifier else {})
    if which.object:
        kind, _, identifier = which.object.partition(":")
        wanted |= {"object_type": kind} | ({"object_id": identifier} if identifier else {})
    if which.request_id:
        wanted["request_id"] = which.request_id
    if which.mode is not None:
        wanted["livemode"] = which.mode.livemode
    return wanted


def _actions(named: str) -> str | list[str]:
    every = [one.value for one in Action]
    beginning = named.removesuffix(ANYTHING)
    found = [one for one in every if one == named or (named.endswith(ANYTHING) and one.startswith(beginning))]
    if not found:
        raise Refused(
            f"There is no action {named}.",
            code="audit_action_unknown",
            hint="They are listed in docs/audit-actions.md; an asterisk at the end stands for anything: customer.*",
        )
    return found[0] if len(found) == 1 else found


def _found(connection: psycopg.Connection[tuple[Any, ...]], named: str) -> tuple[Row, Leaf | None]:
    place = PLACE.fullmatch(named)
    found = None
    if place is not None:
        found = store.entry_at(connection, livemode=place[1] == Mode.LIVE, leaf_index=int(place[2]))
    elif ENTRY_ID.fullmatch(named):
        found = store.entry(connection, int(named))
    if found is None:
        raise NotFound(
            f"There is no entry {named} in the audit log.",
            code="audit_entry_unknown",
            hint="Write its id, or its place such as live/1234. List what there is: trueup audit list",
        )
    return found


def _listed(
    connection: psycopg.Connection[tuple[Any, ...]], rows: Sequence[tuple[Row, Leaf | None]], *, opened: bool
) -> list[ListedEntry]:
    if not rows:
        return []
    left = store.openable(connection, [row.id for row, _leaf in rows])
    read = reading.read(connection, [row for row, _leaf in rows], opened=opened)
    return [_one(one, leaf, left) for one, (_row, leaf) in zip(read, rows, strict=True)]


def _one(entry: AuditEntry, leaf: Leaf | None, left: set[tuple[int, str]]) -> ListedEntry:
    digests = reading.decoded(entry.body).digests
    there = {name for name, digest in digests.items() if (entry.id, digest) in left}
    mode = Mode.LIVE if entry.livemode else Mode.TEST
    return ListedEntry(
        id=entry.id,
        place=None if leaf is None else f"{mode.value}/{leaf.index}",
        at=entry.at,
        mode=mode,
        actor=f"{entry.actor_kind}:{entry.actor_id}",
        behind=f"{entry.behind_kind}:{entry.behind_id}" if entry.behind_kind else "",
        action=entry.action,
        meaning=MEANINGS.get(entry.action, ""),
        object=f"{entry.object_type}:{entry.object_id}",
        why=entry.why,
        origin=entry.origin,
        before=entry.before,
        after=entry.after,
        facts=entry.facts,
        request_id=entry.request_id,
        phase=entry.phase,
        intent=entry.intent,
        hidden=tuple(name for name in entry.hidden if name in there),
        erased=tuple(name for name in entry.hidden if name not in there),
        body=entry.body.decode("utf-8", "backslashreplace"),
        altered=leaf is not None and leaf_hash(entry.body) != leaf.hash,
    )


def _told(which: Filters) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(which).items() if value}


def _record_opening(
    connection: psycopg.Connection[tuple[Any, ...]],
    found: Sequence[ListedEntry],
    filters: Mapping[str, Any],
    *,
    why: str,
    by: Actor,
) -> None:
    audit.record(
        connection,
        by=by,
        action=Action.VALUES_OPENED,
        object_type="audit_log",
        object_id=str(found[0].id) if len(found) == 1 else "entries",
        why=why,
        after={"entries": [one.id for one in found], "filters": filters},
    )
