"""One change of a sandbox: what was read, what became of it, what was told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import orjson
from msgspec.structs import replace

from trueup.kernel.records import Record
from trueup.sandbox.wire.errors import StripeError, missing
from trueup.sandbox.world.clocks import Clocks
from trueup.sandbox.world.difference import carries, difference
from trueup.sandbox.world.ids import Ids
from trueup.sandbox.world.kinds import KINDS, Kind
from trueup.sandbox.world.store import Obj, Store, Told, dumps, text

API_VERSION: Final = "2026-10-28.endive"
_SHOWN: Final = 10

Signal = Callable[..., None]


class Cause(Record, frozen=True):
    """What brought a change about: an API request, or (both None) Stripe itself, at its time."""

    request: str | None = None
    idempotency_key: str | None = None


class _Held:
    """An object that this change has read or made."""

    __slots__ = ("body", "deleted", "obj", "told")

    def __init__(self, obj: Obj, body: bytes | None, told: bytes | None) -> None:
        self.obj, self.body, self.told, self.deleted = obj, body, told, False


class World:
    """All that a handler of a request or a timer works with. Objects are dictionaries in Stripe's shape.

    What ``get``, ``find``, ``select`` and ``new`` give may be changed in place until ``commit``; fields that begin with
    ``$`` are stored and never shown. Changes that nobody told by then are told as ``*.updated`` where Stripe has such
    an event, so no change is silent. An exception before ``commit`` undoes everything: call ``undo``.
    """

    def __init__(self, store: Store, *, ids: Ids, clocks: Clocks, signals: Mapping[str, tuple[Signal, ...]]) -> None:
        self.store = store
        self.ids = ids
        self.clocks = clocks
        self.clock = ""
        self.cause = Cause()
        self.events: list[Told] = []
        self._signals = signals
        self._held: dict[tuple[str, str], _Held] = {}
        self._seq = int(store.meta("event_seq", "0"))

    # --- time --------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The unix second of the clock in force: the sandbox's own, or the test clock that ``follow`` chose."""
        return self.clocks.now(self.clock)

    @property
    def own_now(self) -> int:
        """The unix second of the sandbox's own clock, by which everything lives that is no customer's."""
        return self.clocks.now()

    def follow(self, obj: Mapping[str, Any]) -> None:
        """From here on the time is that of the object's test clock, or the sandbox's own where it has none."""
        clock = obj.get("test_clock") or obj.get("$test_clock")
        self.clock = (clock["id"] if isinstance(clock, dict) else clock) or ""

    def schedule(self, due: int, name: str, about: str) -> None:
        """Have the timer ``name`` fire for ``about`` at ``due`` of the clock in force; one per name and object."""
        self.clocks.set(self.clock, due, name, about)

    def unschedule(self, name: str, about: str) -> None:
        """Let a timer not fire; harmless where there is none."""
        self.clocks.unset(name, about)

    # --- objects -----------------------------------------------------------------------------------------------------

    def id(self, kind: str) -> str:
        """A new id for a kind of object."""
        known = KINDS[kind]
        return self.ids.new(known.prefix, known.length)

    def new(self, kind: str, fields: Mapping[str, Any]) -> Obj:
        """Make an object: ``id`` and ``object``, then ``fields``; ``created`` and ``livemode`` where not given."""
        known = KINDS[kind]
        obj: Obj = {"id": fields.get("id") or self.id(kind), "object": kind}
        if known.created:
            obj["created"] = self.now
        obj["livemode"] = False
        obj.update({name: value for name, value in fields.items() if name != "id"})
        self._held[kind, obj["id"]] = _Held(obj, None, None)
        return obj

    def find(self, kind: str, object_id: str | None) -> Obj | None:
        """The object, its stub ``{id, object, deleted}`` if it was deleted, None if it never was."""
        if not object_id:
            return None
        held = self._held.get((kind, object_id))
        if held is None:
            body = self.store.read(kind, object_id)
            if body is None:
                return None
            held = self._held[kind, object_id] = _Held(orjson.loads(body), body, body)
        return held.obj

    def get(self, kind: str, object_id: str, *, param: str | None = None, deleted: bool = False) -> Obj:
        """The object, or Stripe's 404 (400 where a parameter names it). ``deleted`` allows the stub of one."""
        obj = self.find(kind, object_id)
        if obj is None or (obj.get("deleted") and not deleted):
            raise missing(kind, object_id, param=param)
        return obj

    def select(self, kind: str, /, **where: object) -> Iterator[Obj]:
        """Objects of a kind, newest first, whose fields are as ``where`` says; None values ask nothing.

        Write a dot as two underscores and ``$`` as a leading one: ``parent__quote_details__quote=…``, ``_invoice=…``.
        The first condition should be the rarest, and has to be in the kind's index.
        """
        self.flush(kind)
        known = KINDS[kind]
        wanted = [(_field(name), text(value)) for name, value in where.items() if value is not None]
        if wanted and wanted[0][0] not in known.index:
            message = f"{kind} is not indexed by {wanted[0][0]}"
            raise LookupError(message)
        for object_id in self.store.ids(kind, wanted):
            obj = self.find(kind, object_id)
            if obj is not None and all(value in _texts(obj, field) for field, value in wanted[1:]):
                yield obj

    def delete(self, obj: Obj) -> Obj:
        """Forget an object but for the stub that Stripe answers with, which is returned. Tell its end before."""
        held = self._held[obj["object"], obj["id"]]
        held.deleted = True
        held.obj = {"id": obj["id"], "object": obj["object"], "deleted": True, "created": obj.get("created", 0)}
        if obj.get("test_clock"):
            # What is left of a customer goes on by the customer's time.
            held.obj["$test_clock"] = obj["test_clock"]
        return {"id": obj["id"], "object": obj["object"], "deleted": True}

    # --- events ------------------------------------------------------------------------------------------------------

    def place(self) -> int:
        """Where the next event will stand, for ``tell`` to put one there that is written later."""
        return len(self.events)

    def tell(self, event_type: str, obj: Obj, *, place: int | None = None) -> None:
        """Write the event with the object as it is. ``*.updated`` is not told where nothing changed since."""
        held = self._held.get((obj["object"], obj.get("id", "")))
        shown = render(obj)
        data: dict[str, Any] = {"object": shown}
        if held is not None and carries(event_type):
            before = render(orjson.loads(held.told)) if held.told else {}
            changed = difference(before, shown) if held.told else {}
            if not changed and event_type.endswith(".updated"):
                return
            data["previous_attributes"] = changed
        if held is not None:
            held.told = dumps(obj)
        self.write(event_type, data, about=obj.get("id", ""), place=place)

    def write(self, event_type: str, data: Mapping[str, Any], *, about: str, place: int | None = None) -> Obj:
        """Write an event with exactly this ``data``, and give it as it is stored."""
        self._seq += 1
        clock = "" if _shared(data) else self.clock
        body: Obj = {
            "id": self.ids.new("evt", 24),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.clocks.now(clock),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.cause.request, "idempotency_key": self.cause.idempotency_key},
            "type": event_type,
        }
        told = Told(self._seq, body["id"], event_type, body["created"], about, clock, dumps(body))
        self.events.insert(len(self.events) if place is None else place, told)
        return body

    def signal(self, name: str, **facts: Any) -> None:
        """Tell the packages above, as the wiring says who listens: ``signal("invoice_paid", invoice=invoice)``."""
        for listener in self._signals.get(name, ()):
            listener(self, **facts)

    def imagine(self, what: Callable[[World], Obj]) -> Obj:
        """What ``what`` gives in a world like this one, of which nothing stays."""
        self.flush()
        count = self.ids.count
        self.store.flush_meta()
        self.store.db.execute("savepoint imagined")
        other = World(self.store, ids=self.ids, clocks=self.clocks, signals=self._signals)
        other.clock = self.clock
        try:
            return what(other)
        finally:
            self.store.db.execute("rollback to imagined")
            self.store.db.execute("release imagined")
            self.store.forget()
            self.clocks.forget()
            self.ids.count = count

    # --- the end -----------------------------------------------------------------------------------------------------

    @contextmanager
    def caused_by(self, cause: Cause) -> Iterator[None]:
        """Name ``cause`` in the events told within."""
        former, self.cause = self.cause, cause
        try:
            yield
        finally:
            self.cause = former

    def flush(self, kind: str | None = None) -> None:
        """Write what changed into the store's open transaction, so that it is found by look-ups."""
        for (of, _object_id), held in list(self._held.items()):
            if kind is None or of == kind:
                body = dumps(held.obj)
                if body != held.body:
                    self.store.write(of, held.obj, body, deleted=held.deleted, at=self.clocks.now())
                    held.body = body

    def commit(self) -> list[Told]:
        """Tell what nobody told, write everything into the store's open transaction, and give the events."""
        for (kind, _object_id), held in list(self._held.items()):
            known: Kind = KINDS[kind]
            if known.updated and held.told is not None and not held.deleted and dumps(held.obj) != held.told:
                self.tell(known.updated, held.obj)
        self.flush()
        first = self._seq - len(self.events) + 1
        self.events = [
            told if told.seq == seq else replace(told, seq=seq) for seq, told in enumerate(self.events, first)
        ]
        self.store.db.executemany(
            "insert into event(seq, id, type, created, about, clock, body) values (?, ?, ?, ?, ?, ?, ?)",
            [(e.seq, e.id, e.type, e.created, e.about, e.clock, e.body) for e in self.events],
        )
        if self.events:
            self.store.put_meta("event_seq", str(self._seq))
        self.store.put_meta("ids", str(self.ids.count))
        return self.events


