"""What differs from Stripe is found, explained and repaired; what is only on its way is no difference."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from typing_extensions import override

from tests.flow.beside import Beside, beside
from tests.flow.conftest import Ask
from tests.instance import TESTER, eventually
from trueup.customer import reconcile
from trueup.mirror.backfill import errand
from trueup.mirror.reconcile import service
from trueup.mirror.reconcile.types import STATE, Cause, Difference, Kind, Run, Status
from trueup.sandbox.server.requests import Request

CHANGES = 24


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


def test_what_was_made_again_under_its_id_is_resurrected(stripe: Beside) -> None:
    known = live(stripe)
    stripe.sandbox.advance(seconds=10)
    stripe.delete(f"/v1/coupons/{known['coupon']}")
    stripe.settle()
    lose(stripe)
    stripe.post("/v1/coupons", id=known["coupon"], percent_off=50, duration="once")

    compare(stripe)

    assert {name: one.kind for name, one in found().items()} == {known["coupon"]: Kind.RESURRECTED}
    assert compare(stripe, repair=True).left == 0
    assert stripe.equal("coupon", known["coupon"])


def test_a_row_that_is_not_as_the_log_says_is_damaged_and_made_again(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    before = ask("select essence, data, customer, created, event_id from mirror_object order by object_type, object_id")
    ask('update mirror_object set essence = \'{"name": "Eve"}\' where object_id = %s returning 1', known["customer"])
    ask("update mirror_object set customer = 'cus_other' where object_id = %s returning 1", known["method"])
    ask(
        "update mirror_object o set (created, event_id) = (select v.created, v.event_id from mirror_version v"
        " join mirror_version c on c.object_id = v.object_id and c.state <> v.state"
        " where c.object_id = o.object_id and c.event_id = o.event_id order by v.created, v.event_id limit 1)"
        " where object_type = 'invoice' returning 1"
    )

    compare(stripe)

    told = found()
    assert {(one.type, one.kind, one.cause) for one in told.values()} == {
        ("customer", Kind.STALE, Cause.DAMAGED),
        ("payment_method", Kind.STALE, Cause.DAMAGED),
        ("invoice", Kind.STALE, Cause.DAMAGED),
    }
    assert ("essence.name", "Eve", "Ada") in [
        (field.path, field.ours, field.theirs) for field in told[known["customer"]].fields
    ]
    run = compare(stripe, repair=True)
    assert (run.left, run.status) == (0, Status.COMPLETE)
    after = ask("select essence, data, customer, created, event_id from mirror_object order by object_type, object_id")
    assert after == before
    assert ask("select count(*) from inbox_event where source = 'reconcile'") == [(0,)]


def test_what_was_erased_here_is_not_brought_back(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    ask(
        "update inbox_event set redacted_at = now(), body = convert_to(replace(convert_from(body, 'utf8'), 'Ada', ''),"
        " 'utf8') where object_id = %s returning 1",
        known["customer"],
    )

    run = compare(stripe, repair=True)

    assert (run.counts.found, run.left) == ({}, 0)
    assert ask("select count(*) from inbox_event where source = 'reconcile'") == [(0,)]


def test_a_state_that_does_not_follow_from_its_objects_is_folded_again(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    before = ask("select state from customer_customer")
    ask("""update customer_customer set state = replace(state, '"active"', '"churned"') returning 1""")

    compare(stripe)

    ((name, told),) = found(states=True).items()
    assert (name, told.kind, told.cause) == (known["customer"], Kind.STALE, Cause.DAMAGED)
    assert ("stage", "churned", "active") in {(field.path, field.ours, field.theirs) for field in told.fields}
    assert found() == {}
    assert compare(stripe, repair=True).left == 0
    assert ask("select state from customer_customer") == before


def test_a_state_that_is_lost_or_has_no_objects_is_found(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    ask("delete from customer_customer returning 1")
    ask(
        "insert into customer_customer select 'tc_stray', account_id, livemode, 'cus_stray', name, email, sort_name,"
        " stage, mrr_sort, last_event_at, fold_version, folded_at, state from customer_customer returning 1"
    )

    compare(stripe)

    assert {name: one.kind for name, one in found(states=True).items()} == {known["customer"]: Kind.MISSING}
    assert compare(stripe, repair=True).left == 0
    assert ask("select stripe_customer_id from customer_customer") == [(known["customer"],)]


def test_an_event_that_was_set_aside_or_waits_is_the_reason(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    stripe.sandbox.advance(seconds=10)
    stripe.post(f"/v1/customers/{known['customer']}", name="Bea")
    stripe.sandbox.advance(seconds=10)
    stripe.post(f"/v1/products/{known['product']}", name="Max")
    stripe.sandbox.wait_delivered()
    ask(
        "update inbox_pending set set_aside_at = now(), last_error = 'odd: It is odd.' where event_id in"
        " (select event_id from inbox_event where object_id = %s) returning 1",
        known["customer"],
    )

    compare(stripe)

    told = found()
    assert {name: one.cause for name, one in told.items()} == {
        known["customer"]: Cause.SET_ASIDE,
        known["product"]: Cause.BEHIND,
    }
    aside = told[known["customer"]]
    assert aside.event_id is not None
    assert aside.event_id in aside.why
    assert aside.why.endswith("was set aside: odd.")
    assert aside.since_exact
    assert compare(stripe, repair=True).left == 0
    assert stripe.equal("customer", known["customer"])
    assert stripe.equal("product", known["product"])


def test_a_gap_is_the_reason_where_an_event_names_one_that_did_not_come(stripe: Beside, ask: Ask) -> None:
    known = live(stripe)
    lose(stripe)
    stripe.post(f"/v1/customers/{known['customer']}", phone="+15550100")
    stripe.sandbox.wait_delivered()
    stripe.sandbox.delivery()
    stripe.sandbox.advance(seconds=10)
    stripe.post(f"/v1/customers/{known['customer']}", name="Bea")
    lose(stripe)
    stripe.post(f"/v1/customers/{known['customer']}", name="Cleo")
    stripe.sandbox.wait_delivered()
    stripe.read()
    ask("delete from mirror_fetch returning 1")

    compare(stripe)

    assert {name: one.cause for name, one in found().items()} == {known["customer"]: Cause.GAP}


def test_what_changes_meanwhile_is_no_difference(stripe: Beside) -> None:
    known = live(stripe)
    asked, lock = list[str](), threading.Lock()

    def change(request: Request) -> None:
        """Change things between the making of an answer and its arrival, for as long as the comparison asks."""
        with lock:
            asked.append(request.path)
            number = len(asked)
        if number <= CHANGES:
            stripe.sandbox.advance(seconds=1)
            stripe.post(f"/v1/customers/{known['customer']}", name=f"Ada {number}")
            stripe.post(f"/v1/subscriptions/{known['subscription']}", metadata={"number": str(number)})
            made = stripe.post("/v1/customers", name=f"New {number}")["id"]
            if number % 2:
                stripe.delete(f"/v1/customers/{made}")

    class Arrival(threading.Event):
        """Instead of waiting for time, wait for what is on its way."""

        @override
        def wait(self, timeout: float | None = None) -> bool:
            del timeout
            stripe.settle()
            return False

    stripe.sandbox.on_the_way = change
    run = service.start(account=stripe.account, grace=1, patience=600, by=TESTER)
    reconcile.run_here(run.id, stop=threading.Event(), threads=1, pause=Arrival())
    stripe.sandbox.on_the_way = None

    ended = service.run(run.id)
    assert len(asked) > CHANGES
    assert (ended.counts.found, ended.left) == ({}, 0)
    stripe.settle()
    assert compare(stripe).counts.found == {}


def test_a_list_that_the_key_may_not_read_is_an_error_and_nothing_is_called_orphaned(stripe: Beside) -> None:
    live(stripe)
    stripe.sandbox.fail("forbidden", times=None, path="/v1/invoices*")

    run = compare(stripe)

    assert (run.status, run.counts.found) == (Status.INCOMPLETE, {})
    assert {(one.type, one.code) for one in run.troubles} == {("invoice", "stripe_forbidden")}
    assert run.troubles[0].told.startswith("The API key lacks the permission")
    stripe.sandbox.heal()
    assert compare(stripe).status is Status.COMPLETE


def test_customers_of_test_clocks_are_compared_by_their_own_time(stripe: Beside) -> None:
    known = live(stripe)
    clock = stripe.post("/v1/test_helpers/test_clocks", frozen_time=stripe.sandbox.now + 86_400 * 400)
    customer = stripe.post("/v1/customers", name="Ben", test_clock=clock["id"])
    method = stripe.post("/v1/payment_methods/pm_card_visa/attach", customer=customer["id"])
    stripe.post(f"/v1/customers/{customer['id']}", invoice_settings={"default_payment_method": method["id"]})
    stripe.settle()
    lose(stripe)
    stripe.post("/v1/subscriptions", customer=customer["id"], items=[{"price": known["price"]}])
    stripe.sandbox.wait_delivered()

    compare(stripe)

    told = {one.type for one in found().values() if one.kind is Kind.MISSING}
    assert {"subscription", "invoice", "charge"} <= told
    run = compare(stripe, repair=True)
    assert (run.left, run.status) == (0, Status.COMPLETE)
    assert compare(stripe).counts.found == {}


def test_some_types_or_some_customers_alone_are_compared(stripe: Beside) -> None:
    known = live(stripe)
    other = stripe.post("/v1/customers", name="Other")
    stripe.settle()
    lose(stripe)
    stripe.post(f"/v1/customers/{other['id']}", name="Else")
    stripe.post(f"/v1/subscriptions/{known['subscription']}", cancel_at_period_end=True)

    assert compare(stripe, types=["invoice"]).counts.found == {}
    run = compare(stripe, customers=[other["id"]], repair=True)
    assert (run.counts.found, run.left) == ({"stale": 2}, 0)
    assert compare(stripe, sample=5).counts.found == {"stale": 2}
    assert set(found()) == set(found(states=True)) - {known["customer"]} | {known["subscription"]}
    assert compare(stripe, types=["subscription"], repair=True).left == 0


def test_what_stripe_tells_no_event_of_is_no_drift_and_is_taken_in(stripe: Beside) -> None:
    known = live(stripe)
    item = stripe.post("/v1/invoiceitems", customer=known["customer"], amount=500, currency="usd")
    stripe.settle()
    stripe.sandbox.advance(days=32)
    stripe.settle()

    run = compare(stripe)

    assert stripe.get(f"/v1/invoiceitems/{item['id']}")["invoice"] is not None
    assert not stripe.equal("invoiceitem", item["id"])
    assert (run.counts.found, run.left, run.counts.silent > 0) == ({}, 0, True)
    assert compare(stripe, repair=True).left == 0
    assert stripe.equal("invoiceitem", item["id"])
    assert compare(stripe).counts.silent == 0


def test_a_run_that_was_interrupted_is_gone_on_with(stripe: Beside) -> None:
    live(stripe)
    lose(stripe)
    new = stripe.post("/v1/customers", name="New")
    run = service.start(account=stripe.account, grace=0, patience=0, by=TESTER)
    stop = threading.Event()
    for _ in range(5):
        errand.work(stop, run_id=None, seconds=0)
    assert service.run(run.id).status is Status.RUNNING

    assert service.start(account=stripe.account, grace=0, patience=0, by=TESTER).id == run.id

    def worked() -> bool:
        errand.work(stop)
        reconcile.work(stop)
        return service.run(run.id).status is not Status.RUNNING

    eventually(worked, "the worker goes on with it")

    assert set(found()) == {new["id"]}
    assert service.run(run.id).status is Status.COMPLETE
