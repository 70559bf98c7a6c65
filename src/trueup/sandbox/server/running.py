"""A sandbox that runs: its server in a thread of this process, and what a program or a test does with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import orjson
import uvicorn

from trueup.kernel.errors import NotFound, Refused, Unavailable
from trueup.kernel.records import Record
from trueup.sandbox.assumptions import DELIVERY_TIMEOUT
from trueup.sandbox.delivery.courier import Courier
from trueup.sandbox.delivery.endpoints import add_secret
from trueup.sandbox.delivery.modes import Mode as Delivery
from trueup.sandbox.delivery.modes import Order
from trueup.sandbox.server.app import Application
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.requests import Answer, Request
from trueup.sandbox.wire import forms
from trueup.sandbox.world.clocks import Mode
from trueup.sandbox.world.store import Obj

HOST: Final = "127.0.0.1"
API_KEY: Final = "sk_test_sandbox"
"""Any key that begins with ``sk_test_`` or ``rk_test_`` is taken; this one is as good as another."""
_PATIENCE: Final = 10.0
_WAITING: Final = 128


class Endpoint(Record, frozen=True):
    """Where events go, and what proves that they come from here."""

    id: str
    url: str
    secret: str


class Sandbox:
    """A running sandbox; made by ``start``. Use it as a context manager, or call ``stop``.

    All methods may be called from any thread. ``engine`` is the sandbox without its HTTP.
    """

    def __init__(self, engine: Engine, *, port: int, timeout: float = DELIVERY_TIMEOUT) -> None:
        self.engine = engine
        self.api_key = API_KEY
        self._listening = _listen(port)
        self.port: int = self._listening.getsockname()[1]
        self.base_url = f"http://{HOST}:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                Application(engine),
                log_config=None,
                access_log=False,
                lifespan="on",
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listening]}, name=f"sandbox-{self.port}", daemon=True
        )
        self._courier = Courier(engine.outbox, timeout=timeout)
        engine.on_due = self._courier.wake
        self._stopped = False

    @property
    def addresses(self) -> dict[str, str]:
        """What the SDK's ``base_addresses`` takes."""
        return dict.fromkeys(("api", "connect", "files", "meter_events"), self.base_url)

    def _begin(self) -> None:
        self._courier.start()
        self._thread.start()
        waiting = threading.Event()
        for _ in range(int(_PATIENCE / 0.005)):
            if self._server.started:
                return
            if not self._thread.is_alive():
                break
            waiting.wait(0.005)
        self.stop()
        raise Unavailable("The sandbox did not start.", code="start_timeout", hint="Its log says why.")

    def stop(self) -> None:
        """End the server and let the file go; harmless when it has ended."""
        if self._stopped:
            return
        self._stopped = True
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._listening.close()
        self._courier.stop()
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

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
        seconds: int = 0,
        clock: str = "",
        on_progress: Callable[[int], None] | None = None,
    ) -> int:
        """Turn the own clock (or a test clock) to the unix second ``to``, or on by ``days`` and ``seconds``.

        Gives the number of timers that fired. Raises ``ValueError`` for a time that has passed.
        """
        target = self.engine.now(clock) + days * 86_400 + seconds if to is None else to
        return self.engine.advance(target, clock, on_progress=on_progress)

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
    ) -> None:
        """Say how events are delivered from now on, to one endpoint or to all others. See ``Delivery``."""
        mode = Delivery(order=order, within=within, delay=delay, duplicates=duplicates, dropped=dropped, held=held)
        self.engine.outbox.set_mode(mode, endpoint)
        self._courier.wake()

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
        self.wait_delivered(timeout)
        return self.engine.outbox.counts()

    def wait_delivered(self, timeout: float = 30.0) -> None:
        """Wait until nothing is due or under way. Raises ``Unavailable`` where that takes longer."""
        self._courier.wake()
        if not self._courier.wait_idle(timeout):
            raise Unavailable(
                f"Not everything was delivered in {timeout:g} seconds.",
                code="delivery_timeout",
                hint="An endpoint may be slow; deliveries go on.",
            )

    def resend(self, event: str, endpoint: str | None = None) -> int:
        """Deliver an event once more, to one endpoint or to all that want it; to how many that is."""
        found = self.engine.outbox.resend(event, endpoint)
        self._courier.wake()
        return found

    def roll(self, endpoint: str) -> str:
        """Give an endpoint a new secret, which is returned; the old one signs beside it for a day."""
        with self.engine.change() as world:
            found = world.find("webhook_endpoint", endpoint) or world.find("v2.core.event_destination", endpoint)
            if found is None or found.get("deleted"):
                raise NotFound(f"There is no endpoint {endpoint}.", code="no_endpoint")
            return add_secret(world, found)

    # --- the state ---------------------------------------------------------------------------------------------------

    def save(self, path: Path | str) -> None:
        """Write all of the sandbox into a new file. Raises ``Refused`` where the file is there."""
        self.engine.save(Path(path))

    def load(self, path: Path | str) -> None:
        """Become what was saved; what there was is gone. Raises ``Refused`` for what is no sandbox's file."""
        self.engine.load(Path(path))


def start(
    *,
    path: Path | str | None = None,
    seed: str | None = None,
    start: int | None = None,
    mode: Mode | None = None,
    port: int = 0,
    timeout: float = DELIVERY_TIMEOUT,
) -> Sandbox:
    """Start a sandbox of its own in this process and answer on 127.0.0.1.

    ``path`` keeps it in a file that a later start goes on with; without one it is gone at its end. ``seed`` is what all
    ids come from; ``start`` the unix second at which a new sandbox begins (2026-01-01); ``mode`` whether its own clock
    stands ``"still"`` (the default) or is ``"running"``; ``port`` 0 takes a free one; ``timeout`` is the
    seconds in which an endpoint has to acknowledge an event. As many as wanted run side by
    side. Raises ``Refused`` for a port that is taken and for a file that holds another seed.
    """
    try:
        engine = Engine(Path(path) if path is not None else None, seed=seed, start=start, mode=mode)
    except ValueError as error:
        raise Refused(str(error), code="sandbox_seed", hint="Leave the seed out, or name another file.") from error
    try:
        sandbox = Sandbox(engine, port=port, timeout=timeout)
    except BaseException:
        engine.close()
        raise
    sandbox._begin()  # noqa: SLF001 - a sandbox that nobody started is of no use, so only this function starts one
    return sandbox


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(_WAITING)
    except OSError as error:
        listening.close()
        raise Refused(
            f"Port {port} is taken by another program.",
            code="port_unavailable",
            hint="Name another, or 0 for a free one.",
        ) from error
    return listening
