"""What the API asks of this package."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.answers.calls import Handler
from trueup.sandbox.delivery import destinations, endpoints, events
from trueup.sandbox.delivery.outbox import end
from trueup.sandbox.world.world import Signal, World


def _ended(world: World, *, endpoint: str, **_facts: Any) -> None:
    end(world.store, endpoint)


ROUTES: Final[dict[str, Handler]] = {**endpoints.ROUTES, **destinations.ROUTES, **events.ROUTES}

SIGNALS: Final[dict[str, Signal]] = {"endpoint_ended": _ended}
