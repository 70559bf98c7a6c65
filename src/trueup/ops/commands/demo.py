"""``trueup demo``: Trueup beside a sandbox where 200 invented companies have lived for a year and live on."""

from __future__ import annotations

import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trueup.accounts import service as accounts
from trueup.accounts.errors import AccountExists
from trueup.inbox import service as inbox
from trueup.inbox.intake.app import PREFIX
from trueup.kernel.errors import Broken, Refused, Unauthenticated, Unavailable
from trueup.mirror import service as mirror
from trueup.mirror.backfill import service as backfills
from trueup.operators import service as operators
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Role, Scope
from trueup.ops import output, schema
from trueup.ops.actors import command_line
from trueup.ops.commands.processes import child_environment, children, require_port
from trueup.ops.demo.session import ACCOUNT, AFRESH, EMAIL, Remembered, alone, recall, remember
from trueup.ops.supervisor import Supervisor
from trueup.runtime import clock, configuration, database, installation

if TYPE_CHECKING:
    from trueup.sandbox import Sandbox

START_SECONDS: Final = 60.0
FOLD_SECONDS: Final = 180.0
LOOK_SECONDS: Final = 5.0
QUIET: Final = {"TRUEUP_LOG_LEVEL": "warning"}
"""Somebody who tries Trueup out wants to see its address, not its processes' talk."""
FIRST_LOOK: Final = {"TRUEUP_MFA": "optional"}
"""Nor wants to take out a telephone first; the page about signing in says so, and offers it all the same."""


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
    """Start Trueup with a sandbox of Stripe that has lived an invented year of customers, and goes on."""
    home = configuration.current().home
    schema.prepare()
    path = home / "demo.json"
    with alone(home / "demo.lock") as first:
        state = recall(path, companies=companies, seed=seed)
        kept = home / "demo-sandbox.db"
        if not first:
            _announce_another(state, as_json=as_json)
            return
        if state.seeded and not kept.exists():
            raise Refused(f"The demo's sandbox {kept} is gone.", code="demo_damaged", hint=AFRESH)
        with _instance() as started, _progress() as progress:
            if not kept.exists():
                _live(state, path, kept, progress)
            _wait_ready()
            with _sandbox(state, path, kept) as sandbox:
                _fill(state, sandbox, progress)
                progress.stop()
                if not state.seeded:
                    # As when an account is connected: what no event told is read from Stripe's lists.
                    backfills.start(account=backfills.account_of(ACCOUNT), by=command_line())
                state.seeded = True
                remember(path, state)
                _announce(state, as_json=as_json, stays=not seed_only)
                if not seed_only and (trickle_on or started is not None):
                    _go_on(state, sandbox, lambda: remember(path, state), trickle_on=trickle_on)


@contextmanager
def _instance() -> Iterator[Supervisor | None]:
    """Use the instance that answers at our address, or run one until the block ends; it may not be ready yet."""
    # Set for both: a shell that starts it in the background has SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = configuration.current()
    found = _get("/healthz")
    if found is not None:
        if found.get("installation") != installation.identifier():
            raise Refused(
                f"Something else answers at {settings.base_url}.",
                code="port_unavailable",
                hint="Set TRUEUP_PORT to a free port.",
            )
        yield None
        return
    require_port(settings.host, settings.port)
    first_look = {} if "TRUEUP_MFA" in os.environ else FIRST_LOOK
    supervisor = Supervisor(children(child_environment() | QUIET | first_look), every_tick=installation.look_after)
    supervisor.start()
    watch = threading.Thread(target=supervisor.run, name="supervisor", daemon=True)
    watch.start()
    try:
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
    while not _is_ready():
        if clock.monotonic() > until:
            raise Unavailable(
                "Trueup did not start within a minute.", code="start_timeout", hint="The lines above say why."
            )
        pause.wait(0.1)


def _live(state: Remembered, path: Path, kept: Path, progress: Progress) -> None:
    """Live the year into the file ``kept``, which is not there before it is whole and its secret is remembered."""
    from trueup.ops.demo import year  # noqa: PLC0415 - the sandbox takes a quarter of a second that only this command needs

    living = progress.add_task("Living", total=None)
    fresh = kept.with_name(kept.name + ".new")
    lived = year.live(
        fresh,
        companies=state.companies,
        seed=state.seed,
        now=clock.unix(),
        url=_webhook_url(),
        on_progress=lambda done, total: progress.update(living, completed=done, total=total),
    )
    state.endpoint, state.webhook_secret = lived.endpoint, lived.webhook_secret
    state.lives_seed, state.made = lived.lives_seed, lived.made
    remember(path, state)
    fresh.replace(kept)


def _webhook_url() -> str:
    return configuration.current().base_url + PREFIX + ACCOUNT


@contextmanager
def _sandbox(state: Remembered, path: Path, kept: Path) -> Iterator[Sandbox]:
    """Run the sandbox until the block ends, with Trueup connected to it as to Stripe."""
    from trueup.ops.demo import stripe  # noqa: PLC0415 - as above

    with stripe.open_sandbox(kept, last=state.port, wanted=configuration.current().port + 1) as sandbox:
        state.url, state.port, state.api_key = configuration.current().base_url, sandbox.port, sandbox.api_key
        remember(path, state)
        stripe.point(sandbox, state.endpoint, _webhook_url())
        _people_and_account(
            state,
            api_key=sandbox.api_key,
            api_base=sandbox.base_url,
            stripe_account_id=stripe.account_of(sandbox),
        )
        remember(path, state)
        yield sandbox


