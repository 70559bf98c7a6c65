"""How fast the console answers, and how much it sends, page by page, over one connection as a browser keeps it."""

from __future__ import annotations

import http.client
import random
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from bench.lives import LIVES
from bench.stage import Missing, Stage, free_port

SECONDS: Final = 4.0
"""Each page is asked for so long, and a fifth of that before, unmeasured."""
PASSWORD: Final = "measured on this machine"  # noqa: S105 - of an invented person, in a folder that goes


def pages(customers: int, each: int) -> dict[str, Callable[[], str]]:
    """Address of each page; those of one customer are of another each time."""
    luck = random.Random(11)

    def somebody() -> str:
        return f"tc_q{luck.randint(1, each)}{luck.choice(LIVES)}"

    return {
        "home": lambda: "/",
        "customers": lambda: "/customers",
        "past_due": lambda: "/customers?stage=past_due",
        "search": lambda: f"/customers?q=company{luck.randint(1, customers)}",
        "customer": lambda: f"/customers/{somebody()}",
        "billing": lambda: f"/customers/{somebody()}/billing",
        "payments": lambda: "/money/payments",
        "failed": lambda: "/money/failed?days=30",
        "failed_months": lambda: "/money/failed/months",
        "ahead": lambda: "/money/ahead",
        "ahead_weeks": lambda: "/money/ahead/weeks",
        "events": lambda: "/events",
        "drift": lambda: "/truth/differences",
        "audit": lambda: "/audit",
    }


class Window:
    """A browser's connection: its cookies, and what it says it can read."""

    def __init__(self, port: int) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body as they came over the wire."""
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Accept-Encoding": "identity" if path == "/sign-in" else "gzip",
        }
        if form is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Referer": "http://127.0.0.1/"}
        self.line.request(method, path, urlencode(form) if form is not None else None, headers)
        answer = self.line.getresponse()
        body = answer.read()
        for told in answer.headers.get_all("Set-Cookie") or ():
            name, _equals, value = told.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, body


def signed_in(stage: Stage, port: int) -> Window:
    """A window of somebody new who may see everything."""
    email = f"bench-{port}@example.com"
    subprocess.run(
        [*stage.command, "operator", "create", email, "--password", PASSWORD, "--role", "owner"],
        env=stage.environment,
        check=True,
        capture_output=True,
    )
    window = Window(port)
    until = time.monotonic() + 60
    while True:
        try:
            _status, form = window.ask("GET", "/sign-in")
        except OSError:
            if time.monotonic() > until:
                raise
            window.line.close()
            time.sleep(0.1)
        else:
            break
    token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    status, body = window.ask(
        "POST",
        "/sign-in",
        {"csrfmiddlewaretoken": token[1].decode() if token else "", "username": email, "password": PASSWORD},
    )
    if status != 302:
        message = f"The console did not let the measuring person in: {status} {body[:300]!r}"
        raise Missing(message)
    return window


def measured(stage: Stage, *, customers: int, each: int) -> dict[str, float]:
    """Milliseconds (p50, p99) and KB on the wire of each page."""
    port = free_port()
    web = stage.trueup("web", environment={"TRUEUP_PORT": str(port), "TRUEUP_MFA": "optional"})
    figures: dict[str, float] = {}
    try:
        window = signed_in(stage, port)
        for name, path in pages(customers, each).items():
            _asked(window, path, SECONDS / 5)
            taken, sizes = _asked(window, path, SECONDS)
            figures[f"page_{name}_p50_ms"] = round(statistics.median(taken), 2)
            figures[f"page_{name}_p99_ms"] = round(sorted(taken)[int(len(taken) * 0.99)], 2)
            figures[f"page_{name}_kb"] = round(statistics.median(sizes) / 1000, 1)
    finally:
        web.terminate()
        web.wait(30)
    return figures


def _asked(window: Window, path: Callable[[], str], seconds: float) -> tuple[list[float], list[int]]:
    taken: list[float] = []
    sizes: list[int] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        asked: Any = path()
        started = time.perf_counter()
        status, body = window.ask("GET", asked)
        taken.append((time.perf_counter() - started) * 1000)
        sizes.append(len(body))
        if status != 200:
            message = f"{asked} was answered {status}: {body[:300]!r}"
            raise Missing(message)
    return taken, sizes
