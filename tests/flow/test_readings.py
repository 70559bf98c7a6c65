"""What is read from Stripe, where the reading itself goes wrong, comes late, or knows too little."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override

from tests.flow.beside import Beside, beside
from tests.flow.conftest import Ask
from tests.instance import TESTER, Json, encoded, event
from trueup.accounts import registry
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.customer import timeline
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.inbox.types import Source
from trueup.mirror import fetcher, fetching, reads
from trueup.mirror import service as mirror
from trueup.mirror.fetching import Reason
from trueup.mirror.reads import Read
from trueup.mirror.types import ObjectKey
from trueup.runtime import database, drains, installation
from trueup.sandbox.server.requests import Request


@pytest.fixture
def stripe(database: str) -> Iterator[Beside]:
    with beside(database, seed="readings") as made:
        yield made


def key_of(stripe: Beside, object_type: str, object_id: str) -> ObjectKey:
    return ObjectKey(account_id=stripe.account.id, livemode=False, object_type=object_type, object_id=object_id)


def keep(stripe: Beside, *found: Read) -> None:
    begun = reads.begin()
    with database.transaction():
        reads.keep(stripe.account, found, source=Source.BACKFILL, begun=begun)
    stripe.read()


def test_an_object_whose_customer_is_not_known_is_read_in_the_time_of_its_clock(stripe: Beside) -> None:
    past = stripe.sandbox.now - 40 * 86_400
    clock = stripe.post("/v1/test_helpers/test_clocks", frozen_time=past)
    stripe.sandbox.delivery(dropped=100)
    customer = stripe.post("/v1/customers", name="Ada", test_clock=clock["id"])
    made = stripe.post("/v1/payment_intents", customer=customer["id"], amount=100, currency="usd")
    stripe.sandbox.wait_delivered()
    stripe.sandbox.delivery()
    fetching.want([key_of(stripe, "payment_intent", made["id"])], reason=Reason.ASKED)
    stripe.fetch()
    stripe.sandbox.advance(days=1, clock=clock["id"])
    stripe.post(f"/v1/payment_intents/{made['id']}/cancel")
    stripe.sandbox.wait_delivered()
    stripe.fetch()

    assert stripe.equal("payment_intent", made["id"])


def test_an_object_that_was_taken_for_gone_lives_again_when_it_is_read_later(stripe: Beside) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    stripe.sandbox.wait_delivered()
    stripe.read()
    keep(stripe, Read(object_type="customer", object_id=customer["id"], body=None, second=stripe.sandbox.now))
    assert stripe.mirrored("customer", customer["id"]).deleted
    stripe.sandbox.advance(seconds=10)
    fetching.want([key_of(stripe, "customer", customer["id"])], reason=Reason.ASKED)
    stripe.fetch()
    assert stripe.equal("customer", customer["id"])


@pytest.mark.parametrize("later", [0, 10])
def test_what_was_made_deleted_and_made_again_within_a_second_is_there_once_it_is_read(
    stripe: Beside, later: int
) -> None:
    given = {"id": "WELCOME", "percent_off": 20, "duration": "forever"}
    stripe.post("/v1/coupons", **given)
    stripe.delete("/v1/coupons/WELCOME")
    stripe.post("/v1/coupons", **given)
    stripe.settle()
    # By its events it is gone: nothing in them tells the two apart.
    assert stripe.mirrored("coupon", "WELCOME").deleted

    stripe.sandbox.advance(seconds=later)
    fetching.want([key_of(stripe, "coupon", "WELCOME")], reason=Reason.ASKED)
    stripe.fetch()

    assert stripe.equal("coupon", "WELCOME")

    stripe.delete("/v1/coupons/WELCOME")
    stripe.settle()

    assert stripe.mirrored("coupon", "WELCOME").deleted


def test_an_event_from_before_a_reading_tells_when_somebody_was_last_heard_of(stripe: Beside) -> None:
    stripe.sandbox.delivery(held=True)
    customer = stripe.post("/v1/customers", name="Ada")
    stripe.sandbox.advance(seconds=3_600)
    read = Read(object_type="customer", object_id=customer["id"], body=encoded(customer), second=stripe.sandbox.now)
    keep(stripe, read)

    assert int(heard_of(customer)) == stripe.sandbox.now

    stripe.settle()

    assert int(heard_of(customer)) == customer["created"]


def heard_of(customer: Json) -> float:
    """When a customer was last heard of, in Unix seconds."""
    last = customers.get(customer["id"]).state.last_event_at
    assert last is not None
    return last.timestamp()


def test_a_state_is_not_published_before_the_rest_that_was_read_is_mirrored(stripe: Beside, ask: Ask) -> None:
    product = stripe.post("/v1/products", name="Pro")
    price = stripe.post(
        "/v1/prices", product=product["id"], currency="usd", unit_amount=2000, recurring={"interval": "month"}
    )
    stripe.sandbox.wait_delivered()
    stripe.sandbox.delivery(dropped=100)
    customer = stripe.post("/v1/customers", name="Ada")
    made = stripe.post(
        "/v1/subscriptions",
        customer=customer["id"],
        items=[{"price": price["id"]}],
        collection_method="send_invoice",
        days_until_due=30,
    )
    cut = made | {"items": made["items"] | {"data": [], "has_more": True}}
    told = event("customer.subscription.created", cut, at=stripe.sandbox.now)
    path = f"/webhooks/stripe/{stripe.account.slug}"
    assert stripe.door.post(told, path=path, secret=stripe.secret).status == 200
    stripe.read()
    assert fetcher.fetch_due() == 1

    # Something else of the customer moves before the drain reads what was fetched.
    with database.transaction():
        mirror.mark_changed([key_of(stripe, "customer", customer["id"])])
    drains.empty(CUSTOMER)
    assert ask("select count(*) from customer_customer") == [(0,)]

    stripe.fetch()
    assert [one.minor for one in customers.get(customer["id"]).state.mrr] == [2000]
    assert ask("select count(*) from mirror_fetch") == [(0,)]


def test_a_tiered_price_that_stripe_shows_without_tiers_is_not_read_for_ever(stripe: Beside, ask: Ask) -> None:
    body = b'{"id":"price_1","object":"price","billing_scheme":"tiered","created":1}'
    keep(stripe, Read(object_type="price", object_id="price_1", body=body, second=stripe.sandbox.now))
    assert ask("select reason from mirror_fetch") == [("truncated",)]
    stripe.sandbox.advance(seconds=10)
    begun = reads.begin()
    with database.transaction():
        found = Read(object_type="price", object_id="price_1", body=body, second=stripe.sandbox.now, alone=True)
        reads.keep(stripe.account, [found], source=Source.REFETCH, begun=begun, even_known=True)
        database.execute("delete from mirror_fetch")
    stripe.read()
    assert ask("select reason from mirror_fetch") == []


def test_a_key_that_stripe_does_not_take_sets_nothing_aside(stripe: Beside, ask: Ask) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    stripe.sandbox.wait_delivered()
    stripe.read()
    fetching.want([key_of(stripe, "customer", customer["id"])], reason=Reason.ASKED)
    rolled = installation.sealer().seal(b"rk_live_rolled", purpose=registry.KEY_PURPOSE)
    database.execute("update accounts_account set api_key_sealed = %(key)s", {"key": rolled})
    fetcher.fetch_due()

    assert ask("select set_aside_at is null, attempts from mirror_fetch") == [(True, 1)]


def test_what_was_set_aside_is_tried_again_when_it_is_asked_for_later(stripe: Beside, ask: Ask) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    stripe.sandbox.wait_delivered()
    stripe.read()
    key = key_of(stripe, "customer", customer["id"])
    fetching.want([key], reason=Reason.ASKED)
    stripe.sandbox.fail("forbidden", path="/v1/customers/*")
    fetcher.fetch_due()
    fetching.want([key], reason=Reason.ASKED)
    assert (fetcher.fetch_due(), ask("select set_aside_at is not null from mirror_fetch")) == (0, [(True,)])

    database.execute("update mirror_fetch set set_aside_at = now() - interval '1 day'")
    fetching.want([key], reason=Reason.ASKED)
    assert (fetcher.fetch_due(), ask("select count(*) from mirror_fetch")) == (1, [(0,)])


class _Odd(BaseHTTPRequestHandler):
    """Says something that is no object."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def odd(database: str) -> Iterator[Account]:
    """An account at whose address nothing is an object."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Odd) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield accounts.connect(
            name="odd",
            api_key="sk_test_odd0123456789",
            webhook_secrets=[],
            livemode=False,
            access=None,
            api_base=f"http://127.0.0.1:{server.server_port}",
            stripe_account_id=None,
            sealer=installation.sealer(),
            by=TESTER,
        )
        server.shutdown()
        thread.join()


def test_an_answer_that_is_no_object_holds_up_no_other(stripe: Beside, odd: Account, ask: Ask) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    strange = ObjectKey(account_id=odd.id, livemode=False, object_type="customer", object_id="cus_odd")
    fetching.want([strange], reason=Reason.ASKED)
    fetching.want([key_of(stripe, "customer", customer["id"])], reason=Reason.ASKED)
    fetcher.fetch_due()

    assert ask("select object_id, attempts from mirror_fetch") == [("cus_odd", 1)]
    assert ask("select object_id from inbox_event where kind = 'read'") == [(customer["id"],)]


def test_an_object_that_goes_while_its_lists_are_read_is_gone(stripe: Beside) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    invoice = stripe.post("/v1/invoices", customer=customer["id"], collection_method="send_invoice", days_until_due=30)
    for _ in range(12):
        line = {"invoice": invoice["id"], "amount": 100, "currency": "usd"}
        stripe.post("/v1/invoiceitems", customer=customer["id"], **line)
    stripe.sandbox.wait_delivered()
    stripe.read()
    stripe.sandbox.delivery(dropped=100)

    def went(request: Request) -> None:
        if request.path.endswith(invoice["id"]):
            stripe.sandbox.on_the_way = None
            stripe.delete(f"/v1/invoices/{invoice['id']}")

    stripe.sandbox.on_the_way = went
    stripe.fetch()

    assert stripe.mirrored("invoice", invoice["id"]).deleted


def test_a_reading_is_called_one_wherever_people_see_it(stripe: Beside) -> None:
    stripe.sandbox.delivery(dropped=100)
    customer = stripe.post("/v1/customers", name="Ada")
    fetching.want([key_of(stripe, "customer", customer["id"])], reason=Reason.ASKED)
    stripe.fetch()

    assert stripe.mirrored("customer", customer["id"]).event_type == "trueup.read"
    assert [one.event_type for one in mirror.versions(customer["id"]).data] == ["trueup.read"]
    assert [one.event_type for one in customers.why(customer["id"], "name").facts] == ["trueup.read"]
    # It is no event: nothing is known to have happened.
    assert timeline.history(customer["id"]).data == ()
