"""Two hundred invented customers and what becomes of each over a year, told as Stripe's events.

``World`` is the whole: the same companies, seed and end of the year give the same events, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final, TypeAlias

from trueup.kernel.time import aware
from trueup.ops.demo.billing import DECLINES, TRIAL_DAYS, Billing
from trueup.ops.demo.catalog import Catalog
from trueup.ops.demo.companies import Companies
from trueup.ops.demo.engine import DAY, HOUR, Engine, Json, months_after
from trueup.ops.demo.life import Life, Trouble
from trueup.ops.demo.payloads import Terms

Act: TypeAlias = Callable[[Life, int], None]

FEEDBACK: Final = (
    "too_expensive",
    "unused",
    "missing_features",
    "switched_service",
    "too_complex",
    "low_quality",
    "other",
)
_SETUP: Final = 120
"""Seconds from signing up to the subscription; the card comes between."""


class Fate(StrEnum):
    """What becomes of a customer by the end of the year."""

    LEAD = "lead"
    TRIALING = "trialing"
    LAPSED = "lapsed"
    TRIAL_PAUSED = "trial_paused"
    STEADY = "steady"
    BUSY_HOUR = "busy_hour"
    """Steady, and renews within hours of the end of the year, so that somebody who looks then sees renewals."""
    UPGRADES = "upgrades"
    DOWNGRADES = "downgrades"
    SEATS = "seats"
    RECOVERS = "recovers"
    FAILS = "fails"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    PAUSED_ONCE = "paused_once"
    CANCELS = "cancels"
    CANCELING = "canceling"
    REFUNDED = "refunded"
    DELETED = "deleted"


SHARES: Final = {
    Fate.LEAD: 10, Fate.TRIALING: 14, Fate.LAPSED: 20, Fate.TRIAL_PAUSED: 6, Fate.STEADY: 21, Fate.BUSY_HOUR: 15,
    Fate.UPGRADES: 20, Fate.DOWNGRADES: 6, Fate.SEATS: 18, Fate.RECOVERS: 14, Fate.FAILS: 10, Fate.PAST_DUE: 8,
    Fate.PAUSED: 5, Fate.PAUSED_ONCE: 4, Fate.CANCELS: 14, Fate.CANCELING: 5, Fate.REFUNDED: 6, Fate.DELETED: 4,
}  # fmt: skip
"""How many of two hundred meet each fate."""

_AT_LEAST_DAYS: Final = {Fate.LAPSED: 16, Fate.TRIAL_PAUSED: 16, Fate.FAILS: 70, Fate.CANCELS: 80, Fate.DELETED: 60}
"""How long ago somebody must have come for the fate to be fulfilled by now; thirty days for all others."""

_MONTHLY: Final = frozenset({Fate.RECOVERS, Fate.FAILS, Fate.PAST_DUE, Fate.BUSY_HOUR, Fate.CANCELS})
_WITHOUT_CARD: Final = frozenset({Fate.LAPSED, Fate.TRIAL_PAUSED})


class World:
    """All lives with their catalogue, up to the moment that ``run`` has reached; it can always run further."""

    def __init__(self, *, companies: int, seed: int, now: datetime, months: int) -> None:
        self.now = int(aware(now).timestamp())
        self.engine = Engine(f"{seed} {self.now} {companies} {months}")
        self._start = months_after(self.now, -months)
        self.catalog = Catalog(self.engine, self._start)
        self.companies = Companies(self.engine.rng)
        self.billing = Billing(self.engine, self.catalog, self.companies)
        self.lives: list[Life] = []
        for fate in self._fates(companies):
            cycles = self.engine.rng.randrange(1, max(2, min(7, months - 1)))
            aligned = cycles if fate in {Fate.PAST_DUE, Fate.BUSY_HOUR} else 0
            self.engine.later(self._arrival(fate, aligned), partial(self._arrive, fate, aligned))

    def run(self, until: datetime) -> Iterator[Json]:
        """The events up to and including the second of ``until`` that were not told before, in order of ``created``."""
        return self.engine.run(until)

    def begin(self, at: int, *, plan: str, quantity: int, interval: str, trial: bool, missing: str = "cancel") -> Life:
        """Somebody signs up at ``at`` and subscribes two minutes later; the card is not part of it."""
        life = self.billing.sign_up(at, plan)
        self.lives.append(life)
        price = self.catalog.price(plan, life.company.place.currency, interval)
        terms = Terms(price=price, quantity=quantity, trial=trial, missing_payment_method=missing)
        coupon = self.engine.rng.random() < 0.12
        self.engine.later(at + _SETUP, partial(self.billing.subscribe, life, terms=terms, coupon=coupon))
        return life

    def price(self, life: Life, plan: str) -> Json:
        """The price of ``plan`` in the currency and interval that the customer has."""
        now = life.item["price"]
        return self.catalog.price(plan, now["currency"], now["recurring"]["interval"])

    def _fates(self, companies: int) -> list[Fate]:
        total = sum(SHARES.values())
        fates = [fate for fate, share in SHARES.items() for _ in range(max(1, round(share * companies / total)))]
        fates += [Fate.STEADY] * (companies - len(fates))
        self.engine.rng.shuffle(fates)
        return fates[:companies]

    def _arrival(self, fate: Fate, aligned: int) -> int:
        """When the customer signs up: growing over the year, but early or late enough for the fate to be fulfilled."""
        rng, whole = self.engine.rng, self.now - self._start - HOUR
        if aligned:
            latest = -3 * HOUR if fate is Fate.BUSY_HOUR else 2 * HOUR
            earliest = HOUR if fate is Fate.BUSY_HOUR else 60 * HOUR
            renewal = self.now - rng.randrange(latest, earliest)
            return max(self._start + HOUR, months_after(renewal, -aligned) - TRIAL_DAYS * DAY - _SETUP)
        if fate is Fate.TRIALING:
            return self.now - min(whole, rng.randrange(HOUR, (TRIAL_DAYS - 1) * DAY))
        least = min(whole, _AT_LEAST_DAYS.get(fate, 30) * DAY) if fate is not Fate.LEAD else 0
        return self.now - least - int((whole - least) * rng.random() ** 0.8)

    def _arrive(self, fate: Fate, aligned: int, at: int) -> None:
        rng = self.engine.rng
        plan = "starter" if fate is Fate.UPGRADES or (fate is not Fate.DOWNGRADES and rng.random() < 0.6) else "pro"
        if fate is Fate.LEAD:
            self.lives.append(self.billing.sign_up(at, plan))
            return
        trial = bool(aligned) or fate in {Fate.TRIALING, *_WITHOUT_CARD} or rng.random() < 0.7
        interval = "year" if fate not in _MONTHLY and rng.random() < 0.25 else "month"
        missing = "pause" if fate is Fate.TRIAL_PAUSED or (fate is Fate.TRIALING and rng.random() < 0.4) else "cancel"
        seats = rng.choice((1, 1, 2, 3, 3, 5, 8, 12))
        life = self.begin(at, plan=plan, quantity=seats, interval=interval, trial=trial, missing=missing)
        paid = at + _SETUP + (TRIAL_DAYS * DAY if trial else 0)
        if fate not in _WITHOUT_CARD and (fate is not Fate.TRIALING or rng.random() < 0.6):
            late = trial and rng.random() < 0.5
            self.engine.later(at + (rng.randrange(1, 13) * DAY if late else 60), partial(self.billing.add_card, life))
        if fate is Fate.PAST_DUE:
            life.trouble = Trouble(decline=rng.choice(DECLINES), from_cycle=aligned + 1, recovers=rng.choice((3, None)))
        elif fate is Fate.FAILS:
            life.trouble = Trouble(decline=rng.choice(DECLINES), from_cycle=rng.randrange(1, 4), recovers=None)
        elif fate is Fate.RECOVERS:
            first = rng.randrange(1, 4)
            life.trouble = Trouble(decline=rng.choice(DECLINES), from_cycle=first, recovers=rng.randrange(1, 4))
        self._destine(life, fate, paid)

    def _destine(self, life: Life, fate: Fate, paid: int) -> None:
        """Put what will become of a customer who pays from ``paid`` on into the agenda."""
        rng, bill = self.engine.rng, self.billing
        soon, later = paid + rng.randrange(5, 40) * DAY, paid + rng.randrange(40, 150) * DAY
        recently = max(paid + HOUR, self.now - rng.randrange(1, 12) * DAY)
        leave = partial(bill.ask_to_cancel, feedback=rng.choice(FEEDBACK))
        first, second = rng.randrange(1, 6), rng.choice((-2, -1, 1, 4))
        fated: dict[Fate, list[tuple[int, Act]]] = {
            Fate.UPGRADES: [(soon, self.switch)],
            Fate.DOWNGRADES: [(later, self.switch)],
            Fate.SEATS: [(soon, partial(self.seats, more=first)), (later, partial(self.seats, more=second))],
            Fate.PAUSED: [(recently, partial(bill.pause, resumes_at=None))],
            Fate.PAUSED_ONCE: [(soon, partial(bill.pause, resumes_at=soon + 35 * DAY))],
            Fate.CANCELS: [(soon, leave)],
            Fate.CANCELING: [(recently, leave)],
            Fate.REFUNDED: [(paid + 3 * DAY, partial(self.refund, percent=rng.choice((50, 100))))],
            Fate.DELETED: [(min(later, self.now - HOUR), bill.delete)],
        }
        besides: list[tuple[float, Act]] = [(0.1, bill.add_card), (0.05, bill.move), (0.05, self.rebrand)]
        for at, act in fated.get(fate, []) + [(later + DAY, act) for odds, act in besides if rng.random() < odds]:
            self._when_calm(life, at + rng.randrange(HOUR), act)

    def _when_calm(self, life: Life, at: int, act: Act) -> None:
        """Let ``act`` happen at ``at``, or days later when the subscription is busy then; never after it is over."""

        def attempt(at: int) -> None:
            if life.is_calm:
                act(life, at)
            elif life.status in {"trialing", "active", "past_due"}:
                self.engine.later(at + DAY, attempt)

        self.engine.later(at, attempt)

    def switch(self, life: Life, at: int) -> None:
        """From Starter to Pro, or back."""
        other = "pro" if life.item["price"]["metadata"]["plan"] == "starter" else "starter"
        self.billing.change(life, at, self.price(life, other), life.item["quantity"])

    def seats(self, life: Life, at: int, more: int) -> None:
        """So many seats more, or fewer; at least one stays."""
        self.billing.change(life, at, life.item["price"], max(1, life.item["quantity"] + more))

    def refund(self, life: Life, at: int, percent: int) -> None:
        """Give back a share of the latest payment, if there is one and nothing of it was given back before."""
        if life.charge and not life.charge["amount_refunded"]:
            self.billing.give_back(life, at, percent)

    def rebrand(self, life: Life, at: int) -> None:
        """The company takes another name."""
        self.billing.rename(life, at, self.companies.next().name)


def generate(*, companies: int = 200, seed: int = 1, now: datetime, months: int = 12) -> Iterator[Json]:
    """The events of ``months`` up to ``now``, in order of ``created``; many share a second.

    Deterministic for the same arguments. Events share parts with each other, so a reader must not change them.
    """
    return World(companies=companies, seed=seed, now=now, months=months).run(now)
