"""Faults on demand, as the official SDK meets them."""

from __future__ import annotations

import socket
import time
from typing import Any, cast

import pytest
import requests
import stripe

from trueup.kernel.errors import NotFound, Refused
from trueup.sandbox import Sandbox, start


@pytest.mark.parametrize(
    ("kind", "error", "expected"),
    [
        ("rate_limit", stripe.RateLimitError, (429, "rate_limit")),
        ("lock_timeout", stripe.RateLimitError, (429, "lock_timeout")),
        ("forbidden", stripe.PermissionError, (403, None)),
        ("error", stripe.APIError, (500, None)),
        ("unavailable", stripe.APIError, (503, None)),
    ],
)
def test_a_request_meets_an_error_and_nothing_was_done(
    sdk: stripe.StripeClient, sandbox: Sandbox, kind: Any, error: type[stripe.StripeError], expected: Any
) -> None:
    sandbox.fail(kind)

    with pytest.raises(error) as caught:
        sdk.v1.customers.create({"email": "a@b.c"})

    body: Any = caught.value.json_body
    assert (caught.value.http_status, body["error"].get("code")) == expected
    assert str(caught.value.request_id).startswith("req_")
    assert sandbox.events() == []
    assert sdk.v1.customers.create({"email": "a@b.c"}).email == "a@b.c"


def test_the_sdk_tries_again_what_may_be_tried_again_and_nothing_is_done_twice(sandbox: Sandbox) -> None:
    http = stripe.RequestsClient()
    client = stripe.StripeClient(
        sandbox.api_key, base_addresses=cast("Any", sandbox.addresses), http_client=http, max_network_retries=2
    )
    sandbox.fail("rate_limit")
    sandbox.fail("error", done=True)

    made = client.v1.customers.create({"email": "a@b.c"})

    http.close()  # type: ignore[no-untyped-call]
    assert [event["data"]["object"]["id"] for event in sandbox.events()] == [made.id]
    assert sandbox.faults.all() == []


def test_stripe_should_retry_says_what_is_wanted(sandbox: Sandbox) -> None:
    sandbox.fail("error", retry=False)
    sandbox.fail("rate_limit")
    sandbox.fail("unavailable")

    told = [requests.get(f"{sandbox.base_url}/v1/customers", timeout=5).headers for _ in range(3)]

    assert [headers.get("stripe-should-retry") for headers in told] == ["false", "true", None]
    assert told[1]["stripe-rate-limited-reason"] == "global-rate"


@pytest.mark.parametrize("done", [True, False])
def test_a_broken_connection_may_have_done_the_work(sdk: stripe.StripeClient, sandbox: Sandbox, done: bool) -> None:
    sandbox.fail("drop", done=done)

    with pytest.raises(stripe.APIConnectionError):
        sdk.v1.customers.create({"email": "a@b.c"})

    assert len(sandbox.events()) == done


@pytest.mark.parametrize("done", [True, False])
def test_no_answer_may_come_though_the_work_was_done(sandbox: Sandbox, done: bool) -> None:
    sandbox.fail("timeout", done=done)

    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(f"{sandbox.base_url}/v1/customers", headers={"authorization": "Bearer sk_test_x"}, timeout=0.2)

    assert len(sandbox.events()) == done


def test_a_sandbox_stops_while_somebody_waits_for_an_answer() -> None:
    sandbox = start()
    sandbox.fail("timeout")
    with socket.create_connection(("127.0.0.1", sandbox.port)) as waiting:
        waiting.sendall(b"GET /v1/customers HTTP/1.1\r\nHost: x\r\n\r\n")
        until = time.monotonic() + 5
        while sandbox.faults.all() and time.monotonic() < until:
            time.sleep(0.01)
        begun = time.monotonic()

        sandbox.stop()

        assert time.monotonic() - begun < 4


def test_a_slow_request_takes_its_time_and_is_answered(sdk: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.fail("slow", seconds=0.2)
    begun = time.monotonic()

    assert sdk.v1.customers.create({"email": "a@b.c"}).email == "a@b.c"
    assert time.monotonic() - begun >= 0.2


def test_a_fault_meets_the_requests_it_is_meant_for(sdk: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.fail("unavailable", times=2, method="POST", path="/v1/customers/*")
    customer = sdk.v1.customers.create({}).id

    assert sdk.v1.customers.retrieve(customer).id == customer
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            sdk.v1.customers.update(customer, {"name": "x"})
    assert sdk.v1.customers.update(customer, {"name": "x"}).name == "x"


def _statuses(seed: str) -> list[int]:
    with start(seed=seed) as sandbox, requests.Session() as session:
        sandbox.fail("unavailable", times=None, percent=30)
        url, headers = f"{sandbox.base_url}/v1/customers", {"authorization": "Bearer sk_test_x"}
        return [session.get(url, headers=headers, timeout=5).status_code for _ in range(60)]


def test_a_share_of_the_requests_meets_a_fault_as_the_seed_decides() -> None:
    statuses = _statuses("s")

    assert 8 <= statuses.count(503) <= 28
    assert statuses == _statuses("s")
    assert statuses != _statuses("t")


def test_faults_end_when_they_are_told_to(sdk: stripe.StripeClient, sandbox: Sandbox) -> None:
    first, second = sandbox.fail("error", times=None), sandbox.fail("unavailable", times=None)

    sandbox.heal(first)
    with pytest.raises(stripe.APIError):
        sdk.v1.customers.create({})
    sandbox.heal(second)
    assert sdk.v1.customers.create({}).object == "customer"
    with pytest.raises(NotFound):
        sandbox.heal(first)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "earthquake"},
        {"kind": "error", "times": 0},
        {"kind": "error", "percent": 0},
        {"kind": "slow", "seconds": -1},
    ],
)
def test_a_fault_that_means_nothing_is_refused(sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        sandbox.fail(**wrong)
