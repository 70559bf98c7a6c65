"""What differed and is right by now ends without a comparison, and is never compared with what Stripe said then."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.flow.beside import Beside, beside
from tests.flow.conftest import Ask
from tests.flow.test_reconcile import compare, found, live, lose
from tests.instance import TESTER
from trueup.customer.healing import Watch
from trueup.inbox.alarms import service as alarms
from trueup.inbox.sweep.service import sweep
from trueup.mirror.reconcile import service
from trueup.mirror.reconcile.types import STATE, Ending, Status


@pytest.fixture
def stripe(database: str) -> Iterator[Beside]:
    with beside(database, seed="healing") as made:
        yield made


def swept(stripe: Beside) -> None:
    """Let the sweep find what no webhook brought, and read it."""
    stripe.sandbox.advance(seconds=120)
    sweep(stripe.account.slug)
    stripe.fetch()


def raised() -> list[str]:
    return [alarm.code for alarm in alarms.standing() if alarm.code == "drift"]


def test_what_healed_by_itself_since_is_not_compared_with_what_stripe_said_then(stripe: Beside) -> None:
    known = live(stripe)
    lose(stripe)
    stripe.post(f"/v1/customers/{known['customer']}", name="Bea")
    assert compare(stripe).counts.found == {"stale": 2}
    stripe.post(f"/v1/customers/{known['customer']}", name="Cleo")
    stripe.sandbox.advance(seconds=120)
    sweep(stripe.account.slug)
    stripe.fetch()

    run = compare(stripe, repair=True)

    assert (run.counts.found, run.counts.repaired, run.left) == ({}, 0, 0)
    assert found() == found(states=True) == {}


def test_what_the_sweep_brings_ends_the_difference_and_the_alarm_without_a_comparison(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    gone = stripe.post("/v1/customers", name="Gone")
    stripe.settle()
    lose(stripe)
    stripe.post(f"/v1/customers/{known['customer']}", name="Bea")
    stripe.delete(f"/v1/customers/{gone['id']}")
    new = stripe.post("/v1/customers", name="New")
    run = compare(stripe)
    assert (run.left, raised()) == (6, ["drift"])
    # Nothing has come yet, and nobody says otherwise.
    assert Watch().look() == 0
    swept(stripe)

    assert Watch().look() == 6

    assert raised() == []
    assert found() == found(states=True) == {}
    assert {(one.object_id, one.ending, one.resolved_by) for one in service.closed().data} == {
        (one, Ending.HEALED, None) for one in (known["customer"], gone["id"], new["id"])
    }
    assert len(service.runs().data) == 1
    assert ask("select count(*) from mirror_drift where told is not null or fields::text ~ 'Ada|Bea|New|Gone'") == [
        (0,)
    ]


def test_what_came_and_changed_again_since_is_over_and_what_came_back_to_be_is_not(stripe: Beside) -> None:
    known = live(stripe)
    lose(stripe)
    stripe.post(f"/v1/customers/{known['customer']}", name="Bea")
    compare(stripe)
    stripe.sandbox.advance(seconds=10)
    stripe.post(f"/v1/customers/{known['customer']}", name="Cleo")
    swept(stripe)

    assert Watch().look() == 2

    # Stripe has it as it was once before: that we know that version says nothing of now.
    lose(stripe)
    stripe.post(f"/v1/customers/{known['customer']}", name="Bea")
    assert compare(stripe).counts.found == {"stale": 2}
    assert Watch().look() == 0
    assert raised() == ["drift"]


def test_a_damaged_row_that_is_made_again_is_over_and_its_state_follows(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    before = ask("select essence from mirror_object where object_id = %s", known["customer"])[0][0]
    ask("update mirror_object set essence = %s where object_id = %s returning 1", '{"name": "Eve"}', known["customer"])
    ask("update customer_customer set state = replace(state, 'Ada', 'Eve') returning 1")
    assert set(found()) == set()
    compare(stripe)
    assert set(found()) == {known["customer"]}
    assert Watch().look() == 0

    ask("update mirror_object set essence = %s where object_id = %s returning 1", before, known["customer"])

    watch = Watch()
    healed = watch.look()
    assert set(found()) == set()
    assert healed >= 1
    # The state is still not what follows from its objects.
    assert set(found(states=True)) == {known["customer"]}
    ask("update customer_customer set state = replace(state, 'Eve', 'Ada') returning 1")
    assert watch.look() == 1
    assert raised() == []


def test_what_is_being_compared_is_left_to_the_comparison(stripe: Beside) -> None:
    known = live(stripe)
    lose(stripe)
    stripe.post(f"/v1/customers/{known['customer']}", name="Bea")
    compare(stripe)
    swept(stripe)
    run = service.start(account=stripe.account, grace=0, patience=0, by=TESTER)

    assert Watch().look() == 0

    service.cancel(run.id, by=TESTER)
    assert Watch().look() == 2


def test_all_that_is_open_is_looked_at_some_at_a_time(stripe: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    live(stripe)
    lose(stripe)
    for number in range(5):
        stripe.post("/v1/products", name=f"Product {number}")
    assert compare(stripe).left == 5
    swept(stripe)
    monkeypatch.setattr("trueup.mirror.reconcile.healing.MOST", 2)

    watch = Watch()

    assert [watch.look() for _ in range(3)] == [2, 2, 1]
    assert watch.work(threading.Event()) == 0
    assert (raised(), STATE in {one.type for one in service.closed().data}) == ([], False)


def test_what_a_run_could_not_see_stays_open(stripe: Beside) -> None:
    known = live(stripe)
    lose(stripe)
    stripe.post(f"/v1/customers/{known['customer']}", name="Bea")
    compare(stripe)
    stripe.sandbox.fail("forbidden", times=None, path=f"/v1/customers/{known['customer']}")

    run = compare(stripe, repair=True)

    assert run.status is Status.INCOMPLETE
    assert set(found()) == {known["customer"]}
    assert raised() == ["drift"]
