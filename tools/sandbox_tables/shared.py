"""Tables in which what is alike is told once.

The words for types are those of ``trueup.sandbox.wire.notation``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

INLINE: Final = 40
"""Longest enum, in characters, that is told wherever it is used."""

Fields = Mapping[str, str]


class Table:
    """Objects and enums under construction: ``shape`` and ``values`` answer with the words that refer to them."""

    def __init__(self) -> None:
        self._objects: dict[str, Fields] = {}
        self._enums: dict[tuple[str, ...], set[str]] = {}

    def put(self, name: str, fields: Fields) -> None:
        """An object that keeps its own name, whatever it is like."""
        self._objects[name] = dict(sorted(fields.items()))

    def values(self, name: str, values: Iterable[str]) -> str:
        """An enum; a long one is known by the first of the names that it was told under."""
        told = tuple(values)
        inline = f"({'|'.join(told)})"
        if len(inline) <= INLINE:
            return inline
        self._enums.setdefault(told, set()).add(name)
        return f"={name}"

    def text(self, kept: Iterable[str]) -> str:
        """The table as JSON, one entry a line; of objects that are alike only those in ``kept`` stand twice."""
        objects, kept = self._objects, set(kept)
        enums = {name: min(names, key=_order) for names in self._enums.values() for name in names}
        told = {min(names, key=_order): list(values) for values, names in self._enums.items()}
        objects = {name: {at: _renamed(word, enums, "=") for at, word in one.items()} for name, one in objects.items()}
        while True:
            alike: dict[str, list[str]] = {}
            for name in sorted(objects.keys() - kept, key=_order):
                alike.setdefault(json.dumps(objects[name], sort_keys=True), []).append(name)
            first = {name: names[0] for names in alike.values() for name in names}
            if all(name == other for name, other in first.items()):
                break
            objects = {
                name: {at: _renamed(word, first, "@") for at, word in one.items()}
                for name, one in objects.items()
                if first.get(name, name) == name
            }
        return f'{{\n"enums": {lines(told)},\n"objects": {lines(objects)}\n}}\n'


def lines(entries: Mapping[str, object]) -> str:
    """A JSON object with one entry a line, sorted."""
    told = [f"{json.dumps(name)}: {_compact(value)}" for name, value in sorted(entries.items())]
    return "{\n" + ",\n".join(told) + "\n}"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _order(name: str) -> tuple[int, str]:
    return len(name), name


def _renamed(word: str, names: Mapping[str, str], sign: str) -> str:
    """A type's words with the references behind ``sign`` renamed."""
    head, found, tail = word.partition(sign)
    if not found:
        return word
    end = next((at for at, character in enumerate(tail) if character in "/>"), len(tail))
    renamed = ",".join(names.get(one, one) for one in tail[:end].split(","))
    return f"{head}{sign}{renamed}{_renamed(tail[end:], names, sign)}"
