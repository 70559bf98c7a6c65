"""How a state is written to its row: as JSON text, with each fact once, and what names it by its place.

Most fields of a state come from the same two or three facts. Named once, a state is a third as long, and fits on its
page of the table. Pure.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from trueup.customer.types import CustomerState, Why
from trueup.mirror.types import FactRef


class _Fact(msgspec.Struct, array_like=True, frozen=True, gc=False):
    object_type: str
    object_id: str
    event_id: str
    created: int


class _Stored(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    state: CustomerState
    facts: tuple[_Fact, ...]
    why: dict[str, tuple[str, tuple[int, ...]]]
    since: dict[str, datetime] = {}
    """The few fields that time alone set, and when."""


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_Stored).decode


def encode(state: CustomerState) -> bytes:
    """The state as UTF-8 text."""
    places: dict[FactRef, int] = {}
    why = {
        field: (reason.rule, tuple([places.setdefault(ref, len(places)) for ref in reason.facts]))
        for field, reason in state.why.items()
    }
    facts = tuple([_Fact(ref.object_type, ref.object_id, ref.event_id, ref.created) for ref in places])
    since = {field: reason.since for field, reason in state.why.items() if reason.since is not None}
    return _encode(_Stored(state=msgspec.structs.replace(state, why={}), facts=facts, why=why, since=since))


def decode(text: str | bytes) -> CustomerState:
    """The state in a text that ``encode`` made."""
    found = _decode(text)
    facts = [
        FactRef(object_type=fact.object_type, object_id=fact.object_id, event_id=fact.event_id, created=fact.created)
        for fact in found.facts
    ]
    why = {
        field: Why(rule=rule, facts=tuple([facts[place] for place in places]), since=found.since.get(field))
        for field, (rule, places) in found.why.items()
    }
    return msgspec.structs.replace(found.state, why=why)
