"""The home of each role: what stands there, where it leads, and that nobody sees what is not theirs."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.customer.owners import service as owners
from trueup.inbox import service as inbox
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Person, Role
from trueup.runtime import clock, database

TESTER = system("test")


def as_roles(*roles: Role) -> tuple[Client, int]:
    """A browser of somebody with these roles, and who that is."""
    person = operators.create_operator(email="p@acme.example", password="nine quiet rivers", roles=roles, by=TESTER)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client, person.id


def numbers(page: str) -> dict[str, tuple[str, str]]:
    """Value and address of each number, by its name."""
    found = re.findall(r"<dt>([^<]+)</dt><dd><a href=\"([^\"]+)\">([^<]+)<", page)
    return {label: (value, url.replace("&amp;", "&")) for label, url, value in found}


def titles(page: str) -> list[str]:
    return re.findall(r"<a data-row [^>]*>([^<]+)</a>", page)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_four_numbers_that_lead_to_rows(person: Person, account: Account, role: Role) -> None:
    world.many(account, 6)
    client, _id = as_roles(role)

    page = client.get("/").content.decode()
    found = numbers(page)

    assert len(found) == 4
    for label, (_value, url) in found.items():
        assert (label, client.get(url).status_code) == (label, 200)


def test_sales_sees_her_own_past_due_and_trials(person: Person, account: Account) -> None:
    world.many(account, 9)
    soon = int(clock.now().timestamp()) + 2 * world.DAY
    for number, days in (("002", 0), ("005", 1)):
        changed = world.subscription(
            f"sub_{number}", f"cus_{number}", status="trialing", trial_end=soon + days * world.DAY
        )
        world.told(account, world.event("customer.subscription.updated", changed, at=world.START + 5_000))
    client, me = as_roles(Role.SALES)
    owners.assign(ids=["cus_001", "cus_005"], operator_id=me, by=TESTER)

    page = client.get("/").content.decode()

    assert numbers(page)["My customers"] == ("2", "/customers?owner=me")
    assert numbers(page)["Mine, past due"] == ("1", "/customers?owner=me&stage=past_due")
    assert numbers(page)["My trials ending"][0] == "1"
    assert titles(page) == ["Company 005", "Company 002"]
    assert "Take it" in page.partition("Company 002")[2]


def test_a_customer_without_owner_is_taken_from_the_queue(person: Person, account: Account) -> None:
    world.many(account, 3)
    changed = world.subscription(
        "sub_002", "cus_002", status="trialing", trial_end=int(clock.now().timestamp()) + world.DAY
    )
    world.told(account, world.event("customer.subscription.updated", changed, at=world.START + 5_000))
    client, me = as_roles(Role.SALES)
    page = client.get("/").content.decode()
    id_ = re.search(r'name="id" value="([^"]+)"', page)
    assert id_ is not None

    taken = client.post("/customers/owner", {"id": id_[1], "owner": "me", "back": "/"})

    assert taken["Location"] == "/"
    assert owners.of([id_[1]])[id_[1]].operator_id == me
    assert "1 customer has a new owner." in client.get("/").content.decode()


def test_support_and_finance_see_who_owes(person: Person, account: Account) -> None:
    world.many(account, 9)
    client, _id = as_roles(Role.SUPPORT, Role.FINANCE)

    support, finance = client.get("/").content.decode(), client.get("/home/finance").content.decode()

    assert numbers(support)["Past due"] == ("3", "/customers?stage=past_due")
    assert titles(support) == ["Company 007", "Company 004", "Company 001"]
    assert re.search(r'href="/home/finance" aria-current="page">Finance', finance)
    assert re.search(r'href="/">Support', finance)
    assert "Look at payments" in finance


def test_ops_sees_what_is_stuck_and_tries_it_again(person: Person, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "A")), drain=False)
    database.execute("update inbox_pending set attempts = 8, last_error = 'odd: It is odd.', set_aside_at = now()", ())
    client, _id = as_roles(Role.OPS)

    page = client.get("/").content.decode()

    assert numbers(page)["Set aside"] == ("1", "/events?state=set_aside")
    assert re.search(r'<a class="btn sm" href="/issues/[^"]*odd[^"]*/preflight">Replay…', page)


def test_what_happened_since_yesterday_leads_to_its_events(person: Person, account: Account) -> None:
    world.many(account, 3, at=int(clock.now().timestamp()) - 3_600)
    client, _id = as_roles(Role.SALES)

    page = client.get("/").content.decode()

    assert re.search(r"<b>3</b> new customers</span><a [^>]*href=\"/events\?type=customer.created\"", page)
    assert re.search(r"<b>3</b> subscriptions started", page)


def test_what_came_since_yesterday_and_happened_before_is_no_news(person: Person, account: Account) -> None:
    world.many(account, 3, at=int(clock.now().timestamp()) - 2 * world.DAY)
    client, _id = as_roles(Role.SALES)

    assert "Nothing of note happened." in client.get("/").content.decode()


def test_a_day_of_more_than_can_be_counted_says_so(account: Account) -> None:
    now = clock.now()
    world.many(account, 3, at=int(now.timestamp()) - 3_600)

    every, newest = (inbox.types_since(now - timedelta(days=1), limit=limit) for limit in (7, 5))

    assert (every.whole, sum(every.counts.values())) == (True, 6)
    assert (newest.whole, sum(newest.counts.values())) == (False, 5)


def test_whoever_sees_the_console_as_a_role_has_its_home(reader: Client, person: Person) -> None:
    reader.post("/settings/roles/see", {"role": "support", "why": "To see what they see.", "minutes": "10"})

    page = reader.get("/").content.decode()

    assert "home-roles" not in page
    assert "Mine, past due" in page
    assert reader.get("/home/finance").status_code == 403


def test_nobody_looks_at_the_home_of_another_role_but_who_sees_all(reader: Client, person: Person) -> None:
    client, _id = as_roles(Role.SALES)

    assert client.get("/home/finance").status_code == 403
    assert client.get("/home/sales").status_code == 200
    assert client.get("/home/nonsense").status_code == 404
    assert reader.get("/home/finance").status_code == 200
    assert "home-roles" in reader.get("/").content.decode()
    assert "home-roles" not in client.get("/").content.decode()


def test_names_stay_hidden_from_whoever_may_not_see_them(person: Person, account: Account) -> None:
    world.many(account, 3)
    client, _id = as_roles(Role.AUDITOR)

    assert "Company" not in client.get("/").content.decode()


def test_a_quiet_day_says_so(person: Person) -> None:
    client, _id = as_roles(Role.SUPPORT)

    page = client.get("/").content.decode()

    assert "Nothing waits for you" in page
    assert "Nothing of note happened." in page


def test_what_makes_the_audit_log_uncertain_is_said_and_leads_to_its_verification(account: Account) -> None:
    page = as_roles(Role.OWNER)[0].get("/home/compliance").content.decode()

    assert numbers(page)["Audit log"] == ("Not certain", "/audit/verification")
    assert "Nobody outside remembers it" in page
