"""Events of the log are read again: it changes nothing that is right, mends what is wrong, and can be interrupted."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from tests.flow.conftest import Ask, Lived
from tests.flow.histories import World
from tests.flow.laying import lay
from tests.flow.tables import differences, rebuild, stored
from tests.flow.test_rebuild import lives, tell
from tests.inbox.store import keep_all
from tests.inbox.test_drains import threads
from tests.instance import TESTER, Door, encoded
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.inbox import dead_letters
from trueup.inbox import service as inbox
from trueup.kernel.errors import Conflict, Refused
from trueup.kernel.time import from_unix
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.mirror.replay import errand as replaying
from trueup.mirror.replay import service as replay
from trueup.mirror.replay.types import Progress, Replay, Selection
from trueup.runtime import database, drains
from trueup.runtime import database as runtime_database
from trueup.runtime.crypto import Sealer

ALL = Selection(everything=True)
SEEDS = (1, 2, 3)


def ran(which: Selection, *, why: str = "A test.", rate: int = 5000) -> Replay:
    """Replay to the end, and let the drains do what follows."""
    begun = replay.start(which, why=why, by=TESTER, rate=rate)
    finish(begun.id)
    drains.empty(CUSTOMER)
    return replay.get(begun.id)


def finish(replay_id: int) -> None:
    """Read on without waiting for the rate."""
    while replay.get(replay_id).progress is Progress.RUNNING:
        runtime_database.execute("update mirror_replay set due_at = now() - interval '1 s'")
        replay.proceed()


@pytest.fixture
def told(connect: Callable[..., Account], database: str, sealer: Sealer, lived: Lived) -> int:
    """A crowded life and those of some companies; how many events that are."""
    bodies = lives(lived(150))

    def fill() -> None:
        connect("lived")
        with Door(database, sealer=sealer) as door:
            tell(door, "lived", bodies)

    lay("told", database, fill)
    return len(set(bodies))


def written(ask: Ask) -> list[tuple[Any, ...]]:
    """Which transaction wrote each row of the mirror."""
    return sorted(
        ask("select 'o', object_type, object_id, '', xmin::text from mirror_object")
        + ask("select 'v', object_type, object_id, event_id, xmin::text from mirror_version")
    )


def counted(ask: Ask) -> dict[str, int]:
    """How many rows every table has that a replay could add to."""
    tables = (
        "inbox_event inbox_pending inbox_awaitingfetch inbox_discarded mirror_object mirror_version mirror_about "
        "mirror_changed mirror_fetch mirror_replayevent customer_customer customer_lookup customer_trait"
    )
    return {name: ask(f"select count(*) from {name}")[0][0] for name in tables.split()}


def test_reading_everything_again_changes_nothing(told: int, ask: Ask) -> None:
    before, rows, numbers = stored(ask), written(ask), counted(ask)
    entries = ask("select count(*) from audit_entries")[0][0]

    done = [ran(ALL), ran(ALL)]

    assert {(one.total, one.done, one.changed, one.failed) for one in done} == {(told, told, 0, 0)}
    assert list(islice(differences(stored(ask), before), 20)) == []
    assert written(ask) == rows
    assert counted(ask) == numbers
    assert ask("select count(*) from audit_entries")[0][0] == entries + 4


DAMAGES = {
    "an essence": "update mirror_object set essence = '{}'",
    "an order that cannot be read": "update mirror_object set head = 'nonsense'",
    "a verdict": "update mirror_object set verdict = 2 - verdict",
    "a deletion": "update mirror_object set deleted = not deleted",
    "an owner": "update mirror_object set customer = 'cus_nobody'",
    "the version that is current": "update mirror_object set event_id = 'evt_none', created = 1",
    "objects that are gone": "delete from mirror_object where object_type <> 'customer'",
    "a trace": "update mirror_version set state = 7, before = 8, deleted = not deleted",
    "whose a version was": "update mirror_version set customer = 'cus_nobody'",
    "versions that are gone": "delete from mirror_version",
    "what a refund is about": "delete from mirror_about",
    "states": "update customer_customer set state = '{}', name = 'nobody', stage = 'none'",
    "words": "update customer_lookup set search = '', digest = 0, product_ids = '{}'",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_reading_again_mends_what_was_damaged_by_hand(damage: str, connect: Callable[..., Account], ask: Ask) -> None:
    keep_all(connect("lived"), [encoded(one) for one in World(random.Random(11).choice).live(120)])
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)
    before = stored(ask)
    assert ask(f"{damage} returning 1")

    ran(ALL)

    assert list(islice(differences(stored(ask), before), 20)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_replayed_in_whatever_order_the_tables_are_the_same(
    seed: int, connect: Callable[..., Account], ask: Ask
) -> None:
    luck = random.Random(seed)
    account = connect("lived")
    events = World(luck.choice).live(80)
    bodies = [encoded(one) for one in events]
    luck.shuffle(bodies)
    types = sorted({one["type"] for one in events})
    objects = sorted({one["data"]["object"]["id"] for one in events})
    for start in range(0, len(bodies), 16):
        keep_all(account, bodies[start : start + 16])
        # Also before the drains have read what came.
        for _ in range(luck.randrange(3)):
            which = luck.choice(
                (
                    ALL,
                    Selection(types=(luck.choice(types),)),
                    Selection(objects=(luck.choice(objects),)),
                    Selection(customers=(luck.choice(("cus_1", "cus_2", "cus_3")),)),
                    Selection(created_from=from_unix(luck.choice(events)["created"])),
                )
            )
            if replay.preview(which).events:
                ran(which)
        if luck.random() < 0.7:
            drains.empty(MIRROR)
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)
    after = stored(ask)

    rebuild()

    assert list(islice(differences(after, stored(ask)), 20)) == []


def picked(which: Selection) -> set[str]:
    """The events that a selection means."""
    begun = replay.start(which, why="A test.", by=TESTER)
    rows = runtime_database.execute("select event_id from mirror_replayevent where replay_id = %(i)s", {"i": begun.id})
    found = {row[0] for row in rows.fetchall()}
    replay.cancel(begun.id, by=TESTER)
    assert replay.preview(which).events == len(found) == begun.total
    return found


def test_events_are_found_by_everything_that_people_name(connect: Callable[..., Account], ask: Ask) -> None:
    events = World(random.Random(5).choice, lost=False).live(150)
    keep_all(connect("lived"), [encoded(one) for one in events])
    connect("other")
    drains.empty(MIRROR)

    def of(condition: Callable[[dict[str, Any]], bool]) -> set[str]:
        return {one["id"] for one in events if condition(one)}

    subscription = next(one["data"]["object"]["id"] for one in events if "subscription" in one["type"])
    moment = events[len(events) // 2]["created"]
    middle = from_unix(moment)
    theirs = {row[0] for row in ask("select event_id from mirror_version where customer = 'cus_1'")}

    assert picked(ALL) == of(lambda _: True)
    assert picked(Selection(events=(events[3]["id"], "evt_none"))) == {events[3]["id"]}
    assert picked(Selection(objects=(subscription,))) == of(lambda one: one["data"]["object"]["id"] == subscription)
    assert picked(Selection(customers=("cus_1",))) >= theirs > set()
    assert picked(Selection(types=("customer.subscription.*",))) == of(
        lambda one: one["type"].startswith("customer.subscription.")
    )
    assert picked(Selection(types=("customer.updated",))) == of(lambda one: one["type"] == "customer.updated")
    assert picked(Selection(created_from=middle)) == of(lambda one: one["created"] >= moment)
    assert picked(Selection(created_until=middle)) == of(lambda one: one["created"] < moment)
    assert picked(Selection(objects=(subscription,), created_from=middle)) == of(
        lambda one: one["data"]["object"]["id"] == subscription and one["created"] >= moment
    )
    assert picked(Selection(everything=True, account="lived")) == of(lambda _: True)
    for nothing in (Selection(everything=True, account="other"), Selection(received_until=middle - timedelta(9_000))):
        with pytest.raises(Refused, match="No event matches"):
            replay.start(nothing, why="A test.", by=TESTER)


def test_a_preview_counts_exactly_and_tells_what_would_change(told: int, ask: Ask) -> None:
    ask("update mirror_object set essence = '{}' where object_type = 'subscription' returning 1")
    damaged = ask("select count(*) from mirror_object where object_type = 'subscription'")[0][0]
    which = Selection(types=("customer.subscription.*",))
    before = stored(ask)

    shown = replay.preview(which, rate=10)

    assert stored(ask) == before
    assert sum(one.events for one in shown.types) == shown.events == shown.rehearsed
    assert [one.events for one in shown.types] == sorted((one.events for one in shown.types), reverse=True)
    assert shown.seconds == -(-shown.events // 10)
    assert (shown.objects, shown.objects_changed, shown.would_fail) == (damaged, damaged, 0)
    done = ran(which)
    assert (done.total, done.changed, done.failed) == (shown.events, damaged, 0)


@pytest.fixture
def poisoned(connect: Callable[..., Account], ask: Ask, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Three events that were set aside because of a fault in our code; it is mended by emptying the list."""
    world = World(random.Random(3).choice, lost=False)
    world.customer()
    events = world.live(60)
    keep_all(connect("lived"), [encoded(one) for one in events])
    facts_of = MIRROR.apply.__globals__["rules"].facts_of
    about = [one["id"] for one in events if one["type"] == "customer.updated"][:3]
    assert len(about) == 3

    def broken(parsed: Any) -> Any:
        if parsed["id"] in about:
            raise KeyError("balance")
        return facts_of(parsed)

    with monkeypatch.context() as patch:
        patch.setattr(MIRROR.apply.__globals__["rules"], "facts_of", broken)
        for _ in range(8):
            drains.empty(MIRROR)
            ask("update inbox_pending set due_at = null where set_aside_at is null returning 1")
        yield about


