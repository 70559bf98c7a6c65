"""The official SDK before a sandbox, synchronous and asynchronous: every flow here runs both ways."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any, cast

import orjson
import pytest
import stripe
from typing_extensions import override

from tests.sandbox.conftest import CheckedClient, Checking
from trueup.sandbox import Sandbox
from trueup.sandbox.wire.schema import violations

DAY = 86_400
MONTH = 31 * DAY


class CheckedAsyncClient(stripe.HTTPXClient):
    """The SDK's own asynchronous HTTP client; every answer is held against Stripe's schema."""

    @override
    async def request_async(self, *arguments: Any, **named: Any) -> Any:
        content, status, headers = await super().request_async(*arguments, **named)
        if status == 200:
            assert violations(orjson.loads(content)) == []
        return content, status, headers


class Awaited:
    """Stands for a part of the SDK's client: what is called is called asynchronously and waited for."""

    def __init__(self, part: object, runner: asyncio.Runner) -> None:
        self._part, self._runner = part, runner

    def __getattr__(self, name: str) -> Any:
        ours = getattr(self._part, name + "_async", None)
        if ours is None:
            found = getattr(self._part, name)
            return found if inspect.isroutine(found) else Awaited(found, self._runner)

        def call(*arguments: Any, **named: Any) -> Any:
            return self._runner.run(ours(*arguments, **named))

        return call


_SDKS_OWN = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw bytes:DeprecationWarning")
"""The SDK passes httpx what httpx no longer wants in that way."""


@pytest.fixture(params=["sync", pytest.param("async", marks=_SDKS_OWN)])
def sdk(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[stripe.StripeClient]:
    """The client, driven in both ways. Its events are held against Stripe's schema at the end."""
    checking = Checking()
    sandbox.engine.listeners.append(checking.read)
    with asyncio.Runner() as runner:
        http: Any = CheckedClient() if request.param == "sync" else CheckedAsyncClient(allow_sync_methods=False)
        client = stripe.StripeClient(
            sandbox.api_key, base_addresses=cast("Any", sandbox.addresses), http_client=http, max_network_retries=0
        )
        yield client if request.param == "sync" else cast("stripe.StripeClient", Awaited(client, runner))
        if request.param == "sync":
            http.close()
        else:
            runner.run(http.close_async())
    assert checking.faults == []


class Shop:
    """What flows need: payers, prices, subscriptions, time; all made through the SDK."""

    def __init__(self, sdk: stripe.StripeClient, sandbox: Sandbox) -> None:
        self.sdk = sdk
        self.sandbox = sandbox
        self._read = 0

    def clock(self) -> str:
        """A test clock that shows the sandbox's time."""
        return self.sdk.v1.test_helpers.test_clocks.create({"frozen_time": self.sandbox.now}).id

    def wait(self, clock: str, seconds: int) -> None:
        """Turn a test clock on by so many seconds and wait until it is ready."""
        clocks = self.sdk.v1.test_helpers.test_clocks
        clocks.advance(clock, {"frozen_time": clocks.retrieve(clock).frozen_time + seconds})
        assert clocks.retrieve(clock).status == "ready"

    def payer(self, card: str | None = "pm_card_visa", *, clock: str | None = None) -> str:
        """A customer whose invoices are paid with a test card."""
        under: Any = {"test_clock": clock} if clock else {}
        params = cast("Any", {"email": "stripe@example.org", "name": "Ada", **under})
        made = self.sdk.v1.customers.create(params).id
        if card:
            self.card(made, card)
        return made

    def card(self, customer: str, card: str) -> str:
        """Give a customer another test card, which becomes the default."""
        method = self.sdk.v1.payment_methods.attach(card, {"customer": customer}).id
        self.sdk.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
        return method

    def price(self, amount: int = 2000, interval: str = "month") -> str:
        """A recurring price of a product of its own."""
        product = self.sdk.v1.products.create({"name": "Pro"}).id
        recurring: Any = {"interval": interval}
        return self.sdk.v1.prices.create(
            {"product": product, "currency": "usd", "unit_amount": amount, "recurring": recurring}
        ).id

    def subscribe(self, customer: str, price: str | None = None, **more: Any) -> stripe.Subscription:
        """A subscription with its latest invoice."""
        items = [{"price": price or self.price()}]
        params = {"customer": customer, "items": items, "expand": ["latest_invoice"], **more}
        return self.sdk.v1.subscriptions.create(cast("Any", params))

    def now(self, subscription: stripe.Subscription) -> stripe.Subscription:
        """The subscription as it is."""
        return self.sdk.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})

    def intent(self, subscription: stripe.Subscription) -> stripe.PaymentIntent:
        """The payment of the latest invoice."""
        payments = self.sdk.v1.invoice_payments.list(
            {"invoice": latest(subscription).id, "expand": ["data.payment.payment_intent"]}
        )
        return cast("stripe.PaymentIntent", payments.data[0].payment.payment_intent)

    def told(self) -> list[str]:
        """The types of the events since the last call."""
        events = self.sandbox.events()
        fresh, self._read = events[self._read :], len(events)
        return [event["type"] for event in fresh]


def latest(subscription: stripe.Subscription) -> stripe.Invoice:
    """The latest invoice, which was expanded."""
    return cast("stripe.Invoice", subscription.latest_invoice)


@pytest.fixture
def shop(sdk: stripe.StripeClient, sandbox: Sandbox) -> Shop:
    """The helper."""
    return Shop(sdk, sandbox)
