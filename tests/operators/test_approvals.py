"""Four eyes as a mechanism: asked by one, answered by another, done in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from tests.operators.conftest import BY, PASSWORD
from trueup.audit.types import AuditEntry
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Conflict, Forbidden, NotFound, Refused
from trueup.operators import models
from trueup.operators import service as operators
from trueup.operators.approvals import kinds
from trueup.operators.approvals import service as approvals
from trueup.operators.approvals.kinds import Kind
from trueup.operators.approvals.types import Approval, Standing
from trueup.operators.permissions import Permission
from trueup.operators.types import Person, Role
from trueup.runtime import clock, database

Entries = Callable[[], list[AuditEntry]]


def somebody(role: Role, name: str) -> Actor:
    person = operators.create_operator(email=f"{name}@acme.example", password=PASSWORD, roles=[role], by=BY)
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


@pytest.fixture
def done() -> Iterator[list[Any]]:
    """What the kind ``test.refund`` did; one whose change says so fails."""
    did: list[Any] = []

    def perform(approval: Approval, by: Actor) -> None:
        database.execute("select 1")
        if approval.change.get("fails"):
            raise Conflict("It cannot be done.", code="test")
        did.append((approval.object_id, by.id))

    kinds.register(
        Kind(
            name="test.refund",
            asking=Permission.MONEY_CHANGE,
            approving=Permission.MONEY_APPROVE,
            perform=perform,
        )
    )
    yield did
    del kinds._KINDS["test.refund"]


def ask(by: Actor, id_: str = "re_1", **change: Any) -> Approval:
    return approvals.ask(
        kind="test.refund", object_type="charge", object_id=id_, change=change, why="She paid twice.", by=by
    )


@pytest.fixture
def asker(person: Person) -> Actor:
    return somebody(Role.SUPPORT, "joe")


@pytest.fixture
def finance(person: Person) -> Actor:
    return somebody(Role.FINANCE, "fay")


def test_it_is_done_when_another_allows_it_and_both_are_on_record(
    done: list[Any], asker: Actor, finance: Actor, entries: Entries
) -> None:
    asked = ask(asker, amount=100)
    assert (asked.standing, done) == (Standing.WAITING, [])
    assert asked.expires_at - asked.asked_at == timedelta(hours=72)
    assert [one.id for one in approvals.waiting_for(finance)] == [asked.id]
    assert [one.id for one in approvals.asked_by(asker)] == [asked.id]

    given = approvals.approve(approval_id=asked.id, answer="Right.", by=finance)

    assert done == [("re_1", finance.id)]
    assert (given.standing, given.decided_by, given.answer) == (Standing.APPROVED, finance, "Right.")
    assert approvals.waiting_for(finance) == approvals.asked_by(asker) == []
    first, second = entries()[-2:]
    assert (first.action, first.actor_id, first.after["change"]) == (
        "operators.approval.asked",
        asker.id,
        {"amount": 100},
    )
    assert (second.action, second.actor_id, second.after) == (
        "operators.approval.given",
        finance.id,
        {"kind": "test.refund", "object": "charge:re_1", "asked_by": f"operator:{asker.id}"},
    )
    assert "twice" not in repr(entries())


def test_what_cannot_be_done_any_more_is_not_allowed_either(
    done: list[Any], asker: Actor, finance: Actor, entries: Entries
) -> None:
    asked = ask(asker, fails=True)

    with pytest.raises(Conflict, match="cannot be done"):
        approvals.approve(approval_id=asked.id, by=finance)

    assert approvals.get(asked.id).standing is Standing.WAITING
    assert entries()[-1].action == "operators.approval.asked"


def test_nobody_allows_what_they_or_a_program_of_theirs_asked_for(done: list[Any], finance: Actor) -> None:
    mine = ask(finance, "re_1")
    program = models.ApiToken(name="x", digest=b"x", prefix="x", scopes=[], made_by_id=int(finance.id))
    program.save()
    token = Actor(kind=ActorKind.TOKEN, id=str(program.pk), behind=finance)
    models.Approval.objects.filter(pk=mine.id).update(
        asked_by={"kind": "token", "id": "9", "behind": {"kind": "operator", "id": finance.id}}
    )

    with pytest.raises(Forbidden, match="Somebody else"):
        approvals.approve(approval_id=mine.id, by=finance)
    with pytest.raises(Forbidden):
        approvals.approve(approval_id=mine.id, by=token)
    with pytest.raises(Forbidden, match="Somebody else"):
        approvals.reject(approval_id=mine.id, answer="No.", by=finance)
    assert approvals.waiting_for(finance) == []
    assert done == []


def test_answering_and_asking_take_their_permissions(done: list[Any], asker: Actor, finance: Actor) -> None:
    asked = ask(asker)
    other = somebody(Role.SUPPORT, "sue")
    attempts: list[Callable[[], object]] = [
        lambda: approvals.approve(approval_id=asked.id, by=other),
        lambda: approvals.reject(approval_id=asked.id, answer="No.", by=other),
        lambda: ask(somebody(Role.SALES, "sal"), "re_2"),
        lambda: approvals.cancel(approval_id=asked.id, by=finance),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()
    assert approvals.waiting_for(other) == []


def test_whoever_asked_has_to_be_somebody_who_still_may(done: list[Any], asker: Actor, finance: Actor) -> None:
    asked = ask(asker)
    operators.set_roles(operator_id=int(asker.id), roles=[Role.SALES], by=BY)

    with pytest.raises(Conflict, match="may not do so any more"):
        approvals.approve(approval_id=asked.id, by=finance)

    assert approvals.reject(approval_id=asked.id, answer="No.", by=finance).standing is Standing.REJECTED
    assert done == []


def test_a_request_is_refused_with_a_reason_canceled_or_runs_out_and_then_it_is_over(
    done: list[Any], asker: Actor, finance: Actor, entries: Entries
) -> None:
    refused, canceled, late = (ask(asker, f"re_{number}") for number in "123")
    with pytest.raises(Refused, match="Say why"):
        approvals.reject(approval_id=refused.id, answer=" ", by=finance)
    approvals.reject(approval_id=refused.id, answer="She did not.", by=finance)
    approvals.cancel(approval_id=canceled.id, by=asker)
    models.Approval.objects.filter(pk=late.id).update(expires_at=clock.now())

    for one in (refused, canceled, late):
        with pytest.raises(Conflict, match="no answer any more"):
            approvals.approve(approval_id=one.id, by=finance)
    assert approvals.waiting_for(finance) == []
    assert (approvals.expire(), approvals.expire()) == (1, 0)
    assert [one.standing for one in approvals.newest()] == [Standing.EXPIRED, Standing.CANCELED, Standing.REJECTED]
    assert [entry.action.rpartition(".")[2] for entry in entries()[-3:]] == ["refused", "canceled", "expired"]
    assert (entries()[-1].actor_kind, entries()[-1].actor_id) == ("system", "approvals")
    assert done == []


def test_the_same_is_asked_once_and_again_when_the_first_ran_out(done: list[Any], asker: Actor) -> None:
    first = ask(asker)
    with pytest.raises(Conflict, match="asked for already"):
        ask(asker)
    models.Approval.objects.update(expires_at=clock.now())

    again = ask(asker)

    assert approvals.get(first.id).standing is Standing.EXPIRED
    assert approvals.waiting_about(kind="test.refund", object_type="charge", object_id="re_1") == again
    assert approvals.waiting_about(kind="test.refund", object_type="charge", object_id="re_9") is None


def test_what_nobody_registered_and_nobody_asked_for_is_not_found(asker: Actor) -> None:
    with pytest.raises(NotFound, match="of the kind"):
        ask(asker)
    for attempt in (approvals.get, lambda number: approvals.approve(approval_id=number, by=asker)):
        with pytest.raises(NotFound):
            attempt(10**9)
    with pytest.raises(Refused, match="at most 1000"):
        approvals._words("x" * 1001)


def test_two_who_answer_at_once_do_it_once(committing: None, cheap_hashes: None, done: list[Any]) -> None:
    operators.create_operator(email="own@acme.example", password=PASSWORD, by=BY)
    asked = ask(somebody(Role.SUPPORT, "joe"))
    both = [somebody(Role.FINANCE, name) for name in ("fay", "fred")]

    def answer(by: Actor) -> str:
        try:
            return approvals.approve(approval_id=asked.id, by=by).standing.value
        except Conflict as refused:
            return refused.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(answer, both))

    assert said == ["approval_over", "approved"]
    assert len(done) == 1
