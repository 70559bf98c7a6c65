"""A gate before a sandbox: it notes what is asked, and a test decides what passes."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

Answer = tuple[int, bytes]
Rule = Callable[[str, dict[str, str]], Answer | None]


def forbidden(path: str) -> Answer:
    """What Stripe answers to a key that lacks a permission."""
    error = {"type": "invalid_request_error", "message": f"The provided key does not have access to {path}."}
    return 403, json.dumps({"error": error}).encode()


class Gate:
    """Where to ask, what was asked, and the rule that lets a request pass or answers it instead."""

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.asked: list[str] = []
        self.rule: Rule = lambda _path, _query: None
        self.base_url = ""

    def pages(self) -> list[str]:
        """Every page of a list that was asked for, in that order."""
        return [one for one in self.asked if "limit=" in one]


@contextmanager
def gate(behind: str) -> Iterator[Gate]:
    """A gate on a port of its own before the sandbox at ``behind``."""
    made = Gate(behind)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            made.asked.append(self.path)
            answer = made.rule(parts.path, dict(parse_qsl(parts.query)))
            status, body, date = (*answer, self.date_time_string()) if answer else self._passed()
            self.send_response_only(status)
            self.send_header("date", date)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):
                # Whoever asked may have been killed.
                self.wfile.write(body)

        def _passed(self) -> tuple[int, bytes, str]:
            behind = http.client.HTTPConnection(urlsplit(made.behind).netloc, timeout=10)
            try:
                behind.request("GET", self.path, headers={"authorization": self.headers["authorization"]})
                response = behind.getresponse()
                return response.status, response.read(), response.headers["date"]
            finally:
                behind.close()

        @override
        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.base_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
