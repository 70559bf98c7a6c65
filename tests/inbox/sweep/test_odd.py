"""What a sandbox does not do: bodies that cannot be stored, refusals, connected accounts, thin events of their own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.inbox.conftest import Ask
from tests.inbox.sweep.pages import Pages, serving
from tests.instance import Door, encoded, event
from trueup.accounts import registry
from trueup.accounts.types import Account
from trueup.connectors.stripe.errors import StripeForbidden, StripeRefused, StripeUnavailable
from trueup.inbox import service as inbox
from trueup.inbox.alarms import service as alarms
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep import store
from trueup.inbox.sweep.types import Code, EndpointState
from trueup.inbox.types import Kind, Reason, State
from trueup.kernel.errors import TrueupError
from trueup.runtime import database as runtime_database

pytestmark = pytest.mark.usefixtures("database", "installed")

NOW = 1_790_000_000
KEY = "rk_test_narrow"


@pytest.fixture
def pages() -> Iterator[Pages]:
    """A Stripe that answers what it is told to."""
    with serving(NOW) as served:
        yield served


@pytest.fixture
def account(connect: Callable[..., Account], pages: Pages, installed: None) -> Account:
    """The account that is read there."""
    return connect(api_key=KEY, api_base=pages.address)


def told(number: int, **fields: Any) -> bytes:
    """An event of some minutes ago."""
    about = {"id": f"cus_{number}", "object": "customer", "name": f"No. {number}"}
    return encoded(event("customer.updated", about, at=NOW - 600 - number, id=f"evt_{number}") | fields)


def test_odd_bodies_go_to_the_quarantine_and_take_nobody_with_them(account: Account, pages: Pages, ask: Ask) -> None:
    nul = told(2, id="evt_\x00")
    live, nameless, surrogate = told(3, livemode=True), told(4, id=""), told(5, type="a\ud800")
    pages.page("/v1/events", told(1), nul, live, nameless, surrogate, told(6))

    swept = sweeps.sweep(account.slug)
    again = sweeps.sweep(account.slug)

    assert (swept.found, again.found) == (2, 0)
    assert ask("select event_id from inbox_event order by 1") == [("evt_1",), ("evt_6",)]
    assert sorted(ask("select reason, body from inbox_quarantined")) == sorted(
        [
            (Reason.REFUSED_BY_DATABASE, nul),
            (Reason.WRONG_MODE, live),
            (Reason.NO_ID, nameless),
            (Reason.UNREADABLE, surrogate),
        ]
    )


def test_the_bytes_are_kept_and_an_event_that_the_fast_parser_refuses_hides_none(
    account: Account, pages: Pages, ask: Ask
) -> None:
    odd = told(1).replace(b'"No. 1"', b'"\\ud800 \\u00fc [\\"]}"').replace(b"{\n", b"{ \n", 1)
    big = told(2).replace(b'"No. 2"', b"1e999999")
    pages.page("/v1/events", odd, told(3), big)

    sweeps.sweep(account.slug)

    assert ask("select body from inbox_event order by event_id") == [(odd,), (big,), (told(3),)]


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [(403, "invalid_request_error", StripeForbidden), (401, "authentication_error", StripeRefused)],
    ids=["no permission", "a rolled key"],
)
def test_a_refusal_is_an_error_and_an_alarm_and_never_an_empty_list(
    status: int, kind: str, error: type[TrueupError], account: Account, pages: Pages
) -> None:
    pages.refuse("/v1/events", status, kind)

    with pytest.raises(error):
        sweeps.sweep(account.slug)

    (row,) = (row for row in sweeps.sweeps() if row.kind is Kind.SNAPSHOT)
    assert (row.failures, row.cursor) == (1, None)
    assert [alarm.code for alarm in alarms.standing()] == [Code.FAILING]
    pages.page("/v1/events")
    sweeps.sweep(account.slug)
    assert [alarm.code for alarm in alarms.standing()] == [Code.ENDPOINT_MISSING]


def test_the_worker_notes_a_failure_and_rests_longer_each_time(account: Account, pages: Pages, ask: Ask) -> None:
    pages.refuse("/v1/events", 403, "invalid_request_error")
    rests = []
    store.enrol([account.id])
    ask("delete from inbox_sweep where kind = 'thin' returning 1")

    for _ in range(3):
        ask("update inbox_sweep set due_at = now() returning 1")
        assert sweeps.run(threading.Event()) == 1
        rests += ask("select round(extract(epoch from due_at - now()))::int from inbox_sweep where kind = 'snapshot'")

    assert [rest for (rest,) in rests] == [10, 20, 40]


def test_an_answer_that_is_no_list_moves_nothing(account: Account, pages: Pages, ask: Ask) -> None:
    for body in (b"<html>", b"[]", b'{"data": null}', b'{"object": "list", "data": [], "has_more": true}'):
        pages.answers["/v1/events"] = (200, body)
        with pytest.raises((StripeUnavailable, StripeRefused)):
            sweeps.sweep(account.slug)

    assert ask("select cursor, since, failures from inbox_sweep where kind = 'snapshot'") == [(None, None, 4)]


def test_endpoints_that_may_not_be_read_are_no_alarm(account: Account, pages: Pages) -> None:
    pages.refuse("/v1/webhook_endpoints", 403, "invalid_request_error")

    sweeps.sweep(account.slug)

    (row,) = (row for row in sweeps.sweeps() if row.kind is Kind.SNAPSHOT)
    assert row.endpoint is not None
    assert row.endpoint.state is EndpointState.UNREADABLE
    assert alarms.standing() == ()


def test_the_endpoint_is_found_by_its_path_whatever_stands_in_front(account: Account, pages: Pages) -> None:
    def endpoint(number: int, url: str, status: str) -> bytes:
        return json.dumps(
            {"id": f"we_{number}", "url": url, "status": status, "enabled_events": ["*"], "api_version": None}
        ).encode()

    pages.page(
        "/v1/webhook_endpoints",
        endpoint(1, "https://other.example/hook", "enabled"),
        endpoint(2, "https://a.example/billing/webhooks/stripe/acme/", "disabled"),
        endpoint(3, "https://b.example/webhooks/stripe/acme", "enabled"),
        endpoint(4, "https://b.example/webhooks/stripe/acme-2", "enabled"),
    )

    found = sweeps.endpoint(account)

    assert (found.state, found.id, found.events, found.others) == (EndpointState.ENABLED, "we_3", ("*",), 2)


def test_a_connected_account_is_read_through_its_platforms_key(account: Account, pages: Pages, ask: Ask) -> None:
    child = registry.appear(
        runtime_database.connection(), parent_id=account.id, livemode=False, stripe_account_id="acct_child"
    )
    pages.page("/v1/events", told(1), told(2, account="acct_child"), told(3, account="acct_new"))
    (slug,) = (one.slug for one in sweeps.readable() if one.id == child)

    swept = sweeps.sweep(slug)

    assert swept.found == 3
    (path, headers) = next(asked for asked in pages.asked if asked[0].startswith("/v1/events?"))
    assert headers["stripe-account"] == "acct_child", path
    assert headers["authorization"] == f"Bearer {KEY}"
    owners: dict[str, str] = dict(
        ask("select e.event_id, a.stripe_account_id from inbox_event e join accounts_account a on a.id = e.account_id")
    )
    assert owners == {"evt_1": "acct_child", "evt_2": "acct_child", "evt_3": "acct_new"}
    assert pages.queries("/v1/webhook_endpoints") == []


def test_a_thin_event_without_a_twin_waits_for_its_fetch_and_a_twin_is_passed_over(
    account: Account, pages: Pages, database: str, sealer: Any, ask: Ask
) -> None:
    def thin(number: int, **fields: Any) -> dict[str, Any]:
        created = datetime.fromtimestamp(NOW - 600, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return {
            "id": f"evt_test_65{number}",
            "object": "v2.core.event",
            "type": "v2.core.account.updated",
            "created": created,
            "livemode": False,
            "related_object": {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"},
        } | fields

    alone, twin = thin(1, snapshot_event=None), thin(2, snapshot_event="evt_2")
    pages.answers["/v2/core/events"] = (200, json.dumps({"data": [alone, twin], "next_page_url": None}).encode())

    swept = sweeps.sweep(account.slug, kind=Kind.THIN)

    assert (swept.read, swept.found) == (2, 1)
    assert [row.event_id for row in inbox.lease_awaiting(limit=10, seconds=60)] == ["evt_test_651"]
    assert inbox.event("evt_test_651").state is State.AWAITING_FETCH
    # Its notification is the same event in fewer words, and comes later.
    with Door(database, sealer=sealer, path="/webhooks/stripe/acme") as door:
        assert door.post(thin(1)).status == 200
    assert ask("select count(*) from inbox_awaitingfetch") == [(1,)]


def test_pages_of_thin_events_follow_the_address_that_each_names(account: Account, pages: Pages) -> None:
    pages.answers["/v2/core/events"] = (
        200,
        b'{"data": [], "next_page_url": "/v2/core/events?page=tok%2Fen&limit=100"}',
    )
    asked: list[str] = []

    def end(*_told: object) -> None:
        asked.extend(pages.queries("/v2/core/events"))
        pages.answers["/v2/core/events"] = (200, b'{"data": [], "next_page_url": null}')

    sweeps.sweep(account.slug, kind=Kind.THIN, on_page=end)

    assert "page=tok%2Fen" in pages.queries("/v2/core/events")[2]
    assert "created[gte]=2026" in pages.queries("/v2/core/events")[1].replace("%5B", "[").replace("%5D", "]")


def test_an_api_without_thin_events_is_well(account: Account, pages: Pages) -> None:
    pages.refuse("/v2/core/events", 404, "invalid_request_error")

    swept = sweeps.sweep(account.slug, kind=Kind.THIN)

    assert (swept.read, alarms.standing()) == (0, ())
