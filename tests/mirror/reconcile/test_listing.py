"""The differences that are open, page by page and counted."""

from __future__ import annotations

import pytest

from trueup.kernel.errors import Refused
from trueup.mirror.reconcile import service, store
from trueup.mirror.reconcile.types import STATE, Cause, Counted, Kind
from trueup.mirror.types import ObjectKey

pytestmark = pytest.mark.django_db


def differ(object_type: str, object_id: str, *, kind: Kind = Kind.STALE, customer: str = "cus_1") -> None:
    key = ObjectKey(account_id=1, livemode=False, object_type=object_type, object_id=object_id)
    cause = Cause.OBJECTS if object_type == STATE else Cause.NEVER_CAME
    store.record(
        1, store.New(key=key, customer=customer, kind=kind, fields=(), more=0, cause=cause, explanation="No event.")
    )


def listed(*, objects_first: bool = False) -> list[list[str]]:
    pages = [service.differences(limit=2, objects_first=objects_first)]
    while pages[-1].next:
        pages.append(service.differences(limit=2, objects_first=objects_first, after=pages[-1].next))
    return [[one.object_id for one in page.data] for page in pages]


def test_objects_come_before_the_states_that_follow_from_them_over_all_pages() -> None:
    differ("invoice", "in_1")
    differ(STATE, "cus_1")
    differ("invoice", "in_2")
    differ(STATE, "cus_2", customer="cus_2")
    differ("charge", "ch_1")

    assert listed(objects_first=True) == [["ch_1", "in_2"], ["in_1", "cus_2"], ["cus_1"]]
    assert listed() == [["ch_1", "cus_2"], ["in_2", "cus_1"], ["in_1"]]


def test_they_are_counted_by_kind_and_type_and_for_one_customer() -> None:
    differ("invoice", "in_1")
    differ("invoice", "in_2", customer="cus_2")
    differ("invoice", "in_3", kind=Kind.MISSING)

    assert service.counted() == (
        Counted(kind=Kind.MISSING, type="invoice", number=1),
        Counted(kind=Kind.STALE, type="invoice", number=2),
    )
    assert service.counted(customer="cus_2") == (Counted(kind=Kind.STALE, type="invoice", number=1),)


def test_a_cursor_of_the_other_order_is_refused() -> None:
    for number in range(3):
        differ("invoice", f"in_{number}")

    with pytest.raises(Refused, match="cursor"):
        service.differences(objects_first=True, after=service.differences(limit=1).next)