def render(obj: Mapping[str, Any]) -> Obj:
    """The object as Stripe shows it: without the sandbox's own fields, long lists cut at ten."""
    shown = {name: value for name, value in obj.items() if not name.startswith("$")}
    known = KINDS.get(obj.get("object", ""))
    for name in known.cut if known else ():
        if isinstance(shown.get(name), dict):
            shown[name] = cut(shown[name])
    return shown


def cut(listed: Mapping[str, Any]) -> Obj:
    """A list of which the first ten are shown."""
    data = listed["data"]
    return {**listed, "data": data[:_SHOWN], "has_more": len(data) > _SHOWN}


def listed(url: str, data: list[Any], *, total: bool = False) -> Obj:
    """A list object with all of its data."""
    found = {"object": "list", "data": data, "has_more": False}
    if total:
        found["total_count"] = len(data)
    return {**found, "url": url}


def _shared(data: Mapping[str, Any]) -> bool:
    kind = (data.get("object") or {}).get("object", "")
    return kind == "plan" or (kind in KINDS and KINDS[kind].shared)


def _field(name: str) -> str:
    return ("$" + name[1:] if name.startswith("_") else name).replace("__", ".")


def _texts(obj: Obj, field: str) -> set[str]:
    value: Any = obj
    for part in field.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return {text(one) for one in (value if isinstance(value, list) else [value]) if one is not None}


__all__ = ["API_VERSION", "Cause", "Obj", "Signal", "StripeError", "World", "cut", "listed", "render"]
