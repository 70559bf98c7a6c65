"""The page that says whether everything is as Stripe has it."""

from __future__ import annotations

from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.runtime import database


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
