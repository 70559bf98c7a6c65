"""Every derived table can be dropped and made again from the log, and is what it was."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.flow.conftest import Ask, Lived
from tests.flow.histories import ENDS, World
from tests.flow.tables import DERIVED, KEPT, OTHERS, differences, kept, rebuild, stored
from tests.flow.test_corpus import recorded
from tests.instance import TESTER, Door, encoded, post_all
from trueup.accounts.types import Account
from trueup.customer import merging
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.customer.identity import service as identity
from trueup.customer.types import LinkKind
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.runtime import configuration, drains
from trueup.runtime.crypto import Sealer

SEED = 20_261_121


@pytest.fixture(autouse=True)
def told_by_metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operator's own keys and rules tell more of each customer."""
    monkeypatch.setenv("TRUEUP_IDENTITY_KEYS", "user_id=user")
    monkeypatch.setenv("TRUEUP_METADATA_RULES", "user_id:required")
    configuration.current.cache_clear()
    yield
    configuration.current.cache_clear()


def lives(told: list[dict[str, Any]]) -> list[bytes]:
    """A crowded life, and those of many companies: shuffled, some of it twice."""
    luck = random.Random(SEED)
    # In a longer one all customers would be deleted in the end.
    world = World(luck.choice)
    crowded = world.live(100)
    world.make(
        "customer.subscription.created",
        "subscription",
        "sub_paused",
        customer="cus_4",
        status="active",
        pause_collection={"behavior": "void", "resumes_at": ENDS},
    )
    events = [encoded(one) for one in crowded]
    events += [msgspec.json.encode(one) for one in told]
    events += luck.sample(events, len(told) // 5)
    luck.shuffle(events)
    return events


def tell(door: Door, slug: str, bodies: list[bytes], *, at_once: int = 300) -> None:
    """Post bodies, and let the drains look now and then."""
    for start in range(0, len(bodies), at_once):
        answers = post_all(
            door.port,
            f"/webhooks/stripe/{slug}",
            bodies[start : start + at_once],
            headers={"X-Forwarded-Proto": "https"},
        )
        assert {answer.status for answer in answers} == {200}
        drains.empty(MIRROR)
        drains.empty(CUSTOMER)


def judged() -> None:
    """What people said: who is one, who is one no more, who is two, and who is somebody elsewhere."""
    merging.merge(id="cus_1", others=["cus_2", "cus_3"], by=TESTER)
    merging.split(id="cus_1", take=["cus_3"], by=TESTER)
    identity.dismiss_duplicate(first="cus_1", second="cus_3", by=TESTER)
    identity.link(id="cus_2", kind=LinkKind.CRM, system="salesforce", value="001A", by=TESTER)


def test_every_table_is_made_again_from_the_log_as_it_was(
    connect: Callable[..., Account], database: str, sealer: Sealer, ask: Ask, *, shared: Path, lived: Lived
) -> None:
    connect("recorded")
    connect("recorded-live", livemode=True)
    connect("lived")
    corpus = recorded(shared)
    events = lives(lived(800))
    with Door(database, sealer=sealer, trusted_proxies="127.0.0.1") as door:
        for slug in ("recorded", "recorded-live"):
            tell(door, slug, [body for place, body in corpus if place == slug])
        tell(door, "lived", events[:-200])
        judged()
        # What comes later finds customers that are one already.
        tell(door, "lived", events[-200:], at_once=7)
    before, beside = stored(ask), kept(ask)

    rebuild()

    assert list(islice(differences(stored(ask), before), 20)) == []
    assert list(islice(differences(kept(ask), beside), 20)) == []
    # There was enough to lose: rows in every table, ties, deletions, doubts, several currencies and merged customers.
    assert {name for name, rows in before.items() if not rows} == {"mirror_changed"}
    assert all(beside[name] for name in ("customer_merged", "customer_dismissal", "customer_trait", "inbox_event"))
    assert {row["verdict"] for row in before["mirror_object"]} == {0, 1, 2}
    assert sum(row["deleted"] for row in before["mirror_object"]) > 10
    currencies = re.findall(
        r'"mrr":\[\{[^]]*"currency":"(\w+)"', " ".join(row["state"] for row in before["customer_customer"])
    )
    assert len(currencies) > 10
    assert len(set(currencies)) > 2
    assert len({row["value"] for row in before["customer_trait"]}) > 50


def test_a_rebuild_drops_what_no_event_tells_and_can_be_repeated(
    connect: Callable[..., Account], database: str, sealer: Sealer, ask: Ask, lived: Lived
) -> None:
    connect("lived")
    with Door(database, sealer=sealer) as door:
        tell(door, "lived", lives(lived(60)))
    before = stored(ask)
    ask("update customer_customer set name = 'nobody' returning 1")
    ask("insert into customer_trait select 'tc_x', 1, false, 'email', '', 'x', 'stripe', '', null, now() returning 1")
    ask("delete from mirror_version where object_type = 'subscription' returning 1")

    rebuild()
    rebuild()

    assert list(islice(differences(stored(ask), before), 20)) == []


def test_every_table_is_made_from_the_log_or_says_why_it_is_not(ask: Ask) -> None:
    found = ask("select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace")
    tables = {name for (name,) in found if not name.startswith((*OTHERS, "inbox_event_", "audit_logentry_"))}

    assert tables == {*DERIVED, *KEPT}
    assert all(KEPT.values())
