"""The words for types in the generated tables.

| words | a value that is |
|---|---|
| `string` `integer` `number` `boolean` `file` `any` `true` | what they say |
| `decimal` `int64` | a string of digits, for exactness |
| `(day|month)` `=Name` | one of these, or of the enum of that name |
| `[]T` `{}T` `list:T` | an array, a map from strings, Stripe's list object |
| `@Name` `@a,b` | an object of that shape, or of one of several kinds |
| `&customer` `&a,b` | an id, or the object that it expands to |
| `<integer/(now)>` | any of these |
| `?T` | that, or null or absent; in parameters: or the empty string, which unsets |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

import orjson

from trueup.kernel.records import Record

_TOKEN: Final = re.compile(r"\?|\[\]|\{\}|list:|[@&=][\w.:,]+|\([^)]*\)|[</>]|\w+")

Enums = Mapping[str, list[str]]


class Type(Record, frozen=True):
    """What a value may be.

    ``kind`` is a scalar's word or ``enum``, ``array``, ``map``, ``list``, ``object``, ``expandable``, ``union``.
    ``optional`` is the ``?``. ``of`` is what arrays, maps and lists hold, ``names`` the shapes or kinds of objects and
    expandables, ``values`` those of an enum, ``arms`` the members of a union.
    """

    kind: str
    optional: bool = False
    of: Type | None = None
    names: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    arms: tuple[Type, ...] = ()

    @property
    def inside(self) -> Type:
        """What an array, a map or a list holds. Raises ``ValueError`` for what holds nothing."""
        if self.of is None:
            raise ValueError(f"{self.kind} holds nothing")
        return self.of


_HOLDERS: Final = {"[]": "array", "{}": "map", "list:": "list"}
_REFERENCES: Final = {"@": "object", "&": "expandable"}


def parse(words: str, enums: Enums) -> Type:
    """The type that the words stand for; ``enums`` has the shared ones."""
    return _type(iter(_TOKEN.findall(words)), enums)


def table(name: str) -> Any:
    """A generated table beside this module, decoded anew."""
    return orjson.loads(resources.files(__package__).joinpath(name).read_bytes())


def _type(tokens: Iterator[str], enums: Enums, *, optional: bool = False) -> Type:
    token = next(tokens)
    sign, rest = token[0], token[1:]
    if sign == "?":
        return _type(tokens, enums, optional=True)
    if token in _HOLDERS:
        return Type(kind=_HOLDERS[token], optional=optional, of=_type(tokens, enums))
    if sign in _REFERENCES:
        return Type(kind=_REFERENCES[sign], optional=optional, names=tuple(rest.split(",")))
    if sign == "<":
        arms = [_type(tokens, enums)]
        while next(tokens) == "/":
            arms.append(_type(tokens, enums))
        return Type(kind="union", optional=optional, arms=tuple(arms))
    if sign in "(=":
        values = enums[rest] if sign == "=" else [value for value in rest[:-1].split("|") if value]
        return Type(kind="enum", optional=optional, values=tuple(values))
    return Type(kind=token, optional=optional)
