"""The clockwork under the invented lives: an agenda of what will happen, and the events that it tells, in order.

Objects are values: nothing changes one that was told. A change makes a new object and, with it, the exact
``previous_attributes``; events share parts with each other and with the state, so a reader must not change them.
"""

from __future__ import annotations

import calendar
import string
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from heapq import heappop, heappush
from random import Random
from typing import Any, Final, TypeAlias
from uuid import UUID

from trueup.kernel.time import from_unix

Json: TypeAlias = dict[str, Any]

API_VERSION: Final = "2026-10-28.endive"
HOUR: Final = 3_600
DAY: Final = 86_400
TIMER: Final[Json] = {"id": None, "idempotency_key": None}
"""The ``request`` of what nobody asked for. Source: https://docs.stripe.com/api/events/object#event_object-request"""

_ALPHABET: Final = string.ascii_letters + string.digits


def nulls(names: str) -> Json:
    """The space-separated keys of an object that are null, because Stripe sends every key always."""
    return dict.fromkeys(names.split())


def changed(before: Json, changes: Mapping[str, Any]) -> tuple[Json, Json]:
    """The object after ``changes`` and its ``previous_attributes``: old values of changed keys only.

    Hashes merge and are told in part, lists are replaced and told whole, as Stripe does. A key that the object does
    not have yet raises ``KeyError``, because ``previous_attributes`` could not say that it was absent.
    """
    after, previous = dict(before), {}
    for key, value in changes.items():
        old = before[key]
        if isinstance(old, dict) and isinstance(value, dict):
            after[key], part = changed(old, value)
            if part:
                previous[key] = part
        elif old != value:
            after[key], previous[key] = value, old
    return after, previous


def months_after(at: int, months: int) -> int:
    """``at`` moved by calendar months, on the last day of a shorter month as Stripe's billing anchor does."""
    moment = from_unix(at)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())


class Engine:
    """Chance, ids, the agenda and the events not yet told. The same ``key`` gives the same of all of them."""

    def __init__(self, key: str) -> None:
        self.rng = Random(key)  # noqa: S311 - lives must be repeatable, nothing here is secret
        self._agenda: list[tuple[int, int, Callable[[int], None]]] = []
        self._told: list[tuple[int, int, Json]] = []
        self._latest: dict[str, int] = {}
        self._count = 0

    def later(self, at: int, act: Callable[[int], None]) -> None:
        """Call ``act(at)`` when the agenda reaches ``at``; of two at the same second, the one asked for first."""
        self._count += 1
        heappush(self._agenda, (at, self._count, act))

    def mint(self, prefix: str, length: int = 23) -> str:
        """A new id: ``prefix``, such as ``cus_``, and ``length`` letters and digits."""
        return prefix + "".join(self.rng.choices(_ALPHABET, k=length))

    def call(self) -> Json:
        """The ``request`` that the events of one API call share."""
        return {"id": self.mint("req_", 14), "idempotency_key": str(UUID(int=self.rng.getrandbits(128), version=4))}

    def tell(self, at: int, kind: str, about: Json, *, request: Json, previous: Json | None = None) -> None:
        """Put one event in the queue; never earlier than the last event about the same object."""
        about_id = about.get("id", "")
        created = self._latest[about_id] = max(at, self._latest.get(about_id, at)) if about_id else at
        data = {"object": about} if previous is None else {"object": about, "previous_attributes": previous}
        self._count += 1
        event = {
            "id": self.mint("evt_1"),
            "object": "event",
            "api_version": API_VERSION,
            "created": created,
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": request,
            "type": kind,
        }
        heappush(self._told, (created, self._count, event))

    def update(self, at: int, kind: str, about: Json, changes: Mapping[str, Any], request: Json) -> Json:
        """Change an object and tell it with ``previous_attributes``; nothing is told when nothing changed."""
        after, previous = changed(about, changes)
        if previous:
            self.tell(at, kind, after, request=request, previous=previous)
        return after

    def run(self, until: datetime) -> Iterator[Json]:
        """Let the agenda happen up to and including the second of ``until``; its events, in order of ``created``."""
        limit = int(until.timestamp())
        while self._agenda and self._agenda[0][0] <= limit:
            at, _, act = heappop(self._agenda)
            # An act tells nothing earlier than itself, so what is older can go.
            yield from self._older(at)
            act(at)
        yield from self._older(limit + 1)

    def _older(self, than: int) -> Iterator[Json]:
        while self._told and self._told[0][0] < than:
            yield heappop(self._told)[2]
