"""Objects as they are and were: found by id, type, customer and doubt, page by page."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.web.console import world
from tests.web.console.world import DAY, START
from trueup.accounts.errors import AccountUnknown
from trueup.accounts.types import Account
from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.time import from_unix
from trueup.mirror import service as mirror
from trueup.mirror.order.types import Verdict
from trueup.mirror.types import Body, ObjectRow
from trueup.runtime import database


@pytest.fixture
def account(db: None) -> Account:
    """A connected account in test mode."""
    return world.connect()


def lives(account: Account) -> None:
    """A customer that is made, renamed and deleted, a day apart."""
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_made"),
        world.event(
            "customer.updated",
            world.customer("cus_1", "Beta"),
            at=START + DAY,
            id="evt_named",
            previous={"name": "Acme"},
        ),
        world.event("customer.deleted", world.customer("cus_1", "Beta"), at=START + 2 * DAY, id="evt_gone"),
    )


def erase(event_id: str, body: bytes | None) -> None:
    """What an erasure leaves of an event: another body, or nothing."""
    if body is None:
        database.execute("delete from inbox_event where event_id = %(id)s", {"id": event_id})
    else:
        values = {"id": event_id, "body": body}
        database.execute("update inbox_event set body = %(body)s, redacted_at = now() where event_id = %(id)s", values)


def every(limit: int, **asked: Any) -> list[ObjectRow]:
    """All rows of a list, page by page."""
    rows: list[ObjectRow] = []
    after: str | None = None
    for _ in range(100):
        page = mirror.search(limit=limit, after=after, **asked)
        assert page.total is None
        rows += page.data
        after = page.next
        if after is None:
            return rows
    pytest.fail("the pages never end")


def test_an_object_names_the_event_it_came_from_and_is_whole(account: Account) -> None:
    sent = world.customer("cus_1", "Acme", "a@acme.example")
    world.told(account, world.event("customer.created", sent, id="evt_1"))

    found = mirror.get("cus_1", told=True)

    assert (found.account_slug, found.livemode, found.type, found.id) == ("acme", False, "customer", "cus_1")
    assert (found.customer, found.deleted, found.verdict) == ("cus_1", False, "certain")
    assert (found.event_id, found.event_type, found.at) == ("evt_1", "customer.created", from_unix(START))
    assert found.received_at is not None
    assert found.body is Body.WHOLE
    assert found.shape is not None
    assert found.shape.items() >= sent.items()
    assert found.told == sent


def test_the_object_as_sent_comes_only_when_asked_for_and_the_shape_is_the_newest(account: Account) -> None:
    sent = {"id": "price_1", "object": "plan", "created": START, "amount": 900, "statement_description": "x"}
    discount = {"coupon": {"id": "c_1", "object": "coupon"}, "id": "di_1", "object": "discount"}
    world.told(account, world.event("plan.created", sent))
    world.told(account, world.event("customer.created", world.customer("cus_1", None) | {"discount": discount}))

    assert mirror.get("price_1").told is None
    found = mirror.get("cus_1", told=True)

    assert found.told is not None
    assert found.shape is not None
    assert found.told["discount"] == discount
    assert found.shape["discount"]["source"]["coupon"] == discount["coupon"]


def test_an_object_of_an_unknown_type_is_told_like_any_other(account: Account) -> None:
    rover = {"id": "rov_1", "object": "moon.rover", "wheels": [{"id": "w_1", "turns": 3}]}
    world.told(account, world.event("moon.rover.landed", rover))

    found = mirror.get("rov_1")

    assert (found.type, found.customer, found.shape) == ("moon.rover", None, rover)
    assert [row.id for row in mirror.search(type="moon.rover").data] == ["rov_1"]


@pytest.mark.parametrize(
    ("at", "event_id", "deleted"),
    [
        (START, "evt_made", False),
        (START + DAY - 1, "evt_made", False),
        (START + DAY, "evt_named", False),
        (START + 2 * DAY, "evt_gone", True),
    ],
)
def test_an_object_as_of_a_moment_is_what_had_happened_in_that_second(
    account: Account, at: int, event_id: str, deleted: bool
) -> None:
    lives(account)

    found = mirror.get("cus_1", as_of=from_unix(at))

    assert (found.event_id, found.deleted, found.customer) == (event_id, deleted, "cus_1")


def test_a_fraction_of_a_second_does_not_reach_the_next_one(account: Account) -> None:
    lives(account)

    assert mirror.get("cus_1", as_of=from_unix(START + DAY) - timedelta(microseconds=1)).event_id == "evt_made"


def test_before_its_first_event_an_object_is_not_known(account: Account) -> None:
    lives(account)

    with pytest.raises(NotFound, match="Nothing was known about the object cus_1 then") as refused:
        mirror.get("cus_1", as_of=from_unix(START - 1))

    assert refused.value.code == "object_unknown_then"


def test_only_what_had_arrived_by_then_was_known(account: Account) -> None:
    lives(account)
    arrivals = "update inbox_event set received_at = created + interval '1 year' where event_id = 'evt_gone'"
    database.execute("update inbox_event set received_at = created + interval '1 hour'")
    database.execute(arrivals)

    assert mirror.get("cus_1", known_at=from_unix(START + 3 * DAY)).event_id == "evt_named"
    assert mirror.get("cus_1", as_of=from_unix(START), known_at=from_unix(START + 3 * DAY)).event_id == "evt_made"
    assert mirror.get("cus_1", known_at=from_unix(START + 400 * DAY)).event_id == "evt_gone"
    with pytest.raises(NotFound):
        mirror.get("cus_1", known_at=from_unix(START))


def test_any_moment_can_be_asked_for(account: Account) -> None:
    lives(account)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    assert mirror.get("cus_1", as_of=last).event_id == "evt_gone"
    assert mirror.get("cus_1", known_at=last).event_id == "evt_gone"
    with pytest.raises(NotFound):
        mirror.get("cus_1", as_of=first)
    with pytest.raises(NotFound):
        mirror.get("cus_1", known_at=first)


@pytest.mark.parametrize("name", ["cus_2", "", "cus_\x00", "cus_\ud800", "cus_1' or ''='", "%"])
def test_what_no_event_told_is_not_known(account: Account, name: str) -> None:
    lives(account)

    for ask in (mirror.get, mirror.versions):
        with pytest.raises(NotFound) as refused:
            ask(name)
        assert refused.value.code == "object_unknown"


def test_a_price_comes_before_the_plan_that_it_also_is(account: Account) -> None:
    world.told(account, world.event("plan.created", {"id": "price_1", "object": "plan"}))
    world.told(account, world.event("price.created", {"id": "price_1", "object": "price"}, id="evt_price"))

    assert mirror.get("price_1").type == "price"
    assert mirror.get("price_1", type="plan").type == "plan"


def test_an_id_of_two_types_has_to_be_told_apart(account: Account) -> None:
    other = world.connect("other")
    world.told(account, world.event("plan.created", {"id": "gold", "object": "plan"}))
    world.told(account, world.event("coupon.created", {"id": "gold", "object": "coupon"}))
    world.told(other, world.event("coupon.created", {"id": "gold", "object": "coupon"}, id="evt_other"))

    with pytest.raises(Refused, match="3 objects have the id gold") as refused:
        mirror.get("gold")

    assert refused.value.code == "object_ambiguous"
    assert refused.value.hint == ("Say which, by type or account: coupon in acme, plan in acme, coupon in other.")
    assert mirror.get("gold", type="plan").type == "plan"
    assert mirror.get("gold", account="other").event_id == "evt_other"
    assert mirror.get("gold", type="coupon", account="acme").account_slug == "acme"
    with pytest.raises(Refused, match="2 objects"):
        mirror.versions("gold", type="coupon")
    with pytest.raises(NotFound, match="no plan gold"):
        mirror.get("gold", type="plan", account="other")
    with pytest.raises(AccountUnknown):
        mirror.get("gold", account="nobody")


def test_a_missing_event_is_a_gap_and_is_said(account: Account) -> None:
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme")),
        world.event("customer.updated", world.customer("cus_1", "D"), at=START + 5, previous={"name": "C"}),
    )

    found = mirror.get("cus_1")

    assert found.verdict == "gap"
    assert "an event before it is missing" in found.verdict_told
    assert [row.id for row in mirror.search(verdict=Verdict.GAP).data] == ["cus_1"]
    assert mirror.search(verdict=Verdict.CERTAIN).data == ()
    assert mirror.search(verdict=Verdict.AMBIGUOUS).data == ()


def test_two_last_events_of_one_second_are_ambiguous_and_found_by_it(account: Account) -> None:
    for name in ("B", "C"):
        about = world.customer("cus_1", name)
        world.told(account, world.event("customer.updated", about, id=f"evt_{name}", at=START + 5))

    found = mirror.get("cus_1")

    assert found.verdict == "ambiguous"
    assert [row.id for row in mirror.search(verdict=Verdict.AMBIGUOUS, type="customer").data] == ["cus_1"]
    assert mirror.get("cus_1", as_of=from_unix(START + 5)).verdict == "ambiguous"


@pytest.mark.parametrize("body", [None, b"", b"{}", b'"redacted"', b"[" * 5000])
def test_an_object_whose_event_was_erased_says_so(account: Account, body: bytes | None) -> None:
    lives(account)
    erase("evt_gone", body)

    found = mirror.get("cus_1", told=True)

    assert (found.event_id, found.body, found.shape, found.told) == ("evt_gone", Body.GONE, None, None)
    assert (found.received_at is None) == (body is None)
    then = mirror.get("cus_1", as_of=from_unix(START + 2 * DAY))
    assert (then.event_id, then.body, then.deleted) == ("evt_gone", Body.GONE, True)


def test_an_object_whose_event_was_redacted_shows_what_is_left(account: Account) -> None:
    lives(account)
    left = world.event("customer.deleted", {"id": "cus_1", "object": "customer"}, at=START + 2 * DAY, id="evt_gone")
    erase("evt_gone", msgspec.json.encode(left))

    found = mirror.get("cus_1")

    assert (found.body, found.shape) == (Body.REDACTED, {"id": "cus_1", "object": "customer"})


def test_an_object_nested_deeper_than_an_answer_can_be_is_taken_for_gone(account: Account) -> None:
    lives(account)
    left = world.event("customer.deleted", world.customer("cus_1", "NAME"), at=START + 2 * DAY, id="evt_gone")
    erase("evt_gone", msgspec.json.encode(left).replace(b'"NAME"', b"[" * 1000 + b"]" * 1000))

    assert (mirror.get("cus_1").body, mirror.get("cus_1").shape) == (Body.GONE, None)
    assert mirror.versions("cus_1").data[0].body is Body.GONE


def test_text_that_no_database_stores_can_be_told(account: Account) -> None:
    body = msgspec.json.encode(world.event("customer.created", world.customer("cus_1", "NAME")))
    world.told(account, body.replace(b"NAME", rb"a\u0000b\ud800c"))

    found = mirror.get("cus_1", told=True)

    assert found.shape is not None
    assert found.told is not None
    assert found.shape["name"] == found.told["name"] == "a\ufffdb\ufffdc"
    assert msgspec.json.encode(found)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_pages_hold_every_object_once_by_account_type_and_id(account: Account, limit: int) -> None:
    other = world.connect("other")
    for owner in (account, other):
        world.many(owner, 2)
        world.told(owner, world.event("plan.created", {"id": f"Gold {owner.slug}", "object": "plan"}))
    whole = mirror.search(limit=200).data

    rows = every(limit)

    assert tuple(rows) == whole
    keys = [(row.account_slug, row.type) for row in rows]
    assert keys == sorted(keys)
    assert {row.account_slug for row in rows} == {"acme", "other"}
    assert len({(row.account_slug, row.type, row.id) for row in rows}) == len(rows)
    assert every(limit, account="other") == [row for row in whole if row.account_slug == "other"]
    assert every(limit, type="plan") == [row for row in whole if row.type == "plan"]
    assert every(limit, customer="cus_000") == [row for row in whole if row.customer == "cus_000"]
    assert every(limit, customer="cus_000", type="subscription", account="acme") == [
        row for row in whole if (row.account_slug, row.customer, row.type) == ("acme", "cus_000", "subscription")
    ]


def test_a_list_of_what_there_is_not_is_empty(account: Account) -> None:
    world.many(account, 1)

    assert mirror.search(type="moon.rover").data == ()
    assert mirror.search(customer="cus_\x00").data == ()
    assert mirror.search(customer="cus_none").data == ()


def test_no_account_has_no_objects(db: None) -> None:
    assert mirror.search().data == ()
    with pytest.raises(NotFound):
        mirror.get("cus_1")


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsdHJ1ZV0", "WyJ4IiwieCIsIngiLCJ4Il0"])
def test_a_cursor_that_no_list_gave_is_refused(account: Account, cursor: str) -> None:
    lives(account)

    for page in (lambda: mirror.search(after=cursor), lambda: mirror.versions("cus_1", after=cursor)):
        with pytest.raises(Refused) as refused:
            page()
        assert refused.value.code == "cursor_invalid"


@pytest.mark.parametrize("seed", range(5))
def test_as_of_a_moment_an_object_is_what_it_would_be_had_nothing_come_after(account: Account, seed: int) -> None:
    events = [
        world.event("customer.created", world.customer("cus_1", "0"), id="evt_0"),
        world.event("customer.updated", world.customer("cus_1", "1"), id="evt_9", previous={"name": "0"}),
        world.event("customer.updated", world.customer("cus_1", "2"), id="evt_1", previous={"name": "1"}),
        world.event("customer.updated", world.customer("cus_1", "5"), at=START + 5, previous={"name": "4"}),
        world.event("customer.updated", world.customer("cus_1", "4"), at=START + 4, previous={"name": "2"}),
        world.event("customer.deleted", world.customer("cus_1", "5"), at=START + 9),
    ]
    shuffled = random.Random(seed).sample(events, len(events))
    for event in shuffled:
        world.told(account, event)

    for second in (START, START + 4, START + 5, START + 9):
        alone = world.connect(f"until-{second}")
        world.told(alone, *(event for event in shuffled if event["created"] <= second))
        then = mirror.get("cus_1", account="acme", as_of=from_unix(second))
        now = mirror.get("cus_1", account=alone.slug)
        assert then == msgspec.structs.replace(now, account_slug="acme", received_at=then.received_at)
