"""What Stripe's objects look like in the newest version, and everything that is not so about one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from trueup.sandbox.wire.checks import Checks, newer_page, page
from trueup.sandbox.wire.notation import Type, parse, table


def violations(obj: Mapping[str, object], kind: str | None = None) -> list[str]:
    """Everything about an object that is not as the schema says, as ``lines.data[0].amount: 'x' is not an integer``.

    ``kind`` is what the object should be; without it the object's own ``object`` says so, and a list or a search
    result is looked at entry by entry. Looked for are unknown fields, missing ones, null where there is none, values of
    another type or outside an enum, and lists that are none. An id may stand expanded. What was deleted needs no more
    than its id. An event's object is looked into as well, and has to be of a kind that the event is about. A field that
    may be null may be absent: the schema does not tell these apart.
    """
    found: list[str] = []
    name = obj.get("object") if kind is None else kind
    if isinstance(name, str) and name in _PAGES:
        _PAGES[name](obj, found)
    elif kind is None and name is None and "next_page_url" in obj:
        _NEWER_PAGE(obj, found)
    elif isinstance(name, str) and name in _objects():
        _CHECKS.of(name)(obj, found)
        if name == "event":
            _subject(obj, found)
    else:
        found.append(f"object: {name!r} is not a kind of object")
    return [line.lstrip(".:").lstrip() for line in found]


def kinds() -> frozenset[str]:
    """The names of all kinds of object: ``customer``, ``billing.meter``, ``v2.core.account``."""
    return frozenset(name for name in _objects() if ":" not in name)


def fields(kind: str) -> Mapping[str, Type]:
    """The fields of a kind and what each may be. Raises ``KeyError`` for a kind that there is not."""
    return _fields(kind)


def expandable(kind: str, field: str) -> tuple[str, ...]:
    """The kinds that the id in a field expands to, none where it does not expand or does not exist.

    ``field`` may be a path: ``parent.subscription_details.subscription``, ``lines.data.discounts``.
    """
    found = _held(_resolved(kind, field))
    return found.names if found is not None and found.kind == "expandable" else ()


def enum(kind: str, path: str) -> tuple[str, ...]:
    """The values that a field may have, none where it is no enum; ``path`` as for ``expandable``."""
    found = _held(_resolved(kind, path))
    return found.values if found is not None else ()


def list_of(kind: str, field: str) -> tuple[str, ...]:
    """The kinds that stand in a field that is a list object (``items``, ``lines``), none where it is not one."""
    found = _resolved(kind, field)
    return found.of.names if found is not None and found.kind == "list" and found.of is not None else ()


def event_object(type: str) -> str | None:  # noqa: A002 - Stripe's name of the field
    """The kind of object that an event is about; none for an unknown type, or where it depends or there is none."""
    found = event_objects(type)
    return found[0] if len(found) == 1 else None


def event_objects(type: str) -> tuple[str, ...]:  # noqa: A002 - see above
    """All kinds that an event may be about: several for ``customer.source.created``. Thin types are known too."""
    told = _events()
    words = told["snapshot"].get(type, told["thin"].get(type, ""))
    return tuple(words.split(",")) if words else ()


def event_types(*, thin: bool = False) -> tuple[str, ...]:
    """Every type of event that there is, in order; those that begin with ``v1.`` or ``v2.`` are the thin ones."""
    return tuple(_events()["thin" if thin else "snapshot"])


# --- the tables ------------------------------------------------------------------------------------------------------


@cache
def _tables() -> tuple[dict[str, dict[str, str]], dict[str, list[str]]]:
    told = table("objects.json")
    return told["objects"], told["enums"]


def _objects() -> dict[str, dict[str, str]]:
    return _tables()[0]


@cache
def _events() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = table("events.json")
    return found


@cache
def _fields(name: str) -> dict[str, Type]:
    objects, enums = _tables()
    return {field: parse(words, enums) for field, words in objects[name].items()}


def _held(of: Type | None) -> Type | None:
    """What an array or a map holds, otherwise the type itself."""
    while of is not None and of.kind in {"array", "map"}:
        of = of.of
    return of


@cache
def _resolved(kind: str, path: str) -> Type | None:
    """The type at a path; the first kind of several that has such a field."""
    name, _, rest = path.partition(".")
    if kind not in _objects():
        return None
    of = _fields(kind).get(name)
    if not rest or of is None:
        return of
    of = _held(of)
    if of is not None and of.kind == "list":
        of = _held(of.of)
        rest = rest.removeprefix("data").removeprefix(".")
        if not rest:
            return of
    names = () if of is None else of.names
    return next((found for one in names if (found := _resolved(one, rest)) is not None), None)


# --- the checks ------------------------------------------------------------------------------------------------------


def _subject(event: Mapping[str, object], found: list[str]) -> None:
    """What an event is about: whole, and of a kind that events of this type are about."""
    data = event.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    if not isinstance(subject, dict):
        found.append(f".data.object: {subject!r} is not an object")
        return
    told, expected = subject.get("object"), event_objects(str(event.get("type")))
    if expected and told not in expected:
        found.append(f".data.object.object: {told!r} is not one of {', '.join(expected)}")
    lines = violations(subject)
    if event.get("type") == "invoice.upcoming" and _NO_ID in lines:
        lines.remove(
            _NO_ID
        )  # Nothing was made yet: https://docs.stripe.com/api/events/types#event_types-invoice.upcoming
    found.extend(f".data.object.{line}" for line in lines)


def _entry(value: object, found: list[str]) -> None:
    """An object that says itself what it is, as a page at the top holds them."""
    if isinstance(value, dict):
        found.extend(f".{line}" for line in violations(value))
    else:
        found.append(f": {value!r} is not an object")


_NO_ID: Final = "id: missing"
_CHECKS: Final = Checks(_fields)
_PAGES: Final = {name: page(name, _entry) for name in ("list", "search_result")}
_NEWER_PAGE: Final = newer_page(_entry)
