"""``trueup check-access``: what a key may read, and how the endpoint and the clocks stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.accounts.conftest import Stripe
from tests.accounts.test_calls import Connect
from trueup.connectors.stripe.resources import BACKFILL
from trueup.kernel.errors import NotFound
from trueup.ops import access_check, cli
from trueup.sandbox import Sandbox
from trueup.sandbox.wire import schema as wire

Ask = Callable[..., tuple[bool, dict[str, access_check.Finding]]]

HERE = "https://trueup.example/webhooks/stripe/acme"
SECRET = "whsec_" + "1" * 32
NOTHING = json.dumps({"object": "list", "data": [], "has_more": False}).encode()


@pytest.fixture
def ask(database: str) -> Ask:
    """Look at an account; whether it passed, and what was found by name."""

    def run(account: str = "acme") -> tuple[bool, dict[str, access_check.Finding]]:
        told = access_check.check(account)
        return told.passed, {one.name: one for one in told.findings}

    return run


@pytest.fixture
def scripted(called: Connect, stripe: Stripe) -> Stripe:
    """An account whose Stripe has no objects and a good endpoint."""
    called(stripe.address, stripe_account_id="acct_1Real", webhook_secrets=[SECRET])
    stripe.at["/v1/account"] = (200, stripe.body)
    stripe.body = NOTHING
    endpoint(stripe)
    return stripe


def endpoint(stripe: Stripe, **fields: Any) -> None:
    """Have one endpoint that leads here."""
    told = {"id": "we_1", "url": HERE, "status": "enabled", "enabled_events": ["*"], "api_version": "2026-10-28.endive"}
    stripe.at["/v1/webhook_endpoints"] = (200, json.dumps({"data": [told | fields], "has_more": False}).encode())


def test_all_is_well_with_an_account_whose_events_arrive(called: Connect, sandbox: Sandbox, ask: Ask) -> None:
    sandbox.request("POST", "/v1/customers", {"name": "Ada"})
    sandbox.endpoint(HERE)
    called(sandbox.base_url, stripe_account_id=sandbox.request("GET", "/v1/account")["id"], webhook_secrets=[SECRET])

    passed, found = ask()

    assert passed
    assert {found[name].verdict for name in ("API key", "mode", "customer", "event", "endpoint", "events")} == {"fine"}
    assert found["payment_method"].verdict == "fine"
    assert {name for name in BACKFILL if found[name].verdict == "unknown"} == {
        "tax_rate",
        "quote",
        "checkout.session",
    }


def test_a_permission_that_is_missing_is_named(scripted: Stripe, ask: Ask) -> None:
    scripted.forbid("/v1/invoices", "rak_invoice_read")

    passed, found = ask()

    assert not passed
    assert (found["invoice"].verdict, found["invoice"].hint) == ("wrong", "Give it rak_invoice_read.")
    assert "it lacks rak_invoice_read" in found["invoice"].told
    assert found["customer"].verdict == "fine"


@pytest.mark.parametrize(
    ("_case_status", "_case_verdict", "_case_advice"),
    [
        (401, "wrong", "It may have been rolled: connect anew."),
        (403, "wrong", "Give it rak_invoice_read."),
        (404, "unknown", "Nothing, unless you use it"),
        (400, "unknown", "Look for this call in Stripe's dashboard"),
    ],
)
def test_whatever_stripe_refuses_comes_with_advice(
    scripted: Stripe, ask: Ask, _case_status: int, _case_verdict: str, _case_advice: str
) -> None:
    refused = json.dumps({"error": {"type": "invalid_request_error", "message": "No."}}).encode()
    scripted.at["/v1/invoices"] = (_case_status, refused)

    passed, found = ask()

    assert (found["invoice"].verdict, passed) == (_case_verdict, _case_verdict != "wrong")
    assert found["invoice"].hint.startswith(_case_advice)
    assert [name for name, one in found.items() if one.verdict != "fine" and not one.hint] == []


@pytest.mark.parametrize(
    ("_case_status", "_case_advice"),
    [(401, "It may have been rolled"), (404, "See whether http://127.0.0.1:"), (400, "See whether http://127.0.0.1:")],
)
def test_a_key_that_is_refused_comes_with_advice(
    scripted: Stripe, ask: Ask, _case_status: int, _case_advice: str
) -> None:
    refused = json.dumps({"error": {"type": "invalid_request_error", "message": "No."}}).encode()
    scripted.at["/v1/account"] = (_case_status, refused)

    passed, found = ask()

    assert (passed, list(found), found["API key"].verdict) == (False, ["API key"], "wrong")
    assert found["API key"].hint.startswith(_case_advice)


def test_endpoints_that_this_api_does_not_have_are_not_known(scripted: Stripe, ask: Ask) -> None:
    scripted.at["/v1/webhook_endpoints"] = (404, b'{"error": {"type": "invalid_request_error", "message": "No."}}')

    passed, found = ask()

    assert (passed, found["endpoint"].verdict) == (True, "unknown")
    assert "under Webhooks" in found["endpoint"].hint


def test_the_key_of_another_account_ends_the_look(scripted: Stripe, ask: Ask) -> None:
    scripted.at["/v1/account"] = (200, b'{"id": "acct_1Other", "object": "account"}')

    passed, found = ask()

    assert not passed
    assert list(found) == ["API key"]
    assert "is of acct_1Other" in found["API key"].told


def test_a_key_too_narrow_to_be_proven_is_doubtful(scripted: Stripe, ask: Ask) -> None:
    scripted.forbid("/v1/account", "rak_accounts_kyc_basic_read")

    passed, found = ask()

    assert (passed, found["API key"].verdict) == (True, "doubtful")


@pytest.mark.parametrize(
    ("fields", "name", "verdict"),
    [
        ({"status": "disabled"}, "endpoint", "wrong"),
        ({"url": "https://elsewhere.example/hook"}, "endpoint", "wrong"),
        ({"api_version": "2023-10-16"}, "API version", "doubtful"),
        ({"api_version": None}, "API version", "doubtful"),
        ({"enabled_events": ["invoice.paid"]}, "events", "wrong"),
        ({"enabled_events": list(access_check.needed_events())}, "events", "fine"),
    ],
)
def test_an_endpoint_is_looked_at(
    *, scripted: Stripe, ask: Ask, fields: dict[str, Any], name: str, verdict: str
) -> None:
    endpoint(scripted, **fields)

    passed, found = ask()

    assert (found[name].verdict, passed) == (verdict, verdict != "wrong")


def test_an_endpoint_that_may_not_be_read_is_doubtful(scripted: Stripe, ask: Ask) -> None:
    scripted.forbid("/v1/webhook_endpoints", "rak_webhook_read")

    passed, found = ask()

    assert (passed, found["endpoint"].verdict) == (True, "doubtful")


def test_an_event_destination_is_an_endpoint_too(called: Connect, sandbox: Sandbox, ask: Ask) -> None:
    sandbox.endpoint(HERE, thin=True)
    called(sandbox.base_url, webhook_secrets=[SECRET])

    passed, found = ask()

    assert (passed, found["endpoint"].verdict) == (True, "fine")


def test_without_a_signing_secret_nothing_arrives(called: Connect, sandbox: Sandbox, ask: Ask) -> None:
    sandbox.endpoint(HERE)
    called(sandbox.base_url)

    passed, found = ask()

    assert (passed, found["signing secret"].verdict) == (False, "wrong")


def test_clocks_that_differ_are_told(called: Connect, sandbox: Sandbox, ask: Ask) -> None:
    sandbox.endpoint(HERE)
    called(sandbox.base_url, webhook_secrets=[SECRET])
    sandbox.advance(days=40)

    passed, found = ask()

    # A sandbox's clock is its own, so this is nothing that is wrong here.
    assert (passed, found["clock"].verdict) == (True, "doubtful")


def test_objects_of_the_other_mode_are_wrong(scripted: Stripe, ask: Ask) -> None:
    page = {"object": "list", "data": [{"id": "prod_1", "livemode": True}], "has_more": False}
    scripted.at["/v1/products"] = (200, json.dumps(page).encode())

    passed, found = ask()

    assert (passed, found["mode"].verdict) == (False, "wrong")


def test_the_command_says_what_is_missing_and_ends_with_it(
    scripted: Stripe, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted.forbid("/v1/invoices", "rak_invoice_read")

    assert cli.run(["check-access", "acme", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert cli.run(["check-access", "acme"]) == 1
    said = capsys.readouterr().out

    assert (told["account"], told["livemode"], told["passed"]) == ("acme", False, False)
    assert [one["name"] for one in told["findings"] if one["verdict"] == "wrong"] == ["invoice"]
    assert "permissions[]=rak_invoice_read" in told["key_form"]
    assert "it lacks rak_invoice_read" in said
    assert told["key_form"] in said


def test_an_account_that_there_is_not_is_refused(database: str) -> None:
    with pytest.raises(NotFound) as unknown:
        access_check.check("nobody")
    assert unknown.value.code == "account_unknown"


def test_every_event_that_is_needed_is_one_of_stripes() -> None:
    assert set(access_check.needed_events()) <= set(wire.event_types())
    assert set(wire.event_types()) >= access_check.NOTICES
    assert access_check.NOTICES.isdisjoint(access_check.needed_events())
