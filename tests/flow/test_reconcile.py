"""What differs from Stripe is found, explained and repaired; what is only on its way is no difference."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flow.beside import Beside, beside
from tests.flow.conftest import Ask
from tests.instance import TESTER
from trueup.customer import reconcile
from trueup.mirror.reconcile import service
from trueup.mirror.reconcile.types import STATE, Cause, Difference, Kind, Run, Status


@pytest.fixture
def stripe(database: str) -> Iterator[Beside]:
    with beside(database, seed="reconcile") as made:
        yield made


def compare(stripe: Beside, *, repair: bool = False, **scope: Any) -> Run:
    """Compare at once: nothing is on its way, and no worker runs."""
    run = service.start(account=stripe.account, repair=repair, by=TESTER, **({"grace": 0, "patience": 0} | scope))
    reconcile.run_here(run.id, stop=threading.Event(), threads=1)
    return service.run(run.id)


def found(*, states: bool = False) -> dict[str, Difference]:
    """What differs at this moment, by id."""
    return {one.object_id: one for one in service.differences().data if (one.type == STATE) is states}


def live(stripe: Beside) -> dict[str, str]:
    """A customer with a subscription and what belongs to it, all of it known here."""
    product = stripe.post("/v1/products", name="Pro")
    price = stripe.post(
        "/v1/prices", product=product["id"], currency="usd", unit_amount=2000, recurring={"interval": "month"}
    )
    coupon = stripe.post("/v1/coupons", id="LAUNCH", percent_off=20, duration="forever")
    customer = stripe.post("/v1/customers", name="Ada", email="ada@example.com")
    method = stripe.post("/v1/payment_methods/pm_card_visa/attach", customer=customer["id"])
    stripe.post(f"/v1/customers/{customer['id']}", invoice_settings={"default_payment_method": method["id"]})
    subscription = stripe.post("/v1/subscriptions", customer=customer["id"], items=[{"price": price["id"]}])
    stripe.sandbox.wait_delivered()
    stripe.fetch()
    return {
        "product": product["id"],
        "price": price["id"],
        "coupon": coupon["id"],
        "customer": customer["id"],
        "method": method["id"],
        "subscription": subscription["id"],
    }


def lose(stripe: Beside) -> None:
    """From now on no event arrives, ten seconds later than all that did."""
    stripe.sandbox.wait_delivered()
    stripe.sandbox.advance(seconds=10)
    stripe.sandbox.delivery(dropped=100)


def test_where_all_events_came_nothing_differs(stripe: Beside) -> None:
    live(stripe)

    run = compare(stripe)

    assert (run.status, run.counts.found, run.troubles, run.left) == (Status.COMPLETE, {}, (), 0)
    assert run.counts.objects >= 8
    assert run.counts.states == 1
    assert found() == found(states=True) == {}
    assert service.drift()[0].compared_at is not None


def test_what_no_event_told_is_found_explained_and_repaired(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    gone = stripe.post("/v1/customers", name="Gone")
    stripe.settle()
    lose(stripe)
    stripe.post(f"/v1/subscriptions/{known['subscription']}", cancel_at_period_end=True)
    stripe.delete(f"/v1/customers/{gone['id']}")
    new = stripe.post("/v1/customers", name="New")
    stripe.delete(f"/v1/coupons/{known['coupon']}")
    stripe.sandbox.wait_delivered()
    stripe.read()

    run = compare(stripe)

    told = found()
    assert {name: one.kind for name, one in told.items()} == {
        known["subscription"]: Kind.STALE,
        gone["id"]: Kind.ORPHANED,
        new["id"]: Kind.MISSING,
        known["coupon"]: Kind.ORPHANED,
    }
    stale = told[known["subscription"]]
    assert "cancel_at_period_end" in {field.path for field in stale.fields}
    assert {(field.ours, field.theirs) for field in stale.fields if field.path == "cancel_at_period_end"} == {
        (False, True)
    }
    assert stale.customer == known["customer"]
    assert {one.cause for one in told.values()} == {Cause.NEVER_CAME}
    assert stale.since is not None
    assert not stale.since_exact
    assert (run.status, run.repair, run.left) == (Status.COMPLETE, False, 7)
    states = found(states=True)
    assert {name: (one.kind, one.cause) for name, one in states.items()} == {
        known["customer"]: (Kind.STALE, Cause.OBJECTS),
        gone["id"]: (Kind.STALE, Cause.OBJECTS),
        new["id"]: (Kind.MISSING, Cause.OBJECTS),
    }
    assert "cancel_at_period_end" in {field.path for field in states[known["customer"]].fields}
    assert ask("select count(*) from inbox_event where source = 'reconcile'") == [(0,)]

    mended = compare(stripe, repair=True)

    assert (mended.status, mended.left, mended.counts.repaired) == (Status.COMPLETE, 0, 7)
    assert stripe.equal("subscription", known["subscription"])
    assert stripe.equal("customer", gone["id"])
    assert stripe.equal("customer", new["id"])
    assert ask("select count(*) from inbox_event where source = 'reconcile'") == [(4,)]
    assert compare(stripe).counts.found == {}
