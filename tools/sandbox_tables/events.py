"""``events.json``: every type of event, and the kinds of object that it may be about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tools.sandbox_tables import sdk
from tools.sandbox_tables.objects import kind
from tools.sandbox_tables.shared import lines

UNIONS: Final = {
    "ExternalAccount": ("bank_account", "card"),
    "CustomerSource": ("bank_account", "card", "source"),
}
"""Names that the list of events has for several kinds."""


def text(schema: Mapping[str, Mapping[str, Any]], snapshot: Iterable[Json], thin: Iterable[Json]) -> str:
    """The table. ``snapshot`` and ``thin`` are the rows of the recorded lists."""
    told = {row["type"]: _named(schema, row["data.object (SDK type)"]) for row in snapshot}
    short = {}
    for row in thin:
        hint = told.get(row["type"].removeprefix("v1."), ())
        short[row["type"]] = _related(schema, row, hint) if row["related_object"] else ()
    words = {name: ",".join(kinds) for name, kinds in told.items()}
    thin_words = {name: ",".join(kinds) for name, kinds in short.items()}
    return f'{{\n"snapshot": {lines(words)},\n"thin": {lines(thin_words)}\n}}\n'


Json = Mapping[str, str]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _named(schema: Mapping[str, Mapping[str, Any]], name: str) -> tuple[str, ...]:
    """``BillingPortal.Session``: the file below the SDK's folder and the class, or the words of the kind itself."""
    if name in UNIONS:
        return UNIONS[name]
    *spaces, last = name.split(".")
    file = "/".join([*map(_snake, spaces), f"_{_snake(last)}.py"])
    for resource, told in schema.items():
        if told["file"] == file and told["class"] == last:
            return (kind(resource),)
    if _snake(last) in schema:
        return (_snake(last),)
    raise sdk.Unreadable(f"events: there is no {name}")


def _related(schema: Mapping[str, Mapping[str, Any]], row: Json, hint: tuple[str, ...]) -> tuple[str, ...]:
    """What a thin event is about: its class in the namespace its type begins with."""
    newest = row["type"].startswith("v2.")
    found = [name for name, told in schema.items() if told["class"] == row["related_object"]]
    # An event of /v2 is about an object of /v2 where both have the class.
    same = [name for name in found if name.endswith("@v2") == newest] or found
    if len(same) > 1:
        subject = row["type"].partition(".")[2]
        same = [name for name in same if kind(name) in hint or subject.startswith(f"{kind(name)}.")]
    if len(same) != 1:
        raise sdk.Unreadable(f"events: {row['type']} is about {same or row['related_object']}")
    return (kind(same[0]),)
