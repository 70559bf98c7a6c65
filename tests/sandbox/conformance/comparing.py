"""A recorded answer and ours, leaf by leaf."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.sandbox.conformance import exempt

Json = dict[str, Any]
Kind = Literal["value", "id", "time", "token", "exempt"]

SLACK: Final = 60
"""Seconds by which a time may differ: the recorded requests took some, the sandbox's clock stands still meanwhile."""

_ID: Final = re.compile(r"\b((?:sub_sched|[a-z]{2,9})_(?:test_)?(?=[A-Za-z]*[0-9A-Z])[A-Za-z0-9]{8,})\b")
_FIRST_TIME: Final = 1_000_000_000
_ABSENT: Final = object()


@dataclass(frozen=True)
class Leaf:
    """One value of an answer: where it stands, in what kind of object, and whether ours equals the recorded one."""

    type: str
    path: str
    kind: Kind
    equal: bool
    recorded: str
    ours: str


@dataclass
class Names:
    """Which of our ids stands for which recorded one. Each stands for one only."""

    ours: dict[str, str] = field(default_factory=dict)
    recorded: dict[str, str] = field(default_factory=dict)

    def same(self, recorded: str, ours: str) -> bool:
        """Whether the two name the same object: as they did before, or both for the first time."""
        if recorded not in self.ours and ours not in self.recorded:
            self.bind(recorded, ours)
        return self.ours.get(recorded) == ours

    def bind(self, recorded: str, ours: str) -> None:
        """Let one of our ids stand for a recorded one."""
        self.ours[recorded], self.recorded[ours] = ours, recorded

    def translated(self, text: str) -> str:
        """A text with the recorded ids in it replaced by ours, where known."""
        if text in self.ours:
            return self.ours[text]
        return _ID.sub(lambda found: self.ours.get(found[1], found[1]), text)


def compare(recorded: Json, ours: Json, *, names: Names, version: str) -> Iterator[Leaf]:
    """Every leaf that either has; ``recorded`` is in the newest shape.

    Leaves of the kind ``exempt`` were not compared; what they have as recorded is the reason.
    """
    yield from _both(recorded, ours, _Place(names, version, "", ""))


@dataclass(frozen=True)
class _Place:
    names: Names
    version: str
    type: str
    path: str

    def inside(self, key: str) -> _Place:
        return _Place(self.names, self.version, self.type, f"{self.path}.{key}" if self.path else key)

    def listed(self) -> _Place:
        return _Place(self.names, self.version, self.type, f"{self.path}[]")

    def of(self, obj: Any) -> _Place:
        """Within an object the path begins anew, whatever the object is part of."""
        kind = obj.get("object") if isinstance(obj, dict) else None
        if not isinstance(kind, str) or (kind == "list" and self.type):
            return self
        return _Place(self.names, self.version, kind, "")

    def leaf(self, recorded: Any, ours: Any, *, kind: Kind = "value", equal: bool = False) -> Leaf:
        return Leaf(self.type, self.path, kind, equal, _shown(recorded, kind), _shown(ours, kind))


def _both(recorded: Any, ours: Any, place: _Place) -> Iterator[Leaf]:
    held: Literal["absent", "null", "there"] = (
        "absent" if recorded is _ABSENT else "null" if recorded is None else "there"
    )
    why = exempt.Field(place.type, place.path, place.version, held, ours is not _ABSENT).reason()
    if why is not None:
        leaf = Leaf(place.type, place.path, kind="exempt", equal=True, recorded=why, ours="")
        yield from [leaf] * max(_leaves(recorded), _leaves(ours))
        return
    if isinstance(recorded, dict) and isinstance(ours, str) and exempt.embedded(place.type, place.path, place.version):
        recorded = recorded.get("id", ours)  # The oldest discounts had none.
    place = place.of(recorded if isinstance(recorded, dict) else ours)
    if exempt.random(place.path) and _present(recorded) == _present(ours):
        yield place.leaf(None, None, kind="token", equal=True)
        return
    if isinstance(recorded, dict) and isinstance(ours, dict) and (recorded or ours):
        for key in dict.fromkeys([*recorded, *ours]):
            yield from _both(recorded.get(key, _ABSENT), ours.get(key, _ABSENT), place.inside(key))
    elif isinstance(recorded, list) and isinstance(ours, list) and (recorded or ours):
        for at in range(max(len(recorded), len(ours))):
            yield from _both(_entry(recorded, at), _entry(ours, at), place.listed())
    elif _branch(recorded) or _branch(ours):
        yield from _unequal(recorded, ours, place)
    else:
        yield _leaf(recorded, ours, place)


def _entry(entries: list[Any], at: int) -> Any:
    return entries[at] if at < len(entries) else _ABSENT


def _branch(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _unequal(recorded: Any, ours: Any, place: _Place) -> Iterator[Leaf]:
    """One side has a tree where the other has something else: each leaf of the tree differs."""
    if isinstance(recorded, dict | list) and isinstance(ours, dict | list):
        yield place.leaf(recorded, ours)
        return
    tree, other, ours_is = (ours, recorded, True) if _branch(ours) else (recorded, ours, False)
    if other is not _ABSENT:
        yield place.leaf(recorded, ours)
    parts = [(place.listed(), one) for one in tree] if isinstance(tree, list) else []
    parts += [(place.inside(key), one) for key, one in tree.items()] if isinstance(tree, dict) else []
    for inside, part in parts:
        yield from _both(_ABSENT if ours_is else part, part if ours_is else _ABSENT, inside)


def _leaf(recorded: Any, ours: Any, place: _Place) -> Leaf:
    if isinstance(recorded, str) and isinstance(ours, str):
        if _names(recorded) and _names(ours):
            return place.leaf(recorded, ours, kind="id", equal=place.names.same(recorded, ours))
        if recorded in place.names.ours:
            return place.leaf(recorded, ours, kind="id", equal=place.names.ours[recorded] == ours)
        return place.leaf(recorded, ours, equal=place.names.translated(recorded) == ours)
    if _moment(recorded) and _moment(ours):
        return place.leaf(recorded, ours, kind="time", equal=abs(recorded - ours) <= SLACK)
    return place.leaf(recorded, ours, equal=type(recorded) is type(ours) and recorded == ours)


def _leaves(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_leaves, parts)) if parts else 1


def _present(value: Any) -> bool:
    return value is not None and value is not _ABSENT


def _names(value: str) -> bool:
    return _ID.fullmatch(value) is not None


def _moment(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= _FIRST_TIME


def _shown(value: Any, kind: Kind) -> str:
    """A value as a list of differences has it: the same for every id, and for every time."""
    if value is _ABSENT:
        return "(absent)"
    if kind == "time" or _moment(value):
        return "(time)"
    if isinstance(value, dict):
        return f"({value['object']})" if isinstance(value.get("object"), str) else "{…}" if value else "{}"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    if isinstance(value, str):
        return _ID.sub(lambda found: found[1].rpartition("_")[0] + "_…", value)
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
