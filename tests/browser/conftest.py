"""A real browser before a real Trueup: its own database, its own processes, and the demo's invented companies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from psycopg import sql

from tests.conftest import REPOSITORY
from tests.instance import signed
from tools.screenshots import CHROMIUM, FLAGS

COMPANIES = 56
START_SECONDS = 90


class Console(NamedTuple):
    """A running console, and who may sign in."""

    url: str
    email: str
    password: str
    home: Path
    database: str
    """The address of its database."""

    def receive(self, body: bytes) -> None:
        """Let Stripe deliver ``body``, signed, to the real intake."""
        secret = json.loads((self.home / "demo.json").read_bytes())["webhook_secret"]
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        with closing(connection):
            connection.request("POST", "/webhooks/stripe/demo", body, {"Stripe-Signature": signed(body, secret)})
            assert connection.getresponse().status == 200


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser; without one these tests are skipped, except where ``CI`` says that they have to run."""
    if not CHROMIUM.exists():
        message = f"There is no Chromium at {CHROMIUM}: install Debian's `chromium`, or name another with CHROMIUM."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return CHROMIUM


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def console(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Trueup with a few invented companies, all of its processes, on a database of its own."""
    given = os.environ["DATABASE_URL"]
    name = f"console_{os.getpid()}"
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    database_url = urlsplit(given)._replace(path=f"/{name}").geturl()
    home = tmp_path_factory.mktemp("home")
    env = os.environ | {
        "DATABASE_URL": database_url,
        "TRUEUP_HOME": str(home),
        "TRUEUP_PORT": str(_free_port()),
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)]),
    }
    command = [sys.executable, "-m", "trueup.ops.main", "demo", "--no-trickle", "--json", "--companies", str(COMPANIES)]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=env, stdout=subprocess.PIPE, text=True)
    overdue = threading.Timer(START_SECONDS, process.kill)
    overdue.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        overdue.cancel()
        assert line, "the demo did not start; its words are above"
        said = json.loads(line)
        yield Console(url=said["url"], email=said["email"], password=said["password"], home=home, database=database_url)
    finally:
        overdue.cancel()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        with psycopg.connect(given, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _told(kind: str, about: dict[str, Any], at: int) -> bytes:
    event = {"id": f"evt_{about['id']}", "object": "event", "type": kind, "created": at, "livemode": False}
    return json.dumps(event | {"data": {"object": about}}).encode()


@pytest.fixture(scope="session")
def full(console: Console) -> str:
    """The page of a customer with something in every place: payments, a failure, what is to come, tags, a language."""
    day, start = 86_400, 1_780_000_000
    of = {"customer": "cus_full", "currency": "eur", "created": start}
    price = {
        "id": "price_full",
        "object": "price",
        "nickname": "Everything, with a name that is longer than its place",
        "currency": "eur",
        "unit_amount": 4900,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    }
    items = [{"id": "si_full", "object": "subscription_item", "price": price, "quantity": 3}]
    phases = [{"start_date": start + step * 400 * day, "items": [{"price": "price_full"}]} for step in range(2)]
    charge = of | {"object": "charge", "amount": 14_700, "captured": True, "payment_intent": None}
    failed = {"status": "failed", "paid": False, "failure_code": "stolen_card"}
    customer = {
        "id": "cus_full",
        "object": "customer",
        "name": "Donaudampfschifffahrtsgesellschaft mbH & Co. KG",
        "email": "rechnungen@donaudampfschifffahrtsgesellschaft.example",
        "preferred_locales": ["de-AT"],
        "metadata": {"tags": "vip, beta, a-tag-that-is-much-longer-than-what-most-people-would-ever-write-into-one"},
    }
    told: list[tuple[str, dict[str, Any], int]] = [
        ("customer.created", of | customer, 0),
        (
            "customer.subscription.created",
            of
            | {"id": "sub_full", "object": "subscription", "status": "past_due", "items": {"data": items}}
            | {"start_date": start, "pause_collection": {"behavior": "void", "resumes_at": start + 300 * day}},
            1,
        ),
        (
            "subscription_schedule.created",
            of
            | {"id": "sub_sched_full", "object": "subscription_schedule", "subscription": "sub_full"}
            | {"status": "active", "current_phase": {"start_date": start}, "phases": phases},
            2,
        ),
        ("charge.succeeded", charge | {"id": "ch_full", "status": "succeeded", "paid": True}, 3),
        ("charge.succeeded", charge | {"id": "ch_usd", "status": "succeeded", "paid": True, "currency": "usd"}, 4),
        ("charge.failed", charge | {"id": "ch_failed", "created": start + day} | failed, 5),
    ]
    for kind, about, step in told:
        console.receive(_told(kind, about, start + step))
    return "/customers/cus_full"


@pytest.fixture(scope="session")
def drifting(console: Console) -> str:
    """The page of what differs, as a comparison would have left it: objects and states, values long and short."""
    fields = [
        {"path": "items.data[si_1PQRsTuVwXyZaBcDeFgHiJkLm].price.unit_amount", "ours": 4900, "theirs": 5900},
        {"path": "metadata.note", "ours": None, "theirs": "A note that goes on and on, as notes do. " * 6, "cut": True},
        {"path": "default_payment_method", "ours": "pm_1PQRsTuVwXyZaBcDeFgHiJkLm", "theirs": "pm_1NoPqRsTuVwXyZ"},
    ]
    rows = [
        ("subscription", "sub_1PQRsTuVwXyZaBcDeFgHiJkLm", "stale", "never_came", fields),
        ("customer", "cus_QWERTZUIOPASDF", "missing", "gap", []),
        ("checkout.session", "cs_test_" + "a1B2c3D4" * 8, "orphaned", "given_up", []),
        *(("invoice", f"in_1PQRsTuVwXyZaBcDeFgHiJ{n:03}", "stale", "set_aside", fields[:1]) for n in range(52)),
        ("trueup.customer", "cus_QWERTZUIOPASDF", "stale", "objects", fields[2:]),
    ]
    told = "The newest that we have is evt_1PQRsTuVwXyZaBcDeFgHiJkLm, and no event told of what changed since."
    # A comparison of the demo's own closes what earlier ones found and it did not; this one is later than any. What
    # Stripe said of the objects is kept as well, so that it is plain that nothing of them has arrived meanwhile.
    with psycopg.connect(console.database, autocommit=True) as connection:
        for object_type, object_id, kind, cause, differ in rows:
            connection.execute(
                "insert into mirror_drift (account_id, livemode, object_type, object_id, customer, kind, fields, cause,"
                " explanation, told, event_id, since, run_id)"
                " select id, livemode, %s, %s, 'cus_QWERTZUIOPASDF', %s, %s, %s, %s, %s,"
                " 'evt_1PQRsTuVwXyZaBcDeFgHiJkLm', now() - interval '40 days', %s from accounts_account limit 1",
                (
                    *(object_type, object_id, kind, json.dumps(differ), cause, told),
                    json.dumps({"id": object_id, "object": object_type}),
                    2**62,
                ),
            )
    return "/truth/differences"


# Playwright runs an event loop in this thread for as long as it is open, and Django refuses to work beside one. It is
# open for one module at a time, so that tests of other modules in the same process never meet it.
@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=str(chromium), args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def session(browser: Browser, console: Console) -> dict[str, Any]:
    """The cookies of somebody who signed in."""
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, console)
    state: dict[str, Any] = dict(context.storage_state())
    context.close()
    return state


def sign_in(page: Page, console: Console) -> None:
    """Sign in as a person would."""
    page.goto(f"{console.url}/sign-in")
    page.get_by_label("Email").fill(console.email)
    page.get_by_label("Password").fill(console.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/customers")


@pytest.fixture
def open_context(browser: Browser, session: dict[str, Any], console: Console) -> Iterator[ContextMaker]:
    """Makes signed-in contexts that fail the test when a page complains to its console, and closes them."""
    maker = ContextMaker(browser, session, console)
    yield maker
    complaints = maker.close()
    assert complaints == []


class ContextMaker:
    """Opens windows with the options a test needs."""

    def __init__(self, browser: Browser, session: dict[str, Any], console: Console) -> None:
        self._browser, self._session, self._console = browser, session, console
        self._contexts: list[BrowserContext] = []
        self._complaints: list[str] = []

    def __call__(self, *, signed_in: bool = True, **options: Any) -> Page:
        """A page in a fresh context; a relative address starts at the console."""
        given: dict[str, Any] = {"base_url": self._console.url, "locale": "en-US", "reduced_motion": "reduce"}
        if signed_in:
            given["storage_state"] = self._session
        context = self._browser.new_context(**given, **options)
        context.set_default_timeout(8_000)
        page = context.new_page()
        page.on(
            "console", lambda said: self._complaints.append(said.text) if said.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        self._contexts.append(context)
        return page

    def forgive(self, part: str) -> None:
        """Drop the complaints that a test provoked on purpose."""
        self._complaints = [said for said in self._complaints if part not in said]

    def close(self) -> list[str]:
        """Close every context; gives what their pages complained about."""
        for context in self._contexts:
            context.close()
        return self._complaints


@pytest.fixture
def page(open_context: ContextMaker) -> Page:
    """A window on a desk, signed in."""
    return open_context(viewport={"width": 1440, "height": 900})
