"""What has to be delivered and what became of it, in the sandbox's store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.records import Record
from trueup.sandbox.assumptions import RETRY_SECONDS
from trueup.sandbox.delivery import modes, targets
from trueup.sandbox.delivery.modes import Mode
from trueup.sandbox.delivery.targets import Target
from trueup.sandbox.world import machine
from trueup.sandbox.world.store import Store, Told

_SCHEMA: Final = """
create table if not exists delivery(
    seq integer primary key, event integer not null, endpoint text not null, copy integer not null,
    key integer not null, due integer, ready real not null, lost integer not null, attempts integer not null default 0,
    state text not null default 'waiting', status integer, problem text not null default '', at integer);
create index if not exists delivery_waiting on delivery(endpoint, key, seq) where state = 'waiting';
create index if not exists delivery_of on delivery(event, endpoint);
create index if not exists delivery_ended on delivery(state) where state != 'waiting';
"""
_UNACKNOWLEDGED: Final = "invoice_created_unacked:"
_HELD: Final = "due is null"
_RESENT: Final = 2
_SUCCESS: Final = range(200, 300)


class Parcel(Record, frozen=True):
    """A delivery to be attempted: ``body`` is the event as it is kept; ``pending`` to how many it has still to go.

    ``era`` changes when another state is loaded, of which nothing is known by what was attempted before.
    """

    era: int
    seq: int
    event: int
    attempts: int
    lost: bool
    body: bytes
    pending: int


class Outcome(Record, frozen=True):
    """What became of an attempt: ``status`` None where nobody answered, and then ``problem`` says why."""

    era: int
    seq: int
    event: int
    attempts: int
    status: int | None
    problem: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the endpoint acknowledged it, by any 2xx.

        Source: https://docs.stripe.com/webhooks#acknowledge-events
        """
        return self.status in _SUCCESS if self.status is not None else False


