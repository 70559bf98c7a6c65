"""Making the derived tables anew beside the live ones, from the log, while everything runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import sql

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer import rebuilding as customers
from trueup.inbox import rereading
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Unavailable
from trueup.mirror import rebuilding as mirror
from trueup.mirror import service as mirrored
from trueup.mirror.types import ObjectKey
from trueup.ops.rebuilding.types import Target
from trueup.runtime import clock, database
from trueup.runtime.shadows import SCHEMA, Shadow, settled_until
from trueup.runtime.wake import wake

Progress = Callable[[str, int, int], None]
"""Told what is done, how far, and of how many."""

PAGE: Final = mirror.BATCH
LATER: Final = 50_000
"""Events that one pass of catching up reads at most."""
AT_LAST: Final = 1_000
"""So few events may be left for the moment in which the live tables are held."""
PASSES: Final = 50
SWAP_TRIES: Final = 20
PATIENCE: Final = timedelta(seconds=1)
"""Nobody is asked to wait behind the exchange for a transaction that is open longer, such as a report or a backup."""
TRY_AGAIN: Final = 0.2
"""Seconds in which those who hold the tables may come to their end."""
LOCK_TIMEOUT: Final = "2s"
FORGET_EVERY: Final = 50
"""Pages between two clearings of the queue of customers, who are all folded in the end."""
THEN: Final = "merged_then"
"""Who was one when the folding began, and as was followed since."""
COPY_MERGED: Final = f"create table {SCHEMA}.{THEN} as select * from customer_merged".encode()  # noqa: S608 - constants


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""
    del what, done, total


class Building:
    """A rebuild under way: its shadow tables, and how far they follow the log.

    ``pace`` is the share of time that it works, from above 0 to 1; the rest it leaves to others.
    """

    def __init__(self, target: Target, *, pace: float = 1.0, progress: Progress = silent) -> None:
        """Make the shadow tables; the caller holds ``shadows.held``."""
        self.target = target
        self.mirror = target in {Target.MIRROR, Target.ALL}
        self.customers = target in {Target.CUSTOMERS, Target.ALL}
        tables = (*(mirror.TABLES if self.mirror else ()), *(customers.TABLES if self.customers else ()))
        queues = dict.fromkeys((*(mirror.QUEUES if self.mirror else ()), *customers.QUEUES))
        self.shadow = Shadow(tables, list(queues))
        self.events = 0
        """Read in the first pass over the log."""
        self.folded = 0
        self._pace = pace
        self._progress = progress
        self._since: datetime = settled_until()

    def build(self) -> None:
        """Read the whole log and fold every customer; then follow what came meanwhile."""
        if self.mirror:
            self._read_all()
        if self.customers:
            self._fold_all()
        self.shadow.analyze()
        self.catch_up()

    def catch_up(self) -> None:
        """Follow the live tables until little is left."""
        for _ in range(PASSES):
            self._progress("Catching up", 0, 0)
            if self._follow() <= AT_LAST:
                return
        raise Unavailable(
            "The rebuild does not keep up with what comes in.",
            code="rebuild_behind",
            hint="Nothing was changed. Try with --pace 1, or when less comes in.",
        )

    def swap(self, *, by: Actor, after: dict[str, Any]) -> float:
        """Put the shadows in place in one transaction, audited; returns for how many seconds writers waited.

        Reading goes on until the last instant. Tries again while others hold the tables; ``Unavailable`` when they do
        not let go.
        """
        for _ in range(SWAP_TRIES):
            if self.shadow.occupied(PATIENCE):
                time.sleep(PATIENCE.total_seconds())
                continue
            self.catch_up()
            since = self._since
            try:
                return self._swap(by=by, after=after)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, _Behind):
                # What was read under the lock is rolled back with it.
                self._since = since
                time.sleep(TRY_AGAIN)
        raise Unavailable(
            "The tables were in use all the time.",
            code="rebuild_busy",
            hint="Nothing was changed. `select * from pg_stat_activity order by xact_start` shows who holds them.",
        )

    def _swap(self, *, by: Actor, after: dict[str, Any]) -> float:
        with database.transaction() as connection:
            connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'".encode())
            tables = [self.shadow.live(derived.table) for derived in self.shadow.tables]
            connection.execute(sql.SQL("lock table {} in exclusive mode").format(sql.SQL(", ").join(tables)))
            started = clock.monotonic()
            if self.customers:
                merged = self.shadow.live(customers.MERGED)
                connection.execute(sql.SQL("lock table {} in share mode").format(merged))
            if self._follow(limit=AT_LAST, held=True) > AT_LAST:
                raise _Behind
            self._keep(connection)
            if not self.customers:
                self._announce()
            self.shadow.exchange(connection)
            audit.record(
                connection,
                by=by,
                action=Action.TABLES_REBUILT,
                object_type="tables",
                object_id=self.target.value,
                after=after,
            )
            wake(connection, mirrored.TOPIC)
        return clock.monotonic() - started

    def _keep(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        """Take over the rows that people said."""
        for derived in self.shadow.tables:
            if derived.derived != "true":
                copy = "insert into {} select * from {} where not ({})"
                shadow = sql.Identifier(SCHEMA, derived.table)
                live = self.shadow.live(derived.table)
                connection.execute(sql.SQL(copy).format(shadow, live, sql.SQL(derived.derived)))

    def _announce(self) -> None:
        """Let the live fold look at everybody whose objects are other ones now."""
        live, shadow = self.shadow.live("mirror_object"), sql.Identifier(SCHEMA, "mirror_object")
        rows = database.connection().execute(
            sql.SQL(
                "with moved as (select account_id, livemode, object_type, object_id from {differs})"
                " select account_id, livemode, 'customer', customer from moved join {live} using (account_id, livemode,"
                " object_type, object_id) where customer is not null"
                " union select account_id, livemode, 'customer', customer from moved join {shadow} using (account_id,"
                " livemode, object_type, object_id) where customer is not null"
                " union select * from moved where object_type = any (%s)"
                " union select account_id, livemode, 'customer', v.customer from {versions} join ("
                " select * from {live_versions} union select * from {shadow_versions}) v"
                " using (account_id, livemode, object_type, object_id, created, event_id) where v.customer is not null"
            ).format(
                differs=sql.Identifier(SCHEMA, "differs_mirror_object"),
                live=live,
                shadow=shadow,
                versions=sql.Identifier(SCHEMA, "differs_mirror_version"),
                live_versions=self.shadow.live("mirror_version"),
                shadow_versions=sql.Identifier(SCHEMA, "mirror_version"),
            ),
            (list(mirror.NAMED),),
        )
        keys = [
            ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3])
            for row in rows.fetchall()
        ]
        if keys:
            mirrored.mark_changed(keys)

    def read_queued(self, what: str) -> None:
        """Read what the caller has queued in the shadow, and no more."""
        done = 0
        while True:
            started = clock.monotonic()
            if not (claimed := self._step(mirror.read)):
                return
            done += claimed
            self._progress(what, done, 0)
            self._rest(started)

    def fold_queued(self, total: int) -> None:
        """Fold whom the caller has queued in the shadow, and nobody else."""
        with self.shadow.within() as connection:
            connection.execute(COPY_MERGED)
        self._fold(total)

    def _read_all(self) -> None:
        total, place, pages = rereading.size(), None, 0
        self._progress("Reading the log", 0, total)
        while True:
            started = clock.monotonic()
            with self.shadow.within():
                place, number = rereading.queue_page(place, limit=PAGE)
                while mirror.read().claimed:
                    pass
                pages += 1
                if pages % FORGET_EVERY == 0:
                    mirror.forget_changes()
            if place is None:
                break
            self.events += number
            self._progress("Reading the log", self.events, max(total, self.events))
            self._rest(started)
        with self.shadow.within():
            mirror.forget_changes()

    def _fold_all(self) -> None:
        with self.shadow.within():
            total = customers.queue_all()
        self._progress("Folding customers", 0, total)
        self.fold_queued(total)

    def _fold(self, total: int = 0) -> None:
        while True:
            started = clock.monotonic()
            with self.shadow.within():
                step = customers.fold()
            if not step.claimed:
                return
            self.folded += step.claimed
            if total:
                self._progress("Folding customers", self.folded, max(total, self.folded))
            self._rest(started)

    def _follow(self, *, limit: int = LATER, held: bool = False) -> int:
        """One pass over what came since the one before; returns how much it was, or more than ``limit`` when more.

        ``held`` says that nobody writes the live tables: what waits in their queue then is read after the swap.
        """
        since, self._since = self._since, settled_until()
        found = 0
        if self.mirror:
            with self.shadow.within():
                found = rereading.queue_later(
                    since, unless_in=self.shadow.name("inbox_pending") if held else None, limit=limit + 1
                )
            if limit < found:
                # What was queued is read, and the next pass looks again from where this one did.
                self._since = since
            while self._step(mirror.read):
                pass
        if self.customers:
            with self.shadow.within() as connection:
                if not self.mirror:
                    table = self.shadow.name("customer_customer")
                    moved = customers.folded_since(since, table=table)
                    found += customers.queue(moved)
                if customers.follow_merges(then=f"{SCHEMA}.{THEN}"):
                    connection.execute(f"drop table {SCHEMA}.{THEN}".encode())
                    connection.execute(COPY_MERGED)
            while self._step(customers.fold):
                pass
            with self.shadow.within():
                customers.carry(self.shadow.name)
        elif self.mirror:
            with self.shadow.within():
                mirror.forget_changes()
        return found

    def _step(self, step: Callable[[], Any]) -> int:
        with self.shadow.within():
            claimed: int = step().claimed
        return claimed

    def _rest(self, started: float) -> None:
        if self._pace < 1:
            time.sleep((clock.monotonic() - started) * (1 / self._pace - 1))


class _Behind(Exception):
    """Too much came between the last pass and the lock."""
