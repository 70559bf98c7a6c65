"""The floor of HTTP: an ASGI application that reads a POST and answers 200, on the server the intake uses."""

from __future__ import annotations

import sys
from typing import Any

from trueup.config.serving import serve

ANSWER = b'{"received": true, "duplicate": false}'


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Read the body, answer, keep nothing."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    serve(application, host="127.0.0.1", port=int(sys.argv[1]))