def test_what_a_cause_stopped_is_read_after_the_fault_is_mended(poisoned: list[str], ask: Ask) -> None:
    stopped = set(poisoned)
    (group,) = dead_letters.groups()
    which = Selection(cause=group.cause)
    shown = replay.preview(which)
    failed = ran(which)
    assert (shown.events, shown.set_aside, shown.would_fail) == (3, 3, 3)
    assert (failed.failed, failed.last_error) == (3, "KeyError: 'balance'")
    assert dead_letters.groups()[0].rows == 3

    poisoned.clear()
    done = ran(which)

    assert (done.total, done.failed) == (3, 0)
    assert dead_letters.groups() == ()
    assert {row[0] for row in ask("select event_id from mirror_version")} >= stopped


def test_an_event_that_fails_in_a_replay_is_set_aside_where_people_look(told: int, ask: Ask) -> None:
    event_id = ask("select event_id from inbox_event where type = 'customer.created' limit 1")[0][0]
    ask("update inbox_event set body = '{' where event_id = %s returning 1", event_id)

    done = ran(Selection(types=("customer.created",)))

    assert done.failed == 1
    assert done.done == done.total > 1
    (group,) = dead_letters.groups()
    assert group.examples == (f"event {event_id}",)
    assert inbox.event(event_id).state.value == "set_aside"


