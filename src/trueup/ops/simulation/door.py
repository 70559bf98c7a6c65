"""The real intake behind a real socket, in a thread of this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Self

import uvicorn

from trueup.inbox.intake.app import Intake
from trueup.inbox.intake.protocol import protocol
from trueup.kernel.errors import Unavailable
from trueup.runtime.crypto import Sealer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_LOOKS: Final = 4_000
_LOOK: Final = 0.005


class Door:
    """Listens from the beginning of the block to its end; knows the accounts that there are when it begins."""

    def __init__(self, conninfo: str, *, sealer: Sealer) -> None:
        intake = Intake(conninfo=conninfo, sealer=sealer)

        async def application(scope: Message, receive: Receive, send: Send) -> None:
            if scope["type"] != "lifespan":
                await intake(scope, receive, send)
                return
            await receive()
            await intake.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await intake.stop()
            await send({"type": "lifespan.shutdown.complete"})

        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application,
            loop="uvloop",
            http=protocol(intake),
            ws="none",
            lifespan="on",
            interface="asgi3",
            log_config=None,
            access_log=False,
            # Between two deliveries of a seed much may happen.
            timeout_keep_alive=3_600,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="door", daemon=True
        )

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        pause = threading.Event()
        for _ in range(_LOOKS):
            if self._server.started:
                return self
            pause.wait(_LOOK)
        raise Unavailable("The intake did not start.", code="start_timeout", hint="Its log says why.")

    def __exit__(self, *raised: object) -> None:
        """Store what was accepted, and end."""
        self._server.should_exit = True
        self._thread.join(30)
        self._socket.close()