class Outbox:
    """Deliveries by endpoint. ``plan`` belongs into a change's transaction; all else takes ``lock`` and its own.

    ``now`` is the sandbox's own clock: it tells when retries are due and what a delay has come to, so that a clock that
    stands still holds them. A delay is over as well when it has passed on the machine.
    """

    def __init__(self, store: Store, *, seed: str, lock: AbstractContextManager[Any], now: Callable[[], int]) -> None:
        self._store, self._seed, self._lock, self._now = store, seed, lock, now
        self._targets: tuple[str, dict[str, Target]] = ("", {})
        self._modes: dict[str, Mode] = {}
        self._era = 0
        self.prepare(seed)

    def prepare(self, seed: str) -> None:
        """Make the tables, and read again what is kept in the store."""
        self._seed = seed
        self._era += 1
        self._store.db.executescript(_SCHEMA)
        self._targets = ("", {})
        self._modes = modes.read(self._store)

    def forget(self) -> None:
        """Read the endpoints anew, after a transaction was taken back."""
        self._targets = ("", {})

    # --- planning ----------------------------------------------------------------------------------------------------

    def targets(self) -> dict[str, Target]:
        """The enabled endpoints by id. The caller has the lock."""
        version = targets.version(self._store)
        if version != self._targets[0]:
            self._targets = (version, {one.id: one for one in targets.enabled(self._store)})
        return self._targets[1]

    def current(self, endpoint: str, era: int) -> bool:
        """Whether a parcel may still go to an endpoint, as far as the last change said; needs no lock."""
        return era == self._era and endpoint in self._targets[1]

    def plan(self, told: Sequence[Told]) -> bool:
        """Note, within a change's transaction, who is to get its events; whether anybody is."""
        found = self.targets()
        if not found:
            return False
        rows = [
            (event.seq, target.id, copy.number, copy.key, due, ready, copy.lost)
            for event in told
            for target in found.values()
            if target.wants(event.type, event.about)
            for copy, due, ready in self._timed(event, target.id)
        ]
        self._store.db.executemany(
            "insert into delivery(event, endpoint, copy, key, due, ready, lost) values (?, ?, ?, ?, ?, ?, ?)", rows
        )
        for event in told:
            if event.type == "invoice.created":
                self._mark(event.seq, event.about)
        return bool(rows)

    def _timed(self, event: Told, endpoint: str) -> Iterable[tuple[modes.Copy, int | None, float]]:
        mode = self.mode(endpoint)
        for copy in modes.copies(
            mode, seed=self._seed, event=event.seq, about=event.about, created=event.created, endpoint=endpoint
        ):
            if mode.held:
                yield copy, None, 0.0
            else:
                yield copy, self._now() + copy.off, machine.precise() + copy.off if copy.off else 0.0

    # --- modes -------------------------------------------------------------------------------------------------------

    def mode(self, endpoint: str = "") -> Mode:
        """How events are delivered to an endpoint, or to one that has no mode of its own."""
        return self._modes.get(endpoint) or self._modes.get("") or Mode()

    def modes(self) -> dict[str, Mode]:
        """All modes that were set; under the empty text that of all others."""
        return dict(self._modes)

    def set_mode(self, mode: Mode | None, endpoint: str = "") -> list[str]:
        """Deliver events told from now on in this way; None goes back to the usual one.

        Without an endpoint that is for all of them, and gives those whose own mode ends by it. A mode that no longer
        holds lets go of what was held. Raises ``NotFound`` for an endpoint that there is not.
        """
        with self._lock:
            if endpoint and endpoint not in self.targets():
                raise NotFound(f"There is no enabled endpoint {endpoint}.", code="no_endpoint")
            others = {name: one for name, one in self._modes.items() if name != endpoint} if endpoint else {}
            ended = sorted(name for name in self._modes if name) if not endpoint else []
            self._modes = others if mode is None else {**others, endpoint: mode}
            modes.write(self._store, self._modes)
            for name in self.targets():
                if not self.mode(name).held:
                    self._release("endpoint = ? and due is null", (name,))
        return ended

    # --- delivering --------------------------------------------------------------------------------------------------

    def waiting(self) -> list[Target]:
        """The endpoints for which something is due now."""
        with self._lock:
            return [
                target
                for target in self.targets().values()
                if self._store.db.execute(
                    f"select 1 from delivery where state = 'waiting' and endpoint = ? and {_DUE} limit 1",  # noqa: S608 - our words
                    (target.id, *self._moment()),
                ).fetchone()
            ]

    def take(self, endpoint: str, most: int) -> tuple[Target | None, list[Parcel]]:
        """The first deliveries that are due to an endpoint; none for one that is disabled by now."""
        with self._lock:
            target = self.targets().get(endpoint)
            if target is None:
                return None, []
            now = self._now()
            target = Target(
                id=target.id,
                url=target.url,
                payload=target.payload,
                types=target.types,
                secrets=tuple(one for one in target.secrets if one.until is None or one.until > now),
            )
            rows = self._store.db.execute(
                "select d.seq, d.event, d.attempts, d.lost, e.body,"  # noqa: S608 - our words
                " (select count(distinct o.endpoint) from delivery o"
                "  where o.event = d.event and o.state = 'waiting' and o.copy = 0)"
                " from delivery d join event e on e.seq = d.event"
                f" where d.state = 'waiting' and d.endpoint = ? and {_DUE} order by d.key, d.seq limit ?",
                (endpoint, *self._moment(), most),
            ).fetchall()
            return target, [
                Parcel(era=self._era, seq=r[0], event=r[1], attempts=r[2], lost=r[3] > r[2], body=r[4], pending=r[5])
                for r in rows
            ]

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Note what became of attempts. What failed is due again as ``RETRY_SECONDS`` says, or has failed for good."""
        with self._lock:
            self._store.begin()
            try:
                for one in outcomes:
                    if one.era == self._era:
                        self._note(one, self._now())
            except BaseException:
                self._store.rollback()
                raise
            self._store.commit()

    def _note(self, one: Outcome, now: int) -> None:
        again = not one.delivered and one.attempts < len(RETRY_SECONDS)
        self._store.db.execute(
            "update delivery set attempts = ?, state = ?, status = ?, problem = ?, at = ?, due = ?, ready = 0"
            " where seq = ? and state = 'waiting'",
            (
                one.attempts + 1,
                "delivered" if one.delivered else "waiting" if again else "failed",
                one.status,
                one.problem,
                now,
                now + RETRY_SECONDS[one.attempts] if again else now,
                one.seq,
            ),
        )
        row = self._store.db.execute("select type, about from event where seq = ?", (one.event,)).fetchone()
        if row[0] == "invoice.created":
            self._mark(one.event, row[1])

    def _mark(self, event: int, invoice: str) -> None:
        """Keep for the invoices whether an ``invoice.created`` is not acknowledged. Source: B.0.6.

        What was not attempted yet counts as acknowledged: a clock that is turned on is faster than any endpoint.
        """
        row = self._store.db.execute(
            "select 1 from delivery where event = ? and copy = 0 and (state = 'failed'"  # noqa: S608 - our words
            f" or (state = 'waiting' and (attempts > 0 or lost > 0 or {_HELD}))) limit 1",
            (event,),
        ).fetchone()
        if row is not None:
            self._store.put_meta(_UNACKNOWLEDGED + invoice, "1")
        else:
            self._store.drop_meta(_UNACKNOWLEDGED + invoice)

    def next_ready(self) -> float | None:
        """When, on the machine's clock, the next delay is over."""
        with self._lock:
            found = self._store.db.execute(
                "select min(ready) from delivery where state = 'waiting' and ready > ?", (machine.precise(),)
            ).fetchone()[0]
        return None if found is None else float(found)

    def next_due(self, until: int) -> int | None:
        """When, by the sandbox's own clock, the next retry or the next that is put off is due; none after ``until``."""
        with self._lock:
            found = self._store.db.execute(
                "select min(due) from delivery where state = 'waiting' and due > ? and due <= ?", (self._now(), until)
            ).fetchone()[0]
        return None if found is None else int(found)

    def _moment(self) -> tuple[int, float]:
        return self._now(), machine.precise()

    # --- on demand ---------------------------------------------------------------------------------------------------

    def release(self, *, endpoint: str | None = None, event: str | None = None, retries: bool = False) -> int:
        """Make due what is held or put off (``retries``: and what waits for its next attempt); how many that is."""
        conditions, facts = ["1"], []
        if endpoint is not None:
            conditions.append("endpoint = ?")
            facts.append(endpoint)
        if event is not None:
            conditions.append("event = (select seq from event where id = ?)")
            facts.append(event)
        if not retries:
            conditions.append("attempts = 0")
        with self._lock:
            return self._release(" and ".join(conditions), tuple(facts))

    def _release(self, condition: str, facts: tuple[Any, ...]) -> int:
        return self._store.db.execute(
            f"update delivery set due = 0, ready = 0 where state = 'waiting' and {condition}",  # noqa: S608 - our words
            facts,
        ).rowcount

    def resend(self, event: str, endpoint: str | None = None) -> int:
        """Deliver an event once more to an endpoint, or to all that want it; to how many that is.

        Raises ``NotFound`` for an event or an endpoint that there is not, ``Refused`` where nobody wants it.
        """
        with self._lock:
            row = self._store.db.execute("select seq, type, about from event where id = ?", (event,)).fetchone()
            if row is None:
                raise NotFound(f"There is no event {event}.", code="no_event")
            found = self.targets()
            if endpoint is not None and endpoint not in found:
                raise NotFound(f"There is no enabled endpoint {endpoint}.", code="no_endpoint")
            wanted = [
                one.id
                for one in found.values()
                if (one.id == endpoint if endpoint is not None else one.wants(row[1], row[2]))
            ]
            if not wanted:
                raise Refused(f"No enabled endpoint wants {row[1]}.", code="nobody_wants")
            self._store.db.executemany(
                "insert into delivery(event, endpoint, copy, key, due, ready, lost) values (?, ?, ?, 0, 0, 0, 0)",
                [(row[0], one, _RESENT) for one in wanted],
            )
            return len(wanted)

    def counts(self) -> dict[str, int]:
        """How many deliveries are ``delivered``, ``failed``, ``canceled``, and ``waiting`` (of these ``due`` now)."""
        with self._lock:
            db = self._store.db
            found = dict.fromkeys(("delivered", "failed", "canceled", "waiting"), 0)
            found.update(db.execute("select state, count(*) from delivery group by state").fetchall())
            found["due"] = sum(
                db.execute(
                    f"select count(*) from delivery d where state = 'waiting' and endpoint = ? and {_DUE}",  # noqa: S608 - our words
                    (one, *self._moment()),
                ).fetchone()[0]
                for one in self.targets()
            )
        return found

    def latest(self, most: int) -> list[dict[str, Any]]:
        """The newest deliveries and what became of them."""
        names = ("event", "type", "endpoint", "copy", "state", "attempts", "status", "problem", "due", "at")
        with self._lock:
            rows = self._store.db.execute(
                "select e.id, e.type, d.endpoint, d.copy, d.state, d.attempts, d.status, d.problem, d.due, d.at"
                " from delivery d join event e on e.seq = d.event order by d.seq desc limit ?",
                (most,),
            ).fetchall()
        return [dict(zip(names, row, strict=True)) for row in rows]


_DUE: Final = "((due is not null and due <= ?) or (ready > 0 and ready <= ?))"


def end(store: Store, endpoint: str) -> None:
    """Within a change's transaction: an endpoint was disabled or deleted, so what waits for it is given up."""
    store.db.execute(
        "update delivery set state = 'canceled', problem = 'the endpoint was disabled' where endpoint = ? and"
        " state = 'waiting'",
        (endpoint,),
    )
