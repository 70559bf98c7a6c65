"""The invoice that would come: asked of a sandbox of Stripe when somebody wants to know, and never made up."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests import instance
from tests.web.console import world
from trueup.accounts import budget, calls
from trueup.accounts import service as accounts
from trueup.connectors.stripe import reading
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.runtime import configuration, installation
from trueup.sandbox import Sandbox, start

NAME = f"trueup_upcoming_{os.getpid()}"
BY = system("test")
ENDPOINT = f"POST {reading.PREVIEW}"
PAGE = "/customers/{}/upcoming"


@pytest.fixture(scope="module")
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database of our own: nobody asks Stripe from inside a transaction."""
    with django_db_blocker.unblock(), instance.own_database(NAME) as address:
        yield address


@pytest.fixture
def database(
    committed: str,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setattr(calls, "_verified", {})
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    with django_db_blocker.unblock(), instance.in_database(NAME):
        instance.wipe(committed)
        get_user_model().objects.all().delete()
        yield
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


@pytest.fixture
def stripe() -> Iterator[Sandbox]:
    with start(seed="upcoming") as running:
        yield running


@pytest.fixture
def looking(database: None) -> Client:
    """A browser of somebody who may see money."""
    person = operators.create_operator(email="elena@acme.example", password="correct horse", by=BY)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client


def bought(stripe: Sandbox, name: str = "Ada", *, seats: int = 1) -> tuple[str, str]:
    """A customer of the sandbox with a card and a subscription at 49 dollars a seat; the ids of both."""
    customer = stripe.request("POST", "/v1/customers", {"name": name})["id"]
    card = stripe.request("POST", "/v1/payment_methods/pm_card_visa/attach", {"customer": customer})["id"]
    product = stripe.request("POST", "/v1/products", {"name": "Pro"})["id"]
    price = stripe.request(
        "POST",
        "/v1/prices",
        {"product": product, "currency": "usd", "unit_amount": 4900, "recurring": {"interval": "month"}},
    )["id"]
    asked = {"customer": customer, "items": [{"price": price, "quantity": seats}], "default_payment_method": card}
    return customer, stripe.request("POST", "/v1/subscriptions", asked)["id"]


def known(stripe: Sandbox, customer: str, *subscriptions: str, key: str | None = None) -> None:
    """Connect the sandbox, and tell Trueup of these as they stand there."""
    account = accounts.connect(
        name="acme",
        api_key=stripe.api_key if key is None else key,
        webhook_secrets=["whsec_" + "a" * 32],
        livemode=False,
        access=None,
        api_base=stripe.base_url,
        stripe_account_id=None,
        sealer=installation.sealer(),
        by=BY,
    )
    told = [stripe.request("GET", f"/v1/customers/{customer}")]
    told += [stripe.request("GET", f"/v1/subscriptions/{one}") for one in subscriptions]
    world.told(account, *(world.event(f"{one['object']}.created", one, at=one["created"]) for one in told))


def seen(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    inside = answer.content.decode().split("<main", 1)[1]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", inside)))


def test_the_billing_page_asks_nothing_of_stripe_by_itself(looking: Client, stripe: Sandbox) -> None:
    customer, subscription = bought(stripe)
    known(stripe, customer, subscription)

    assert "Ask Stripe" in seen(looking, f"/customers/{customer}/billing")
    assert not budget.buckets()


def test_lines_proration_and_sums_are_those_of_stripe(looking: Client, stripe: Sandbox) -> None:
    customer, subscription = bought(stripe, seats=2)
    item = stripe.request("GET", f"/v1/subscriptions/{subscription}")["items"]["data"][0]["id"]
    stripe.request("POST", f"/v1/subscriptions/{subscription}", {"items": [{"id": item, "quantity": 3}]})
    known(stripe, customer, subscription)

    page = seen(looking, PAGE.format(customer))

    expected = stripe.request("POST", "/v1/invoices/create_preview", {"subscription": subscription})
    assert page.count("Proration") == sum(
        line["parent"]["subscription_item_details"]["proration"] for line in expected["lines"]["data"]
    )
    assert [line["description"] in page for line in expected["lines"]["data"]] == [True, True, True]
    assert expected["amount_due"] == 19600
    assert "To pay $196.00" in page
    assert "Charged by itself on" in page
    assert {one.endpoint: one.taken for one in budget.buckets()}[ENDPOINT] == {"commands": 1}


def test_htmx_gets_the_part_alone(looking: Client, stripe: Sandbox) -> None:
    customer, subscription = bought(stripe)
    known(stripe, customer, subscription)

    answer = looking.get(PAGE.format(customer), headers={"HX-Request": "true"})

    assert "<html" not in answer.content.decode()
    assert "$49.00" in answer.content.decode()


def test_one_of_several_subscriptions_is_chosen(looking: Client, stripe: Sandbox) -> None:
    customer, first = bought(stripe)
    price = stripe.request("GET", f"/v1/subscriptions/{first}")["items"]["data"][0]["price"]["id"]
    asked = {"customer": customer, "items": [{"price": price, "quantity": 4}]}
    asked["default_payment_method"] = stripe.request("GET", f"/v1/subscriptions/{first}")["default_payment_method"]
    second = stripe.request("POST", "/v1/subscriptions", asked)["id"]
    known(stripe, customer, first, second)

    assert "To pay $196.00" in seen(looking, f"{PAGE.format(customer)}?subscription={second}")
    assert "To pay $49.00" in seen(looking, f"{PAGE.format(customer)}?subscription={first}")
    assert looking.get(f"{PAGE.format(customer)}?subscription=sub_other").status_code == 400


def test_without_anything_to_come_that_is_said(looking: Client, stripe: Sandbox) -> None:
    customer = stripe.request("POST", "/v1/customers", {"name": "Ada"})["id"]
    known(stripe, customer)

    assert "Stripe sees no invoice to come." in seen(looking, PAGE.format(customer))


def test_a_key_that_may_not_and_a_stripe_that_is_away_are_told(
    looking: Client, stripe: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, subscription = bought(stripe)
    known(stripe, customer, subscription)
    path = PAGE.format(customer)
    stripe.fail("forbidden", path=reading.PREVIEW)

    page = seen(looking, path)

    assert "The API key may not read /v1/invoices/create_preview" in page
    assert "$49.00" not in page.split("Upcoming invoice")[-1]

    monkeypatch.setattr(calls, "FIRST_PAUSE", 0.01)
    stripe.fail("error", path=reading.PREVIEW, times=calls.TRIES)
    assert "Stripe answered with 500." in seen(looking, path)


def test_without_a_key_there_is_nobody_to_ask(looking: Client, stripe: Sandbox) -> None:
    customer, subscription = bought(stripe)
    known(stripe, customer, subscription, key="")

    assert "There is no API key to ask Stripe with." in seen(looking, f"/customers/{customer}/billing")
    assert "acme has no API key" in seen(looking, PAGE.format(customer))
