"""Trueup in one process: each part is called when the plan wants it, and its time passes when the plan says so."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import psycopg
from psycopg import sql

from trueup.accounts.types import Account
from trueup.customer import reconcile
from trueup.inbox import dead_letters
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.types import Kind as Told
from trueup.kernel.actor import system
from trueup.kernel.errors import Refused, TrueupError
from trueup.mirror import fetcher
from trueup.mirror import service as mirror
from trueup.mirror.backfill import errand as backfills
from trueup.mirror.backfill import service as backfill
from trueup.mirror.backfill.types import Status
from trueup.mirror.reconcile import service as reconciliations
from trueup.mirror.reconcile.types import Run
from trueup.mirror.reconcile.types import Status as RunStatus
from trueup.mirror.replay import service as replays
from trueup.mirror.replay.types import Selection
from trueup.mirror.types import ObjectRow
from trueup.runtime import database, drains, topics

BY: Final = system("simulation")
QUEUES: Final = ("inbox_pending", "inbox_awaitingfetch", "mirror_changed", "mirror_fetch")
PATIENCE: Final = 1_800
"""Seconds that a reconciliation waits for the queues: longer than any seed takes, and shorter than a lapse."""
ROUNDS: Final = 80
"""More than any seed needs: what is not quiet by then never will be."""
_WAITS: Final = ("due_at", "leased_until", "held_until", "full_at", "slowed_at", "noticed_at")
_HOUR: Final = 3_600


def rows_of(account: Account) -> Iterator[ObjectRow]:
    """All objects that the mirror has of an account."""
    after = None
    while True:
        page = mirror.search(account=account.slug, limit=200, after=after)
        yield from page.data
        after = page.next
        if after is None:
            return


class Machine:
    """The parts of a worker, one piece of work at a time."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._mirror, self._customer = topics.drains()[:2]
        self.counts = dict.fromkeys(
            (
                "fetched",
                "sweeps",
                "sweeps_failed",
                "swept",
                "backfills",
                "backfill_pages",
                "lapses",
                "reconciliations",
                "drift_found",
                "drift_repaired",
                "replays",
            ),
            0,
        )

    # --- pieces ------------------------------------------------------------------------------------------------------

    def mirror(self, batch: int) -> int:
        """Mirror up to so many events."""
        self.hasten()
        return drains.step(msgspec.structs.replace(self._mirror, batch=batch)).claimed

    def customer(self, batch: int) -> int:
        """Fold up to so many customers."""
        self.hasten()
        return drains.step(msgspec.structs.replace(self._customer, batch=batch)).claimed

    def fetch(self) -> int:
        """Fetch what is due within an hour."""
        self.hasten()
        found = fetcher.fetch_due(ahead=_HOUR)
        self.counts["fetched"] += found
        return found

    def sweep(self, kind: Told = Told.SNAPSHOT) -> bool:
        """Sweep to the end; whether that went well."""
        self.counts["sweeps"] += 1
        try:
            found = sweeps.sweep(self.account.slug, kind=kind)
        except TrueupError:
            self.counts["sweeps_failed"] += 1
            return False
        self.counts["swept"] += found.found
        return True

    def backfill(self, pages: int) -> None:
        """Begin or join a backfill, and read so many pages of it."""
        run = backfill.start(account=self.account, by=BY)
        for _ in range(pages):
            self.hasten()
            if not backfills.work(threading.Event(), run_id=run.id, seconds=0):
                self.counts["backfills"] += 1
                return
            self.counts["backfill_pages"] += 1

    def reconcile(self, *, repair: bool, rounds: int = 5 * ROUNDS, fresh: bool = False) -> Run:
        """Compare everything with Stripe, in so many pieces at most; ``fresh`` ends what runs and begins anew.

        A fresh one reads its lists in one piece: nothing comes between any more.
        """
        if fresh:
            for one in reconciliations.runs(account=self.account.slug).data:
                if one.status is RunStatus.RUNNING:
                    reconciliations.cancel(one.id, by=BY)
        run = reconciliations.start(account=self.account, repair=repair, grace=0, patience=PATIENCE, by=BY)
        for _ in range(rounds):
            done = 0
            for _ in range(rounds if fresh else 1):
                self.hasten()
                if not backfills.work(threading.Event(), seconds=0):
                    break
                done += 1
            done += reconcile.work(threading.Event(), seconds=0)
            run = reconciliations.run(run.id)
            if run.status is not RunStatus.RUNNING:
                self.counts["reconciliations"] += 1
                self.counts["drift_found"] += sum(run.counts.found.values())
                self.counts["drift_repaired"] += run.counts.repaired
                break
            if repair:
                self.drain()
            if fresh:
                # What it asked for is read by others meanwhile; whoever is being read is not judged.
                self.fetch()
            if not done:
                self.lapse()
        return run

    def replay(self, pieces: int) -> None:
        """Have the whole log read again, in so many pieces at most."""
        self.counts["replays"] += 1
        try:
            replays.start(Selection(everything=True), why="simulation", by=BY, rate=100_000)
        except Refused:
            return  # Nothing is in the log yet.
        for _ in range(pieces):
            if self._proceed() is None:
                return

    def _proceed(self) -> tuple[int, float] | None:
        self.hasten()
        return replays.proceed()

    def drain(self) -> int:
        """Empty the mirror's and the customers' queues."""
        return drains.empty(self._mirror).claimed + drains.empty(self._customer).claimed

    def heal(self) -> None:
        """What the worker heals by the clock."""
        self.hasten()
        for heal in topics.heals():
            heal()

    def retry(self) -> None:
        """Try everything again that was set aside, as an operator does who found out why."""
        dead_letters.retry(by=BY)

    def hasten(self) -> None:
        """Let everything that waits for its time be due, so that a slow machine plays as a fast one does.

        What waits for nothing else is then taken in the order in which it was asked for. Objects in doubt are left
        out: these are looked at in turn, and wait for no time in a simulation.
        """
        with database.transaction() as connection:
            connection.execute(_hasten(connection))

    def lapse(self) -> None:
        """An hour passes for Trueup: what waits is due, and whoever holds something was too slow."""
        self.counts["lapses"] += 1
        with database.transaction() as connection:
            for table, column in _waits(connection):
                connection.execute(
                    sql.SQL("update {0} set {1} = {1} - interval '1 hour' where {1} is not null").format(
                        sql.Identifier(table), sql.Identifier(column)
                    )
                )

    # --- the end -----------------------------------------------------------------------------------------------------

    def quiet(self) -> bool:
        """Drain, fetch and heal until nothing is left to do; whether that came about."""
        for _ in range(ROUNDS):
            done = self.drain() + self.fetch()
            if not done:
                self.lapse()
                self.heal()
                while self._proceed() is not None:
                    pass
                if not (self.left() or self.fetch()):
                    return True
        return False

    def backfill_whole(self) -> bool:
        """Read everything once, to the end; whether it was complete."""
        running = backfill.last(self.account)
        if running is not None and running.status is Status.RUNNING:
            self._read(running.id)
        run = backfill.start(account=self.account, by=BY)
        self._read(run.id)
        self.counts["backfills"] += 1
        ended = backfill.last(self.account)
        return ended is not None and ended.status is Status.COMPLETE

    def _read(self, run_id: int) -> None:
        for _ in range(ROUNDS):
            self.hasten()
            if not backfills.work(threading.Event(), run_id=run_id, seconds=60):
                run = backfill.last(self.account)
                if run is None or run.status is not Status.RUNNING:
                    return
                self.lapse()

    def left(self) -> tuple[str, ...]:
        """What still waits, queue by queue."""
        with database.transaction() as connection:
            return tuple(
                f"{name}: {row[0]}"
                for name in QUEUES
                for row in connection.execute(
                    sql.SQL("select to_jsonb(q) - 'body' from {} q limit 20").format(sql.Identifier(name))
                ).fetchall()
            )


