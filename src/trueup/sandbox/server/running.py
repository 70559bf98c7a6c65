"""A sandbox that runs: its server in a thread of this process."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import uvicorn

from trueup.kernel.errors import Refused, Unavailable
from trueup.sandbox.assumptions import DELIVERY_TIMEOUT
from trueup.sandbox.delivery.courier import Courier
from trueup.sandbox.server.app import Application, Protocol
from trueup.sandbox.server.desk import Desk
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.world.clocks import Mode

HOST: Final = "127.0.0.1"
_PATIENCE: Final = 10.0
_WAITING: Final = 128


class Sandbox(Desk):
    """A running sandbox; made by ``start``. Use it as a context manager, or call ``stop``.

    ``engine`` is the sandbox without its HTTP.
    """

    def __init__(self, engine: Engine, *, port: int, timeout: float = DELIVERY_TIMEOUT) -> None:
        super().__init__(engine, Courier(engine.outbox, timeout=timeout))
        self._listening = _listen(port)
        self.port: int = self._listening.getsockname()[1]
        self.base_url = f"http://{HOST}:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                Application(self),
                http=Protocol,
                log_config=None,
                access_log=False,
                lifespan="on",
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listening]}, name=f"sandbox-{self.port}", daemon=True
        )
        self._stopped = False

    @property
    def addresses(self) -> dict[str, str]:
        """What the SDK's ``base_addresses`` takes."""
        return dict.fromkeys(("api", "connect", "files", "meter_events"), self.base_url)

    def _begin(self) -> None:
        self.courier.start()
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
        self.courier.stop()
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


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
