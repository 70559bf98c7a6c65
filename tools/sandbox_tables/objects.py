"""``objects.json``: what every object of Stripe's looks like in the newest version."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tools.sandbox_tables import sdk
from tools.sandbox_tables.shared import Table

Json = Mapping[str, Any]

SCALARS: Final = {
    "str": "string",
    "int": "integer",
    "bool": "boolean",
    "float": "number",
    "Decimal": "decimal",
    "Any": "any",
}

LISTS: Final = frozenset({"list", "list@v2", "search_result", "v2.search_result@v2"})
"""Envelopes: they are the same for every kind, and the reader of the tables knows them."""

OF_SUBCLASSES: Final = {"v2.core.event": {"data": "?{}any", "related_object": "?{}string"}}
"""Fields that only the class of each type of event has, of which there is one in ``stripe/events`` for each type."""


def kind(name: str) -> str:
    """The schema's name of a resource as the ``object`` field tells it."""
    return name.removesuffix("@v2")


class Objects:
    """Turns the recorded schema into the table; the SDK's imports tell classes of one name apart."""

    def __init__(self, root: Path, schema: Mapping[str, Json]) -> None:
        self._root = root
        self._schema = {name: resource for name, resource in schema.items() if name not in LISTS}
        self._kinds = {
            (str(root / resource["file"]), resource["class"]): kind(name) for name, resource in self._schema.items()
        }
        self._table = Table()
        self._plain: set[str] = set()

    def text(self) -> str:
        """``objects.json``."""
        for name, resource in self._schema.items():
            self._shape(self._root / resource["file"], kind(name), resource["class"], resource["fields"])
        return self._table.text([*(kind(name) for name in self._schema), *self._plain])

    def _shape(self, file: Path, name: str, called: str, fields: Mapping[str, Json]) -> str:
        inside = f"{name}." if ":" in name else f"{name}:"
        # The SDK cannot call a field ``from``: it calls it ``from_``.
        told = {at.rstrip("_"): self._word(file, inside + at.rstrip("_"), field) for at, field in fields.items()}
        for at, word in told.items():
            if (called, at) in sdk.int64s(file):
                told[at] = word.replace("integer", "int64")
        told |= OF_SUBCLASSES.get(name, {})
        self._table.put(name, told)
        return name

    def _word(self, file: Path, at: str, field: Json) -> str:
        word = self._bare(file, at, field)
        return f"?{word}" if field.get("null") else word

    def _bare(self, file: Path, at: str, field: Json) -> str:
        match field["t"]:
            case "enum" if field["values"] == [True]:
                word = "true"
            case "enum":
                word = self._table.values(at, field["values"])
            case "list":
                word = "[]" + self._word(file, at, field["of"])
            case "listobj":
                word = "list:" + self._word(file, at, field["of"])
            case "map":
                word = "{}" + self._word(file, at, field["of"])
            case "ref":
                word = ("&" if field.get("expandable") else "@") + self._ref(file, field["ref"])
            case "union":
                sign = "&" if field.get("expandable") else "@"
                word = sign + ",".join(self._ref(file, one["ref"]) for one in field["of"])
            case "obj":
                word = "@" + self._shape(file, at, field["ref"], field["fields"])
                word = f"<string/{word}>" if field.get("expandable") else word
            case scalar:
                word = SCALARS[scalar]
        return word

    def _ref(self, file: Path, name: str) -> str:
        """The object that a class stands for, seen from the file that names it."""
        module = sdk.imported(file).get(name)
        at, called = (file, name) if module is None else (sdk.source(self._root, module[0]), module[1])
        known = self._kinds.get((str(at), called))
        return known or self._value(at, called)

    def _value(self, file: Path, name: str) -> str:
        """A class that is no resource: an amount of /v2."""
        space = ".".join(file.parent.relative_to(self._root).parts)
        full = f"{space}:{name.lower()}"
        fields = {}
        for at, annotation in sdk.typed_dict(file, name).items():
            fields[at] = SCALARS[ast.unparse(annotation)]
        self._plain.add(full)
        self._table.put(full, fields)
        return full
