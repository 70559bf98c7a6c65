"""The pages of sync: events as they come, and how true to Stripe all of it is."""

from __future__ import annotations

from typing import Final

from django.urls import path

from trueup.operators.permissions import Permission
from trueup.web.console import alarms, connections, differences, drift, events, issues, live, replays, runbooks, truth
from trueup.web.console.guard import guarded

_P: Final = Permission

ROUTES: Final = [
    path("events", guarded(_P.EVENTS_READ, events.listing), name="events"),
    path("events/live", guarded(_P.EVENTS_READ, live.stream), name="events-live"),
    path("events/quarantine", guarded(_P.EVENTS_READ, events.quarantine), name="quarantine"),
    path(
        "events/quarantine/<int:quarantined_id>/body",
        guarded(_P.PERSONAL_PAYLOAD, events.quarantined_body),
        name="quarantined-body",
    ),
    path("events/set-aside", guarded(_P.EVENTS_READ, events.set_aside), name="set-aside"),
    path("events/<str:event_id>", guarded(_P.EVENTS_READ, events.detail), name="event"),
    path("events/<str:event_id>/body", guarded(_P.PERSONAL_PAYLOAD, events.body), name="event-body"),
    path("issues", guarded(_P.EVENTS_READ, issues.listing), name="issues"),
    path("issues/<str:cause>", guarded(_P.EVENTS_READ, issues.detail), name="issue"),
    path("issues/<str:cause>/preflight", guarded(_P.EVENTS_REPLAY, issues.preflight), name="issue-preflight"),
    path("issues/<str:cause>/replay", guarded(_P.EVENTS_REPLAY, issues.replay), name="issue-replay"),
    path("issues/<str:cause>/discard", guarded(_P.EVENTS_REPLAY, issues.discard), name="issue-discard"),
    path("replays", guarded(_P.EVENTS_READ, replays.listing), name="replays"),
    path("replays/new", guarded(_P.EVENTS_REPLAY, replays.new), name="replay-new"),
    path("replays/start", guarded(_P.EVENTS_REPLAY, replays.start), name="replay-start"),
    path("replays/<int:replay_id>", guarded(_P.EVENTS_READ, replays.detail), name="replay"),
    path("replays/<int:replay_id>/cancel", guarded(_P.EVENTS_REPLAY, replays.cancel), name="replay-cancel"),
    path("drift", guarded(_P.TRUTH_READ, drift.overview), name="drift"),
    path("drift/cell", guarded(_P.TRUTH_READ, drift.cell), name="drift-cell"),
    path("drift/repair", guarded(_P.TRUTH_REPAIR, drift.repair), name="drift-repair"),
    path("drift/run", guarded(_P.TRUTH_REPAIR, drift.run), name="drift-run"),
    path("drift/runs/<int:run_id>/cancel", guarded(_P.TRUTH_REPAIR, drift.cancel), name="drift-cancel"),
    path("connections", guarded(_P.ACCOUNTS_READ, connections.listing), name="connections"),
    path("connections/new", guarded(_P.ACCOUNTS_CHANGE, connections.new), name="connection-new"),
    path("connections/look", guarded(_P.ACCOUNTS_CHANGE, connections.look), name="connection-look"),
    path("connections/<str:slug>/key", guarded(_P.ACCOUNTS_CHANGE, connections.key), name="connection-key"),
    path("connections/<str:slug>/backfill", guarded(_P.TRUTH_REPAIR, connections.backfill), name="connection-backfill"),
    path("runbooks", guarded(_P.TRUTH_READ, runbooks.listing), name="runbooks"),
    path("runbooks/<str:name>", guarded(_P.TRUTH_READ, runbooks.detail), name="runbook"),
    path("alarms", guarded(_P.TRUTH_READ, alarms.listing), name="alarms"),
    path(
        "alarms/<int:alarm_id>/acknowledge",
        guarded(_P.TRUTH_REPAIR, alarms.acknowledge),
        name="alarm-acknowledge",
    ),
    path("alarms/<int:alarm_id>/release", guarded(_P.TRUTH_REPAIR, alarms.release), name="alarm-release"),
    path("truth", guarded(_P.TRUTH_READ, truth.overview), name="truth"),
    path("truth/differences", guarded(_P.TRUTH_READ, differences.listing), name="differences"),
    path("truth/backfill", guarded(_P.TRUTH_REPAIR, truth.backfill), name="truth-backfill"),
    path("truth/reconcile", guarded(_P.TRUTH_REPAIR, truth.compare), name="truth-reconcile"),
    path("truth/retry", guarded(_P.EVENTS_REPLAY, truth.retry), name="truth-retry"),
]
