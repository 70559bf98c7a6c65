"""The chart of what a customer paid a month: from the versions of then, no longer back than events are known."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.web.console import world
from tests.web.console.test_money import body
from tests.web.console.world import DAY, Json, event
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.runtime import clock

PAGE = "/customers/cus_1/revenue"


@pytest.fixture
def grown(account: Account) -> Account:
    """A customer since a hundred days at 49 dollars, since ten at 98."""
    now = int(clock.now().timestamp())

    def bought(quantity: int) -> Json:
        return world.subscription("sub_1", "cus_1", quantity=quantity)

    world.told(
        account,
        event("customer.created", world.customer("cus_1", "Acme"), at=now - 100 * DAY),
        event("customer.subscription.created", bought(1), at=now - 100 * DAY),
        event("customer.subscription.updated", bought(2), at=now - 10 * DAY),
    )
    return account


def values(page: str) -> list[str]:
    """The numbers of the chart's table, the oldest first."""
    return re.findall(r'<th scope="row">[^<]*</th><td class="num">([^<]*)</td>', page)


@pytest.mark.usefixtures("grown")
def test_each_month_has_what_was_paid_at_its_end(reader: Client) -> None:
    found = values(body(reader.get(PAGE)))

    # A hundred days have three or four ends of months; the present is the last.
    assert 4 <= len(found) <= 5
    assert found[0] == "$49.00"
    assert found[-1] == "$98.00"
    assert found == sorted(found)


@pytest.mark.usefixtures("grown")
def test_on_a_day_of_the_past_it_ends_there(reader: Client) -> None:
    day = (clock.now() - timedelta(days=40)).date().isoformat()

    assert set(values(body(reader.get(f"{PAGE}?as_of={day}")))) == {"$49.00"}


@pytest.mark.usefixtures("grown")
def test_the_page_of_the_customer_loads_it_by_itself_and_without_a_script_links_to_it(reader: Client) -> None:
    page = body(reader.get("/customers/cus_1"))

    own = customers.get("cus_1").id
    assert f'hx-get="/customers/{own}/revenue" hx-trigger="load"' in page
    assert f'href="/customers/{own}/revenue"' in page
    part = reader.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "Show as table" in part


def test_without_two_months_there_is_no_line(reader: Client, account: Account) -> None:
    world.told(account, event("customer.created", world.customer("cus_1", "Acme"), at=int(clock.now().timestamp()) - 9))

    assert "There is nothing to draw yet" in body(reader.get(PAGE))
