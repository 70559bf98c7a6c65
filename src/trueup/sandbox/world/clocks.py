"""The times of a sandbox, and what falls due."""

from __future__ import annotations

from typing import Final, Literal

from trueup.sandbox.world import machine
from trueup.sandbox.world.store import Store, Timer

START: Final = 1_767_225_600
"""2026-01-01 00:00:00 UTC: when a sandbox begins that was told nothing else."""

RANKS: Final = (
    "schedule_start",
    "schedule_phase",
    "schedule_expiring",
    "trial_will_end",
    "trial_end",
    "cancel_at",
    "resume_collection",
    "coupon_expiry",
    "promotion_code_expiry",
    "discount_end",
    "upcoming",
    "cycle",
    "finalize",
    "send",
    "retry",
    "due",
    "incomplete_expiry",
    "pending_update_expiry",
    "dunning_end",
    "charge_settled",
    "dispute_step",
    "refund_step",
    "invoice_step",
    "setup_step",
    "tax_id_verified",
    "clock_expiry",
)
"""Every timer's name; of those due in one second the earlier here goes first. Source: sandbox specification B.0.3."""

Mode = Literal["still", "running"]

_ASKED: Final = "advance:"


class Clocks:
    """The sandbox's own clock, test clocks (by id), and timers, kept in the store.

    The own clock stands still until it is advanced, or runs with the machine's, ahead of it by what it was advanced.
    """

    def __init__(self, store: Store, *, start: int | None = None, mode: Mode | None = None) -> None:
        self._store = store
        self._frozen: dict[str, int] = {}
        before = store.meta("clock_mode", "")
        self.mode: Mode = mode or ("running" if before == "running" else "still")
        if start is not None:
            now = start
        elif before == "running":
            now = machine.unix() + int(store.meta("clock_ahead", "0"))
        elif before:
            now = int(store.meta("clock", "0"))
        else:
            now = machine.unix() if self.mode == "running" else START
        self._own = now - machine.unix() if self.mode == "running" else now
        self.late: int | None = None
        """While a running clock does what fell due before now: when that was, which is what it shows meanwhile."""
        self._timers = int(store.meta("timers", "0"))
        self.asked = self._read_asked()
        self.keep()

    def now(self, clock: str = "") -> int:
        """The unix second of a clock; the sandbox's own without an id."""
        if clock:
            if clock not in self._frozen:
                self._frozen[clock] = int(self._store.meta(f"clock:{clock}", "0"))
            return self._frozen[clock]
        if self.late is not None:
            return self.late
        return machine.unix() + self._own if self.mode == "running" else self._own

    def turn(self, clock: str, to: int) -> None:
        """Set a clock; never call it with a time before its own."""
        if clock:
            self._frozen[clock] = to
            self._store.put_meta(f"clock:{clock}", str(to))
        else:
            self._own = to - machine.unix() if self.mode == "running" else to
            self.keep()

    def keep(self) -> None:
        """Write the own clock down."""
        self._store.put_meta("clock_mode", self.mode)
        self._store.put_meta("clock" if self.mode == "still" else "clock_ahead", str(self._own))

    def ask(self, clock: str, to: int) -> None:
        """Have the engine advance a clock once the change in hand is over; it is kept with that change."""
        self._store.put_meta(_ASKED + clock, str(to))
        self.asked = self._read_asked()

    def done(self, clock: str) -> None:
        """Forget what was asked of a clock."""
        self._store.drop_meta(_ASKED + clock)
        self.asked = self._read_asked()

    def _read_asked(self) -> dict[str, int]:
        return {key.removeprefix(_ASKED): int(value) for key, value in self._store.metas(_ASKED)}

    def set(self, clock: str, due: int, name: str, about: str) -> None:
        """Plan a timer, instead of the one of the same name and object if there is one."""
        self.unset(name, about)
        self._timers += 1
        self._store.db.execute(
            "insert into timer values (?, ?, ?, ?, ?, ?)", (clock, due, RANKS.index(name), self._timers, name, about)
        )
        self._store.put_meta("timers", str(self._timers))

    def unset(self, name: str, about: str) -> None:
        """Forget a timer; harmless where there is none."""
        self._store.db.execute("delete from timer where about = ? and name = ?", (about, name))

    def forget(self) -> None:
        """Read everything anew, after a transaction was taken back."""
        self._frozen.clear()
        self.late = None
        self._timers = int(self._store.meta("timers", "0"))
        self.asked = self._read_asked()

    def planned(self, about: str, name: str) -> int | None:
        """When a timer is due, None where there is none."""
        row = self._store.db.execute("select due from timer where about = ? and name = ?", (about, name)).fetchone()
        return None if row is None else int(row[0])

    def drop(self, clock: str) -> None:
        """Forget all timers of a clock that is deleted."""
        self._store.db.execute("delete from timer where clock = ?", (clock,))

    def first(self, clock: str, until: int) -> int | None:
        """When the first timer of a clock at or before ``until`` is due, None where there is none."""
        row = self._store.db.execute(
            "select min(due) from timer where clock = ? and due <= ?", (clock, until)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def due(self, clock: str, until: int) -> Timer | None:
        """The first timer of a clock at or before ``until``; it is forgotten."""
        row = self._store.db.execute(
            "select clock, due, rank, seq, name, about from timer where clock = ? and due <= ?"
            " order by due, rank, seq limit 1",
            (clock, until),
        ).fetchone()
        if row is None:
            return None
        timer = Timer(*row)
        self._store.db.execute(
            "delete from timer where clock = ? and due = ? and rank = ? and seq = ?",
            (timer.clock, timer.due, timer.rank, timer.seq),
        )
        return timer
