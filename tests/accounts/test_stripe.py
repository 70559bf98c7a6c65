"""Asking Stripe who a key belongs to, over real HTTP and with the official library."""

from __future__ import annotations

import socket

import pytest

from tests.accounts.conftest import Stripe
from trueup.connectors.stripe import client
from trueup.connectors.stripe.errors import StripeRefused, StripeUnavailable

KEY = "rk_test_51Hx"


def test_a_good_key_tells_its_account(stripe: Stripe) -> None:
    assert client.account_id(KEY, api_base=stripe.address) == "acct_1Real"


def test_the_call_pins_the_version_and_sends_no_telemetry(stripe: Stripe) -> None:
    client.account_id(KEY, api_base=stripe.address)
    client.account_id(KEY, api_base=stripe.address)

    # The library sends telemetry about one call with the next.
    assert [path for path, _headers in stripe.asked] == ["/v1/account", "/v1/account"]
    for _path, headers in stripe.asked:
        assert headers["stripe-version"] == "2026-10-28.endive"
        assert headers["authorization"] == f"Bearer {KEY}"
        assert "x-stripe-client-telemetry" not in headers


def test_a_key_that_stripe_does_not_accept_is_refused_once_and_not_repeated(stripe: Stripe) -> None:
    stripe.refuse(401, "invalid_request_error")

    with pytest.raises(StripeRefused, match="does not accept this API key") as refused:
        client.account_id(KEY, api_base=stripe.address)
    assert KEY not in refused.value.message + refused.value.hint
    assert len(stripe.asked) == 1


def test_a_key_too_narrow_to_read_the_account_is_good_all_the_same(stripe: Stripe) -> None:
    stripe.refuse(403, "invalid_request_error")

    assert client.account_id(KEY, api_base=stripe.address) is None


@pytest.mark.parametrize("body", [b"<html>forbidden</html>", b""])
def test_a_refusal_that_is_no_json_is_told_by_its_status(stripe: Stripe, body: bytes) -> None:
    stripe.status, stripe.body = 403, body

    assert client.account_id(KEY, api_base=stripe.address) is None


def test_an_outage_is_retried_and_then_told_with_the_way_around_it(stripe: Stripe) -> None:
    stripe.refuse(500, "api_error")

    with pytest.raises(StripeUnavailable, match="answered with 500") as away:
        client.account_id(KEY, api_base=stripe.address)
    assert "--offline" in away.value.hint
    assert len(stripe.asked) == 1 + client.NETWORK_RETRIES


@pytest.mark.parametrize("status", [400, 429])
def test_any_other_answer_is_told_by_its_status(stripe: Stripe, status: int) -> None:
    stripe.refuse(status, "invalid_request_error")

    with pytest.raises(StripeUnavailable, match=f"answered with {status}"):
        client.account_id(KEY, api_base=stripe.address)


def test_nobody_at_the_address_is_told_with_the_way_around_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # Bound and not listening: nobody else takes the port, and every call to it is refused.
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(StripeUnavailable, match="did not answer") as away:
            client.account_id(KEY, api_base=address)
    assert "--offline" in away.value.hint
