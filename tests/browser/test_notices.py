"""Being told: sales hears of her past-due customer by mail, and a team's channel hears of it without names."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from tests import demo
from tests.audit.anchors.mailserver import MailServer, mailing
from tests.audit.outside import Asked, listening
from tests.browser.conftest import ContextMaker
from tests.browser.test_accessible import LINT, violations
from tests.browser.test_team import come_in, invite
from tests.demo import Console
from tests.instance import eventually
from trueup.runtime import clock


@pytest.fixture(scope="module")
def mailserver() -> Iterator[MailServer]:
    with mailing() as server:
        yield server


@pytest.fixture(scope="module")
def console(chromium: Path, tmp_path_factory: pytest.TempPathFactory, mailserver: MailServer) -> Iterator[Console]:
    """A console of its own, which may send mails, and messages to this host."""
    given = {
        "TRUEUP_NOTICES_PRIVATE": "true",
        "TRUEUP_SMTP_URL": f"smtp://127.0.0.1:{mailserver.port}?from=trueup@acme.example",
    }
    del chromium
    os.environ.update(given)
    try:
        with demo.running(tmp_path_factory.mktemp("home"), name="notices", companies=6) as running:
            yield running
    finally:
        for name in given:
            del os.environ[name]


class Stripe:
    """The sandbox of the demo, as the company's own program would use it."""

    def __init__(self, console: Console) -> None:
        known = json.loads((console.home / "demo.json").read_bytes())
        self._base, self._key = f"http://127.0.0.1:{known['port']}", known["api_key"]

    def __call__(self, path: str, **fields: Any) -> dict[str, Any]:
        body = urlencode(fields).encode()
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/x-www-form-urlencoded"}
        with urlopen(Request(f"{self._base}/v1/{path}", body, headers), timeout=30) as answer:  # noqa: S310 - loopback
            told: dict[str, Any] = json.loads(answer.read())
        return told


def card(stripe: Stripe, customer: str, name: str) -> None:
    """Let a customer pay with another of Stripe's test cards."""
    method = stripe(f"payment_methods/{name}/attach", customer=customer)
    stripe(f"customers/{customer}", **{"invoice_settings[default_payment_method]": method["id"]})


@pytest.fixture(scope="module")
def harbor(console: Console) -> dict[str, Any]:
    """A customer who pays by the month, on a clock that can be turned."""
    stripe = Stripe(console)
    turned = stripe("test_helpers/test_clocks", frozen_time=clock.unix())
    customer = stripe("customers", name="Harbor Books", email="hello@harbor.example", test_clock=turned["id"])
    card(stripe, customer["id"], "pm_card_visa")
    product = stripe("products", name="Shelf")
    price = stripe(
        "prices", product=product["id"], currency="usd", unit_amount=4900, **{"recurring[interval]": "month"}
    )
    stripe("subscriptions", customer=customer["id"], **{"items[0][price]": price["id"]})
    return {"stripe": stripe, "clock": turned["id"], "customer": customer["id"]}


def to_mara(mailserver: MailServer) -> list[bytes]:
    """The mails that she was sent."""
    return [body for _sender, receiver, body in mailserver.mails if "mara@acme.example" in receiver]


def goes_past_due(harbor: dict[str, Any]) -> None:
    """Let the card fail at the renewal."""
    stripe = harbor["stripe"]
    card(stripe, harbor["customer"], "pm_card_chargeCustomerFail")
    stripe(f"test_helpers/test_clocks/{harbor['clock']}/advance", frozen_time=clock.unix() + 32 * 86_400)


def test_sales_is_told_when_her_customer_goes_past_due_and_the_team_without_names(
    page: Page, open_context: ContextMaker, harbor: dict[str, Any], mailserver: MailServer
) -> None:
    hers = open_context(signed_in=False, viewport={"width": 1280, "height": 900})
    come_in(hers, invite(page, "mara@acme.example", "Mara Lindqvist", "Sales"), "mara@acme.example")
    hers.goto("/customers?q=Harbor")
    hers.locator("input[data-pick]").first.click()
    hers.get_by_label("New owner").select_option("me")
    hers.get_by_role("button", name="Apply").click()
    expect(hers.get_by_text("has a new owner")).to_be_visible()

    hers.goto("/account/notifications")
    hers.get_by_role("link", name="Make the first rule").click()
    hers.get_by_label("Name").fill("Mine, past due")
    expect(hers.get_by_role("checkbox", name="goes past due")).to_be_checked()
    expect(hers.get_by_role("checkbox", name="Only those that I look after")).to_be_checked()
    hers.get_by_role("button", name="Save the rule").click()
    expect(hers.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    hers.get_by_role("button", name="Send a test of Mine, past due").click()
    expect(hers.get_by_text("The receiver said: 250 queued as 7F3A")).to_be_visible()

    asked: list[Asked] = []

    def answering(one: Asked) -> tuple[int, str, bytes]:
        asked.append(one)
        return (404, "text/html", b"no_service") if len(asked) == 1 else (200, "text/html", b"ok")

    with listening(answering) as url:
        page.goto("/settings/notifications/new")
        page.get_by_label("Name", exact=True).fill("Channel of sales")
        page.get_by_label("Mailbox, or address of the webhook").fill(f"{url}/services/T0/B0/secret")
        page.get_by_role("button", name="Save the rule").click()
        expect(page.get_by_role("link", name="Channel of sales")).to_be_visible()
        assert "B0/secret" not in page.content()

        goes_past_due(harbor)

        eventually(lambda: len(to_mara(mailserver)) == 2 and asked, "both are told", 30)
        page.goto("/settings/notifications/deliveries?status=failed")
        expect(page.get_by_text("404 no_service")).to_be_visible()
        page.get_by_role("button", name="Send again").click()
        eventually(lambda: len(asked) == 2, "it is sent again")
    told = email.message_from_bytes(to_mara(mailserver)[1], policy=email.policy.default)
    assert told["Subject"] == "Harbor Books: Past due"
    channel = asked[1][2].decode()
    assert re.search(r"cus_\w+", channel)
    assert "Harbor" not in channel
    hers.reload()
    expect(hers.get_by_role("region", name="Sent lately").get_by_text("Sent", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_rules_have_no_violation_and_fit_a_phone(
    open_context: ContextMaker, scheme: Literal["light", "dark"]
) -> None:
    window = open_context(color_scheme=scheme, bypass_csp=True)
    window.goto("/settings/notifications/new")
    window.get_by_label("Name", exact=True).fill(f"Mailbox, {scheme}")
    window.locator("select[name=channel]").select_option("email")
    window.get_by_label("Mailbox, or address of the webhook").fill("team@acme.example")
    window.get_by_role("button", name="Save the rule").click()
    window.get_by_role("link", name=f"Mailbox, {scheme}").click()
    rule = window.url
    wrong = {}
    for address in (
        *("/account/notifications", "/account/notifications/new", "/settings/notifications", rule),
        *("/settings/notifications/new", "/settings/notifications/deliveries"),
    ):
        window.goto(address)
        window.locator("main details:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")
        wrong[address] = violations(window)
        for width in (1440, 768, 390):
            window.set_viewport_size({"width": width, "height": 900})
            wrong[f"{address} at {width}"] = window.evaluate(LINT)

    assert {place: said for place, said in wrong.items() if said} == {}
