"""The year before now, lived into a sandbox's file, with its webhooks waiting to be sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from trueup.kernel.records import Record
from trueup.sandbox.delivery.modes import Mode
from trueup.sandbox.scenarios.stage import Stage
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.populating import Asking
from trueup.sandbox.subscriptions.periods import add_months

MONTHS: Final = 12
USUAL: Final = Mode(order="parallel", at_once=32)
"""How the demo's endpoint gets its events: as Stripe sends them, several at once. The intake commits many together, so
that a year of them takes half as long as with fewer."""

_PUT_OFF: Final = Mode(order="parallel", delay=10 * 366 * 86_400)
"""Not held: an invoice whose creation is held back from an endpoint is not finalized for three days."""

_HOUR: Final = 3_600


class Year(Record, frozen=True):
    """A year that was lived: its endpoint, and what later companies have to differ from."""

    endpoint: str
    webhook_secret: str
    lives_seed: str
    made: int


def live(path: Path, *, companies: int, seed: int, now: int, url: str, on_progress: Callable[[int, int], None]) -> Year:
    """Live the year that ends at the unix second ``now`` into the new file ``path``; what was there is gone.

    All its events wait for an endpoint at ``url`` until they are released. ``on_progress`` is told days, and of how
    many. The same arguments give the same file, ids and secret included; another moment shares no id with it.
    """
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        file.unlink(missing_ok=True)
    # The endpoint's secret is in it.
    path.touch(mode=0o600)
    since = add_months(now, -MONTHS)
    named = f"demo {seed} {companies} {now}"
    engine = Engine(path, seed=named, start=since)
    try:
        stripe = Asking(engine)
        made = stripe.request("POST", "/v1/webhook_endpoints", {"url": url, "enabled_events": ["*"]})
        engine.outbox.set_mode(_PUT_OFF, made["id"])
        stage = Stage(stripe, seed=named)
        stage.populate(companies, since=min(since + _HOUR, now), until=now)
        stage.run(now, on_progress=lambda at: on_progress((at - since) // 86_400, (now - since) // 86_400))
        engine.outbox.set_mode(USUAL, made["id"])
    finally:
        engine.close()
    return Year(endpoint=made["id"], webhook_secret=made["secret"], lives_seed=named, made=stage.companies.made)
