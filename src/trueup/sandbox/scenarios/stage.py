"""Many lives on one clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count
from random import Random
from typing import Final

from trueup.kernel.errors import Refused
from trueup.sandbox.scenarios.companies import Companies
from trueup.sandbox.scenarios.life import DAY, Life, Lived
from trueup.sandbox.scenarios.lives import SCENARIOS, Scenario
from trueup.sandbox.scenarios.shop import Shop, Stripe

_YOUNG: Final = 0.8


class Stage:
    """Lives that take turns on a sandbox's own clock. The same seed gives the same lives, of the same ``companies``."""

    def __init__(self, stripe: Stripe, *, seed: str, companies: Companies | None = None) -> None:
        self.stripe = stripe
        self.shop = Shop(stripe)
        self.lives: list[Life] = []
        self.broken: list[str] = []
        """Lives that the API refused to go on, as ``scenario: message``."""
        self._rng = Random(seed)  # noqa: S311 - lives, not secrets
        self.companies = companies or Companies(self._rng)
        self._agenda: list[tuple[int, int, str, Lived | Callable[[], Lived]]] = []
        self._order = count()

    def enter(self, name: str, at: int, *, until: int) -> None:
        """Let a scenario begin at the unix second ``at``. Raises ``Refused`` for a name that is none."""
        scenario = named(name)
        heapq.heappush(self._agenda, (at, next(self._order), name, lambda: self._live(scenario, until)))

    def populate(self, customers: int, *, since: int, until: int, names: Iterable[str] = ()) -> None:
        """Let so many customers come between ``since`` and ``until``, more and more of them, by the scenarios' weights.

        Each comes early enough for its point to be made by ``until``, where the time allows.
        """
        known = {name: named(name) for name in names} or SCENARIOS
        total = sum(scenario.weight for scenario in known.values())
        chosen = [
            name
            for name, scenario in known.items()
            for _ in range(max(1, round(scenario.weight * customers / total)) if customers >= len(known) else 1)
        ]
        self._rng.shuffle(chosen)
        chosen += self._rng.choices(list(known), [s.weight for s in known.values()], k=max(0, customers - len(chosen)))
        whole = until - since
        for name in chosen[:customers]:
            least = min(whole, known[name].days * DAY)
            self.enter(name, until - least - int((whole - least) * self._rng.random() ** _YOUNG), until=until)

    def run(self, until: int, *, on_progress: Callable[[int], None] | None = None) -> None:
        """Let everything happen until the unix second ``until``; what goes on later stays on the agenda."""
        while self._agenda and self._agenda[0][0] <= until:
            at, _, name, life = heapq.heappop(self._agenda)
            if at > self.stripe.now:
                self.stripe.advance(at)
            if on_progress is not None:
                on_progress(at)
            try:
                lived = life() if callable(life) else life
                then = next(lived, None)
            except Refused as error:
                self.broken.append(f"{name}: {error}")
                continue
            if then is not None:
                heapq.heappush(self._agenda, (max(then, self.stripe.now), next(self._order), name, lived))
        if until > self.stripe.now:
            self.stripe.advance(until)
        if on_progress is not None:
            on_progress(until)

    def _live(self, scenario: Scenario, until: int) -> Lived:
        rng = Random(self._rng.random())  # noqa: S311 - lives, not secrets
        life = Life(self.stripe, self.shop, self.companies, rng, until=until)
        self.lives.append(life)
        return scenario.live(life)


def named(name: str) -> Scenario:
    """A scenario by its name. Raises ``Refused`` with the names there are."""
    with suppress(KeyError):
        return SCENARIOS[name]
    raise Refused(
        f"There is no scenario {name!r}.", code="scenario_unknown", hint="There are: " + ", ".join(sorted(SCENARIOS))
    )
