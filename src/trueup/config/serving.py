"""How our servers listen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

Application = Callable[[Any, Any, Any], Awaitable[None]]


def serve(
    application: Application,
    *,
    host: str,
    port: int,
    tls_cert: str = "",
    tls_key: str = "",
    protocol: type[asyncio.Protocol] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; requests under way get five seconds.

    ``protocol`` is our own side of a connection, in place of uvicorn's.
    """
    config = configured(application, host=host, port=port, tls_cert=tls_cert, tls_key=tls_key, protocol=protocol)
    uvicorn.Server(config).run()


def configured(
    application: Application,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls_cert: str = "",
    tls_key: str = "",
    protocol: type[asyncio.Protocol] | None = None,
) -> uvicorn.Config:
    """How the server is set up.

    It believes no forwarding header by itself: who the peer is decides, and our applications judge proxies.
    """
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        http=protocol or "httptools",
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
