"""One GET to Stripe over real HTTP: its bytes, its second, and what its refusals mean."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest

from tests.accounts.conftest import Stripe
from trueup.connectors.stripe import reading
from trueup.connectors.stripe.errors import (
    StripeForbidden,
    StripeMissing,
    StripeParameterMissing,
    StripeRefused,
    StripeThrottled,
    StripeUnavailable,
)

KEY, OTHER = "rk_test_51Hx", "rk_test_98Zy"
PATH = "/v1/customers/cus_1"


def test_the_bytes_come_as_they_were_sent(stripe: Stripe) -> None:
    stripe.body = '{"id":"cus_1",  "name": "Zoë \\u00e9", "balance":1e2}'.encode()

    answer = reading.get(PATH, api_key=KEY, api_base=stripe.address)

    assert (answer.body, answer.request_id) == (stripe.body, "req_test")


def test_each_call_brings_its_own_key_and_names_whom_it_means(stripe: Stripe) -> None:
    reading.get(PATH, {"expand": ["sources"]}, api_key=KEY, api_base=stripe.address)
    reading.get(PATH, api_key=OTHER, api_base=stripe.address, stripe_account="acct_1Connected")

    [(first, ours), (_, theirs)] = stripe.asked
    assert first == f"{PATH}?expand%5B0%5D=sources"
    assert (ours["authorization"], ours.get("stripe-account")) == (f"Bearer {KEY}", None)
    assert (theirs["authorization"], theirs["stripe-account"]) == (f"Bearer {OTHER}", "acct_1Connected")
    assert {ours["stripe-version"], theirs["stripe-version"]} == {"2026-10-28.endive"}
    assert KEY not in repr(reading._client(stripe.address))


def test_the_second_is_one_of_stripes_clock_that_had_not_passed(stripe: Stripe) -> None:
    stripe.once(200, Date=formatdate(1_800_000_000, usegmt=True))

    answer = reading.get(PATH, api_key=KEY, api_base=stripe.address)

    # The request took a part of a second at least, so it was begun in the second before.
    assert 1_799_999_900 < answer.second <= 1_799_999_999


def test_what_is_missing_says_when_it_was(stripe: Stripe) -> None:
    stripe.once(404, "resource_missing", Date=formatdate(1_800_000_000, usegmt=True))

    with pytest.raises(StripeMissing) as missing:
        reading.get(PATH, api_key=KEY, api_base=stripe.address)
    assert 1_799_999_900 < missing.value.second <= 1_799_999_999


def test_a_parameter_that_names_nothing_is_no_object_that_is_missing(stripe: Stripe) -> None:
    stripe.once(400, "resource_missing")

    with pytest.raises(StripeParameterMissing):
        reading.get("/v1/customers", {"starting_after": "cus_1"}, api_key=KEY, api_base=stripe.address)


@pytest.mark.parametrize(
    ("words", "permission"),
    [
        ("Having the 'rak_invoice_read' permission would allow this request to continue.", "rak_invoice_read"),
        ("Enabling \"Invoices Read\" ('invoice_read') permissions on this key would allow it.", "rak_invoice_read"),
        ("Application access may have been revoked.", ""),
    ],
)
def test_a_permission_that_is_missing_is_named_where_stripe_names_it(
    stripe: Stripe, words: str, permission: str
) -> None:
    body = {"error": {"type": "invalid_request_error", "message": f"The provided key may not do this. {words}"}}
    stripe.at["/v1/invoices"] = (403, json.dumps(body).encode())

    with pytest.raises(StripeForbidden) as forbidden:
        reading.get("/v1/invoices", api_key=KEY, api_base=stripe.address)
    assert forbidden.value.permission == permission
    assert KEY not in forbidden.value.message + forbidden.value.hint


@pytest.mark.parametrize(
    ("reason", "is_limit", "of_endpoint"),
    [
        ("global-rate", True, False),
        ("global-concurrency", True, False),
        ("endpoint-rate", True, True),
        ("endpoint-concurrency", True, True),
        ("resource-specific", True, True),
        ("", True, False),
    ],
)
def test_a_limit_says_whose_it_is(*, stripe: Stripe, reason: str, is_limit: bool, of_endpoint: bool) -> None:
    stripe.once(429, **({"stripe_rate_limited_reason": reason} if reason else {}), retry_after="7")

    with pytest.raises(StripeThrottled) as throttled:
        reading.get(PATH, api_key=KEY, api_base=stripe.address)
    assert (throttled.value.is_limit, throttled.value.of_endpoint) == (is_limit, of_endpoint)
    assert throttled.value.retry_after == 7.0


def test_a_lock_is_no_limit(stripe: Stripe) -> None:
    stripe.once(429, "lock_timeout")

    with pytest.raises(StripeThrottled) as locked:
        reading.get(PATH, api_key=KEY, api_base=stripe.address)
    assert not locked.value.is_limit


@pytest.mark.parametrize("told", ["soon", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "99999"])
def test_nobody_waits_longer_than_a_minute_for_being_told_so(stripe: Stripe, told: str) -> None:
    stripe.once(503, retry_after=told)

    with pytest.raises(StripeUnavailable) as away:
        reading.get(PATH, api_key=KEY, api_base=stripe.address)
    assert away.value.retry_after == (60.0 if told == "99999" else 0.0)


def test_an_answer_that_is_no_json_is_told_by_its_status(stripe: Stripe) -> None:
    stripe.at[PATH] = (502, b"<html>bad gateway</html>")
    with pytest.raises(StripeUnavailable, match="502"):
        reading.get(PATH, api_key=KEY, api_base=stripe.address)

    stripe.at[PATH] = (404, b"<html>not found</html>")
    with pytest.raises(StripeRefused, match="404"):
        reading.get(PATH, api_key=KEY, api_base=stripe.address)


def test_a_proxy_that_the_environment_names_is_used_and_one_for_others_is_not(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", stripe.address)
    monkeypatch.setenv("NO_PROXY", "beside.invalid")

    reading.get(PATH, api_key=KEY, api_base="http://stripe.invalid")
    with pytest.raises(StripeUnavailable):
        reading.get(PATH, api_key=KEY, api_base="http://beside.invalid")

    [(asked, _)] = stripe.asked
    assert asked == f"http://stripe.invalid{PATH}"


def test_no_cookie_of_an_answer_goes_out_with_another_call(stripe: Stripe) -> None:
    stripe.once(200, **{"Set-Cookie": "who=somebody; Path=/"})

    reading.get(PATH, api_key=KEY, api_base=stripe.address)
    reading.get(PATH, api_key=OTHER, api_base=stripe.address)

    assert [told.get("cookie") for _, told in stripe.asked] == [None, None]
