from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.conftest import Ask
from tests.instance import Answer, Door, post_all
from trueup.accounts.types import Account
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.inbox import service as inbox
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.runtime import drains
from trueup.runtime.crypto import Sealer


def recorded(shared: Path) -> list[tuple[str, bytes]]:
    """Every recorded event with the account it belongs at, each with an id of its own."""
    folder = shared / "stripe" / "corpus"
    with (folder / "INDEX.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "event"]
    seen: set[str] = set()
    found = []
    for number, row in enumerate(rows):
        body = (folder / row["file"]).read_bytes()
        identity = json.loads(body)["id"]
        if identity in seen:
            # The id's first place is the envelope's or names the same event; all other bytes stay.
            old = json.dumps(identity).encode()
            fresh = json.dumps(f"evt_fresh_{number}").encode()
            body = (
                body.replace(b'"id": ' + old, b'"id": ' + fresh, 1)
                if b'"id": ' + old in body
                else body.replace(old, fresh, 1)
            )
        identity = json.loads(body)["id"]
        assert identity not in seen, row["file"]
        seen.add(identity)
        found.append(("recorded-live" if json.loads(body).get("livemode") else "recorded", body))
    return found


@pytest.fixture
def events(shared: Path) -> list[tuple[str, bytes]]:
    """The corpus; the slug of its account beside each body."""
    return recorded(shared)


def posted(door: Door, events: list[tuple[str, bytes]]) -> list[Answer]:
    answers = []
    for slug in ("recorded", "recorded-live"):
        bodies = [body for place, body in events if place == slug]
        answers += post_all(door.port, f"/webhooks/stripe/{slug}", bodies, headers={"X-Forwarded-Proto": "https"})
    return answers


def test_every_recorded_event_is_stored_byte_for_byte_and_folded_or_visibly_set_aside(
    events: list[tuple[str, bytes]], connect: Callable[..., Account], database: str, sealer: Sealer, ask: Ask
) -> None:
    connect("recorded")
    connect("recorded-live", livemode=True)
    with Door(database, sealer=sealer, trusted_proxies="127.0.0.1") as door:
        answers = posted(door, events)
        again = posted(door, events)

    assert len(events) > 300
    assert {(answer.status, answer.body) for answer in answers} == {(200, b'{"received": true, "duplicate": false}')}
    assert {(answer.status, answer.body) for answer in again} == {(200, b'{"received": true, "duplicate": true}')}
    kept = ask("select body, body_sha256 from inbox_event union all select body, body_sha256 from inbox_quarantined")
    assert sorted(body for body, _digest in kept) == sorted(body for _slug, body in events)
    assert all(hashlib.sha256(body).digest() == digest for body, digest in kept)

    for _ in range(MIRROR.max_attempts):
        drains.empty(MIRROR)
        drains.empty(CUSTOMER)
        ask("update inbox_pending set due_at = null where set_aside_at is null returning 1")
        ask("update mirror_changed set due_at = null where set_aside_at is null returning 1")

    stats = inbox.stats()
    waits = "select 1 from {} q where (q.event_id, q.created) = (e.event_id, e.created)"
    queues = [f"not exists ({waits.format(queue)})" for queue in ("inbox_pending", "inbox_awaitingfetch")]
    ((folded,),) = ask(f"select count(*) from inbox_event e where {' and '.join(queues)}")
    assert stats.waiting == 0
    assert folded + stats.awaiting_fetch + stats.set_aside + stats.quarantined == len(events)
    assert folded > 0.9 * len(events)
    assert ask("select count(*) from mirror_changed") == [(0,)]
    assert ask(
        "select count(*) from inbox_pending where set_aside_at is not null and coalesce(last_error, '') = ''"
    ) == [(0,)]
    assert ask("select count(*) from customer_customer")[0][0] > 10
