"""Every version of an object, newest first, with what it changed and what is not plain about it."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.mirror.test_objects import erase, lives
from tests.web.console import world
from tests.web.console.world import DAY, START
from trueup.accounts.types import Account
from trueup.kernel.errors import Refused
from trueup.mirror import service as mirror
from trueup.mirror.types import Body, FieldChange, ObjectVersion


@pytest.fixture
def account(db: None) -> Account:
    """A connected account in test mode."""
    return world.connect()


def renamed(account: Account, number: int) -> None:
    """A customer that is made and then renamed, once a second."""
    events = [world.event("customer.created", world.customer("cus_1", "0"), id="evt_000")]
    events += [
        world.event(
            "customer.updated",
            world.customer("cus_1", f"{count}"),
            at=START + count,
            id=f"evt_{count:03}",
            previous={"name": f"{count - 1}"},
        )
        for count in range(1, number)
    ]
    world.told(account, *events)


def kinds(version: ObjectVersion) -> list[str]:
    """The kinds of its doubts."""
    return [doubt.kind for doubt in version.doubts]


def test_versions_are_told_newest_first_with_what_each_changed(account: Account) -> None:
    lives(account)

    page = mirror.versions("cus_1")

    assert [(one.event_id, one.deleted, one.current, one.compared_to) for one in page.data] == [
        ("evt_gone", True, True, "evt_named"),
        ("evt_named", False, False, "evt_made"),
        ("evt_made", False, False, None),
    ]
    assert [one.changes for one in page.data] == [
        (),
        (FieldChange(path="name", before="Acme", after="Beta"),),
        None,
    ]
    assert (page.next, page.total) == (None, 3)
    assert {one.api_version for one in page.data} == {"2026-10-28.endive"}
    assert all(one.received_at is not None and one.doubts == () for one in page.data)


def test_versions_of_one_second_stand_in_the_order_of_their_causes_however_they_arrive(account: Account) -> None:
    events = [world.event("customer.created", world.customer("cus_1", "0"), id="evt_9")] + [
        world.event(
            "customer.updated",
            world.customer("cus_1", f"{step}"),
            id=f"evt_{5 - step}",
            previous={"name": f"{step - 1}"},
        )
        for step in (1, 2)
    ]
    for number, order in enumerate(permutations(events)):
        one = world.connect(f"one-{number}")
        for event in order:
            world.told(one, event)

        found = mirror.versions("cus_1", account=one.slug).data

        assert [version.event_id for version in found] == ["evt_3", "evt_4", "evt_9"]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
def test_pages_hold_every_version_once_and_in_order(account: Account, limit: int) -> None:
    renamed(account, 5)
    whole = mirror.versions("cus_1").data
    paged: list[ObjectVersion] = []
    after: str | None = None
    for _ in range(5 // limit + 1):
        page = mirror.versions("cus_1", limit=limit, after=after)
        assert page.total == 5
        paged += page.data
        after = page.next
        if after is None:
            break

    assert after is None
    assert tuple(paged) == whole
    assert [one.changes for one in whole[:-1]] == [
        (FieldChange(path="name", before=f"{count - 1}", after=f"{count}"),) for count in (4, 3, 2, 1)
    ]


def test_a_version_that_arrives_between_two_pages_is_neither_lost_nor_shown_twice(account: Account) -> None:
    renamed(account, 4)
    first = mirror.versions("cus_1", limit=2)
    world.told(account, world.event("customer.updated", world.customer("cus_1", "9"), at=START + 9, id="evt_new"))

    rest = mirror.versions("cus_1", limit=200, after=first.next)

    assert [one.event_id for one in (*first.data, *rest.data)] == ["evt_003", "evt_002", "evt_001", "evt_000"]
    assert rest.total == 5


def test_the_cursor_of_another_objects_versions_is_refused(account: Account) -> None:
    renamed(account, 3)
    world.told(account, world.event("customer.created", world.customer("cus_2", "x")))
    cursor = mirror.versions("cus_1", limit=1).next

    with pytest.raises(Refused) as refused:
        mirror.versions("cus_2", after=cursor)

    assert refused.value.code == "cursor_invalid"


def test_a_version_after_a_missing_event_says_between_which_events(account: Account) -> None:
    lives(account)
    world.told(
        account,
        world.event("customer.created", world.customer("cus_9", "A"), id="evt_a"),
        world.event("customer.updated", world.customer("cus_9", "D"), at=START + 5, id="evt_d", previous={"name": "C"}),
        world.event("customer.updated", world.customer("cus_9", "E"), at=START + 6, id="evt_e", previous={"name": "D"}),
    )

    newest, after_gap, first = mirror.versions("cus_9").data

    assert (kinds(newest), kinds(after_gap), kinds(first)) == ([], ["gap"], [])
    assert after_gap.doubts[0].told == "Between evt_a and this an event is missing."
    assert after_gap.doubts[0].event_ids == ("evt_a", "evt_d")
    assert after_gap.changes == (FieldChange(path="name", before="A", after="D"),)


def test_a_gap_in_the_first_second_known_stands_before_its_version(account: Account) -> None:
    for name, before in (("B", "A"), ("D", "C")):
        about = world.customer("cus_1", name)
        world.told(account, world.event("customer.updated", about, id=f"evt_{name}", previous={"name": before}))

    doubts = [kind for version in mirror.versions("cus_1").data for kind in kinds(version)]

    assert doubts.count("starts_late") == 1
    assert doubts.count("ambiguous") == 2


def test_an_object_that_was_there_before_we_listened_starts_late(account: Account) -> None:
    world.told(account, world.event("customer.updated", world.customer("cus_1", "B"), previous={"name": "A"}))

    (version,) = mirror.versions("cus_1").data

    assert kinds(version) == ["starts_late"]
    assert version.doubts[0].told == "This is the first version known; the object is older."
    assert mirror.get("cus_1").verdict == "certain"


def test_what_claims_to_be_later_than_the_deletion_says_so(account: Account) -> None:
    lives(account)
    late = world.event("customer.updated", world.customer("cus_1", "Late"), at=START + 9 * DAY, id="evt_late")
    world.told(account, late)

    newest, claimed, *_ = mirror.versions("cus_1").data

    assert (newest.event_id, newest.current) == ("evt_gone", True)
    assert (claimed.event_id, kinds(claimed)) == ("evt_late", ["after_deletion"])
    assert mirror.get("cus_1").deleted


def test_an_object_that_was_made_again_under_its_id_is_not_compared_with_the_former(account: Account) -> None:
    def coupon(made: int, percent: int) -> world.Json:
        return {"id": "gold", "object": "coupon", "created": made, "percent_off": percent}

    world.told(
        account,
        world.event("coupon.created", coupon(START, 10), id="evt_1"),
        world.event("coupon.deleted", coupon(START, 10), at=START + 5, id="evt_2"),
        world.event("coupon.created", coupon(START + 9, 20), at=START + 9, id="evt_3"),
    )

    found = mirror.versions("gold").data

    assert [(one.event_id, one.compared_to, one.changes) for one in found] == [
        ("evt_3", None, None),
        ("evt_2", "evt_1", ()),
        ("evt_1", None, None),
    ]
    assert [one.current for one in found] == [True, False, False]


def test_an_object_made_again_whose_deletion_is_not_known_is_not_compared_either(account: Account) -> None:
    for made in (START, START + 9):
        about = {"id": "gold", "object": "coupon", "created": made, "percent_off": made}
        world.told(account, world.event("coupon.created", about, at=made))

    assert [one.compared_to for one in mirror.versions("gold").data] == [None, None]


@pytest.mark.parametrize("body", [None, b"", b"null"])
def test_a_version_whose_body_was_erased_is_listed_and_says_so(account: Account, body: bytes | None) -> None:
    lives(account)
    erase("evt_named", body)

    newest, erased, first = mirror.versions("cus_1").data

    assert (erased.event_id, erased.body, erased.changes, erased.compared_to) == (
        "evt_named",
        Body.GONE,
        None,
        "evt_made",
    )
    assert (erased.received_at is None) == (body is None)
    assert (newest.body, newest.changes, newest.compared_to) == (Body.WHOLE, None, "evt_named")
    assert first.body is Body.WHOLE


def test_versions_of_two_api_versions_are_compared_in_the_newest_shape(account: Account) -> None:
    coupon = {"id": "c_1", "object": "coupon", "percent_off": 10}
    old = world.customer("cus_1", "Acme") | {"discount": {"id": "di_1", "object": "discount", "coupon": coupon}}
    new = mirror_shape(account, old)
    world.told(account, world.event("customer.updated", new, at=START + 5, id="evt_new", previous={"name": "Acme"}))

    newest, _first = mirror.versions("cus_1").data

    assert newest.changes == (FieldChange(path="name", before="Acme", after="Beta"),)


def mirror_shape(account: Account, old: world.Json) -> world.Json:
    """The shape that a newer API version sends of a customer whose creation an older one told; renamed meanwhile."""
    world.told(account, world.event("customer.created", old) | {"api_version": "2020-08-27"})
    shape = mirror.get("cus_1").shape
    assert shape is not None
    assert shape != old
    return shape | {"name": "Beta"}
