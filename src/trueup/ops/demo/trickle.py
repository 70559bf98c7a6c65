"""What goes on after the year: every few seconds somebody does something, and what falls due falls due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final, TypeAlias

from trueup.kernel.records import Record
from trueup.kernel.time import aware
from trueup.ops.demo.billing import DECLINES
from trueup.ops.demo.engine import DAY, Json
from trueup.ops.demo.life import Life, Trouble
from trueup.ops.demo.lives import FEEDBACK, World

Step: TypeAlias = tuple[float, list[Json]]

_MOST_SEATS: Final = 30


class Session(Record, frozen=True):
    """One run of the trickle: when it began, and how many steps were taken from it, the catching up included."""

    start: datetime
    steps: int


def trickle(world: World, *, start: datetime) -> Iterator[Step]:
    """Endless steps: seconds to wait (3 to 8), then the events to send, sometimes none.

    The first waits for nothing and brings what fell due until ``start``, which is never before what the world has told.
    An event's ``created`` is never later than ``start`` plus all the waiting so far.
    """
    yield 0.0, list(world.run(start))
    at = aware(start)
    while True:
        wait = round(world.engine.rng.uniform(3, 8), 1)
        at += timedelta(seconds=wait)
        happen(world, int(at.timestamp()))
        yield wait, list(world.run(at))


def rebuild(
    *, companies: int, seed: int, now: datetime, months: int, sessions: Sequence[Session]
) -> tuple[World, Step]:
    """The world as it was after ``sessions``, and the last step of them (an empty one before any).

    For a process that starts again: it notes each step before it sends it, so only the last may not have arrived;
    sending it once more is harmless, because its events have the same ids.
    """
    world = World(companies=companies, seed=seed, now=now, months=months)
    last: Step = (0.0, [])
    for _ in world.run(now):
        pass
    for session in sessions:
        for step in islice(trickle(world, start=session.start), session.steps):
            last = step
    return world, last


def happen(world: World, at: int) -> None:
    """Let one thing happen at ``at``; when there is nobody whom it could happen to, somebody new signs up."""
    rng = world.engine.rng
    _, fits, act = rng.choices(_ACTS, [weight for weight, _, _ in _ACTS])[0]
    found = [life for life in world.lives if fits(life, at)]
    if found:
        act(world, rng.choice(found), at)
    else:
        _newcomer(world, at)


def _newcomer(world: World, at: int) -> None:
    """Most try first, some pay at once, a few only leave their address; of the triers not all bring a card."""
    rng = world.engine.rng
    plan, chance = rng.choice(("starter", "pro")), rng.random()
    if chance < 0.1:
        world.lives.append(world.billing.sign_up(at, plan))
        return
    trial, interval = chance < 0.7, rng.choice(("month", "month", "year"))
    missing, seats = rng.choice(("cancel", "pause")), rng.randrange(1, 8)
    life = world.begin(at, plan=plan, quantity=seats, interval=interval, trial=trial, missing=missing)
    if not trial or rng.random() < 0.7:
        world.engine.later(at + 60, partial(world.billing.add_card, life))


def _change_seats(world: World, life: Life, at: int) -> None:
    world.seats(life, at, world.engine.rng.choice((-2, -1, 1, 2, 3)))


def _fail(world: World, life: Life, at: int) -> None:
    """One seat more, and the card is declined; most bring another card within minutes, the others meet the retries."""
    rng = world.engine.rng
    life.trouble = Trouble(decline=rng.choice(DECLINES), from_cycle=0, recovers=rng.choice((1, 2, None)))
    world.billing.change(life, at, life.item["price"], life.item["quantity"] + 1, life.trouble.decline)
    if rng.random() < 0.85:
        world.engine.later(at + rng.randrange(60, 600), partial(_pay_if_open, world, life, life.invoice["id"]))


def _pay_if_open(world: World, life: Life, invoice_id: str, at: int) -> None:
    if life.invoice.get("id") == invoice_id:
        world.billing.pay(life, at)


def _refund(world: World, life: Life, at: int) -> None:
    world.refund(life, at, world.engine.rng.choice((25, 50, 100)))


def _ask_to_cancel(world: World, life: Life, at: int) -> None:
    world.billing.ask_to_cancel(life, at, world.engine.rng.choice(FEEDBACK))


def _pause(world: World, life: Life, at: int) -> None:
    world.billing.pause(life, at, world.engine.rng.choice((None, at + 30 * DAY)))


def _nobody(_life: Life, _at: int) -> bool:
    return False


def _calm(life: Life, _at: int) -> bool:
    return life.is_calm


def _early(life: Life, at: int) -> bool:
    """Calm, few seats, and far enough from the period's end for a proration to be worth charging."""
    if not life.is_calm or life.item["quantity"] > _MOST_SEATS:
        return False
    start, end = life.item["current_period_start"], life.item["current_period_end"]
    return bool((end - at) * 5 > end - start)


def _can_upgrade(life: Life, at: int) -> bool:
    return _early(life, at) and life.item["price"]["metadata"]["plan"] == "starter"


def _can_downgrade(life: Life, _at: int) -> bool:
    return life.is_calm and life.item["price"]["metadata"]["plan"] == "pro"


def _can_refund(life: Life, _at: int) -> bool:
    return life.is_calm and bool(life.charge) and not life.charge["amount_refunded"]


def _is_trying(life: Life, _at: int) -> bool:
    return life.status == "trialing" and bool(life.card)


def _is_leaving(life: Life, _at: int) -> bool:
    return life.status == "active" and bool(life.subscription["cancel_at_period_end"])


def _collects_nothing(life: Life, _at: int) -> bool:
    return life.status == "active" and bool(life.subscription["pause_collection"])


def _waits_for_card(life: Life, _at: int) -> bool:
    return life.status == "paused"


_ACTS: Final[tuple[tuple[int, Callable[[Life, int], bool], Callable[[World, Life, int], None]], ...]] = (
    (12, _nobody, World.switch),  # It can happen to nobody, so somebody new comes.
    (8, _is_trying, lambda world, life, at: world.billing.start_paying(life, at)),
    (8, _can_upgrade, World.switch),
    (6, _can_downgrade, World.switch),
    (22, _early, _change_seats),
    (7, _early, _fail),
    (12, _calm, lambda world, life, at: world.billing.add_card(life, at)),
    (4, _calm, World.rebrand),
    (4, _calm, lambda world, life, at: world.billing.move(life, at)),
    (4, _can_refund, _refund),
    (4, _calm, _ask_to_cancel),
    (4, _is_leaving, lambda world, life, at: world.billing.stay(life, at)),
    (2, _calm, _pause),
    (1, _collects_nothing, lambda world, life, at: world.billing.resume(life, at)),
    (1, _waits_for_card, lambda world, life, at: world.billing.start_paying(life, at)),
)
"""How often, of a hundred or so, what happens to whom; gains and losses about balance, so an hour changes little."""