_columns: list[tuple[str, str]] = []
_statements: list[bytes] = []


def _waits(connection: psycopg.Connection[tuple[Any, ...]]) -> list[tuple[str, str]]:
    """Every column that says until when somebody waits or holds something."""
    if not _columns:
        _columns.extend(
            (row[0], row[1])
            for row in connection.execute(
                b"select table_name, column_name from information_schema.columns"
                b" where table_schema = current_schema() and table_name ~ '^(accounts|inbox|mirror|customer)_'"
                b" and (column_name = any(%s) or (table_name, column_name) = ('mirror_about', 'since'))",
                (list(_WAITS),),
            ).fetchall()
        )
    return _columns


def _hasten(connection: psycopg.Connection[tuple[Any, ...]]) -> bytes:
    """One statement that lets everything be due since 1970."""
    if not _statements:
        due = sql.SQL("update {0} set {1} = to_timestamp(0) where {1} > to_timestamp(0) returning 1")
        steps = [
            due.format(sql.Identifier(table), sql.Identifier(column))
            for table, column in _waits(connection)
            if column in {"due_at", "since"} and table != "mirror_reconcileseen"
        ]
        named = (sql.SQL("w{} as ({})").format(sql.SQL(str(number)), step) for number, step in enumerate(steps))
        _statements.append(sql.SQL("with {} select").format(sql.SQL(", ").join(named)).as_bytes(connection))
    return _statements[0]


def wipe() -> None:
    """Empty every table of ours, also the audit log that only grows; for databases of simulations alone."""
    with database.transaction() as connection:
        connection.execute(b"set local session_replication_role = replica")
        for name in _tables(connection):
            connection.execute(sql.SQL("delete from {}").format(sql.Identifier(name)))


def _tables(connection: psycopg.Connection[tuple[Any, ...]]) -> list[str]:
    """Our tables, without the parts of those that are parted."""
    rows = connection.execute(
        b"select relname from pg_class where relkind in ('r', 'p') and not relispartition"
        b" and relnamespace = current_schema()::regnamespace"
        b" and relname ~ '^(accounts|audit|inbox|mirror|customer)_' order by relname"
    ).fetchall()
    return [row[0] for row in rows]


def chance(*facts: object) -> random.Random:
    """A source of chance of its own for these facts."""
    return random.Random(" ".join(map(str, facts)))  # noqa: S311 - chances, not secrets
