"""Many open pages of events on one process: what arrives of what was sent, what others wait meanwhile, its memory."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any, Final

from bench.console import Window, signed_in
from bench.stage import Stage, free_port, rss_mib

STREAMS: Final = 200
EVENTS: Final = 15
"""Events that come one after the other while the pages are open, each to be shown by every page."""
PAUSE: Final = 0.4
"""Seconds between two of them."""
PATIENCE: Final = 20.0


async def _watch(port: int, cookie: str, opened: asyncio.Event, seen: set[str], wanted: int) -> None:
    """Open one stream and note which events it shows, until all came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        asked = f"GET /events/live HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nCookie: {cookie}\r\n\r\n"
        writer.write(asked.encode())
        name = ""
        async for line in reader:
            if line.startswith(b"event: "):
                name = line[7:].strip().decode()
                # The first figures say that the stream is open and that the log was looked at.
                opened.set()
            elif line.startswith(b"data: ") and name == "row":
                seen.add(line[6:].split(b'"', 4)[3].decode())
                if len(seen) >= wanted:
                    return
    finally:
        writer.close()


async def _open(stage: Stage, port: int, window: Window, figures: dict[str, Any], pid: int) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in window.cookies.items())
    opened = [asyncio.Event() for _ in range(STREAMS)]
    seen: list[set[str]] = [set() for _ in range(STREAMS)]
    pages = [asyncio.create_task(_watch(port, cookie, *pair, EVENTS)) for pair in zip(opened, seen, strict=True)]
    async with asyncio.timeout(PATIENCE * 2):
        for one in opened:
            await one.wait()
    stop = asyncio.Event()
    asking = asyncio.create_task(asyncio.to_thread(_ask, window, stop))
    for _number in range(EVENTS):
        await asyncio.to_thread(stage.load, f"http://127.0.0.1:{port}/webhooks/stripe/bench", n=1, connections=1)
        await asyncio.sleep(PAUSE)
    _done, late = await asyncio.wait(pages, timeout=PATIENCE)
    figures["live_rss_after_mib"] = rss_mib(pid)
    stop.set()
    figures["live_pages_p50_ms"] = round(statistics.median(await asking), 1)
    for page in late:
        page.cancel()
    await asyncio.gather(*pages, return_exceptions=True)
    figures |= {"live_rows_sent": STREAMS * EVENTS, "live_rows_arrived": sum(map(len, seen))}


def _ask(window: Window, stop: asyncio.Event) -> list[float]:
    """How many milliseconds the list of customers takes, again and again until told to stop."""
    taken: list[float] = []
    while not stop.is_set() or not taken:
        begun = time.perf_counter()
        window.ask("GET", "/customers")
        taken.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.05)
    return taken


def live(stage: Stage) -> dict[str, Any]:
    """Two hundred pages on one process: rows arrived of rows sent, p50 of another page meanwhile, memory.

    The process takes the webhooks too, as ``trueup up`` has it.
    """
    port = free_port()
    web = stage.trueup("web", environment={"TRUEUP_PORT": str(port), "TRUEUP_MFA": "optional"})
    figures: dict[str, Any] = {"live_streams": STREAMS}
    try:
        with stage.running("worker"):
            window = signed_in(stage, port)
            for _number in range(20):
                window.ask("GET", "/customers")
            figures["live_rss_before_mib"] = rss_mib(web.pid)
            asyncio.run(_open(stage, port, window, figures, web.pid))
    finally:
        web.terminate()
        web.wait(30)
    return figures
