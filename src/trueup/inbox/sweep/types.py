"""The public nouns of the sweep."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from trueup.inbox.types import Kind
from trueup.kernel.records import Record

TOPIC: Final = "inbox_sweep"
"""Woken when a sweep is due at once."""
BACKFILL_WANTED: Final = "inbox_backfill_wanted"
"""Woken when events are lost for good, so that only a backfill can tell what they said; see ``service.gaps``."""


class Code(StrEnum):
    """What the sweep may find wrong."""

    ENDPOINT_DEAD = "endpoint_dead"
    """The newest events were found by the sweep, and none since came by webhook."""
    EVENTS_MISSED = "events_missed"
    """Some events were found by the sweep alone, while others came by webhook."""
    WEBHOOKS_SILENT = "webhooks_silent"
    """No webhook for hours, while Stripe has events."""
    CURSOR_OLD = "sweep_cursor_old"
    """The sweep is so far behind that Stripe will soon drop events that nobody read."""
    EVENTS_LOST = "events_lost"
    """Stripe dropped events that nobody had read."""
    FAILING = "sweep_failing"
    CLOCK_SKEW = "clock_skew"
    ENDPOINT_MISSING = "endpoint_missing"
    ENDPOINT_DISABLED = "endpoint_disabled"


class EndpointState(StrEnum):
    """How our webhook endpoint stands at Stripe."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    MISSING = "missing"
    """No endpoint at Stripe leads to this account's address here."""
    UNREADABLE = "unreadable"
    """The API key may not read endpoints."""


class Endpoint(Record, frozen=True):
    """Our webhook endpoint as Stripe tells of it; where there are several, the best."""

    state: EndpointState
    checked_at: datetime
    id: str | None = None
    url: str | None = None
    api_version: str | None = None
    """The version it was pinned to; None follows the account's default."""
    events: tuple[str, ...] = ()
    """The types it is sent; ``*`` is all but a few that have to be named."""
    others: int = 0
    """Endpoints that lead elsewhere."""


class Sweep(Record, frozen=True):
    """How far Stripe's list of an account's events was read, and what that showed. Times are by Stripe's clock."""

    id: int
    account_id: int
    kind: Kind
    enrolled_at: datetime
    """Ours."""
    cursor: datetime | None = None
    """All events created before it are in the log, but for those that Stripe tells late."""
    started_at: datetime | None = None
    """When the sweep under way began, or the last one; ours."""
    since: datetime | None = None
    """Where the slice under way begins; None when no sweep is under way."""
    until: datetime | None = None
    """Where it ends; the moment itself is the next one's."""
    after: str | None = None
    """What names the next page of the slice; None for its first."""
    goal: datetime | None = None
    """Where the sweep under way ends."""
    origin: datetime | None = None
    """Where it began."""
    reaching_back: bool = True
    """Whether it goes far back on purpose: the first of an account, or one that somebody asked for."""
    pages: int = 0
    """Pages read in the sweep under way, or in the last one."""
    read: int = 0
    """Events on them."""
    found: int = 0
    """Those that were not in the log."""
    begun: datetime | None = None
    """Where the first sweep ended, ever or after a restore; later events have been watched for. None before."""
    newest: datetime | None = None
    """The newest event that a sweep saw."""
    webhook: datetime | None = None
    """The newest of those that had come by webhook."""
    missed: datetime | None = None
    """The newest of those that had not, though the endpoint is sent their type."""
    missed_run: int = 0
    """How many were missed since the last that came by webhook."""
    missed_total: int = 0
    skew_seconds: int = 0
    """How far Stripe's clock was ahead of ours."""
    failures: int = 0
    """How often in a row it failed."""
    error_code: str | None = None
    last_error: str | None = None
    lost_since: datetime | None = None
    """From here to ``lost_until`` Stripe dropped events before anybody had read them."""
    lost_until: datetime | None = None
    backfill_wanted_at: datetime | None = None
    """Since when a backfill is needed because of that; ours."""
    swept_at: datetime | None = None
    """When a sweep last came to its end; ours."""
    endpoint: Endpoint | None = None


class SweepRow(Record, frozen=True):
    """How the sweep of an account's events stands, as people ask."""

    account_slug: str
    kind: Kind
    cursor: datetime | None
    """All events created before it are in the log; None before the first page."""
    under_way: bool
    progress: float | None
    """Of the sweep under way, from 0 to 1."""
    swept_at: datetime | None
    pages: int
    read: int
    found: int
    missed_total: int
    failures: int
    last_error: str | None
    lost_since: datetime | None
    lost_until: datetime | None
    endpoint: Endpoint | None


class Gap(Record, frozen=True):
    """Events from ``since`` up to ``until`` that Stripe dropped before anybody had read them."""

    account_id: int
    since: datetime
    until: datetime
    wanted_at: datetime
    """Since when a backfill is needed; by our clock."""


class Swept(Record, frozen=True):
    """What one sweep came to."""

    account_slug: str
    kind: Kind
    since: datetime | None
    """From where it read; None where it read nothing."""
    until: datetime | None
    pages: int
    read: int
    """Events that Stripe listed."""
    found: int
    """Those that were not in the log, and are now."""
    lost_since: datetime | None
    lost_until: datetime | None
    since_asked: datetime | None = None
    """How far back it was asked to go; where ``since`` is later, Stripe keeps nothing from before that."""

    @property
    def cut_short(self) -> bool:
        """Whether it could not go back as far as it was asked to."""
        return self.since is not None and self.since_asked is not None and self.since_asked < self.since
