"""Reading from Stripe for an account: whose key, in whose turn, and how often it is tried."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from tests.accounts.conftest import KEY, Stripe
from trueup.accounts import budget, calls, registry, service
from trueup.accounts.calls import Lane
from trueup.accounts.errors import AccountMismatch, ApiKeyMissing, CallBudgetSpent
from trueup.accounts.types import Account
from trueup.connectors.stripe.errors import (
    StripeForbidden,
    StripeMissing,
    StripeRefused,
    StripeThrottled,
    StripeUnavailable,
)
from trueup.kernel.errors import Broken
from trueup.runtime import database as connections
from trueup.sandbox import Sandbox

Connect = Callable[..., Account]
LIST = "/v1/customers"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a length for tests; nothing is known of any key yet."""
    monkeypatch.setattr(calls, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(calls, "THROTTLED_SECONDS", 0.05)
    monkeypatch.setattr(calls, "_verified", {})


def whole(account: Account) -> budget.Bucket:
    """The bucket of the whole account."""
    [found] = [one for one in budget.buckets() if (one.account_id, one.endpoint) == (account.id, "")]
    return found


def test_what_stripe_says_comes_as_its_bytes(called: Connect, sandbox: Sandbox) -> None:
    account = called(sandbox.base_url)
    made = sandbox.request("POST", LIST, {"name": "Ada"})

    answer = calls.get(account, f"{LIST}/{made['id']}", lane=Lane.EVENTS)

    assert json.loads(answer.body) == made
    assert answer.request_id is not None
    assert whole(account).taken == {"events": 1}


def test_nobody_waits_for_stripe_inside_a_transaction(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address)

    with connections.transaction(), pytest.raises(Broken) as broken:
        calls.get(account, LIST, lane=Lane.EVENTS)

    assert broken.value.code == "call_in_transaction"
    assert stripe.asked == []


def test_without_a_key_nobody_is_asked(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address, api_key="")

    with pytest.raises(ApiKeyMissing):
        calls.get(account, LIST, lane=Lane.EVENTS)
    assert stripe.asked == []


def test_a_limit_slows_everybody_down_and_the_call_is_made_again(called: Connect, sandbox: Sandbox) -> None:
    account = called(sandbox.base_url)
    sandbox.fail("rate_limit", times=1)

    calls.get(account, LIST, lane=Lane.SWEEP)

    bucket = whole(account)
    assert (bucket.throttled, bucket.cause) == (1, "global-rate")
    assert 0.5 <= bucket.share < 0.7


def test_the_limit_of_an_endpoint_slows_that_one_down(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address)
    stripe.once(429, stripe_rate_limited_reason="endpoint-rate")

    calls.get(account, LIST, lane=Lane.SWEEP)

    slowed = {one.endpoint: one.throttled for one in budget.buckets()}
    assert slowed == {"": 0, f"GET {LIST}": 1}


def test_an_object_that_somebody_holds_slows_nobody_down(called: Connect, sandbox: Sandbox) -> None:
    account = called(sandbox.base_url)
    sandbox.fail("lock_timeout", times=2)

    calls.get(account, LIST, lane=Lane.EVENTS)

    assert (whole(account).throttled, whole(account).share) == (0, 1.0)
    assert whole(account).taken == {"events": 3}


@pytest.mark.parametrize("status", [429, 500])
def test_what_stripe_does_not_want_to_be_asked_again_is_not(called: Connect, stripe: Stripe, status: int) -> None:
    account = called(stripe.address)
    stripe.once(status, stripe_should_retry="false")

    with pytest.raises((StripeThrottled, StripeUnavailable)) as away:
        calls.get(account, LIST, lane=Lane.EVENTS)

    assert getattr(away.value, "final", False) is True
    assert stripe.paths == [LIST]


@pytest.mark.parametrize("status", [400, 409, 503])
def test_what_may_be_asked_again_is(called: Connect, stripe: Stripe, status: int) -> None:
    account = called(stripe.address)
    stripe.once(status, stripe_should_retry="true")

    calls.get(account, LIST, lane=Lane.EVENTS)

    assert stripe.paths == [LIST, LIST]


def test_a_fault_of_ours_is_not_repeated(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address)
    stripe.once(400, "parameter_unknown")

    with pytest.raises(StripeRefused, match="parameter_unknown"):
        calls.get(account, LIST, lane=Lane.EVENTS)
    assert stripe.paths == [LIST]


def test_an_answer_that_asks_for_more_time_than_there_is_ends_it(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address)
    stripe.once(503, retry_after="30")

    with pytest.raises(StripeUnavailable) as away:
        calls.get(account, LIST, lane=Lane.EVENTS, patience=20.0)

    assert away.value.retry_after == 30.0
    assert stripe.paths == [LIST]


def test_lost_answers_are_asked_for_again(called: Connect, sandbox: Sandbox) -> None:
    account = called(sandbox.base_url)
    sandbox.fail("drop", times=2, done=True)

    assert json.loads(calls.get(account, LIST, lane=Lane.EVENTS).body)["data"] == []


def test_who_has_no_patience_does_not_wait_for_a_turn(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address)
    budget.slow_down(account.id, "", cause="global-rate", pause=3000.0)

    with pytest.raises(CallBudgetSpent):
        calls.get(account, LIST, lane=Lane.COMMANDS, patience=5.0)
    assert stripe.asked == []


def test_whoever_is_told_to_stop_stops_waiting(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address)
    budget.slow_down(account.id, "", cause="global-rate", pause=30.0)
    stop = threading.Event()
    stop.set()

    with pytest.raises(CallBudgetSpent):
        calls.get(account, LIST, lane=Lane.BACKFILL, stop=stop)
    assert stripe.asked == []


def test_a_missing_permission_is_an_error(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address)
    stripe.once(403)

    with pytest.raises(StripeForbidden):
        calls.get(account, LIST, lane=Lane.BACKFILL)


# --- whose key it is -------------------------------------------------------------------------------------------------


def test_a_key_is_proven_to_be_of_its_account_once(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address, stripe_account_id="acct_1Real")

    calls.get(account, LIST, lane=Lane.EVENTS)
    calls.get(account, LIST, lane=Lane.EVENTS)

    assert stripe.paths == ["/v1/account", LIST, LIST]


def test_the_key_of_another_account_reads_nothing(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address, stripe_account_id="acct_1Other")

    for _ in range(2):
        with pytest.raises(AccountMismatch, match="is of acct_1Real, and acme is acct_1Other") as mismatch:
            calls.get(account, f"{LIST}/cus_1", lane=Lane.EVENTS)
        assert mismatch.value.code == "account_mismatch"

    assert set(stripe.paths) == {"/v1/account"}


def test_another_key_is_proven_anew(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address, stripe_account_id="acct_1Real")
    calls.get(account, LIST, lane=Lane.EVENTS)
    called(stripe.address, api_key="rk_test_another")

    calls.get(account, LIST, lane=Lane.EVENTS)

    assert stripe.paths == ["/v1/account", LIST, "/v1/account", LIST]


def test_a_missing_object_is_missing_only_where_the_key_is_of_its_account(
    called: Connect, stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = called(stripe.address, stripe_account_id="acct_1Real")
    calls.get(account, LIST, lane=Lane.EVENTS)
    # The address now leads to another account, as it does where somebody starts another sandbox there.
    stripe.body = json.dumps({"id": "acct_1Other", "object": "account"}).encode()
    monkeypatch.setattr(calls, "VERIFIED_ANEW_SECONDS", 0.0)
    stripe.once(404, "resource_missing")

    with pytest.raises(AccountMismatch):
        calls.get(account, f"{LIST}/cus_1", lane=Lane.EVENTS)


def test_a_missing_object_of_its_account_is_missing(called: Connect, sandbox: Sandbox) -> None:
    stripe_account_id = sandbox.request("GET", "/v1/account")["id"]
    account = called(sandbox.base_url, stripe_account_id=stripe_account_id)

    with pytest.raises(StripeMissing):
        calls.get(account, f"{LIST}/cus_nobody", lane=Lane.EVENTS)


def test_a_key_too_narrow_to_read_the_account_reads_the_rest(called: Connect, stripe: Stripe) -> None:
    account = called(stripe.address, stripe_account_id="acct_1Real")
    stripe.once(403)

    calls.get(account, LIST, lane=Lane.EVENTS)

    assert stripe.paths == ["/v1/account", LIST]


def test_a_connected_account_is_read_with_its_platforms_key_and_budget(
    called: Connect, stripe: Stripe, database: str
) -> None:
    platform = called(stripe.address)
    registry.appear(
        connections.connection(), parent_id=platform.id, livemode=False, stripe_account_id="acct_1Connected"
    )
    [connected] = [one for one in service.accounts() if one.parent_id == platform.id]

    assert calls.can_read(connected)
    calls.get(connected, LIST, lane=Lane.EVENTS)

    [(path, headers)] = stripe.asked
    assert (path, headers["stripe-account"], headers["authorization"]) == (LIST, "acct_1Connected", f"Bearer {KEY}")
    assert {one.account_id for one in budget.buckets()} == {platform.id}


# --- what is left ----------------------------------------------------------------------------------------------------


def test_what_is_left_is_told_by_lane(called: Connect, stripe: Stripe) -> None:
    account = called("", livemode=False, name="real")
    called(stripe.address)
    budget.slow_down(account.id, "GET /v1/invoices", cause="endpoint-rate", pause=3000.0)

    told = {(one.account, one.endpoint): one for one in calls.limits().data}

    untouched = told["acme", ""]
    assert (untouched.per_second, untouched.now, untouched.throttled_until) == (1000, 1000.0, None)
    assert untouched.left == {"commands": 200, "events": 150, "sweep": 100, "backfill": 50}
    slowed = told["real", "GET /v1/invoices"]
    assert (slowed.per_second, slowed.throttled, slowed.cause) == (25, 1, "endpoint-rate")
    assert set(slowed.left.values()) == {0}
    assert slowed.throttled_until is not None
    assert told["real", ""].left["commands"] == 5
