"""A server that speaks as much Stripe as a sweep needs, for what a sandbox lacks: odd bodies, refusals, Connect."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override


@dataclass
class Pages:
    """What is answered by path, as a status and a body, and what was asked: path with query, and headers."""

    address: str
    answers: dict[str, tuple[int, bytes]]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def page(self, path: str, *events: bytes, more: bool = False) -> None:
        """Answer with a page of these events, exactly these bytes."""
        text = b'{"object": "list", "data": [\n    ' + b",\n    ".join(events) + b"\n  ], "
        self.answers[path] = (200, text + b'"has_more": ' + (b"true" if more else b"false") + b"}")

    def refuse(self, path: str, status: int, kind: str) -> None:
        """Answer with an error of this kind."""
        self.answers[path] = (status, json.dumps({"error": {"type": kind, "message": "No."}}).encode())

    def queries(self, path: str) -> list[str]:
        """What was asked of a path."""
        return [urlsplit(asked).query for asked, _headers in self.asked if urlsplit(asked).path == path]


@contextmanager
def serving(at: int) -> Iterator[Pages]:
    """The server, on loopback; ``at`` is the Unix second that its clock shows."""
    pages = Pages(address="", answers={})
    account: dict[str, Any] = {"id": "acct_1Real", "object": "account"}
    pages.answers["/v1/account"] = (200, json.dumps(account).encode())
    for path in ("/v1/events", "/v1/webhook_endpoints"):
        pages.page(path)
    pages.answers["/v2/core/events"] = (200, b'{"data": [], "next_page_url": null}')

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            status, body = pages.answers.get(urlsplit(self.path).path, (404, b"{}"))
            self.send_response_only(status)
            self.send_header("Date", formatdate(at, usegmt=True))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pages.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield pages
    server.shutdown()
    thread.join()
    server.server_close()
