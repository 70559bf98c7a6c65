"""How fast the sandbox lives: a year of many subscriptions, and a file of events for load tests."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

DAY: Final = 86_400


def year(*, subscriptions: int) -> dict[str, Any]:
    """Monthly subscriptions, made and then advanced by a year; the state is in a file, as it would be in use.

    Runs in a process of its own, so that its memory and processor time are its alone.
    """
    return _alone("_year", subscriptions)


def load(*, customers: int, months: int) -> dict[str, Any]:
    """What writing a file of so many lives takes, in a process of its own."""
    return _alone("_load", customers, months)


def _alone(name: str, *numbers: int) -> dict[str, Any]:
    code = f"import json; from bench.sandbox import {name}; print(json.dumps({name}{(*numbers,)}))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _year(subscriptions: int) -> dict[str, Any]:
    from trueup.sandbox.server.engine import Engine  # noqa: PLC0415 - in the process that is measured
    from trueup.sandbox.server.populating import Asking  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "state.db", seed="bench")
        stripe = Asking(engine)
        product = stripe.request("POST", "/v1/products", {"name": "Pro"})
        terms = {"product": product["id"], "currency": "usd", "unit_amount": 2000, "recurring": {"interval": "month"}}
        price = stripe.request("POST", "/v1/prices", terms)
        for number in range(subscriptions):
            customer = stripe.request("POST", "/v1/customers", {"email": f"{number}@bench.example"})["id"]
            method = stripe.request("POST", "/v1/payment_methods/pm_card_visa/attach", {"customer": customer})["id"]
            settings = {"invoice_settings": {"default_payment_method": method}}
            stripe.request("POST", f"/v1/customers/{customer}", settings)
            items = [{"price": price["id"]}]
            stripe.request("POST", "/v1/subscriptions", {"customer": customer, "items": items})
        before = _told(engine)
        began, cpu = time.perf_counter(), time.process_time()
        engine.advance(engine.now() + 365 * DAY)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        events = _told(engine) - before
        engine.close()
    return {
        "sandbox_year_s": round(seconds, 1),
        "sandbox_year_events": events,
        "sandbox_events_per_cpu_s": round(events / cpu),
        "sandbox_year_rss_mib": round(_rss(), 1),
    }


def _load(customers: int, months: int) -> dict[str, Any]:
    from trueup.sandbox.server.populating import write_load  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.perf_counter(), time.process_time()
        written = write_load(Path(folder) / "events.jsonl.gz", customers=customers, months=months)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {
        "sandbox_load_customers": customers,
        "sandbox_load_months": months,
        "sandbox_load_events": written.events,
        "sandbox_load_mb": round(written.bytes / 1e6, 1),
        "sandbox_load_s": round(seconds, 1),
        "sandbox_load_events_per_cpu_s": round(written.events / cpu),
        "sandbox_load_rss_mib": round(_rss(), 1),
        "sandbox_load_broken": len(written.broken),
    }


def _told(engine: Any) -> int:
    return int(engine.store.db.execute("select max(seq) from event").fetchone()[0])


def _rss() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
