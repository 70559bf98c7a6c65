from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.inbox.conftest import Ask
from tests.instance import SECRET, TESTER, Door, customer, encoded, event, eventually
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.inbox.intake.app import encrypted, networks
from trueup.runtime.crypto import Sealer

NEXT = "whsec_" + "8" * 32
CONNECTED = "acct_1ConnectedOne"


def told(number: int = 0, **fields: Any) -> bytes:
    return encoded(event("customer.created", customer(f"cus_{number}"), **fields))


def test_an_added_secret_is_accepted_within_two_seconds_beside_the_old_one(door: Door, sealer: Sealer) -> None:
    assert door.post(told(0), secret=NEXT).status == 400

    accounts.add_webhook_secret(slug="acme", secret=NEXT, sealer=sealer, by=TESTER)

    # The two seconds are the promise; what is above them is for a machine that others use too.
    eventually(lambda: door.post(told(0), secret=NEXT).status == 200, "the new secret is accepted", 4)
    assert door.post(told(1), secret=SECRET).status == 200


def test_a_retired_secret_is_refused_within_two_seconds_and_its_successor_goes_on(door: Door, sealer: Sealer) -> None:
    accounts.add_webhook_secret(slug="acme", secret=NEXT, sealer=sealer, by=TESTER)
    (_newest, oldest) = accounts.webhook_secrets("acme")

    accounts.retire_webhook_secret(slug="acme", secret_id=oldest.id, by=TESTER)

    eventually(lambda: door.post(told(0), secret=SECRET).status == 400, "the old secret is refused", 4)
    assert door.post(told(0), secret=NEXT).status == 200


def test_a_new_account_is_served_without_a_restart(door: Door, connect: Callable[..., Account]) -> None:
    assert door.post(told(), path="/webhooks/stripe/second").status == 404

    connect("second")

    eventually(lambda: door.post(told(), path="/webhooks/stripe/second").status == 200, "the account is served", 4)


def test_a_secret_that_does_not_open_does_not_stop_what_is_known_nor_the_next_look(
    door: Door, ask: Ask, connect: Callable[..., Account]
) -> None:
    connect("broken")
    ask(
        "update accounts_webhooksecret set sealed = '\\x0102'"
        " where account_id = (select id from accounts_account where slug = 'broken') returning 1"
    )
    ask("update accounts_revision set number = number + 1 returning 1")
    time.sleep(1.5)
    assert door.post(told(0)).status == 200

    ask("delete from accounts_webhooksecret where sealed = '\\x0102' returning 1")
    connect("third")

    eventually(lambda: door.post(told(0), path="/webhooks/stripe/third").status == 200, "changes are seen again", 4)


def test_a_connected_account_appears_with_its_first_event_under_its_parent(
    door: Door, account: Account, ask: Ask
) -> None:
    assert door.post(told(account=CONNECTED)).json == {"received": True, "duplicate": False}
    assert door.post(told(account=CONNECTED)).json == {"received": True, "duplicate": True}

    ((identity, parent, livemode, stripe),) = ask(
        "select id, parent_id, livemode, stripe_account_id from accounts_account where id <> %s", account.id
    )
    assert (parent, livemode, stripe) == (account.id, False, CONNECTED)
    assert ask("select account_id from inbox_event") == [(identity,)]
    entries = ask(
        "select actor_id, object_id, after->>'stripe_account_id' from audit_entries"
        " where action = 'accounts.account.appeared'"
    )
    assert entries == [("intake", str(identity), CONNECTED)]
    assert ask(
        "select count(*) from audit_unsealed p join audit_entries e on e.id = p.entry_id"
        " where e.action = 'accounts.account.appeared'"
    ) == [(1,)]


def test_first_events_of_a_connected_account_at_once_make_it_once_also_in_two_processes(
    door: Door, database: str, sealer: Sealer, account: Account, ask: Ask
) -> None:
    with Door(database, sealer=sealer, path=door.path) as other:
        halves = [[told(number, account=CONNECTED) for number in range(start, start + 40)] for start in (0, 40)]

        answers = door.post_all(halves[0], connections=40) + other.post_all(halves[1], connections=40)

    assert {answer.status for answer in answers} == {200}
    assert ask("select count(*) from accounts_account where parent_id = %s", account.id) == [(1,)]
    assert ask("select count(*) from audit_entries where action = 'accounts.account.appeared'") == [(1,)]
    assert ask("select count(*), count(distinct account_id) from inbox_event") == [(80, 1)]


def test_the_accounts_own_events_stay_its_own(door: Door, connect: Callable[..., Account], ask: Ask) -> None:
    own = connect("known", stripe_account_id="acct_1Own")
    eventually(
        lambda: door.post(told(account="acct_1Own"), path="/webhooks/stripe/known").status == 200,
        "the account is served",
        4,
    )

    assert ask("select account_id from inbox_event") == [(own.id,)]
    assert ask("select count(*) from accounts_account where parent_id is not null") == [(0,)]


LIVE = {"livemode": True}


@pytest.fixture
def live(connect: Callable[..., Account]) -> Account:
    """A live account at ``/webhooks/stripe/live``."""
    return connect("live", livemode=True)


def test_a_live_account_over_plain_http_is_refused_and_nothing_is_stored(
    live: Account, database: str, sealer: Sealer, ask: Ask
) -> None:
    with Door(database, sealer=sealer, path="/webhooks/stripe/live") as door:
        answer = door.post(told(**LIVE), headers={"X-Forwarded-Proto": "https"})

    assert (answer.status, answer.code) == (403, "https_required")
    assert ask("select count(*) from inbox_event") == [(0,)]


def test_a_live_account_behind_a_trusted_proxy_is_served(
    live: Account, database: str, sealer: Sealer, ask: Ask
) -> None:
    with Door(database, sealer=sealer, trusted_proxies="10.0.0.0/8, 127.0.0.1", path="/webhooks/stripe/live") as door:
        answer = door.post(told(**LIVE), headers={"X-Forwarded-Proto": "https"})
        refused = [
            door.post(told(**LIVE), headers=headers).code
            for headers in ({}, {"X-Forwarded-Proto": "http"}, {"X-Forwarded-Proto": "https, http"})
        ]

    assert answer.json == {"received": True, "duplicate": False}
    assert refused == ["https_required"] * 3
    assert ask("select livemode from inbox_event") == [(True,)]


def test_the_word_of_a_peer_that_is_no_proxy_is_worth_nothing(live: Account, database: str, sealer: Sealer) -> None:
    with Door(database, sealer=sealer, trusted_proxies="10.0.0.0/8", path="/webhooks/stripe/live") as door:
        answer = door.post(
            told(**LIVE),
            headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.1", "Forwarded": "proto=https"},
        )

    assert (answer.status, answer.code) == (403, "https_required")


def test_of_several_forwarding_headers_the_proxys_own_is_the_last() -> None:
    proxies = networks("127.0.0.0/8")
    scope = {
        "scheme": "http",
        "client": ("127.0.0.1", 5),
        "headers": [(b"x-forwarded-proto", b"https"), (b"x-forwarded-proto", b"http")],
    }

    assert not encrypted(scope, proxies)
    assert encrypted(scope | {"headers": scope["headers"][:1]}, proxies)
    assert encrypted(scope | {"scheme": "https", "headers": []}, ())
    assert not encrypted(scope | {"client": ("unix:", 0)}, proxies)
    assert not encrypted(scope | {"client": None}, proxies)
