"""The sandbox's own routes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from typing_extensions import override

from trueup.sandbox import Sandbox
from trueup.sandbox.delivery.courier import Courier
from trueup.sandbox.server import triggers
from trueup.sandbox.server.desk import Desk
from trueup.sandbox.server.engine import Engine

DAY = 86_400


class Control:
    """A client of the routes."""

    def __init__(self, sandbox: Sandbox, session: requests.Session) -> None:
        self._url = f"{sandbox.base_url}/_sandbox/"
        self._session = session

    def __call__(self, method: str, path: str, /, status: int = 200, **body: Any) -> Any:
        answer = self._session.request(
            method, self._url + path, json=body or ({} if method != "GET" else None), timeout=20
        )
        assert answer.status_code == status, answer.text
        return answer.json() if status == 200 else answer.json()["error"]


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[Control]:
    with requests.Session() as session:
        yield Control(sandbox, session)


def test_the_state_tells_what_there_is(control: Control, sandbox: Sandbox) -> None:
    sandbox.request("POST", "/v1/customers", {})
    sandbox.fail("error", times=3)

    state = control("GET", "state")

    assert state["objects"] == {"account": 1, "customer": 1}
    assert (state["events"], state["mode"], state["seed"], state["now"]) == (1, "still", "trueup", sandbox.now)
    assert state["deliveries"] == {"delivered": 0, "failed": 0, "canceled": 0, "waiting": 0, "due": 0}
    assert state["faults"][0]["times"] == 3
    assert requests.get(f"{sandbox.base_url}/healthz", timeout=5).json() == {"status": "ok"}


def test_the_own_clock_is_advanced_without_limits_and_never_back(control: Control, sandbox: Sandbox) -> None:
    now = sandbox.now

    assert control("POST", "advance", days=3650) == {"now": now + 3650 * DAY, "timers_fired": 0}
    assert control("POST", "advance", to=now, status=400)["code"] == "clock_backwards"


def test_a_test_clock_can_be_advanced_beyond_the_limits(control: Control, sandbox: Sandbox) -> None:
    clock = sandbox.request("POST", "/v1/test_helpers/test_clocks", {"frozen_time": 1000})["id"]

    assert control("POST", "advance", clock=clock, days=3650)["now"] == 1000 + 3650 * DAY


def test_faults_are_set_listed_and_ended(control: Control, sandbox: Sandbox) -> None:
    made = control("POST", "faults", kind="error", times=None, path="/v1/invoices*")

    assert control("GET", "faults")["faults"] == [made]
    assert control("DELETE", "faults", id=made["id"]) == {"faults": []}
    assert control("DELETE", "faults", id=made["id"], status=404)["code"] == "no_fault"
    assert control("POST", "faults", kind="earthquake", status=400)["code"] == "bad_request"


def test_deliveries_are_held_told_and_let_go(control: Control, sandbox: Sandbox) -> None:
    control("POST", "delivery", held=True)
    endpoint = control("POST", "listen", url="http://127.0.0.1:9/nobody", events=["customer.created"])
    sandbox.request("POST", "/v1/customers", {})

    assert endpoint["secret"].startswith("whsec_")
    told = control("GET", "delivery")
    assert told["modes"][""]["held"] is True
    assert told["deliveries"][0]["state"] == "waiting"
    assert control("POST", "deliver")["waiting"] == 1
    assert "Connect" in control("GET", "delivery")["deliveries"][0]["problem"]
    event = sandbox.events()[0]["id"]
    assert control("POST", "resend", event=event) == {"resent": 1}
    assert control("POST", "roll", id=endpoint["id"])["secret"] != endpoint["secret"]
    assert control("POST", "delivery", order="backwards", status=400)["code"] == "bad_request"
    assert control("POST", "delivery", order="shuffled", status=400)["code"] == "delivery_mode"


def test_a_payer_authenticates_or_fails_to(control: Control, sandbox: Sandbox) -> None:
    payer = triggers.Actor(sandbox)
    one, other = (payer.pay("pm_card_authenticationRequired")["id"] for _ in range(2))

    assert control("POST", f"authenticate/{one}")["status"] == "succeeded"
    assert control("POST", f"authenticate/{other}", succeed=False)["status"] == "requires_payment_method"
    assert control("POST", "authenticate/pi_none", status=404)["code"] == "no_intent"


def test_the_state_is_saved_and_loaded(control: Control, sandbox: Sandbox, tmp_path: Path) -> None:
    control("POST", "save", path=str(tmp_path / "saved"))
    sandbox.request("POST", "/v1/customers", {})

    assert control("POST", "load", path=str(tmp_path / "saved"))["events"] == 0
    assert control("POST", "load", path=str(tmp_path / "none"), status=400)["code"] == "file_missing"


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        ("GET", "state", {"host": "evil.example"}, "not_local"),
        ("POST", "advance", {"content-type": "text/plain"}, "not_json"),
        ("POST", "advance", {"content-type": "application/x-www-form-urlencoded"}, "not_json"),
    ],
)
def test_a_page_in_a_browser_controls_nothing(
    sandbox: Sandbox, method: str, path: str, headers: dict[str, str], code: str
) -> None:
    answer = requests.request(method, f"{sandbox.base_url}/_sandbox/{path}", headers=headers, data=b"{}", timeout=5)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_what_there_is_not_is_refused_with_what_there_is(control: Control) -> None:
    refused = control("POST", "explode", status=404)

    assert refused["code"] == "no_route"
    assert "POST advance" in refused["hint"]
    assert control("POST", "advance", weeks=3, status=400)["code"] == "bad_request"


@pytest.mark.parametrize("event", triggers.known())
def test_every_event_that_can_be_triggered_really_happens(event: str) -> None:
    engine = Engine()
    desk = Desk(engine, Courier(engine.outbox))
    before = desk.now

    assert event in triggers.trigger(desk, event)
    assert desk.now == before
    engine.close()


def test_an_event_that_nobody_can_cause_is_refused_with_the_list(control: Control) -> None:
    refused = control("POST", "trigger", event="customer.sneezed", status=400)

    assert refused["code"] == "no_trigger"
    assert "invoice.payment_failed" in refused["hint"]
    assert "customer.created" in control("GET", "trigger")["events"]
    assert control("POST", "trigger", event="customer.created") == {"events": ["customer.created"]}


def test_an_endpoint_sees_each_day_at_its_time_when_the_clock_goes_in_step(sandbox: Sandbox) -> None:
    """What an endpoint does with an event is done at the event's time: here it names the customer after the time."""
    seen: list[tuple[str, int]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            seen.append((self.path, sandbox.now))
            self.send_response(204)
            self.end_headers()

        @override
        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    payer = triggers.Actor(sandbox)
    payer.subscription(payer.customer())
    sandbox.endpoint(f"http://127.0.0.1:{server.server_port}/paid", events=["invoice.created", "invoice.paid"])
    begun = sandbox.now

    sandbox.advance(days=62, in_step=True)

    server.shutdown()
    server.server_close()
    thread.join()
    assert [at - begun for _path, at in seen] == [31 * DAY, 31 * DAY + 3600, 59 * DAY, 59 * DAY + 3600]
