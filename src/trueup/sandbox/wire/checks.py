"""Checks of values against types, compiled once and then cheap: tens of microseconds for an invoice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from trueup.sandbox.wire.notation import Type

Check = Callable[[object, list[str]], None]
"""Appends a line for each fault: ``.field[0]: what is wrong``, and ``: what is wrong`` where it is the value itself."""

_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WHOLE: Final = re.compile(r"-?[0-9]+")
_STUB: Final = frozenset({"id", "object", "deleted"})


class Checks:
    """The checks of objects by name; ``fields`` tells what the fields of each may be."""

    def __init__(self, fields: Callable[[str], Mapping[str, Type]]) -> None:
        self._fields = fields
        self._known: dict[str, Check] = {}

    def of(self, name: str) -> Check:
        """The check of a kind, or of a shape inside one. Raises ``KeyError`` for what is neither."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._object(name)
        return found

    def _object(self, name: str) -> Check:
        fields = self._fields(name)
        checks = {field: self._compiled(of) for field, of in fields.items()}
        required = frozenset(field for field, of in fields.items() if not of.optional)

        def check(value: object, found: list[str]) -> None:
            if not isinstance(value, dict):
                found.append(f": {value!r} is not an object")
                return
            for field, one in value.items():
                inner = checks.get(field)
                if inner is None:
                    found.append(f".{field}: unknown field of {name}")
                    continue
                before = len(found)
                inner(one, found)
                if len(found) > before:
                    found[before:] = [f".{field}{line}" for line in found[before:]]
            if not required <= value.keys():
                # What was deleted is answered with no more than these.
                needed = required & _STUB if value.get("deleted") is True and "deleted" in checks else required
                found.extend(f".{field}: missing" for field in sorted(needed - value.keys()))

        return check

    def _compiled(self, of: Type) -> Check:
        check = self._bare(of)
        return nullable(check) if of.optional else check

    def _bare(self, of: Type) -> Check:
        if of.kind in SCALARS:
            return SCALARS[of.kind]
        if of.kind == "enum":
            return enum(of.values)
        if of.kind in {"object", "expandable"}:
            check = self._one_of(of.names)
            return _or_id(check) if of.kind == "expandable" else check
        if of.kind == "union":
            return _union([self._compiled(arm) for arm in of.arms])
        return _HOLDERS[of.kind](self._compiled(of.inside))

    def _one_of(self, names: tuple[str, ...]) -> Check:
        """An object of the one kind, or of that one of several that it says it is."""

        def check(value: object, found: list[str]) -> None:
            name = names[0]
            if len(names) > 1 and isinstance(value, dict):
                name = value.get("object", "")
                if name not in names:
                    found.append(f".object: {name!r} is not one of {', '.join(names)}")
                    return
            self.of(name)(value, found)

        return check


def nullable(inner: Check) -> Check:
    """Null, or what ``inner`` takes."""

    def check(value: object, found: list[str]) -> None:
        if value is not None:
            inner(value, found)

    return check


def enum(values: Iterable[str]) -> Check:
    """One of the values."""
    known, listed = frozenset(values), ", ".join(values)

    def check(value: object, found: list[str]) -> None:
        if not isinstance(value, str) or value not in known:
            found.append(f": {value!r} is not one of {listed}")

    return check


def array(inner: Check) -> Check:
    """An array of what ``inner`` takes."""

    def check(value: object, found: list[str]) -> None:
        if not isinstance(value, list):
            found.append(f": {value!r} is not an array")
            return
        for index, one in enumerate(value):
            before = len(found)
            inner(one, found)
            if len(found) > before:
                found[before:] = [f"[{index}]{line}" for line in found[before:]]

    return check


def mapping(inner: Check) -> Check:
    """A map from strings to what ``inner`` takes."""

    def check(value: object, found: list[str]) -> None:
        if not isinstance(value, dict):
            found.append(f": {value!r} is not a map")
            return
        for key, one in value.items():
            before = len(found)
            inner(one, found)
            if len(found) > before:
                found[before:] = [f"[{key}]{line}" for line in found[before:]]

    return check


def page(name: str, inner: Check) -> Check:
    """A list or a search result. Stripe tells the total of some, and where a search goes on."""
    checks: dict[str, Check] = {
        "object": enum((name,)),
        "data": array(inner),
        "has_more": _boolean,
        "url": _string,
        "total_count": _integer,
    }
    if name == "search_result":
        checks["next_page"] = nullable(_string)
    return _envelope(checks, ("object", "data", "has_more", "url"))


def newer_page(inner: Check) -> Check:
    """A page of /v2: entries, and the addresses of the pages before and after."""
    checks: dict[str, Check] = {
        "data": array(inner),
        "next_page_url": nullable(_string),
        "previous_page_url": nullable(_string),
    }
    return _envelope(checks, ("data",))


def _envelope(checks: Mapping[str, Check], required: tuple[str, ...]) -> Check:
    def check(value: object, found: list[str]) -> None:
        if not isinstance(value, dict):
            found.append(f": {value!r} is not a list object")
            return
        found.extend(f".{field}: missing" for field in required if field not in value)
        for field, one in value.items():
            before = len(found)
            checks.get(field, _stray)(one, found)
            if len(found) > before:
                found[before:] = [f".{field}{line}" for line in found[before:]]

    return check


def _stray(_value: object, found: list[str]) -> None:
    found.append(": unknown field of a list")


def _or_id(inner: Check) -> Check:
    def check(value: object, found: list[str]) -> None:
        if isinstance(value, dict):
            inner(value, found)
        elif not isinstance(value, str):
            found.append(f": {value!r} is neither an id nor an object")

    return check


def _union(arms: list[Check]) -> Check:
    """Any of the arms; where none fits, what the first has against it."""

    def check(value: object, found: list[str]) -> None:
        told: list[str] | None = None
        for arm in arms:
            faults: list[str] = []
            arm(value, faults)
            if not faults:
                return
            told = told or faults
        found.extend(told or ())

    return check


def _string(value: object, found: list[str]) -> None:
    if not isinstance(value, str):
        found.append(f": {value!r} is not a string")


def _integer(value: object, found: list[str]) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        found.append(f": {value!r} is not an integer")


def _int64(value: object, found: list[str]) -> None:
    if not isinstance(value, str) or not _WHOLE.fullmatch(value):
        found.append(f": {value!r} is not a string of an integer")


def _number(value: object, found: list[str]) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        found.append(f": {value!r} is not a number")


def _decimal(value: object, found: list[str]) -> None:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        found.append(f": {value!r} is not a decimal string")


def _boolean(value: object, found: list[str]) -> None:
    if not isinstance(value, bool):
        found.append(f": {value!r} is not a boolean")


def _true(value: object, found: list[str]) -> None:
    if value is not True:
        found.append(f": {value!r} is not true")


def _anything(value: object, found: list[str]) -> None:
    """Nothing is known of it, so nothing is wrong with it."""


SCALARS: Final[Mapping[str, Check]] = {
    "string": _string,
    "integer": _integer,
    "int64": _int64,
    "number": _number,
    "decimal": _decimal,
    "boolean": _boolean,
    "true": _true,
    "any": _anything,
}
_HOLDERS: Final[Mapping[str, Callable[[Check], Check]]] = {
    "array": array,
    "map": mapping,
    "list": lambda inner: page("list", inner),
}
