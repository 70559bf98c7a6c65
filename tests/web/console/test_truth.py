"""The page that says whether everything is as Stripe has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.web.console import world
from tests.web.console.test_differences import differ, ids, seen
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.inbox.sweep import store as sweep_store
from trueup.kernel.actor import system
from trueup.mirror.reconcile import runs
from trueup.mirror.reconcile.types import STATE, Counts, Kind, Status
from trueup.runtime import clock, database, installation


def test_an_installation_without_a_key_is_told_what_a_key_is_for(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme")))

    page = reader.get("/truth").content.decode()

    assert "No account can be read" in page
    assert "Nothing is set aside" in page
    assert "Not compared yet" in page


def test_an_alarm_stands_on_top_with_what_to_do(reader: Client, account: Account) -> None:
    told = Alarm(code="webhooks_silent", message="No webhook has come.", remedy="Look at the endpoint.")
    alarms.settle(source="test", account_id=account.id, alarms=[told])

    page = reader.get("/truth").content.decode()

    assert page.index("No webhook has come.") < page.index("Differences from Stripe")
    assert "Look at the endpoint." in page


def test_what_was_set_aside_is_shown_by_its_cause_and_tried_again_from_the_page(
    reader: Client, account: Account
) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme")), drain=False)
    database.execute("update inbox_pending set set_aside_at = now(), last_error = 'ValueError: cus_1 is odd'")
    page = reader.get("/truth").content.decode()
    assert "ValueError: cus_1 is odd" in page
    cause = page.split('name="cause" value="')[1].split('"')[0]

    answer = reader.post("/truth/retry", {"cause": cause})

    assert (answer.status_code, answer["Location"]) == (302, "/truth")
    assert database.execute("select count(*) from inbox_pending where set_aside_at is null").fetchone() == (1,)
    assert "Nothing is set aside" in reader.get("/truth").content.decode()


def test_htmx_gets_the_changing_part_alone(reader: Client, account: Account) -> None:
    part = reader.get("/truth", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/truth"})

    assert part.status_code == 200
    assert "<html" not in part.content.decode()
    assert account.slug == "acme"


def test_a_form_that_names_no_account_changes_nothing(reader: Client) -> None:
    for path in ("/truth/backfill", "/truth/reconcile"):
        assert reader.post(path, {"account": "nobody"}).status_code == 404
        assert reader.get(path).status_code == 405


@pytest.fixture
def keyed(db: None) -> Account:
    """An account whose API can be read."""
    return accounts.connect(
        name="acme",
        api_key="sk_test_" + "1" * 24,
        webhook_secrets=["whsec_" + "a" * 32],
        livemode=False,
        access=None,
        api_base=None,
        stripe_account_id=None,
        sealer=installation.sealer(),
        by=system("test"),
    )


def compared(account: Account, found: dict[str, int], *, types: tuple[str, ...] = ("invoice",), **given: Any) -> None:
    """A comparison that is over."""
    scope: dict[str, Any] = {"customers": None, "whole": True, "repair": False}
    run_id = runs.insert_run(
        account_id=account.id,
        livemode=False,
        types=types,
        grace=0,
        patience=0,
        walk_id=1,
        by=system("test"),
        **(scope | {name: value for name, value in given.items() if name in scope}),
    )
    runs.count(run_id, Counts(objects=1200, states=1, found=found, repaired=given.get("repaired", 0)))
    runs.end(run_id, Status.COMPLETE)


def test_the_first_differences_are_causes_and_all_are_a_page_away(reader: Client, account: Account) -> None:
    for number in range(12):
        differ(account, STATE, f"cus_{number:02}", customer=f"cus_{number:02}")
    differ(account, "invoice", "in_1")
    differ(account, "charge", "ch_1", kind=Kind.MISSING)

    page = seen(reader, "/truth")

    assert ids(reader, "/truth")[:3] == ["ch_1", "in_1", "cus_11"]
    assert len(ids(reader, "/truth")) == 10
    assert "Drift 14 1 missing here, 13 differ " in page
    assert "2 objects, 12 customers' states." in page
    assert "All 14 differences" in page
    assert "trueup drift" in page
    assert "customer's state" in page
    assert "trueup.customer" not in page


def test_a_single_one_of_anything_is_told_in_the_singular(reader: Client, account: Account) -> None:
    differ(account, "invoice", "in_1")
    alarms.settle(source="test", account_id=account.id, alarms=[Alarm(code="drift", message="One.", remedy="Look.")])

    page = seen(reader, "/truth")

    assert "Drift 1 1 differs " in page
    assert "Alarms 1 needs a person " in page


def test_a_comparison_says_over_what_it_was_and_how_many_differed(reader: Client, account: Account) -> None:
    compared(account, {"missing": 1, "stale": 35}, repair=True, repaired=36)
    compared(account, {}, customers=["cus_1", "cus_2"])
    compared(account, {"orphaned": 2}, types=("charge", "invoice", "plan", "price", "refund"), whole=False)

    page = seen(reader, "/truth")

    assert "acme: charge, invoice, plan and 2 more types 2 gone at Stripe · 1,200 objects, 1 state compared" in page
    assert "acme: 2 customers nothing differed · 1,200 objects" in page
    assert "acme: everything · with repair 1 missing here, 35 differed, 36 repaired · 1,200 objects" in page


def test_what_is_set_aside_and_what_is_quarantined_are_numbers_and_tables_of_their_own(
    reader: Client, account: Account
) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme")), drain=False)
    database.execute("update inbox_pending set set_aside_at = now(), last_error = 'ValueError: cus_1 is odd'")
    database.execute(
        "insert into inbox_quarantined (account_id, body_sha256, body, reason, detail)"
        " values (%s, %s, %s, 'not_json', 'It is cut off.')",
        (account.id, b"\x01" * 32, b"{no"),
    )

    page = seen(reader, "/truth")

    assert "Set aside 1 needs a person Quarantined 1 signed, but unusable" in page
    aside, quarantined = page.split("Last error")[1].split("Why it cannot be used")
    assert "ValueError: cus_1 is odd" in aside
    assert "not_json: It is cut off." in quarantined
    assert 'href="/events/quarantine"' in reader.get("/truth").content.decode().split('id="quarantined"')[1]


def test_a_sweep_is_up_to_date_and_the_webhooks_beside_it_are_not(reader: Client, keyed: Account) -> None:
    sweep_store.enrol([keyed.id])
    database.execute("update inbox_sweep set swept_at = now(), cursor = now()")
    dead = Alarm(code="endpoint_dead", message="Found by the sweep alone.", remedy="See docs/runbooks/dead-endpoint.md")
    assert "acme" in seen(reader, "/truth")
    assert "Webhooks do not arrive" not in seen(reader, "/truth")

    alarms.settle(source="sweep.snapshot", account_id=keyed.id, alarms=[dead])

    page = seen(reader, "/truth")
    table = page.split("Read up to")[1].split("All objects")[0]
    assert "Sweep up to date Webhooks do not arrive" in table
    assert table.count("Webhooks do not arrive") == 1
    assert 'href="/runbooks/dead-endpoint"' in reader.get("/truth").content.decode()


def test_the_newest_backup_is_told_and_without_one_how_to_make_it(reader: Client, account: Account) -> None:
    assert "Newest backup None make one: trueup backup" in seen(reader, "/truth")

    audit.record(
        database.connection(),
        by=system("test"),
        action=Action.BACKUP_MADE,
        object_type="backup",
        object_id="one",
        after={"taken_at": (clock.now() - timedelta(hours=3)).isoformat()},
    )

    assert "Newest backup 3 hr ago" in seen(reader, "/truth").replace(".", "").replace("\xa0", " ")
    assert account.slug == "acme"
