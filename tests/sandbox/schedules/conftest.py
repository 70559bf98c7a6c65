"""A customer, prices, and a clock to turn: the sandbox's own or a test clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.sandbox.conftest import Api
from trueup.sandbox.invoices.invariants import broken
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]

DAY: Final = 86_400
START: Final = 1_767_225_600
"""2026-01-01: when the sandbox begins."""
FEBRUARY: Final = START + 31 * DAY
MARCH: Final = START + 59 * DAY
APRIL: Final = START + 90 * DAY


class Acts:
    """What tests do to a sandbox, on one of its clocks."""

    def __init__(self, api: Api, clock: str = "") -> None:
        self.api = api
        self.clock = clock

    @property
    def now(self) -> int:
        """The second that the clock shows."""
        return self.api.engine.now(self.clock)

    def customer(self, card: str | None = "pm_card_visa") -> str:
        """A customer whose default is a test card, or nothing."""
        more: dict[str, Any] = {"test_clock": self.clock} if self.clock else {}
        customer = self.api.post("/v1/customers", email="stripe@example.org", **more)
        if card:
            self.give(customer["id"], card)
        self.api.events()
        return str(customer["id"])

    def give(self, customer: str, card: str) -> str:
        """Attach a test card and let it be the default."""
        method = self.api.post(f"/v1/payment_methods/{card}/attach", customer=customer)
        self.api.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method["id"]})
        return str(method["id"])

    def price(self, amount: int = 2000, interval: str | None = "month", **fields: Any) -> str:
        """A price of a product of its own."""
        recurring = {"recurring": {"interval": interval}} if interval else {}
        product = self.api.post("/v1/products", name=f"P{amount}")["id"]
        made = self.api.post(
            "/v1/prices", product=product, **{"currency": "usd", "unit_amount": amount, **recurring, **fields}
        )
        self.api.events()
        return str(made["id"])

    def schedule(self, customer: str, *phases: Json, **fields: Any) -> Json:
        """A schedule that begins now unless told otherwise."""
        terms = {"start_date": "now", **fields}
        return self.api.post("/v1/subscription_schedules", customer=customer, phases=list(phases), **terms)

    def read(self, schedule: Json) -> Json:
        """A schedule as it is now."""
        return self.api.get(f"/v1/subscription_schedules/{schedule['id']}")

    def change(self, schedule: Json, **params: Any) -> Json:
        """Update a schedule."""
        return self.api.post(f"/v1/subscription_schedules/{schedule['id']}", **params)

    def refusal(self, schedule: Json, **params: Any) -> str:
        """What Stripe says to an update."""
        return str(self.api.post(f"/v1/subscription_schedules/{schedule['id']}", error=True, **params)["message"])

    def subscription(self, schedule: Json) -> Json:
        """A schedule's subscription as it is now."""
        found = self.read(schedule)
        return self.api.get(f"/v1/subscriptions/{found['subscription'] or found['released_subscription']}")

    def until(self, at: int) -> list[str]:
        """Turn the clock to a second, and give the types of what was told on the way."""
        self.api.events()
        self.api.engine.advance(at, self.clock)
        return self.api.types()

    def invoices(self, customer: str) -> list[Json]:
        """The customer's invoices, oldest first."""
        return list(reversed(self.api.get("/v1/invoices", customer=customer, limit=100)["data"]))

    def lines(self, invoice: Json) -> list[tuple[int, str]]:
        """The amounts and texts of an invoice's lines."""
        return [(line["amount"], line["description"]) for line in invoice["lines"]["data"]]


def phase(price: str, months: int | None = None, quantity: int | None = None, **fields: Any) -> Json:
    """A phase with one item."""
    item: Json = {"price": price, **({"quantity": quantity} if quantity is not None else {})}
    lasts = {"duration": {"interval": "month", "interval_count": months}} if months else {}
    return {"items": [item], **lasts, **fields}


def only(types: list[str], *beginnings: str) -> list[str]:
    """Those types that begin so."""
    return [one for one in types if one.startswith(beginnings)]


@pytest.fixture(params=["own clock", "test clock"])
def acts(request: pytest.FixtureRequest, api: Api) -> Acts:
    """Everything is tested on both kinds of clock."""
    if request.param == "own clock":
        return Acts(api)
    clock = api.post("/v1/test_helpers/test_clocks", frozen_time=START)
    return Acts(api, clock["id"])


@pytest.fixture
def own(api: Api) -> Acts:
    """What does not depend on the clock."""
    return Acts(api)


@pytest.fixture(autouse=True)
def _invariants(engine: Engine) -> Iterator[None]:
    """After each test every invoice adds up, and schedules that are over have no timers."""
    yield
    with engine.change() as world:
        faults = [fault for invoice in world.select("invoice") for fault in broken(invoice)]
        for schedule in world.select("subscription_schedule"):
            due = world.clocks.planned(schedule["id"], "schedule_phase")
            if (due is not None) != (schedule["status"] == "active"):
                faults.append(f"{schedule['id']} is {schedule['status']}, and its next phase is due at {due}")
    assert faults == []
