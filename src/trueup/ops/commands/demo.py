"""``trueup demo``: an invented year of 200 companies, and what goes on afterwards."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trueup.accounts import service as accounts
from trueup.inbox import service as inbox
from trueup.inbox.intake.app import PREFIX
from trueup.kernel.errors import Broken, Refused, Unauthenticated, Unavailable
from trueup.mirror import service as mirror
from trueup.operators import service as operators
from trueup.operators.types import Scope
from trueup.ops import health, output, schema
from trueup.ops.actors import command_line
from trueup.ops.commands.processes import child_environment, children, require_port
from trueup.ops.demo.deliver import deliver
from trueup.ops.demo.engine import Json
from trueup.ops.demo.lives import generate
from trueup.ops.demo.session import ACCOUNT, EMAIL, Remembered, recall, remember
from trueup.ops.demo.trickle import Session, rebuild, trickle
from trueup.ops.supervisor import Supervisor
from trueup.runtime import clock, configuration, database, installation

START_SECONDS: Final = 60.0
FOLD_SECONDS: Final = 180.0
MONTHS: Final = 12
QUIET: Final = {"TRUEUP_LOG_LEVEL": "warning"}
"""Somebody who tries Trueup out wants to see its address, not its processes' talk."""


def demo(
    seed_only: Annotated[
        bool, typer.Option("--seed-only", help="Fill, wait until all is folded, stop what was started, and end.")
    ] = False,
    trickle_on: Annotated[
        bool, typer.Option("--trickle/--no-trickle", help="Let new things happen every few seconds.")
    ] = True,
    companies: Annotated[int, typer.Option(min=1, max=5000)] = 200,
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print url, email, password and token as JSON.")] = False,
) -> None:
    """Start Trueup with an invented year of customers, over HTTP, as Stripe would have sent it."""
    settings = configuration.current()
    schema.prepare()
    path = settings.home / "demo.json"
    state = recall(path, now=clock.now(), companies=companies, seed=seed)
    with _instance() as started:
        _people_and_account(state)
        remember(path, state)
        _fill(state)
        state.seeded = True
        remember(path, state)
        _announce(state, as_json=as_json, stays=not seed_only)
        if seed_only:
            return
        if trickle_on:
            _trickle(state, lambda: remember(path, state))
        elif started is None:
            return
        threading.Event().wait()


@contextmanager
def _instance() -> Iterator[Supervisor | None]:
    """Use the instance that answers at our address, or run one until the block ends."""
    # Set for both: a shell that starts it in the background has SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = configuration.current()
    found = _get("/healthz")
    if found is not None:
        if found.get("installation") != health.installation_id():
            raise Refused(
                f"Something else answers at {settings.base_url}.",
                code="port_unavailable",
                hint="Set TRUEUP_PORT to a free port.",
            )
        yield None
        return
    require_port(settings.host, settings.port)
    supervisor = Supervisor(children(child_environment() | QUIET), every_tick=installation.look_after)
    supervisor.start()
    watch = threading.Thread(target=supervisor.run, name="supervisor", daemon=True)
    watch.start()
    try:
        _wait_ready()
        yield supervisor
    except KeyboardInterrupt:
        output.err.print("\nStopping…")
    finally:
        # A second Ctrl-C must not leave half of it running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        supervisor.stopping.set()
        watch.join()


def _get(path: str) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(configuration.current().base_url + path, timeout=2) as response:  # noqa: S310 - ours
            found = msgspec.json.decode(response.read())
    except (urllib.error.URLError, OSError, msgspec.DecodeError):
        return None
    return found if isinstance(found, dict) else {}


def _wait_ready() -> None:
    until = clock.monotonic() + START_SECONDS
    pause = threading.Event()
    while (_get("/readyz") or {}).get("ready") is not True:
        if clock.monotonic() > until:
            raise Unavailable(
                "Trueup did not start within a minute.", code="start_timeout", hint="The lines above say why."
            )
        pause.wait(0.1)


