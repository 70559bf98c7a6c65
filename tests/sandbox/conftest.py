"""A sandbox for every test, and a client that checks all that leaves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import orjson
import pytest
import stripe
from typing_extensions import override

from trueup.sandbox import Sandbox, start
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.requests import Answer, Request
from trueup.sandbox.wire import forms
from trueup.sandbox.wire.schema import violations
from trueup.sandbox.world.difference import earlier
from trueup.sandbox.world.store import Told

Json = dict[str, Any]


class Api:
    """Requests to an engine without HTTP. Every answer and event is held against Stripe's schema."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.told: list[Json] = []
        self._checking = Checking()
        self._read = 0
        engine.listeners.append(self._listen)

    def post(self, path: str, /, *, error: bool = False, key: str | None = None, **params: Any) -> Json:
        """POST with form parameters, nested as dictionaries and lists."""
        return self._ask("POST", path, params, error=error, key=key)

    def get(self, path: str, /, *, error: bool = False, **params: Any) -> Json:
        """GET with parameters."""
        return self._ask("GET", path, params, error=error)

    def delete(self, path: str, /, *, error: bool = False, **params: Any) -> Json:
        """DELETE with parameters."""
        return self._ask("DELETE", path, params, error=error)

    def events(self) -> list[Json]:
        """The events told since the last call."""
        fresh, self._read = self.told[self._read :], len(self.told)
        return fresh

    def types(self) -> list[str]:
        """The types of the events told since the last call of this or of ``events``."""
        return [event["type"] for event in self.events()]

    def advance(self, seconds: int, clock: str = "") -> int:
        """Turn a clock on by so many seconds."""
        return self.engine.advance(self.engine.now(clock) + seconds, clock)

    def answer(self, method: str, path: str, params: Mapping[str, Any], **headers: str) -> Answer:
        """What the engine answers, whatever it is."""
        encoded = forms.encode(params)
        return self.engine.answer(
            Request(
                method=method,
                path=path,
                query="" if method == "POST" else encoded,
                body=encoded.encode() if method == "POST" else b"",
                headers={"authorization": "Bearer sk_test_tests", **headers},
            )
        )

    def _ask(self, method: str, path: str, params: Mapping[str, Any], *, error: bool, key: str | None = None) -> Json:
        answer = self.answer(method, path, params, **({"idempotency-key": key} if key else {}))
        body: Json = orjson.loads(answer.body)
        if error:
            assert answer.status >= 400, body
            assert answer.status < 500, body
            return {"status": answer.status, **body["error"]}
        assert answer.status == 200, body
        assert violations(body) == []
        return body

    def _listen(self, told: list[Told]) -> None:
        self.told.extend(self._checking.read(told))
        assert self._checking.faults == []


class Checking:
    """Holds events against Stripe's schema, and what was before against what was told before."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._versions: dict[tuple[str, str], Json] = {}

    def read(self, told: list[Told]) -> list[Json]:
        """The events; what is wrong with them is in ``faults``."""
        events: list[Json] = [orjson.loads(one.body) for one in told]
        for event in events:
            obj, previous = event["data"]["object"], event["data"].get("previous_attributes")
            # Thin events are kept in the form of snapshots, of which the schema does not know their types.
            if not event["type"].startswith(("v1.", "v2.")):
                self.faults += [f"{event['type']}: {fault}" for fault in violations(event)]
            if event["type"] == "test_helpers.test_clock.internal_failure":
                self.faults.append("a timer failed: see the log")
            former = self._versions.get((obj["object"], obj.get("id", "")))
            if event["type"] == "charge.refund.updated":
                continue  # The twin of the refund.updated before it: its previous attributes are that one's.
            if previous is not None and former is not None and bare(earlier(obj, previous)) != bare(former):
                self.faults.append(f"{event['type']}: its previous_attributes do not give what was told before")
            if obj.get("id"):
                self._versions[obj["object"], obj["id"]] = obj
        return events


class CheckedClient(stripe.RequestsClient):
    """The SDK's own HTTP client; every answer is held against Stripe's schema."""

    @override
    def request(self, *arguments: Any, **named: Any) -> Any:
        content, status, headers = super().request(*arguments, **named)
        if status == 200:
            assert violations(orjson.loads(content)) == []
        return content, status, headers


def bare(value: Any) -> Any:
    """Without what is null: laid over, a key that was not there is null."""
    if isinstance(value, dict):
        return {key: bare(one) for key, one in value.items() if one is not None}
    return [bare(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A sandbox in memory that begins on 2026-01-01."""
    made = Engine()
    yield made
    made.close()


@pytest.fixture
def api(engine: Engine) -> Api:
    """The client."""
    return Api(engine)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with its HTTP server, in memory."""
    with start() as running:
        yield running


@pytest.fixture
def sdk(sandbox: Sandbox) -> Iterator[stripe.StripeClient]:
    """The official SDK before that server. Its events are held against Stripe's schema at the end."""
    http = CheckedClient()
    checking = Checking()
    sandbox.engine.listeners.append(checking.read)
    yield stripe.StripeClient(
        sandbox.api_key, base_addresses=cast("Any", sandbox.addresses), http_client=http, max_network_retries=0
    )
    http.close()  # type: ignore[no-untyped-call]
    assert checking.faults == []