def _people_and_account(state: Remembered, *, api_key: str, api_base: str, stripe_account_id: str) -> None:
    """Make the sign-in, the token and the account, or bring them back in line with what the demo remembers."""
    by = command_line()
    if operators.find_operator(EMAIL) is None:
        operators.create_operator(email=EMAIL, password=state.password, name="Demo", roles=[Role.OWNER], by=by)
    elif not state.seeded:
        operators.set_password(email=EMAIL, password=state.password, by=by)
    try:
        tokens.authenticate(state.token)
    except Unauthenticated:
        state.token = tokens.create_token(name="demo", scopes=[Scope.WRITE], by=by).token
    try:
        accounts.connect(
            name=ACCOUNT,
            api_key=api_key,
            webhook_secrets=[state.webhook_secret],
            livemode=False,
            access=None,
            api_base=api_base,
            stripe_account_id=stripe_account_id,
            sealer=installation.sealer(),
            by=by,
        )
    except AccountExists:
        raise Refused(
            f"The account {ACCOUNT} belongs to another demo, whose sandbox is gone.", code="demo_former", hint=AFRESH
        ) from None


def _progress() -> Progress:
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=output.err, disable=not sys.stderr.isatty())


def _fill(state: Remembered, sandbox: Sandbox, progress: Progress) -> None:
    """Send what the sandbox has told and Trueup has not taken, and wait until it reached the customers."""
    from trueup.ops.demo import stripe  # noqa: PLC0415 - as above

    sending = progress.add_task("Sending", total=None)
    # The intake of this process's children learns of the account within a second.
    _wait_for_account(fresh=not state.seeded)
    stripe.send(
        sandbox,
        ready=_is_ready,
        on_progress=lambda done, total: progress.update(sending, completed=done, total=total),
    )
    waiting = most = _waiting()
    folding = progress.add_task("Folding", total=max(waiting, 1))
    until = clock.monotonic() + FOLD_SECONDS
    pause = threading.Event()
    while waiting:
        most = max(most, waiting)
        progress.update(folding, completed=most - waiting, total=most)
        if clock.monotonic() > until:
            raise Broken("Events have waited for three minutes.", code="fold_timeout", hint="See: trueup status")
        pause.wait(0.1)
        waiting = _waiting()
    progress.update(folding, completed=max(most, 1))


def _waiting() -> int:
    with database.transaction() as connection:
        return inbox.depth(connection).waiting + mirror.depth(connection).waiting


def _wait_for_account(*, fresh: bool) -> None:
    """Until the intake knows the account and, where that is ``fresh``, its secret.

    It answers anything else than 404 and 400 to an event of ours.
    """
    pause = threading.Event()
    until = clock.monotonic() + START_SECONDS
    while clock.monotonic() < until:
        try:
            urllib.request.urlopen(urllib.request.Request(_webhook_url(), method="GET"), timeout=2)  # noqa: S310 - ours
        except urllib.error.HTTPError as error:
            if error.code == 405:  # Known, and it takes POST only.
                pause.wait(1.2 if fresh else 0)
                return
        except OSError:
            pass
        pause.wait(0.1)
    raise Unavailable("The intake does not know the demo's account.", code="start_timeout", hint="Run the demo again.")


def _announce_another(state: Remembered, *, as_json: bool) -> None:
    """Say where the demo is that runs in another process."""
    if not state.seeded:
        raise Unavailable(
            "Another demo is being filled here.", code="demo_starting", hint="Try again when it says where it is."
        )
    _say(state, as_json=as_json)
    if not as_json:
        output.out.print("\n  It runs in another process already, which goes on.\n")


def _announce(state: Remembered, *, as_json: bool, stays: bool) -> None:
    _say(state, as_json=as_json)
    if stays and not as_json:
        command = f"curl {_stripe_url(state)}/v1/customers -u {state.api_key}: -d name=Ada -d email=ada@first.example"
        output.out.print(f"\n  Its Stripe is a sandbox at [bold]{_stripe_url(state)}[/]", highlight=False)
        output.out.print("  Do something there and see it arrive, for example:", highlight=False)
        output.out.print(f"    {command}", markup=False, highlight=False, soft_wrap=True)
        output.out.print(f"    trueup sandbox state --url {_stripe_url(state)}", highlight=False)
        output.out.print("\n  New things happen every few seconds. Ctrl-C stops everything.\n")


def _stripe_url(state: Remembered) -> str:
    return f"http://127.0.0.1:{state.port}"


def _say(state: Remembered, *, as_json: bool) -> None:
    if as_json:
        signing_in = {"url": state.url, "email": EMAIL, "password": state.password, "token": state.token}
        output.emit(signing_in | {"sandbox": {"url": _stripe_url(state), "api_key": state.api_key}})
        sys.stdout.flush()
        return
    output.out.print(f"\n  [bold]{state.url}[/]")
    output.out.print(f"  Sign in as [bold]{EMAIL}[/] with [bold]{state.password}[/]", highlight=False)
    output.out.print(f"  API token  {state.token}", markup=False, soft_wrap=True)


def _go_on(state: Remembered, sandbox: Sandbox, keep: Callable[[], None], *, trickle_on: bool) -> None:
    """Let new things happen for ever, or only what falls due and what others do; and send what was not taken."""
    from trueup.ops.demo import stripe, trickle  # noqa: PLC0415 - as above

    pause = threading.Event()
    goes_on = trickle.Trickle(sandbox, lives_seed=state.lives_seed, made=state.made) if trickle_on else None
    while True:
        pause.wait(goes_on.wait() if goes_on else LOOK_SECONDS)
        if goes_on is not None:
            goes_on.happen()
            if goes_on.made != state.made:
                state.made = goes_on.made
                keep()
        if stripe.has_failed(sandbox, state.endpoint) and _is_ready():
            stripe.again(sandbox)


def _is_ready() -> bool:
    return (_get("/readyz") or {}).get("ready") is True


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(demo)
