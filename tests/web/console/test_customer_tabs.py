"""The tabs of a customer's page: billing, objects and versions, people and merges, audit, and days of the past."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.web.console import world
from tests.web.console.world import DAY, START, Json
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Person, Role
from trueup.runtime import database

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/customers/cus_1"}


def plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def invoice(id: str, status: str, *, amount: int = 4900, **more: Any) -> Json:  # noqa: A002
    """An invoice of the customer, in dollars."""
    money = {"total": amount, "amount_due": amount, "amount_paid": 0, "amount_remaining": amount}
    about = {"id": id, "object": "invoice", "customer": "cus_1", "currency": "usd", "status": status}
    return about | {"number": f"ACME-{id[-1]}", "created": START + DAY} | money | more


def charge(id: str, **more: Any) -> Json:  # noqa: A002
    """A charge that the bank declined."""
    about = {"id": id, "object": "charge", "customer": "cus_1", "amount": 4900, "currency": "usd"}
    return (
        about | {"created": START + 2 * DAY, "status": "failed", "paid": False, "failure_code": "card_declined"} | more
    )


@pytest.fixture
def acme(account: Account) -> Account:
    """A customer that owes an invoice, another one with the same address, and a change of name."""
    funds = {"outcome": {"reason": "insufficient_funds"}, "payment_method_details": {"type": "card", "card": CARD}}
    open_ = invoice("in_2", "open", attempt_count=2, next_payment_attempt=START + 9 * DAY)
    paid = invoice("in_1", "paid", amount=3000, billing_reason="subscription_create", created=START)
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme", "ap@acme.example")),
        world.event("customer.created", world.customer("cus_2", "Acme Labs", "ap@acme.example")),
        world.event("customer.subscription.created", world.subscription("sub_1", "cus_1", status="past_due")),
        world.event("invoice.paid", paid, at=START + 60),
        world.event("invoice.payment_failed", open_, at=START + 2 * DAY),
        world.event("charge.failed", charge("ch_1", **funds), at=START + 2 * DAY),
        world.event(
            "customer.updated",
            world.customer("cus_1", "Acme Corporation", "ap@acme.example"),
            at=START + 5 * DAY,
            previous={"name": "Acme"},
        ),
    )
    return account


CARD = {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2030}


def as_role(person: Person, role: Role) -> Client:
    """A browser of somebody with one role."""
    operators.create_operator(
        email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=system("test")
    )
    operators.set_roles(operator_id=person.id, roles=[role], by=system("test"))
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client


def get(client: Client, path: str, **more: Any) -> str:
    response = client.get(path, **more)
    assert response.status_code == 200, path
    return response.content.decode()


def test_billing_says_which_invoice_is_not_paid_and_why(reader: Client, acme: Account) -> None:
    page = plain(get(reader, "/customers/cus_1/billing"))

    assert "1 invoice is open." in page
    assert "ACME-2" in page
    assert re.search("A payment of this amount failed on Sep 23(, 2026)?: insufficient funds", page)
    assert "2 attempts · next on Sep 30" in page
    assert "Visa •••• 4242" in page
    assert "There was not enough money on the card or account." in page
    assert "ACME-1 First invoice Paid $30.00" in page


def test_a_failure_that_names_its_invoice_is_told_as_its_own(reader: Client, account: Account) -> None:
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme")),
        world.event("invoice.payment_failed", invoice("in_2", "open", attempt_count=1), at=START + DAY),
        world.event("charge.failed", charge("ch_1", invoice="in_2", failure_code="expired_card"), at=START + 2 * DAY),
    )

    page = plain(get(reader, "/customers/cus_1/billing"))

    assert re.search("Failed on Sep 23(, 2026)?: card expired", page)
    assert "for ACME-2" in page


def test_lists_show_their_beginning_and_all_on_request(reader: Client, account: Account) -> None:
    many = [
        world.event("invoice.paid", invoice(f"in_{n}", "paid", number=f"N-{n:02}", created=START + n), at=START + n)
        for n in range(1, 16)
    ]
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme")), *many)

    first, whole = (get(reader, f"/customers/cus_1/billing{query}") for query in ("", "?all=invoices"))

    assert len(re.findall(r">N-\d\d<", first)) == 12
    assert "3 more invoices" in plain(first)
    assert len(re.findall(r">N-\d\d<", whole)) == 15
    assert reader.get("/customers/cus_1/billing?all=nonsense").status_code == 400


def test_the_page_shows_the_end_of_a_day_and_keeps_it_through_the_tabs(reader: Client, acme: Account) -> None:
    page = get(reader, "/customers/cus_1?as_of=2026-09-22")

    assert "You look at the end of Sep 22, 2026." in page
    assert "<h1>Acme</h1>" in page
    assert 'value="2026-09-22"' in page
    ours = customers.get("cus_1").id
    for tab in ("/billing", "/people", "/objects", "/audit", ""):
        assert f'href="/customers/{ours}{tab}?as_of=2026-09-22"' in page
    assert f'href="/customers/{ours}/why/stage?as_of=2026-09-22"' in page
    assert "Payment of $49.00 failed" not in page
    billing = plain(get(reader, "/customers/cus_1/billing?as_of=2026-09-22"))
    assert "ACME-1" in billing
    assert "ACME-2" not in billing


def test_the_timeline_of_a_day_stays_with_it_when_it_is_filtered(reader: Client, acme: Account) -> None:
    response = reader.get("/customers/cus_1?as_of=2026-09-22&kind=invoice", headers=HTMX)

    assert response["HX-Push-Url"] == "/customers/cus_1?as_of=2026-09-22&kind=invoice"
    assert "ACME-1" in response.content.decode()


def test_why_answers_for_the_day_that_is_looked_at(reader: Client, acme: Account) -> None:
    then, now = (get(reader, f"/customers/cus_1/why/name{query}", headers=HTMX) for query in ("?as_of=2026-09-22", ""))

    assert "<b>Acme</b>" in then
    assert "<b>Acme Corporation</b>" in now


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "2999-01-01"])
def test_a_day_that_cannot_be_looked_at_is_refused(reader: Client, acme: Account, day: str) -> None:
    assert reader.get(f"/customers/cus_1?as_of={day}").status_code == 400


def test_before_anything_was_known_the_page_says_so(reader: Client, acme: Account) -> None:
    for tab in ("", "/billing", "/people", "/objects", "/audit"):
        page = get(reader, f"/customers/cus_1{tab}?as_of=2020-01-01")
        assert "Nothing was known yet" in page


def test_every_object_of_the_customer_is_listed(reader: Client, acme: Account) -> None:
    page = get(reader, "/customers/cus_1/objects")

    for name in ("cus_1", "sub_1", "in_1", "in_2", "ch_1"):
        assert f">{name}</a>" in page
    assert "cus_2" not in page
    narrowed = get(reader, "/customers/cus_1/objects?type=invoice")
    assert ">in_1</a>" in narrowed
    assert ">sub_1</a>" not in narrowed


def test_an_object_shows_what_each_version_changed(reader: Client, acme: Account) -> None:
    page = get(reader, "/customers/cus_1/objects/customer/cus_1", headers=HTMX)

    assert "<html" not in page
    assert "2 versions" in plain(page)
    assert "name Acme Acme Corporation" in plain(page)
    assert "&quot;Acme Corporation&quot;" in page


def test_two_versions_are_compared(reader: Client, acme: Account) -> None:
    last, first = re.findall(r'<option value="(evt_\w+)"', get(reader, "/customers/cus_1/objects/customer/cus_1"))[:2]

    forth, back = (
        plain(get(reader, f"/customers/cus_1/objects/customer/cus_1?from={one}&to={other}"))
        for one, other in ((first, last), (last, first))
    )

    assert "name Acme Acme Corporation" in forth.split("What changed between the two")[1]
    assert "name Acme Corporation Acme" in back.split("What changed between the two")[1]
    assert reader.get(f"/customers/cus_1/objects/customer/cus_1?from={first}&to=evt_no").status_code == 404


def test_an_object_of_the_past_is_as_it_was(reader: Client, acme: Account) -> None:
    page = plain(get(reader, "/customers/cus_1/objects/customer/cus_1?as_of=2026-09-22"))

    assert "1 version" in page
    assert "Acme Corporation" not in page


def test_what_is_somebody_elses_is_not_shown_here(reader: Client, acme: Account) -> None:
    assert reader.get("/customers/cus_1/objects/customer/cus_2").status_code == 404
    assert reader.get("/customers/cus_1/objects/invoice/in_nobody").status_code == 404


def test_without_the_permission_names_and_addresses_are_hidden_and_nothing_leaks(person: Person, acme: Account) -> None:
    auditor = as_role(person, Role.AUDITOR)

    for tab in ("", "/billing", "/people", "/objects", "/audit", "/state", "/why/stage", "?as_of=2026-09-22"):
        page = get(auditor, f"/customers/cus_1{tab}")
        assert "ap@acme" not in page, tab
        assert "Acme" not in page.replace("ACME", ""), tab
    page = get(auditor, "/customers/cus_1")
    assert "<h1>cus_1</h1>" in page
    assert "Shown to: Owner, Admin, Sales" in page
    assert auditor.get("/customers/cus_1/why/email").status_code == 403
    assert auditor.get("/customers/cus_1/objects/customer/cus_1").status_code == 403


def test_what_a_role_may_not_do_is_not_offered(person: Person, acme: Account) -> None:
    page = get(as_role(person, Role.COMPLIANCE), "/customers/cus_1/people")

    assert "ap@acme.example" in page
    for word in ("Merge another customer", "link-form", "Take back"):
        assert word not in page


def test_a_merge_is_shown_before_it_is_done_and_undone_from_the_page(reader: Client, acme: Account) -> None:
    ours = customers.get("cus_1").id

    preview = get(reader, f"/customers/{ours}/merge?other=cus_2", headers=HTMX)

    assert "Nothing was changed yet" in preview
    assert customers.get("cus_2").id != ours
    done = reader.post(f"/customers/{ours}/merge", {"other": "cus_2"}, follow=True)
    page = done.content.decode()
    assert done.redirect_chain == [(f"/customers/{ours}/people?merged=cus_2", 302)]
    assert "1 Stripe customer is part of this one now." in page
    assert customers.get("cus_2").id == ours

    undone = reader.post(f"/customers/{ours}/split", {"take": "cus_2"}, follow=True).content.decode()

    assert "1 Stripe customer stands for itself again." in undone
    assert customers.get("cus_2").id != ours


def test_a_merge_that_cannot_be_is_refused_with_the_reason(reader: Client, acme: Account) -> None:
    for named, status in (("cus_1", 400), ("cus_nobody", 404)):
        assert reader.get(f"/customers/cus_1/merge?other={named}").status_code == status
    assert "Which customer is part of this one?" in get(reader, "/customers/cus_1/merge")


def test_people_tell_who_else_is_theirs(reader: Client, acme: Account) -> None:
    page = plain(get(reader, "/customers/cus_1/people"))

    assert "ap@acme.example also Acme Labs" in page


def test_a_link_is_made_and_taken_back(reader: Client, person: Person, acme: Account) -> None:
    reader.post("/customers/cus_1/links", {"kind": "crm", "system": "HubSpot", "value": "42"})
    page = plain(get(reader, "/customers/cus_1/people"))
    assert "CRM record hubspot 42 Said by hand Elena Sato" in page

    reader.post("/customers/cus_1/links", {"kind": "crm", "system": "hubspot", "value": "42", "take_back": "1"})
    assert "hubspot" not in get(reader, "/customers/cus_1/people")
    assert reader.post("/customers/cus_1/links", {"kind": "nonsense", "value": "42"}).status_code == 400


def test_the_audit_tab_tells_who_did_what(reader: Client, acme: Account) -> None:
    assert "Nobody has changed anything" in get(reader, "/customers/cus_1/audit")
    reader.post("/customers/cus_1/merge", {"other": "cus_2"})

    page = plain(get(reader, "/customers/cus_1/audit"))

    assert "Merged Elena Sato" in page
    assert "customer.customers.merged" in page


def test_what_differs_from_stripe_is_said_above_everything(reader: Client, acme: Account) -> None:
    database.execute(
        "insert into mirror_drift (account_id, livemode, object_type, object_id, customer, kind, fields, cause,"
        " explanation, told, since, run_id) values (%s, false, 'invoice', 'in_2', 'cus_1', 'stale', '[]', 'never_came',"
        " '', '{}', now(), 1)",
        (acme.id,),
    )

    page = get(reader, "/customers/cus_1")

    assert "1 thing differs from Stripe." in page
    assert 'href="/truth/differences?customer=cus_1"' in page
    assert "Repair now" in page
