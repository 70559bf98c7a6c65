"""Which package answers what: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from trueup.kernel.records import Record
from trueup.sandbox.accounts import routes as accounts
from trueup.sandbox.answers.calls import Included, Routes, Timers
from trueup.sandbox.catalog import routes as catalog
from trueup.sandbox.clocks import routes as clocks
from trueup.sandbox.customers import routes as customers
from trueup.sandbox.delivery import routes as delivery
from trueup.sandbox.invoices import routes as invoices
from trueup.sandbox.payment_methods import routes as payment_methods
from trueup.sandbox.payments import routes as payments
from trueup.sandbox.schedules import routes as schedules
from trueup.sandbox.search import routes as search
from trueup.sandbox.subscriptions import routes as subscriptions
from trueup.sandbox.world.world import Signal, World

_PACKAGES: Final[tuple[ModuleType, ...]] = (
    accounts,
    catalog,
    customers,
    clocks,
    delivery,
    payment_methods,
    payments,
    search,
    invoices,
    subscriptions,
    schedules,
)
"""Each has any of ``ROUTES``, ``TIMERS``, ``INCLUDED``, ``SIGNALS`` (name -> listener) and ``begin(world)``."""


class Wiring(Record, frozen=True):
    """What an engine runs."""

    routes: Routes
    timers: Timers
    included: Included
    signals: Mapping[str, tuple[Signal, ...]]
    begin: Callable[[World], None]


def _gather(packages: tuple[ModuleType, ...]) -> Wiring:
    routes: dict[str, Any] = {}
    timers: dict[str, Any] = {}
    included: dict[tuple[str, str], Any] = {}
    signals: dict[str, tuple[Signal, ...]] = {}
    for package in packages:
        routes |= getattr(package, "ROUTES", {})
        timers |= getattr(package, "TIMERS", {})
        included |= getattr(package, "INCLUDED", {})
        for name, listener in getattr(package, "SIGNALS", {}).items():
            signals[name] = (*signals.get(name, ()), listener)

    def begin(world: World) -> None:
        for package in packages:
            if start := getattr(package, "begin", None):
                start(world)

    return Wiring(routes=routes, timers=timers, included=included, signals=signals, begin=begin)


WIRING: Final = _gather(_PACKAGES)
