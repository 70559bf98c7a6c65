"""I8: the newest version of each object, as its events alone tell it in any order."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from trueup.mirror.order.fingerprint import UNTOLD
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.traces import trace_of
from trueup.mirror.order.types import Head, Trace, Verdict
from trueup.mirror.rules import facts_of

Json = dict[str, Any]
Key = tuple[str, str]

SILENT: Final = frozenset({"payment_intent", "setup_intent", "invoiceitem", "test_helpers.test_clock", "discount"})
"""Kinds of which Stripe tells some changes by no event of their own."""


class Fold:
    """What became of the objects that events tell of."""

    def __init__(self, events: Iterable[Json], *, seed: int) -> None:
        told = list(events)
        random.Random(seed).shuffle(told)
        traces: defaultdict[Key, list[Trace]] = defaultdict(list)
        self._by_id = {event["id"]: event for event in told}
        for event in told:
            fact = None if event["type"].startswith(("v1.", "v2.")) else facts_of(event)
            if fact is not None:
                traces[fact.object_type, fact.object_id].append(trace_of(fact, version=event["api_version"]))
        self.heads: dict[Key, Head] = {key: resolve(found).head for key, found in traces.items()}

    def object(self, key: Key) -> Json:
        """The newest version of an object."""
        found: Json = self._by_id[self.heads[key].fact_id]["data"]["object"]
        return found

    def sure(self) -> dict[Key, Head]:
        """The heads that need no reading again."""
        return {key: head for key, head in self.heads.items() if head.verdict is Verdict.CERTAIN}

    def gaps(self) -> list[Key]:
        """The objects of which a version seems to be missing."""
        return sorted(key for key, head in self.heads.items() if head.verdict is Verdict.GAP and key[0] not in SILENT)


def told(obj: Mapping[str, Any]) -> Any:
    """An object without what changes without an event, and without nulls."""
    return _bare({name: value for name, value in obj.items() if name not in UNTOLD})


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(one) for name, one in value.items() if one is not None}
    return [_bare(one) for one in value] if isinstance(value, list) else value
