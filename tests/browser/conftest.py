"""A real browser before a real Trueup: its own database, its own processes, and the demo's invented companies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect, sync_playwright

from tests import demo
from tests.conftest import REPOSITORY
from tests.demo import Console
from tools.screenshots import CHROMIUM, FLAGS
from trueup.runtime import clock

PATIENCE_SECONDS = 20
"""A machine with other work to do takes its time; what never comes is missed all the same."""
expect.set_options(timeout=PATIENCE_SECONDS * 1_000)
COMPANIES = 56
JOBS = ("sales", "support", "finance", "compliance", "ops")
"""The roles whose work is done in a browser here, each by somebody who has that role and no other."""
PASSWORD = "correct horse battery"
# The page that the fixture `drifting` fills.
DRIFT = "/truth/differences"
HIRE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trueup.config.settings")
import django
django.setup()
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Role
for role in sys.argv[2:]:
    given = {"email": f"{role}@acme.example", "name": f"{role.title()} Person", "password": sys.argv[1]}
    operators.create_operator(**given, roles=[Role(role)], by=system("test"))
"""


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser; without one these tests are skipped, except where ``CI`` says that they have to run."""
    if not CHROMIUM.exists():
        message = f"There is no Chromium at {CHROMIUM}: install Debian's `chromium`, or name another with CHROMIUM."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return CHROMIUM


@pytest.fixture(scope="session")
def console(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Trueup with a few invented companies, all of its processes, on a database of its own."""
    with demo.running(tmp_path_factory.mktemp("home"), name="console", companies=COMPANIES) as running:
        yield running


def _told(kind: str, about: dict[str, Any], at: int) -> bytes:
    event = {"id": f"evt_{about['id']}", "object": "event", "type": kind, "created": at, "livemode": False}
    return json.dumps(event | {"data": {"object": about}}).encode()


def open_when(page: Page, address: str, ready: Callable[[Response], object]) -> None:
    """Open ``address`` until ``ready`` finds on the page what is on its way there."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = page.goto(address)
        assert answer is not None, address
        if ready(answer):
            return
        if time.monotonic() > until:
            pytest.fail(
                f"not within {PATIENCE_SECONDS} s; {page.url} answers {answer.status}: {page.inner_text('main')}"
            )
        page.wait_for_timeout(100)


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


@pytest.fixture
def dispute(console: Console) -> str:
    """A dispute of a charge of the demo's, to be answered within three days."""
    with psycopg.connect(console.database) as connection:
        found = connection.execute(
            "select object_id from mirror_object where object_type = 'charge' and customer is not null limit 1"
        ).fetchone()
    assert found is not None
    now = clock.unix()
    about: dict[str, Any] = {
        "id": "dp_job",
        "object": "dispute",
        "charge": found[0],
        "amount": 4200,
        "currency": "usd",
        "status": "needs_response",
        "reason": "fraudulent",
        "created": now,
        "livemode": False,
        "evidence_details": {"due_by": now + 3 * 86_400, "has_evidence": False, "submission_count": 0},
    }
    event = {"id": "evt_dp_job", "object": "event", "type": "charge.dispute.created", "created": now}
    console.receive(json.dumps(event | {"livemode": False, "data": {"object": about}}).encode())
    return "dp_job"


@pytest.fixture
def drifting(console: Console) -> str:
    """The page of what differs, as a comparison would have left it: objects and states, values long and short.

    Anew for each test, because some repair what differs.
    """
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
    with psycopg.connect(console.database) as connection:
        connection.execute("delete from mirror_drift where customer = 'cus_QWERTZUIOPASDF'")
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
    return DRIFT


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


def sign_in(page: Page, console: Console, *, email: str = "", password: str = "") -> None:
    """Sign in as a person would; as the owner, where nobody is named."""
    page.goto(f"{console.url}/sign-in")
    page.get_by_label("Email").fill(email or console.email)
    page.get_by_label("Password").fill(password or console.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{console.url}/")


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

    def __call__(self, *, signed_in: bool = True, session: Mapping[str, Any] | None = None, **options: Any) -> Page:
        """A page in a fresh context, the owner's or that of ``session``; a relative address starts at the console."""
        given: dict[str, Any] = {"base_url": self._console.url, "locale": "en-US", "reduced_motion": "reduce"}
        if signed_in:
            given["storage_state"] = session or self._session
        context = self._browser.new_context(**(given | options))
        context.set_default_timeout(20_000)
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


@pytest.fixture(scope="session")
def sessions(console: Console) -> dict[str, dict[str, Any]]:
    """Makes a person of each role of ``JOBS``; the cookies of those who signed in so far, by role."""
    command = [sys.executable, "-c", HIRE, PASSWORD, *JOBS]
    subprocess.run(command, check=True, env=console.environment, cwd=REPOSITORY, capture_output=True)
    return {}


@pytest.fixture
def as_role(
    open_context: ContextMaker, sessions: dict[str, dict[str, Any]], browser: Browser, console: Console
) -> Callable[[str], Page]:
    """Gives a window on a desk, at the home of somebody who has that role and no other."""

    def window(role: str) -> Page:
        if role not in sessions:
            context = browser.new_context()
            sign_in(context.new_page(), console, email=f"{role}@acme.example", password=PASSWORD)
            sessions[role] = dict(context.storage_state())
            context.close()
        page = open_context(session=sessions[role], viewport={"width": 1440, "height": 900})
        page.goto("/")
        return page

    return window
