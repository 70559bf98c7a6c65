"""Events through the API, for the 30 days that it gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.assumptions import EVENTS_KEPT_SECONDS
from trueup.sandbox.delivery import newer_pages, thin
from trueup.sandbox.delivery.targets import is_thin, thin_types
from trueup.sandbox.wire.errors import invalid, missing
from trueup.sandbox.world.world import Obj, World

_BITE: Final = 200
_MOST_TYPES: Final = 20
_PENDING: Final = "select count(distinct endpoint) from delivery where event = ? and state = 'waiting' and copy = 0"


def _list(world: World, call: Call) -> Obj:
    types = call.value("types") or []
    if types and call.given("type"):
        message = "You cannot parameterize by both `type` and `types`."
        raise invalid(message, param="type")
    if len(types) > _MOST_TYPES:
        message = f"You can pass at most {_MOST_TYPES} types."
        raise invalid(message, param="types")
    patterns = types or ([call.params["type"]] if call.value("type") else [])
    success = call.value("delivery_success")
    return pages.of(call, _snapshots(world, patterns, success=success), kind="event")


def _snapshots(world: World, patterns: list[str], *, success: bool | None) -> Iterator[Obj]:
    for seq, event in _kept(world, patterns):
        if is_thin(event["type"]) or (success is not None and _delivered(world, seq) != success):
            continue
        event["pending_webhooks"] = pending(world, seq)
        yield event


def _kept(world: World, patterns: list[str], about: str | None = None) -> Iterator[tuple[int, Obj]]:
    """The events that the API still gives, newest first. A pattern may hold ``*``, as in ``charge.*``."""
    conditions = ["(created, seq) < (?, ?)"]
    if patterns:
        conditions.append("(" + " or ".join("type glob ?" for _ in patterns) + ")")
    if about is not None:
        conditions.append("about = ?")
    statement = (
        f"select seq, created, clock, body from event where {' and '.join(conditions)}"  # noqa: S608 - fixed words
        " order by created desc, seq desc limit ?"
    )
    before = (1 << 62, 1 << 62)
    while True:
        rows = world.store.db.execute(
            statement, (*before, *patterns, *([about] if about is not None else []), _BITE)
        ).fetchall()
        for seq, created, clock, body in rows:
            if not _expired(world, created, clock):
                yield seq, orjson.loads(body)
        if len(rows) < _BITE:
            return
        before = (rows[-1][1], rows[-1][0])


def _expired(world: World, created: int, clock: str) -> bool:
    return world.clocks.now(clock) - created > EVENTS_KEPT_SECONDS


def _delivered(world: World, seq: int) -> bool:
    row = world.store.db.execute(
        "select 1 from delivery where event = ? and copy = 0 and state != 'delivered' limit 1", (seq,)
    ).fetchone()
    return row is None


def pending(world: World, seq: int) -> int:
    """To how many endpoints an event has still to be delivered."""
    return int(world.store.db.execute(_PENDING, (seq,)).fetchone()[0])


def _one(world: World, event_id: str) -> tuple[int, Obj] | None:
    row = world.store.db.execute("select seq, created, clock, body from event where id = ?", (event_id,)).fetchone()
    return None if row is None or _expired(world, row[1], row[2]) else (row[0], orjson.loads(row[3]))


def _retrieve(world: World, call: Call) -> Obj:
    found = _one(world, call.ids["id"])
    if found is None or is_thin(found[1]["type"]):
        raise missing("event", call.ids["id"])
    found[1]["pending_webhooks"] = pending(world, found[0])
    return found[1]


def _list_thin(world: World, call: Call) -> Obj:
    wanted = call.value("types") or []
    if len(wanted) > _MOST_TYPES:
        message = f"You can pass at most {_MOST_TYPES} types."
        raise invalid(message, param="types")
    patterns = [one for name in wanted for one in (name, name.removeprefix("v1."))]
    span = {side: _second(text, side) for side, text in (call.value("created") or {}).items()}
    found = (
        thin.full(event)
        for _seq, event in _kept(world, patterns, call.value("object_id"))
        if (is_thin(event["type"]) or f"v1.{event['type']}" in thin_types())
        and (not span or pages.within(event["created"], span))
    )
    return newer_pages.of(call, found)


def _second(text: str, side: str) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError as error:
        message = f"Invalid timestamp: {text}"
        raise invalid(message, param=f"created[{side}]") from error


def _retrieve_thin(world: World, call: Call) -> Obj:
    event_id = thin.snapshot_id(call.ids["id"])
    found: tuple[int, Mapping[str, Any]] | None = _one(world, event_id) if event_id else None
    if found is None:
        raise missing("event", call.ids["id"])
    return thin.full(found[1])


ROUTES: Final[dict[str, Handler]] = {
    "GET /v1/events": _list,
    "GET /v1/events/{id}": _retrieve,
    "GET /v2/core/events": _list_thin,
    "GET /v2/core/events/{id}": _retrieve_thin,
}
