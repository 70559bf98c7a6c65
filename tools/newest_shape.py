"""The newest shape of every Stripe object as a table of our own: `tools/newest_shape.txt`.

Made from `stripe/schema-16.1.0.json` of the shared material. One line per type, `type: field field? field[]{inner}`:
`?` marks a field that may be null or absent, `[]` a list, braces the fields inside. Top-level fields are all there; of
the inner ones those that are never null, and the way to them.

    python -m tools.newest_shape      writes the table
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
TABLE: Final = ROOT / "tools" / "newest_shape.txt"
SCHEMA: Final = "stripe/schema-16.1.0.json"

_TOKEN: Final = re.compile(r"([a-z0-9_]+)(\??)((?:\[\])*)(\{?)|(\})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object: whether it may be null, how many lists deep its value stands, and the fields inside."""

    nullable: bool
    lists: int
    fields: Mapping[str, Field]


def shared_folder() -> Path:
    """The folder of the shared material: ``TRUEUP_SHARED``, by default ``../shared`` beside the checkout."""
    named = os.environ.get("TRUEUP_SHARED", "")
    return Path(named).expanduser() if named else ROOT.parent / "shared"


def written(schema: Mapping[str, Any]) -> str:
    """The table as text; types and fields in alphabetical order."""
    return "".join(f"{name}: {' '.join(_shown(schema[name]['fields'], everything=True))}\n" for name in sorted(schema))


def read(table: str) -> dict[str, dict[str, Field]]:
    """The types of a table and their fields."""
    types = {}
    for line in table.splitlines():
        name, _, shown = line.partition(": ")
        types[name] = _fields(_TOKEN.finditer(shown))
    return types


def unknown(fields: Mapping[str, Field], data: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of the fields that are never null in the newest shape and that ``data`` lacks, lists as ``name[]``.

    A field inside an object counts only where that object is there.
    """
    for name, field in fields.items():
        value = data.get(name)
        if value is None:
            if not field.nullable:
                yield path + name
        elif field.fields:
            inner = f"{path}{name}{'[]' * field.lists}."
            found = {place for one in _objects(value, field.lists) for place in unknown(field.fields, one, inner)}
            yield from sorted(found)


def main() -> int:
    """Write the table."""
    schema = json.loads((shared_folder() / SCHEMA).read_bytes())
    TABLE.write_text(written(schema), encoding="utf-8")
    print(f"{TABLE.relative_to(ROOT)}: {len(schema)} types")
    return 0


def _objects(value: object, lists: int) -> list[Mapping[str, Any]]:
    values = [value]
    for _ in range(lists):
        values = [one for several in values if isinstance(several, list) for one in several]
    return [one for one in values if isinstance(one, dict)]


def _shown(fields: Mapping[str, Any], *, everything: bool) -> Iterator[str]:
    for name in sorted(fields):
        kind, lists = fields[name], ""
        nullable = "?" if kind.get("null") else ""
        while kind["t"] == "list":
            kind, lists = kind["of"], f"{lists}[]"
        # Other objects and Stripe's lists of them are types of their own.
        inner = " ".join(_shown(kind.get("fields", {}), everything=False)) if kind["t"] == "obj" else ""
        if everything or inner or not nullable:
            yield f"{name}{nullable}{lists}" + (f"{{{inner}}}" if inner else "")


def _fields(tokens: Iterator[re.Match[str]]) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for token in tokens:
        name, nullable, lists, opened, closed = token.groups()
        if closed:
            break
        fields[name] = Field(bool(nullable), len(lists) // 2, _fields(tokens) if opened else {})
    return fields


if __name__ == "__main__":
    sys.exit(main())
