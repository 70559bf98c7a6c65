"""All that a program does with a sandbox beside asking its API: time, deliveries, faults, its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from trueup.kernel.errors import NotFound, Refused, Unavailable
from trueup.kernel.records import Record
from trueup.sandbox.delivery.courier import Courier
from trueup.sandbox.delivery.endpoints import add_secret
from trueup.sandbox.delivery.modes import Mode as Delivery
from trueup.sandbox.delivery.modes import Order
from trueup.sandbox.payment_methods import setup_intents
from trueup.sandbox.payments import intents
from trueup.sandbox.server import settings
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.faults import SLOW_SECONDS, Fault, Faults, Kind
from trueup.sandbox.server.requests import Answer, Request
from trueup.sandbox.server.settings import Settings
from trueup.sandbox.wire import forms
from trueup.sandbox.world.store import Obj
from trueup.sandbox.world.world import API_VERSION, render

API_KEY: Final = "sk_test_sandbox"
"""Any key that begins with ``sk_test_`` or ``rk_test_`` is taken; this one is as good as another."""


class Endpoint(Record, frozen=True):
    """Where events go, and what proves that they come from here."""

    id: str
    url: str
    secret: str


class Desk:
    """What can be done with an engine and its courier. All methods may be called from any thread."""

    def __init__(self, engine: Engine, courier: Courier) -> None:
        self.engine = engine
        self.courier = courier
        self.faults = Faults(engine.seed)
        self.api_key = API_KEY
        self.on_the_way: Callable[[Request], object] | None = None
        """Called with each request over HTTP when its answer is made and before it is sent, in a thread that may take
        its time: what happens meanwhile is later than what the answer says."""
        engine.on_due = courier.wake

    # --- time --------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The unix second that the sandbox's own clock shows."""
        return self.engine.now()

    def advance(
        self,
        to: int | None = None,
        *,
        days: int = 0,
        hours: int = 0,
        seconds: int = 0,
        clock: str = "",
        in_step: bool = False,
        on_progress: Callable[[int], None] | None = None,
    ) -> int:
        """Turn the own clock (or a test clock) to the unix second ``to``, or on by ``days``, ``hours``, ``seconds``.

        ``in_step`` stops at whatever falls due on the way and waits until its events are delivered, so that endpoints
        see and change things at their time; without it the clock is faster than any endpoint. Gives the number of
        timers that fired. Raises ``Refused`` for a time that has passed and ``NotFound`` for a test clock that there is
        not; no limits of test clocks apply.
        """
        if clock:
            self._require_clock(clock)
        target = self.engine.now(clock) + days * 86_400 + hours * 3_600 + seconds if to is None else to
        fired = 0
        try:
            while in_step and (stop := self._next_stop(target, clock)) is not None:
                fired += self.engine.advance(stop, clock, on_progress=on_progress)
                self.wait_delivered()
            fired += self.engine.advance(target, clock, on_progress=on_progress)
        except ValueError as error:
            text = str(error)
            raise Refused(
                f"{text[:1].upper()}{text[1:]}.", code="clock_backwards", hint="A clock goes forward."
            ) from error
        if clock:
            with self.engine.change() as world:
                world.signal("clock_reached", clock=clock)
        if in_step:
            self.wait_delivered()
        return fired

    def _require_clock(self, clock: str) -> None:
        with self.engine.change() as world:
            found = world.find("test_helpers.test_clock", clock)
        if found is None or found.get("deleted"):
            raise NotFound(f"There is no test clock {clock}.", code="no_clock")

    def _next_stop(self, until: int, clock: str) -> int | None:
        found = [self.engine.next_due(until, clock), self.engine.outbox.next_due(until) if not clock else None]
        stops = [one for one in found if one is not None]
        return min(stops) if stops else None

    # --- requests and events -----------------------------------------------------------------------------------------

    def request(self, method: str, path: str, params: Mapping[str, Any] | None = None) -> Obj:
        """Ask the API without HTTP. Raises ``Refused`` with Stripe's words for an error."""
        answer: Answer = self.engine.answer(
            Request(
                method=method,
                path=path,
                query="" if method == "POST" else forms.encode(params or {}),
                body=orjson.dumps(params or {}) if method == "POST" else b"",
                headers={"authorization": f"Bearer {self.api_key}", "content-type": "application/json"},
            )
        )
        found: Obj = orjson.loads(answer.body)
        if "error" in found:
            raise Refused(found["error"]["message"], code=found["error"].get("code") or found["error"]["type"])
        return found

    def events(self, *types: str) -> list[Obj]:
        """All events ever told, oldest first; only those of ``types``, where given."""
        return self.engine.events(*types)

    # --- deliveries --------------------------------------------------------------------------------------------------

    def endpoint(self, url: str, *, events: Sequence[str] = ("*",), thin: bool = False) -> Endpoint:
        """Have events sent to ``url``: ``events`` names their types, and ``thin`` asks for the small form of /v2."""
        if not thin:
            made = self.request("POST", "/v1/webhook_endpoints", {"url": url, "enabled_events": list(events)})
            return Endpoint(id=made["id"], url=url, secret=made["secret"])
        made = self.request(
            "POST",
            "/v2/core/event_destinations",
            {
                "name": url,
                "type": "webhook_endpoint",
                "event_payload": "thin",
                "enabled_events": list(events),
                "webhook_endpoint": {"url": url},
                "include": ["webhook_endpoint.signing_secret"],
            },
        )
        return Endpoint(id=made["id"], url=url, secret=made["webhook_endpoint"]["signing_secret"])

    def delivery(
        self,
        *,
        endpoint: str = "",
        order: Order = "in_order",
        within: int = 0,
        delay: int = 0,
        duplicates: int = 0,
        dropped: int = 0,
        held: bool = False,
        at_once: int = 8,
    ) -> list[str]:
        """Say how events are delivered from now on: to all endpoints, or to one, which has a mode of its own then.

        For all, it gives the endpoints whose own mode ends by it. See ``Delivery``.
        """
        mode = Delivery(
            order=order,
            within=within,
            delay=delay,
            duplicates=duplicates,
            dropped=dropped,
            held=held,
            at_once=at_once,
        )
        ended = self.engine.outbox.set_mode(mode, endpoint)
        self.courier.wake()
        return ended

    def deliver(
        self,
        *,
        endpoint: str | None = None,
        event: str | None = None,
        retries: bool = False,
        timeout: float = 30.0,
    ) -> dict[str, int]:
        """Deliver what is held or put off (``retries``: and what waits for its next attempt), and wait for the end.

        Gives how many deliveries there are in each state. Raises ``Unavailable`` where it is not over in ``timeout``
        seconds; it goes on nevertheless.
        """
        self.engine.settle()
        self.engine.outbox.release(endpoint=endpoint, event=event, retries=retries)
        return self.wait_delivered(timeout)

    def wait_delivered(self, timeout: float = 30.0) -> dict[str, int]:
        """Wait until nothing is due or under way, and give how many deliveries there are in each state.

        What an endpoint did not take waits for its next attempt, at a later time of the clock: it is not due and is
        counted as ``waiting``. Raises ``Unavailable`` where it takes longer than ``timeout`` seconds.
        """
        self.courier.wake()
        if not self.courier.wait_idle(timeout):
            raise Unavailable(
                f"Not everything was delivered in {timeout:g} seconds.",
                code="delivery_timeout",
                hint="An endpoint may be slow; deliveries go on.",
            )
        return self.engine.outbox.counts()

    def resend(self, event: str, endpoint: str | None = None) -> int:
        """Deliver an event once more, to one endpoint or to all that want it; to how many that is."""
        found = self.engine.outbox.resend(event, endpoint)
        self.courier.wake()
        return found

    def roll(self, endpoint: str) -> str:
        """Give an endpoint a new secret, which is returned; the old one signs beside it for a day."""
        with self.engine.change() as world:
            found = world.find("webhook_endpoint", endpoint) or world.find("v2.core.event_destination", endpoint)
            if found is None or found.get("deleted"):
                raise NotFound(f"There is no endpoint {endpoint}.", code="no_endpoint")
            return add_secret(world, found)

    # --- faults and payers -------------------------------------------------------------------------------------------

    def fail(
        self,
        kind: Kind,
        *,
        times: int | None = 1,
        percent: int = 100,
        method: str = "",
        path: str = "*",
        done: bool = False,
        seconds: float | None = None,
        retry: bool | None = None,
    ) -> int:
        """Have requests over HTTP meet a fault, see ``Fault``; gives the number by which ``heal`` ends it.

        Without ``seconds`` a slow answer takes ``SLOW_SECONDS``, and silence lasts until the client gives up.
        """
        fault = Fault(
            kind=kind,
            times=times,
            percent=percent,
            method=method,
            path=path,
            done=done,
            seconds=(SLOW_SECONDS if kind == "slow" else 0.0) if seconds is None else seconds,
            retry=retry,
        )
        return self.faults.add(fault).id

    def heal(self, fault: int | None = None) -> None:
        """End a fault, or all. Raises ``NotFound`` for one that there is not."""
        self.faults.clear(fault)

    def authenticate(self, intent: str, *, succeed: bool = True) -> Obj:
        """Do what the payer does at 3D Secure, or fail at it; gives the payment or setup intent.

        Intents that ask for nothing stay as they are. Raises ``NotFound`` for one that there is not.
        """
        with self.engine.change() as world:
            for kind, act in (("payment_intent", intents.authenticate), ("setup_intent", setup_intents.authenticate)):
                found = world.find(kind, intent)
                if found is not None:
                    world.follow(world.find("customer", found["customer"]) or {})
                    return render(act(world, found, succeed))
        raise NotFound(f"There is no intent {intent}.", code="no_intent")

    # --- the state ---------------------------------------------------------------------------------------------------

    def save(self, path: Path | str) -> None:
        """Write all of the sandbox into a new file. Raises ``Refused`` where the file is there."""
        self.engine.save(Path(path))

    def load(self, path: Path | str) -> None:
        """Become what was saved; what there was is gone. Raises ``Refused`` for what is no sandbox's file."""
        self.engine.load(Path(path))

    def settings(self, change: Settings | None = None) -> Settings:
        """The account's settings as they are, after those of ``change`` that are not None."""
        with self.engine.change() as world:
            if change is not None:
                settings.write(world.store, change)
            return settings.read(world.store)

    def state(self) -> dict[str, Any]:
        """What there is and what is going on, for a person or a monitor."""
        found = self.engine.summary()
        outbox = self.engine.outbox
        return found | {
            "api_version": API_VERSION,
            "deliveries": outbox.counts(),
            "delivery_modes": outbox.modes(),
            "faults": self.faults.all(),
        }
