"""What events leave open is read from Stripe: once, together, and never for an event that leaves nothing open."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from tests.flow.beside import Beside, beside
from tests.flow.conftest import Ask
from tests.instance import event
from trueup.customer import service as customers
from trueup.inbox import service as inbox
from trueup.inbox.types import Source
from trueup.mirror import fetching, reads
from trueup.mirror.reads import Read
from trueup.mirror.types import ObjectKey
from trueup.runtime import database


@pytest.fixture
def stripe(database: str) -> Iterator[Beside]:
    with beside(database, seed="fetching") as made:
        yield made


def key_of(stripe: Beside, object_type: str, object_id: str) -> ObjectKey:
    return ObjectKey(account_id=stripe.account.id, livemode=False, object_type=object_type, object_id=object_id)


def waiting(ask: Ask) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in ask("select object_id, reason from mirror_fetch order by object_id")]


def test_no_call_is_made_for_events_that_leave_nothing_open(stripe: Beside, ask: Ask) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    for number in range(5):
        stripe.sandbox.advance(seconds=10)
        stripe.post(f"/v1/customers/{customer['id']}", name=f"Ada {number}")
    stripe.sandbox.wait_delivered()
    stripe.read()

    assert waiting(ask) == []
    assert stripe.equal("customer", customer["id"])


def test_a_missing_event_is_noticed_and_the_object_read(stripe: Beside, ask: Ask) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    stripe.sandbox.wait_delivered()
    stripe.sandbox.advance(seconds=10)
    stripe.sandbox.delivery(dropped=100)
    stripe.post(f"/v1/customers/{customer['id']}", name="Lost", phone="+15550100")
    stripe.sandbox.wait_delivered()
    stripe.sandbox.delivery()
    stripe.sandbox.advance(seconds=10)
    stripe.post(f"/v1/customers/{customer['id']}", email="ada@example.com")
    stripe.sandbox.wait_delivered()
    stripe.read()

    assert waiting(ask) == [(customer["id"], "gap")]
    assert stripe.fetch() == 1
    assert stripe.mirrored("customer", customer["id"]).verdict == "certain"
    assert stripe.equal("customer", customer["id"])
    assert waiting(ask) == []


def test_a_tie_is_confirmed_by_one_reading(stripe: Beside, ask: Ask) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    for name in ("Bea", "Cleo", "Ada", "Dora"):
        stripe.post(f"/v1/customers/{customer['id']}", name=name)
    stripe.sandbox.wait_delivered()
    stripe.read()

    assert [reason for _id, reason in waiting(ask)] in (["tied"], ["ambiguous"])
    assert stripe.fetch() == 1
    assert stripe.equal("customer", customer["id"])
    assert (stripe.mirrored("customer", customer["id"]).verdict, waiting(ask)) == ("certain", [])
    reads = ask("select source, type from inbox_event where kind = 'read'")
    assert reads == [("refetch", "trueup.read")]
    assert "trueup.read" not in {row.type for row in inbox.events().data}
    assert [row.source for row in inbox.events(type="trueup.read").data] == ["refetch"]
    assert "trueup.read" in {row.type for row in inbox.events(q=customer["id"]).data}


def test_what_is_gone_at_stripe_is_gone_here_and_keeps_what_it_was(stripe: Beside, ask: Ask) -> None:
    customer = stripe.post("/v1/customers", name="Ada", email="ada@example.com")
    stripe.sandbox.wait_delivered()
    stripe.read()
    stripe.sandbox.delivery(dropped=100)
    stripe.sandbox.advance(seconds=5)
    stripe.delete(f"/v1/customers/{customer['id']}")
    key = ObjectKey(account_id=stripe.account.id, livemode=False, object_type="customer", object_id=customer["id"])
    fetching.want([key], reason=fetching.Reason.ASKED)
    stripe.fetch()

    here = stripe.mirrored("customer", customer["id"])
    assert here.deleted
    rows = ask("select essence from mirror_object where object_id = %s", customer["id"])
    assert '"ada@example.com"' in rows[0][0]


def test_an_invoice_with_more_lines_than_an_event_shows_is_read_whole(stripe: Beside) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    invoice = stripe.post("/v1/invoices", customer=customer["id"], collection_method="send_invoice", days_until_due=30)
    for number in range(14):
        stripe.post(
            "/v1/invoiceitems",
            customer=customer["id"],
            invoice=invoice["id"],
            amount=100 + number,
            currency="usd",
        )
    stripe.sandbox.wait_delivered()
    stripe.fetch()

    assert stripe.get(f"/v1/invoices/{invoice['id']}")["lines"]["has_more"] is True
    here = stripe.mirrored("invoice", invoice["id"]).shape
    assert here is not None
    assert sorted(line["amount"] for line in here["lines"]["data"]) == [100 + number for number in range(14)]
    assert here["lines"]["has_more"] is False


def test_a_listing_that_shows_the_beginning_of_a_list_is_completed_too(stripe: Beside) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    invoice = stripe.post("/v1/invoices", customer=customer["id"], collection_method="send_invoice", days_until_due=30)
    for _ in range(12):
        line = {"invoice": invoice["id"], "amount": 100, "currency": "usd"}
        stripe.post("/v1/invoiceitems", customer=customer["id"], **line)
    stripe.sandbox.wait_delivered()
    stripe.fetch()
    stripe.sandbox.advance(seconds=10)
    stripe.sandbox.delivery(dropped=100)
    stripe.post(f"/v1/invoices/{invoice['id']}", description="changed")
    begun = reads.begin()
    listed = reads.split(orjson.dumps(stripe.get("/v1/invoices")))[0]
    found = [Read(object_type="invoice", object_id=invoice["id"], body=listed[0], second=stripe.sandbox.now)]
    with database.transaction():
        reads.keep(stripe.account, found, source=Source.BACKFILL, begun=begun)
    stripe.fetch()

    here = stripe.mirrored("invoice", invoice["id"]).shape
    assert here is not None
    assert (here["description"], len(here["lines"]["data"]), here["lines"]["has_more"]) == ("changed", 12, False)


def test_a_tiered_price_is_read_with_its_tiers_so_that_mrr_is_known(stripe: Beside) -> None:
    product = stripe.post("/v1/products", name="Team")
    price = stripe.post(
        "/v1/prices",
        product=product["id"],
        currency="usd",
        recurring={"interval": "month"},
        billing_scheme="tiered",
        tiers_mode="graduated",
        tiers=[{"up_to": 5, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 800}],
    )
    customer = stripe.post("/v1/customers", name="Ada")
    stripe.post(
        "/v1/subscriptions",
        customer=customer["id"],
        items=[{"price": price["id"], "quantity": 7}],
        collection_method="send_invoice",
        days_until_due=30,
    )
    stripe.sandbox.wait_delivered()
    stripe.read()
    known = customers.get(customer["id"]).state
    assert (known.mrr, len(known.mrr_unknown)) == ((), 1)
    stripe.fetch()

    known = customers.get(customer["id"]).state
    assert [(one.currency, one.minor) for one in known.mrr] == [("usd", 5 * 1000 + 2 * 800)]
    assert known.mrr_unknown == ()


def test_a_state_is_not_published_while_the_rest_of_a_list_is_being_read(stripe: Beside, ask: Ask) -> None:
    items = {"object": "list", "has_more": True, "data": [{"id": "si_1", "object": "subscription_item"}]}
    about = {"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active", "items": items}
    told = event("customer.subscription.created", about)
    assert stripe.door.post(told, path="/webhooks/stripe/acme", secret=stripe.secret).status == 200
    stripe.read()
    assert ask("select reason from mirror_fetch") == [("truncated",)]
    assert ask("select count(*) from customer_customer") == [(0,)]

    # Stripe refuses it, so what is known is published after all, and says that it is not all.
    stripe.sandbox.fail("forbidden", times=None, path="/v1/subscriptions/*")
    stripe.fetch()
    assert ask("select set_aside_at is not null from mirror_fetch") == [(True,)]
    assert "sub_1: not all of its items are known" in customers.get("cus_1").state.mrr_unknown


def test_a_thin_event_whose_object_has_no_address_is_left_to_its_snapshot_twin(stripe: Beside, ask: Ask) -> None:
    discount = {"id": "di_1", "type": "discount", "url": "/v1/customers/cus_1/discount"}
    for number, (kind, related) in enumerate(
        (("v1.invoice.upcoming", None), ("v1.customer.discount.created", discount), ("v2.core.strange", discount))
    ):
        told = {
            "id": f"evt_test_65{number}",
            "object": "v2.core.event",
            "type": kind,
            "livemode": False,
            "created": "2026-01-01T00:00:00.000Z",
            "related_object": related,
        }
        path = f"/webhooks/stripe/{stripe.account.slug}"
        assert stripe.door.post(told, secret=stripe.secret, path=path).status == 200
    stripe.fetch()

    # What has no twin that the sweep would read is for somebody to look at.
    assert ask("select event_id, set_aside_at is not null from inbox_awaitingfetch") == [("evt_test_652", True)]
