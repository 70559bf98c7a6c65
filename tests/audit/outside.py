"""Places outside that answer over HTTP on loopback, as real as they are small."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

Asked = tuple[str, dict[str, str], bytes]
"""A path, headers by their name in lower case, and a body."""
Answering = Callable[[Asked], tuple[int, str, bytes]]
"""The status, the content type or, for a redirect, the place, and the body."""


@contextmanager
def listening(answering: Answering) -> Iterator[str]:
    """A server that answers each request so; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, told, answer = answering((self.path, headers, body))
            self.send_response(status)
            self.send_header("Location" if 300 <= status < 400 else "Content-Type", told)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_GET(self) -> None:
            self.do_POST()

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
