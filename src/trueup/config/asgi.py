"""The web process: console, API, health and, mounted beside Django, the intake: one port for a small installation."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any, Final

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trueup.config.settings")
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 - Django has to be set up before tables are imported

from trueup.config.intake import Message, Receive, Send, lifespan, respond  # noqa: E402
from trueup.config.serving import serve  # noqa: E402
from trueup.inbox.intake.app import PREFIX, Intake, encrypted, networks  # noqa: E402
from trueup.ops import health  # noqa: E402
from trueup.runtime import configuration, installation, logs, processes  # noqa: E402

SECURE: Final = b"x-trueup-secure"


class Application:
    """Routes by path: webhooks to the intake, health and metrics to us, the rest to Django."""

    def __init__(self, settings: configuration.Configuration) -> None:
        self._intake = Intake(
            conninfo=settings.database_url, sealer=installation.sealer(), trusted_proxies=settings.trusted_proxies
        )
        self._django = get_asgi_application()
        self._proxies = networks(settings.trusted_proxies)
        self._alive = json.dumps(health.alive()).encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        if scope["type"] == "lifespan":
            await lifespan(self._intake, receive, send)
            return
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path.startswith(PREFIX):
            await self._intake(scope, receive, send)
        elif path == "/healthz":
            await respond(send, 200, self._alive)
        elif path == "/readyz":
            ready = self._intake.ready and await asyncio.to_thread(health.database_ready)
            await respond(send, 200 if ready else 503, b'{"ready": true}' if ready else b'{"ready": false}')
        elif path == "/metrics":
            await respond(
                send, 200, await asyncio.to_thread(health.exposition), b"text/plain; version=0.0.4; charset=utf-8"
            )
        else:
            await self._django(self._marked(scope), receive, send)  # type: ignore[arg-type]

    def _marked(self, scope: Message) -> dict[str, Any]:
        """The scope with our own word on whether the browser's side is encrypted; the browser's word is dropped."""
        headers = [(name, value) for name, value in scope["headers"] if name != SECURE]
        return {**scope, "headers": [*headers, *([(SECURE, b"1")] if encrypted(scope, self._proxies) else [])]}


def main() -> None:
    """Serve until told to stop."""
    settings = configuration.current()
    logs.configure(level=settings.log_level, form=settings.log_format)
    processes.follow_parent()
    processes.settle()
    serve(
        Application(settings),
        host=settings.host,
        port=settings.port,
        tls_cert=str(settings.tls_cert or ""),
        tls_key=str(settings.tls_key or ""),
    )


if __name__ == "__main__":
    main()
