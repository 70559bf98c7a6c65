"""Who is sent events: webhook endpoints of /v1 and event destinations of /v2, seen alike."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final, Literal

import orjson

from trueup.kernel.records import Record
from trueup.sandbox.wire.schema import event_types
from trueup.sandbox.world.store import Obj, Store
from trueup.sandbox.world.world import World

ENDPOINT: Final = "webhook_endpoint"
DESTINATION: Final = "v2.core.event_destination"
PING: Final = "v2.core.event_destination.ping"
"""Goes to the destination that was asked to ping, and to no other."""
_VERSION: Final = "endpoints_version"


class Secret(Record, frozen=True):
    """What signs. ``until`` is the unix second of the sandbox's own clock from which it does so no more."""

    text: str
    until: int | None = None


class Target(Record, frozen=True):
    """An enabled endpoint: ``types`` are what it asked for (``*`` for all), ``payload`` the form it gets them in."""

    id: str
    url: str
    payload: Literal["snapshot", "thin"]
    types: frozenset[str]
    secrets: tuple[Secret, ...]

    def wants(self, event_type: str, about: str) -> bool:
        """Whether it gets a told event of this type about this object.

        ``v1.`` and ``v2.`` begin the types that exist as thin ones only.
        """
        if event_type == PING:
            return about == self.id
        alone = is_thin(event_type)
        if self.payload == "snapshot":
            return not alone and ("*" in self.types or event_type in self.types)
        name = event_type if alone else f"v1.{event_type}"
        return ("*" in self.types or name in self.types) and name in thin_types()


def is_thin(event_type: str) -> bool:
    """Whether events of a type exist as thin ones only."""
    return event_type.startswith(("v1.", "v2."))


@cache
def thin_types() -> frozenset[str]:
    """Every type of a thin event."""
    return frozenset(event_types(thin=True))


@cache
def snapshot_types() -> frozenset[str]:
    """Every type of a snapshot event."""
    return frozenset(event_types())


def changed(world: World) -> None:
    """Note that an endpoint was made, changed or deleted."""
    world.store.put_meta(_VERSION, str(int(world.store.meta(_VERSION, "0")) + 1))


def version(store: Store) -> str:
    """Another text whenever an endpoint changed."""
    return store.meta(_VERSION, "0")


def enabled(store: Store) -> Iterator[Target]:
    """All that may be sent to, oldest first."""
    rows = store.db.execute(
        "select body from object where kind in (?, ?) and not deleted order by created, seq", (ENDPOINT, DESTINATION)
    )
    for (body,) in rows.fetchall():
        obj: Obj = orjson.loads(body)
        if obj["status"] == "enabled":
            yield Target(
                id=obj["id"],
                url=obj["$url"] if obj["object"] == DESTINATION else obj["url"],
                payload=obj.get("event_payload", "snapshot"),
                types=frozenset(obj["enabled_events"]),
                secrets=tuple(Secret(text=one["text"], until=one["until"]) for one in obj["$secrets"]),
            )


def count(world: World) -> int:
    """How many endpoints and destinations there are, be they enabled or not."""
    return sum(1 for kind in (ENDPOINT, DESTINATION) for _ in world.select(kind))
