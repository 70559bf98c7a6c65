"""What holds of every request through the official SDK: errors, idempotency, pages, expansion. See B.0 of the spec."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import orjson
import pytest
import stripe

from tests.sandbox.flows.conftest import Shop, latest
from trueup.sandbox import Sandbox


def test_a_key_of_no_use_is_an_authentication_error(sandbox: Sandbox) -> None:
    http = stripe.RequestsClient()
    client = stripe.StripeClient("sk_live_nobody", base_addresses=cast("Any", sandbox.addresses), http_client=http)

    with pytest.raises(stripe.AuthenticationError) as refused:
        client.v1.customers.list()
    http.close()  # type: ignore[no-untyped-call]

    assert refused.value.http_status == 401


def test_a_wrong_parameter_is_named(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.sdk.v1.customers.create(cast("Any", {"emial": "a@b.c"}))

    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "emial")
    assert refused.value.http_status == 400


def test_a_key_of_idempotency_gives_the_same_answer_and_makes_one_object(shop: Shop) -> None:
    options: Any = {"idempotency_key": "signup-7"}

    first = shop.sdk.v1.customers.create({"email": "a@b.c"}, options)
    again = shop.sdk.v1.customers.create({"email": "a@b.c"}, options)
    with pytest.raises(stripe.IdempotencyError) as refused:
        shop.sdk.v1.customers.create({"email": "other@b.c"}, options)

    assert first.id == again.id
    assert len(shop.sdk.v1.customers.list().data) == 1
    assert refused.value.http_status == 400
    assert again.last_response is not None
    assert cast("Any", again.last_response).headers["idempotent-replayed"] == "true"


def test_pages_are_walked_to_the_end_in_both_directions(
    sdk: stripe.StripeClient, request: pytest.FixtureRequest
) -> None:
    made = [sdk.v1.customers.create({"email": f"{at}@b.c"}).id for at in range(25)]

    newest, oldest = (
        sdk.v1.customers.list({"limit": 10}),
        sdk.v1.customers.list({"limit": 10, "ending_before": made[0]}),
    )

    if "async" in request.node.name:
        walk = cast("Any", sdk)._runner.run
        assert walk(_walked(newest)) == made[::-1]
        assert walk(_walked(oldest)) == made[1:]
    else:
        assert [one.id for one in newest.auto_paging_iter()] == made[::-1]
        assert [one.id for one in oldest.auto_paging_iter()] == made[1:]


async def _walked(page: stripe.ListObject[stripe.Customer]) -> list[str]:
    await asyncio.sleep(0)
    return [one.id async for one in page.auto_paging_iter()]


def test_search_walks_its_own_pages(shop: Shop) -> None:
    for at in range(12):
        shop.sdk.v1.customers.create({"email": f"{at}@b.c", "name": "Ada"})
    shop.sandbox.advance(seconds=120)

    first = shop.sdk.v1.customers.search({"query": "name:'Ada'", "limit": 10})
    second = shop.sdk.v1.customers.search({"query": "name:'Ada'", "limit": 10, "page": first.next_page})

    assert (len(first.data), len(second.data), second.has_more) == (10, 2, False)


def test_what_is_named_is_expanded_as_deep_as_stripe_does(shop: Shop) -> None:
    made = shop.subscribe(shop.payer())

    found = shop.sdk.v1.subscriptions.retrieve(
        made.id, {"expand": ["customer", "latest_invoice.payments", "items.data.price.product"]}
    )

    assert cast("stripe.Customer", found.customer).name == "Ada"
    assert latest(found).payments is not None
    assert found["items"]["data"][0]["price"]["product"]["name"] == "Pro"
    with pytest.raises(stripe.InvalidRequestError):
        shop.sdk.v1.subscriptions.retrieve(made.id, {"expand": ["nonsense"]})


def test_events_name_the_request_that_caused_them(shop: Shop) -> None:
    made = shop.sdk.v1.customers.create({"email": "a@b.c"}, {"idempotency_key": "signup-8"})

    event = shop.sdk.v1.events.list({"type": "customer.created"}).data[0]

    assert event.data.object["id"] == made.id
    assert event.request is not None
    assert (event.request.idempotency_key, event.api_version) == ("signup-8", stripe.api_version)
    assert shop.sdk.v1.events.retrieve(event.id).id == event.id


def test_a_fault_is_retried_by_the_sdk(shop: Shop, sandbox: Sandbox) -> None:
    sandbox.fail("rate_limit")

    with pytest.raises(stripe.RateLimitError):
        shop.sdk.v1.customers.create({})

    assert shop.sdk.v1.customers.create({}).object == "customer"


def test_a_raw_request_reaches_what_the_sdk_has_no_name_for(shop: Shop) -> None:
    answer = shop.sdk.raw_request("get", "/v1/balance")

    assert orjson.loads(cast("Any", answer).body)["object"] == "balance"
