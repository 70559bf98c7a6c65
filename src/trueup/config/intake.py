"""The intake process: webhooks and nothing else.

It loads neither Django nor pydantic; ``trueup intake`` prepares its environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

if __name__ == "__main__":
    # structlog draws tracebacks with rich where it finds it. Nobody watches this process in a terminal, and rich
    # takes 6 MiB.
    sys.modules["rich"] = None  # type: ignore[assignment]
    # prometheus_client brings a web server and a client of its own. Ours answers /metrics, and they take another one.
    for name, unused in {
        "http.server": "BaseHTTPRequestHandler",
        "wsgiref.simple_server": "make_server WSGIRequestHandler WSGIServer",
        "urllib.request": "BaseHandler build_opener HTTPHandler HTTPRedirectHandler HTTPSHandler Request",
    }.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(dict.fromkeys(unused.split(), object))

from prometheus_client import REGISTRY, generate_latest

from trueup.config.serving import serve
from trueup.inbox.intake.app import PREFIX, Intake
from trueup.inbox.intake.protocol import protocol
from trueup.runtime import crypto, logs, processes
from trueup.runtime.crypto import Sealer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

NOT_FOUND: Final = (
    b'{"error": {"code": "not_found", "message": "The intake answers below /webhooks/stripe/ only.", "hint": ""}}'
)


class Application:
    """Webhooks, health and metrics."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        if scope["type"] == "lifespan":
            await lifespan(self._intake, receive, send)
        elif scope["type"] == "http":
            path = scope["path"]
            if path.startswith(PREFIX):
                await self._intake(scope, receive, send)
            elif path == "/healthz":
                await respond(send, 200, b'{"status": "ok", "service": "trueup"}')
            elif path == "/readyz":
                ready = self._intake.ready
                await respond(send, 200 if ready else 503, b'{"ready": true}' if ready else b'{"ready": false}')
            elif path == "/metrics":
                await respond(send, 200, generate_latest(REGISTRY), b"text/plain; version=0.0.4; charset=utf-8")
            else:
                await respond(send, 404, NOT_FOUND)


async def respond(send: Send, status: int, body: bytes, content_type: bytes = b"application/json") -> None:
    """Send a whole answer."""
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def lifespan(intake: Intake, receive: Receive, send: Send) -> None:
    """Start and stop the intake with the server."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await intake.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await intake.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


def main() -> None:
    """Serve webhooks until told to stop."""
    environ = os.environ
    logs.configure(level=environ.get("TRUEUP_LOG_LEVEL", "info"), form=environ.get("TRUEUP_LOG_FORMAT", "auto"))
    processes.follow_parent()
    path = Path(environ.get("TRUEUP_SECRET_KEY_FILE") or Path(environ["TRUEUP_HOME"]) / "secret.key")
    key = crypto.load_key(text=environ.get("TRUEUP_SECRET_KEY", ""), path=path)
    intake = Intake(
        conninfo=environ["DATABASE_URL"], sealer=Sealer(key), trusted_proxies=environ.get("TRUEUP_TRUSTED_PROXIES", "")
    )
    processes.settle()
    serve(
        Application(intake),
        host=environ["TRUEUP_HOST"],
        port=int(environ["TRUEUP_PORT"]),
        tls_cert=environ.get("TRUEUP_TLS_CERT", ""),
        tls_key=environ.get("TRUEUP_TLS_KEY", ""),
        protocol=protocol(intake),
    )


if __name__ == "__main__":
    main()
