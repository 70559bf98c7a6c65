"""How our servers listen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

Application = Callable[[Any, Any, Any], Awaitable[None]]


def serve(application: Application, *, host: str, port: int, tls_cert: str = "", tls_key: str = "") -> None:
    """Serve until SIGINT or SIGTERM; requests under way get five seconds.

    The server believes no forwarding header by itself: who the peer is decides, and our applications judge proxies.
    """
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=2048,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        ssl_certfile=tls_cert or None,
        ssl_keyfile=tls_key or None,
    )
    uvicorn.Server(config).run()
