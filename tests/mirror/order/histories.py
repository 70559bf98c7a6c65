"""Made-up lives of objects, told as Stripe tells them: whole objects, and the old values of what changed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from trueup.kernel.records import Record
from trueup.mirror.order.traces import trace_of
from trueup.mirror.order.types import Trace
from trueup.mirror.types import Fact

MADE = 1_700_000_000


class Mix(Record, frozen=True):
    """One setting of the study: events in the last second, chance in percent of a step back to an earlier state."""

    events: int
    back: int


MIXES = [Mix(events=events, back=back) for events in (2, 3, 5) for back in (0, 10, 30)]


class Told(Record, frozen=True):
    """One event as it happened, and whether it belongs to the second that is studied."""

    trace: Trace
    data: dict[str, Any]


def previous_attributes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What Stripe tells of a change: keys that differ, hashes in part, lists whole, null for what was not there."""
    told: dict[str, Any] = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        both = isinstance(old, dict) and isinstance(new, dict)
        told[key] = previous_attributes(old, new) if both else copy.deepcopy(old)  # type: ignore[arg-type]
    return told


def newborn() -> dict[str, Any]:
    return {
        "id": "thing_1",
        "object": "thing",
        "created": MADE,
        "status": "a",
        "quantity": 1,
        "note": None,
        "metadata": {},
        "settings": {"mode": "plain", "limit": None, "deep": {"on": False}},
        "items": {"object": "list", "data": [{"id": "si_1", "quantity": 1}], "has_more": False, "total_count": 1},
        "tags": ["x"],
    }


def _item(data: dict[str, Any], random: Random) -> None:
    items = data["items"]["data"]
    if len(items) > 2:
        items.pop()
    else:
        items.append({"id": f"si_{random.randrange(9)}", "quantity": random.randrange(9), "plan": None})
    data["items"]["total_count"] = len(items)


def _metadata(data: dict[str, Any], random: Random) -> None:
    key = random.choice("kl")
    if random.random() < 0.4:
        data["metadata"].pop(key, None)
    else:
        data["metadata"][key] = str(random.randrange(4))


CHANGES: list[Callable[[dict[str, Any], Random], None]] = [
    _item,
    _metadata,
    lambda data, random: data.update(status=random.choice("abc")),
    lambda data, random: data.update(quantity=random.randrange(5)),
    lambda data, random: data.update(note=random.choice([None, "n", "m"])),
    lambda data, random: data["settings"].update(limit=random.choice([None, 1, 2])),
    lambda data, random: data["settings"]["deep"].update(on=random.random() < 0.5),
    lambda data, random: data.update(tags=random.sample("xyz", random.randrange(3))),
]


def changed(data: dict[str, Any], random: Random) -> dict[str, Any]:
    """The object after a change that is one."""
    after = copy.deepcopy(data)
    while after == data:
        random.choice(CHANGES)(after, random)
    return after


def event(
    data: dict[str, Any], before: dict[str, Any] | None, *, second: int, event_id: str, kind: str = "updated"
) -> Told:
    """An event as the inbox hands it over."""
    fact = Fact(
        object_type=data["object"],
        object_id=data["id"],
        created=second,
        event_id=event_id,
        event_type=f"{data['object']}.{kind}",
        deleted=kind == "deleted",
        data=data,
        previous=None if before is None else previous_attributes(before, data),
    )
    return Told(trace=trace_of(fact), data=data)


def life(random: Random, seconds: list[int], *, back: int = 0, born: bool = True, serial: bool = False) -> list[Told]:
    """One life: a creation in its first second, then changes; ``seconds`` says how many events each second has.

    With ``serial`` no state ever comes back, not even by chance.
    """
    states = [newborn()]
    told: list[Told] = []
    for at, count in enumerate(seconds):
        for _ in range(count):
            event_id = f"evt_{random.getrandbits(48):012x}"
            if born and not told:
                told.append(event(states[0], None, second=MADE, event_id=event_id, kind="created"))
                continue
            before = states[-1]
            others = [state for state in states if state != before]
            returns = bool(others) and random.randrange(100) < back
            after = random.choice(others[-2:]) if returns else changed(before, random)
            if serial:
                after["serial"] = len(states)
            states.append(after)
            told.append(event(after, before, second=MADE + at, event_id=event_id))
            if random.random() < 0.2:
                # Some changes are told by a second type too, which carries no previous_attributes.
                told.append(event(after, None, second=MADE + at, event_id=event_id + "x", kind="paid"))
    return told
