"""What differs from Stripe, and what did, as programs read it."""

from __future__ import annotations

from django.test import Client

from tests.web.api.conftest import Ask
from trueup.accounts.types import Account
from trueup.mirror.reconcile import store
from trueup.mirror.reconcile.types import Cause, FieldDifference, Kind
from trueup.mirror.types import ObjectKey

NAME = FieldDifference(path="name", ours="Ada", theirs="Bea")


def differ(account: Account, object_id: str, *, run: int) -> ObjectKey:
    key = ObjectKey(account_id=account.id, livemode=account.livemode, object_type="customer", object_id=object_id)
    new = store.New(
        key=key,
        customer=object_id,
        kind=Kind.STALE,
        fields=(NAME,),
        more=0,
        cause=Cause.NEVER_CAME,
        explanation="No event told.",
        told='{"name": "Bea"}',
    )
    store.record(run, new)
    return key


def test_what_differs_has_its_values_and_what_is_over_has_only_their_names(ask: Ask, account: Account) -> None:
    differ(account, "cus_1", run=1)
    store.resolve(differ(account, "cus_2", run=1), 2)
    store.resolve(differ(account, "cus_3", run=3), 3, repaired=True)

    (standing,) = ask("/drift/differences")["data"]
    closed = ask("/drift/differences", closed=True)["data"]

    assert standing["fields"] == [{"path": "name", "ours": "Ada", "theirs": "Bea", "cut": False, "dropped": False}]
    assert (standing["resolved_at"], standing["ending"], standing["resolved_by"]) == (None, None, None)
    assert {one["object_id"]: (one["ending"], one["resolved_by"]) for one in closed} == {
        "cus_2": ("equal", 2),
        "cus_3": ("repaired", 3),
    }
    assert [one["fields"] for one in closed] == [
        [{"path": "name", "ours": None, "theirs": None, "cut": False, "dropped": True}]
    ] * 2
    assert [one["object_id"] for one in ask("/drift/differences", closed=True, run=2)["data"]] == ["cus_2"]
    assert [one["object_id"] for one in ask("/drift/differences", run=1)["data"]] == ["cus_1"]


def test_a_type_that_there_is_not_is_refused_as_a_kind_is(ask: Ask, program: Client, account: Account) -> None:
    differ(account, "cus_1", run=1)

    for query in ({"type": "foo"}, {"kind": "foo"}, {"type": "foo", "closed": "true"}):
        response = program.get("/api/v1/drift/differences", query)
        assert (response.status_code, response.json()["error"]["code"]) == (422, "parameter_invalid")
    assert len(ask("/drift/differences", type="customer")["data"]) == 1
    assert ask("/drift/differences", type="trueup.customer")["data"] == []
    assert ask("/drift/differences", type="invoice")["data"] == []


def test_what_is_over_is_listed_in_pages(ask: Ask, account: Account) -> None:
    for number in range(3):
        store.resolve(differ(account, f"cus_{number}", run=1), 2)

    first = ask("/drift/differences", closed=True, limit=2)
    second = ask("/drift/differences", closed=True, limit=2, after=first["next"])

    assert [one["object_id"] for one in first["data"] + second["data"]] == ["cus_2", "cus_1", "cus_0"]
    assert second["next"] is None