def test_a_batch_that_dies_is_read_again_and_counted_once(told: int, ask: Ask) -> None:
    begun = replay.start(ALL, why="A test.", by=TESTER, rate=50)
    assert replay.proceed() == (50, 0.0)
    waits = replay.proceed()
    assert waits is not None
    assert waits[0] == 0
    assert 0 < waits[1] <= 1
    ask("update mirror_replay set due_at = now() - interval '1 s' returning 1")

    def dies() -> None:
        with runtime_database.transaction():
            assert replay.proceed() == (50, 0.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        dies()

    assert replay.get(begun.id).done == 50
    assert ask("select count(*) from mirror_replayevent") == [(told - 50,)]
    finish(begun.id)
    ended = replay.get(begun.id)
    assert (ended.progress, ended.done, ended.total) == (Progress.DONE, told, told)
    assert replay.proceed() is None


def test_a_replay_is_ended_where_it_is_and_all_of_it_is_on_record(told: int, ask: Ask) -> None:
    begun = replay.start(Selection(types=("customer.*",)), why="Because.", by=TESTER, rate=10)
    replay.proceed()

    ended = replay.cancel(begun.id, by=TESTER)

    assert (ended.progress, ended.done) == (Progress.CANCELED, 10)
    assert ask("select count(*) from mirror_replayevent") == [(0,)]
    assert replay.proceed() is None
    with pytest.raises(Conflict):
        replay.cancel(begun.id, by=TESTER)
    canceled, started = audit.entries(database.connection(), object_type="replay", opened=True)
    assert (started.action, started.why) == ("mirror.replay.started", "Because.")
    assert started.after == {"rate": 10, "events": begun.total, "selection": {"types": ["customer.*"]}}
    assert (canceled.action, canceled.why) == ("mirror.replay.canceled", "")
    assert canceled.after == {"events": 10, "left": begun.total - 10}


@pytest.mark.parametrize(
    ("which", "how", "code"),
    [
        (ALL, {"why": " "}, "reason_missing"),
        (Selection(), {}, "selection_missing"),
        (Selection(account="lived"), {}, "selection_missing"),
        (ALL, {"rate": 0}, "rate_invalid"),
        (ALL, {"rate": 5001}, "rate_invalid"),
        (Selection(events=("evt_none",)), {}, "replay_empty"),
        (Selection(events=("evt_\x00",)), {}, "selection_invalid"),
        (Selection(objects=("x",) * 1001), {}, "selection_too_large"),
        (Selection(everything=True, account="nobody"), {}, "account_unknown"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    connect: Callable[..., Account], ask: Ask, which: Selection, how: dict[str, Any], code: str
) -> None:
    connect("lived")

    with pytest.raises(Refused) as refused:
        replay.start(which, by=TESTER, **({"why": "Because."} | how))

    assert refused.value.code == code
    assert ask("select count(*) from mirror_replay") == [(0,)]


def test_replays_beside_the_drains_and_the_intake_lose_nothing_and_end(
    connect: Callable[..., Account], ask: Ask
) -> None:
    account = connect("lived")
    bodies = [encoded(one) for one in World(random.Random(21).choice).live(400)]
    random.Random(22).shuffle(bodies)
    stored_all = threading.Event()

    def arrive() -> None:
        for start in range(0, len(bodies), 20):
            keep_all(account, bodies[start : start + 20])
        stored_all.set()

    def drain() -> None:
        while not stored_all.is_set() or inbox.stats().waiting:
            drains.empty(MIRROR)
            drains.empty(CUSTOMER)

    def again() -> None:
        luck = random.Random(23)
        while not stored_all.is_set() or inbox.stats().waiting:
            which = luck.choice((ALL, Selection(customers=("cus_1",)), Selection(types=("customer.*",))))
            with suppress(Refused):
                begun = replay.start(which, why="A test.", by=TESTER, rate=5000)
                while replay.get(begun.id).progress is Progress.RUNNING:
                    replaying.run(threading.Event())

    threads(arrive, drain, again, again)
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)
    after = stored(ask)
    ended = replay.replays(limit=200).data
    assert len(ended) > 2
    assert {(one.failed, one.last_error) for one in ended} == {(0, None)}
    assert all(one.done == one.total for one in ended)

    rebuild()

    assert list(islice(differences(after, stored(ask)), 20)) == []
