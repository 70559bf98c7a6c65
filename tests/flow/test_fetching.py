"""What events leave open is read from Stripe: once, together, and never for an event that leaves nothing open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flow.beside import Beside, beside
from tests.flow.conftest import Ask
from trueup.mirror import fetching
from trueup.mirror.types import ObjectKey


@pytest.fixture
def stripe(database: str) -> Iterator[Beside]:
    with beside(database, seed="fetching") as made:
        yield made


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