def _people_and_account(state: Remembered) -> None:
    """Make the sign-in, the token and the account, or bring them back in line with what the demo remembers."""
    by = command_line()
    if operators.find_operator(EMAIL) is None:
        operators.create_operator(email=EMAIL, password=state.password, name="Demo", by=by)
    elif not state.seeded:
        operators.set_password(email=EMAIL, password=state.password, by=by)
    try:
        operators.authenticate(state.token)
    except Unauthenticated:
        state.token = operators.create_token(name="demo", scopes=[Scope.WRITE], by=by).token
    accounts.connect(
        name=ACCOUNT,
        api_key="",
        webhook_secrets=[state.webhook_secret],
        livemode=False,
        access=None,
        api_base=None,
        stripe_account_id=None,
        sealer=installation.sealer(),
        by=by,
    )


def _progress() -> Progress:
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=output.err, disable=not sys.stderr.isatty())


def _fill(state: Remembered) -> None:
    """Send the year, unless it was sent before, and wait until every event reached its customer."""
    with _progress() as progress:
        if not state.seeded:
            events = list(generate(companies=state.companies, seed=state.seed, now=state.now, months=MONTHS))
            sending = progress.add_task("Sending", total=len(events))
            # The intake of this process's children learns of the account within a second.
            _wait_for_account()
            _send(events, state, lambda done: progress.update(sending, completed=done))
        waiting = _waiting()
        folding = progress.add_task("Folding", total=max(waiting, 1))
        until = clock.monotonic() + FOLD_SECONDS
        pause = threading.Event()
        while waiting:
            progress.update(folding, completed=max(0, (progress.tasks[-1].total or 0) - waiting))
            if clock.monotonic() > until:
                raise Broken("Events have waited for three minutes.", code="fold_timeout", hint="See: trueup status")
            pause.wait(0.1)
            waiting = _waiting()
        progress.update(folding, completed=progress.tasks[-1].total)


def _waiting() -> int:
    with database.transaction() as connection:
        return inbox.depth(connection).waiting + mirror.depth(connection).waiting


def _wait_for_account() -> None:
    """Until the intake knows the account and its secret.

    It answers anything else than 404 and 400 to an event of ours.
    """
    pause = threading.Event()
    until = clock.monotonic() + START_SECONDS
    url = configuration.current().base_url + PREFIX + ACCOUNT
    while clock.monotonic() < until:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="GET"), timeout=2)  # noqa: S310 - ours
        except urllib.error.HTTPError as error:
            if error.code == 405:  # Known, and it takes POST only.
                pause.wait(1.2)
                return
        except OSError:
            pass
        pause.wait(0.1)
    raise Unavailable("The intake does not know the demo's account.", code="start_timeout", hint="Run the demo again.")


def _send(events: list[Json], state: Remembered, on_progress: Any) -> None:
    url = configuration.current().base_url + PREFIX + ACCOUNT
    delivered = asyncio.run(deliver(events, url=url, secret=state.webhook_secret, on_progress=on_progress))
    if delivered.failed:
        raise Unavailable(
            f"{delivered.failed} events were not taken: {delivered.problem}",
            code="demo_undelivered",
            hint="Run the demo again: it resumes.",
        )


def _announce(state: Remembered, *, as_json: bool, stays: bool) -> None:
    url = configuration.current().base_url
    if as_json:
        output.emit({"url": url, "email": EMAIL, "password": state.password, "token": state.token})
        sys.stdout.flush()
        return
    output.out.print(f"\n  [bold]{url}[/]")
    output.out.print(f"  Sign in as [bold]{EMAIL}[/] with [bold]{state.password}[/]", highlight=False)
    output.out.print(f"  API token  {state.token}", markup=False, soft_wrap=True)
    if stays:
        output.out.print("\n  New things happen every few seconds. Ctrl-C stops everything.\n")


def _trickle(state: Remembered, keep: Any) -> None:
    """Let new things happen for ever.

    Each step is noted before it is sent, so a later run knows what may be missing.
    """
    world, (_wait, last) = rebuild(
        companies=state.companies, seed=state.seed, now=state.now, months=MONTHS, sessions=state.sessions
    )
    if last:
        _send(last, state, lambda _done: None)
    start = clock.now().replace(microsecond=0)
    pause = threading.Event()
    state.sessions.append(Session(start=start, steps=0))
    for steps, (wait, events) in enumerate(trickle(world, start=start), start=1):
        pause.wait(wait)
        state.sessions[-1] = Session(start=start, steps=steps)
        keep()
        if events:
            _send(events, state, lambda _done: None)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(demo)
