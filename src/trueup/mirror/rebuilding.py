"""What a rebuild of the mirror needs: its tables, a step of its reader, and what the columns of a row say."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import orjson

from trueup.mirror.drain import CATALOG, DRAIN, SHAPE_VERSION
from trueup.mirror.fetching import FETCH
from trueup.mirror.service import CHANGED
from trueup.runtime import database, drains
from trueup.runtime.drains import Step
from trueup.runtime.shadows import Derived

OBJECT: Final = ("account_id", "livemode", "object_type", "object_id")
TABLES: Final = (
    Derived(table="mirror_object", key=OBJECT),
    Derived(table="mirror_version", key=(*OBJECT, "created", "event_id")),
    Derived(table="mirror_about", key=OBJECT, work=("since", "settled")),
)
QUEUES: Final = (DRAIN.queue.table, CHANGED.table, FETCH.table)
"""What the reader reads from, what it announces in, and where it asks for what it cannot know."""
VERSION: Final = SHAPE_VERSION
"""Of the rules that make rows from the log."""
NAMED: Final = tuple(sorted(CATALOG))
"""Types of objects without a customer whose change moves customers' states."""

BATCH: Final = 5_000
"""Events read at once: more than live, because nobody waits, and of several versions only the last is written."""

_READER: Final = msgspec.structs.replace(DRAIN, max_attempts=1, batch=BATCH)


def read() -> Step:
    """Read a batch of what is queued, as the drain does; what cannot be read is set aside at once."""
    return drains.step(_READER)


def forget_changes() -> None:
    """Forget who changed: for a shadow whose customers are all folded anyway."""
    database.execute(f"truncate {CHANGED.table}")


def fields(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a row as people know them: its columns, and the object's fields in place of ``essence``."""
    if table != "mirror_object":
        return row
    told = dict(row)
    essence = told.pop("essence")
    try:
        known = orjson.loads(essence)
    except orjson.JSONDecodeError:
        return row
    return told | {f"essence.{name}": value for name, value in known.items()} if type(known) is dict else row
