"""A sandbox that runs: started, driven by the official SDK, stopped, kept, side by side."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest
import stripe

from trueup.kernel.errors import Refused
from trueup.sandbox import Sandbox, start
from trueup.sandbox.world import machine


def _client(sandbox: Sandbox) -> tuple[stripe.StripeClient, stripe.RequestsClient]:
    http = stripe.RequestsClient()
    return stripe.StripeClient(sandbox.api_key, base_addresses=cast("Any", sandbox.addresses), http_client=http), http


def test_the_official_sdk_makes_a_customer_and_reads_it_again(sdk: stripe.StripeClient, sandbox: Sandbox) -> None:
    made = sdk.v1.customers.create({"email": "a@b.c", "metadata": {"user_id": "7"}})

    assert sdk.v1.customers.retrieve(made.id).email == "a@b.c"
    assert made.created == sandbox.now
    assert [event["type"] for event in sandbox.events()] == ["customer.created"]


def test_an_error_comes_as_the_sdks_exception_with_a_request_id(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sdk.v1.customers.retrieve("cus_none")

    assert caught.value.code == "resource_missing"
    assert str(caught.value.request_id).startswith("req_")


def test_an_advanced_clock_is_ready_when_it_is_asked_for(sdk: stripe.StripeClient, sandbox: Sandbox) -> None:
    clock = sdk.v1.test_helpers.test_clocks.create({"frozen_time": sandbox.now})

    advancing = sdk.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": sandbox.now + 60})

    assert advancing.status == "advancing"
    assert sdk.v1.test_helpers.test_clocks.retrieve(clock.id).status == "ready"


def test_a_clock_that_was_advanced_goes_on_without_a_further_request(
    sdk: stripe.StripeClient, sandbox: Sandbox
) -> None:
    ready = threading.Event()
    sandbox.engine.listeners.append(
        lambda told: ready.set() if told[-1].type == "test_helpers.test_clock.ready" else None
    )
    clock = sdk.v1.test_helpers.test_clocks.create({"frozen_time": sandbox.now})

    sdk.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": sandbox.now + 60})

    assert ready.wait(5)


def test_nothing_is_left_of_a_stopped_sandbox() -> None:
    before = set(threading.enumerate())
    sandbox = start()
    client, http = _client(sandbox)
    client.v1.customers.create({})

    sandbox.stop()
    sandbox.stop()
    http.close()  # type: ignore[no-untyped-call]

    assert set(threading.enumerate()) == before
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", sandbox.port)) != 0


def test_sandboxes_side_by_side_know_nothing_of_each_other() -> None:
    with start() as one, start(seed="another") as other:
        one.request("POST", "/v1/customers", {"email": "a@b.c"})

        assert one.port != other.port
        assert len(one.events()) == 1
        assert other.events() == []


def test_the_same_seed_and_requests_give_the_same_events() -> None:
    with start(seed="s") as one, start(seed="s") as same, start(seed="t") as different:
        for sandbox in (one, same, different):
            sandbox.request("POST", "/v1/customers", {"email": "a@b.c"})

        assert one.events() == same.events()
        assert one.events() != different.events()


def test_a_file_is_gone_on_with(tmp_path: Path) -> None:
    with start(path=tmp_path / "kept.sqlite") as first:
        made = first.request("POST", "/v1/customers", {"email": "a@b.c"})
        first.advance(days=3)

    with start(path=tmp_path / "kept.sqlite") as second:
        assert second.request("GET", f"/v1/customers/{made['id']}") == made
        assert second.now == made["created"] + 3 * 86_400


def test_what_was_saved_can_be_loaded_over_another(tmp_path: Path) -> None:
    with start(seed="saved") as one:
        made = one.request("POST", "/v1/customers", {"email": "a@b.c"})
        one.save(tmp_path / "state.sqlite")
        following = one.request("POST", "/v1/customers", {})

    with start(seed="other") as other:
        gone = other.request("POST", "/v1/customers", {})
        other.load(tmp_path / "state.sqlite")

        assert other.request("POST", "/v1/customers", {})["id"] == following["id"]
        assert other.request("GET", f"/v1/customers/{made['id']}") == made
        with pytest.raises(Refused, match="No such customer"):
            other.request("GET", f"/v1/customers/{gone['id']}")


def test_what_cannot_be_saved_or_loaded_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no sandbox")
    with start() as sandbox:
        with pytest.raises(Refused, match="is there already"):
            sandbox.save(tmp_path / "text")
        with pytest.raises(Refused, match="cannot be written"):
            sandbox.save(tmp_path / "none" / "state")
        with pytest.raises(Refused, match="holds no sandbox"):
            sandbox.load(tmp_path / "text")
        with pytest.raises(Refused, match="is not a file"):
            sandbox.load(tmp_path / "none")

        assert sandbox.request("POST", "/v1/customers", {})["object"] == "customer"


def test_a_port_that_is_taken_is_refused() -> None:
    with start() as one, pytest.raises(Refused, match=f"Port {one.port} is taken"):
        start(port=one.port)


def test_a_file_of_another_seed_is_refused(tmp_path: Path) -> None:
    start(path=tmp_path / "kept", seed="one").stop()

    with pytest.raises(Refused, match="holds a sandbox of seed 'one'"):
        start(path=tmp_path / "kept", seed="two")


def test_a_running_clock_shows_the_time_and_stands_for_nobody() -> None:
    with start(mode="running", start=1_800_000_000) as sandbox:
        clock = sandbox.request("POST", "/v1/test_helpers/test_clocks", {"frozen_time": 1_700_000_000})
        sandbox.advance(days=30)

        assert 1_800_000_000 + 30 * 86_400 <= sandbox.now < 1_800_000_100 + 30 * 86_400
        with pytest.raises(Refused, match="No such test clock"):
            sandbox.request("GET", f"/v1/test_helpers/test_clocks/{clock['id']}")


def test_a_clock_that_stood_still_runs_on_from_where_it_stood_and_back(tmp_path: Path) -> None:
    with start(path=tmp_path / "kept", start=1_800_000_000) as still:
        still.advance(days=1)

    with start(path=tmp_path / "kept", mode="running") as running:
        assert 0 <= running.now - (1_800_000_000 + 86_400) < 60
        running.advance(days=1)

    with start(path=tmp_path / "kept", mode="still") as again:
        now = again.now
        assert 0 <= now - (1_800_000_000 + 2 * 86_400) < 60
        time.sleep(1.1)
        assert again.now == now


def test_what_fell_due_while_a_running_clock_was_away_is_done_at_its_time(tmp_path: Path) -> None:
    now = machine.unix()
    with start(path=tmp_path / "kept", start=now - 40 * 86_400) as still:
        weekly = {"currency": "usd", "unit_amount": 1000, "recurring": {"interval": "week"}}
        price = still.request("POST", "/v1/prices", {**weekly, "product_data": {"name": "Weekly"}})
        card = {"payment_method": "pm_card_visa"}
        customer = still.request("POST", "/v1/customers", card)
        [method] = still.request("GET", "/v1/payment_methods", {"customer": customer["id"]})["data"]
        terms = {"customer": customer["id"], "items": [{"price": price["id"]}], "default_payment_method": method["id"]}
        still.request("POST", "/v1/subscriptions", terms)
        told = len(still.events())
    with start(path=tmp_path / "kept", mode="running") as running:
        running.engine.store.put_meta("clock_ahead", "0")

    with start(path=tmp_path / "kept") as back:
        late = back.events()[told:]
        assert abs(back.now - now) < 60

    week = 7 * 86_400
    cycles = [event["created"] for event in late if event["type"] == "invoice.created"]
    paid = [event["created"] for event in late if event["type"] == "invoice.paid"]
    assert cycles == [now - 40 * 86_400 + number * week for number in range(1, 6)]
    assert paid == [at + 3_600 for at in cycles]
    assert [event["created"] for event in late] == sorted(event["created"] for event in late)


def test_what_falls_due_on_a_running_clock_is_done_without_a_request() -> None:
    with start(mode="running") as sandbox:
        done = threading.Event()
        sandbox.engine.listeners.append(
            lambda told: done.set() if told[-1].type == "test_helpers.test_clock.deleted" else None
        )
        sandbox.request("POST", "/v1/test_helpers/test_clocks", {"frozen_time": 1000})
        sandbox.advance(seconds=30 * 86_400 - 1)

        assert done.wait(5)
