"""``trueup sandbox``: a local Stripe to build against. It needs no database, and nothing else of Trueup."""

from __future__ import annotations

import logging
import re
import signal
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from trueup.kernel.errors import NotFound, Refused, Unavailable
from trueup.ops import output

if TYPE_CHECKING:
    from trueup.sandbox import Sandbox

PORT: Final = 12_111
_KEY: Final = "sk_test_command"
_PATIENCE: Final = 600.0
_POLL: Final = 0.2
_ORDERS: Final = ("in_order", "parallel", "shuffled", "crossed", "held")
_WITHIN: Final = ("shuffled", "crossed")
_FAULTS: Final = ("rate_limit", "lock_timeout", "forbidden", "error", "unavailable", "timeout", "drop", "slow")
_WHERE: Final = "Where another answers is said by --url or TRUEUP_SANDBOX_URL; trueup demo prints its own."
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_TIME: Final = re.compile(r"([0-9]{1,9})([smhdw])")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Url = Annotated[
    str, typer.Option("--url", envvar="TRUEUP_SANDBOX_URL", help="Where the sandbox answers.", show_default=True)
]
HERE: Final = f"http://127.0.0.1:{PORT}"

sandbox_app = typer.Typer(no_args_is_help=True, help="A local Stripe to build against.")


@sandbox_app.command("up")
def up(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = PORT,
    file: Annotated[Path | None, typer.Option(help="Keep everything in this file, and go on with it.")] = None,
    seed: Annotated[str | None, typer.Option(help="What all ids come from.")] = None,
    start: Annotated[str | None, typer.Option(help="When it begins: 2026-01-01, a time, or a unix second.")] = None,
    running: Annotated[bool, typer.Option("--running", help="Let its clock run with the machine's.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a sandbox and answer until Ctrl-C.

    Its clock stands still until it is advanced, unless it runs.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    # What uvicorn says of itself would stand between the lines that are for people.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    begin = None if start is None else moment(start)
    from trueup.sandbox import start as start_sandbox  # noqa: PLC0415 - a quarter of a second that only this command needs

    try:
        with start_sandbox(
            path=file, seed=seed, start=begin, mode="running" if running else None, port=port
        ) as started:
            if as_json:
                told = {"now": started.now, "seed": started.engine.seed}
                output.emit({"url": started.base_url, "api_key": started.api_key, **told})
                sys.stdout.flush()
            else:
                _announce(started)
            threading.Event().wait()
    except KeyboardInterrupt:
        output.err.print("\nStopping…")


def _announce(started: Sandbox) -> None:
    output.out.print(f"\n  [bold]{started.base_url}[/]   it is {shown(started.now)} there")
    output.out.print(f"  API key  {started.api_key}\n", highlight=False)
    output.say("  stripe.StripeClient(")
    output.say(f'      "{started.api_key}",')
    output.say(
        f'      base_addresses=dict.fromkeys(("api", "connect", "files", "meter_events"), "{started.base_url}"),'
    )
    output.say("  )")
    port = "" if started.port == PORT else f" --url {started.base_url}"
    output.say(f"\n  trueup sandbox listen http://127.0.0.1:8000/hooks{port}   sends it events")
    output.say(f"  trueup sandbox advance 30d{port}   lets time pass")
    output.say(f"  trueup sandbox trigger invoice.payment_failed{port}   makes an event happen")
    output.say("  Ctrl-C stops it.\n")


@sandbox_app.command("state")
def state(url: Url = HERE, as_json: AsJson = False) -> None:
    """What there is, what time it is there, and what is being delivered."""
    _show_state(ask(url, "GET", "state"), as_json=as_json)


@sandbox_app.command("advance")
def advance(
    to: Annotated[str, typer.Argument(help="How far (45s, 12h, 30d, 2w), or until when (2026-05-01, a unix second).")],
    clock: Annotated[str, typer.Option(help="A test clock instead of the sandbox's own.")] = "",
    in_step: Annotated[
        bool, typer.Option("--in-step", help="Wait at each thing that falls due until its events are delivered.")
    ] = False,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Let time pass, with all that falls due."""
    now = ask(url, "GET", "state")["now"] if not clock else _ask_clock(url, clock)
    step = _TIME.fullmatch(to)
    target = now + int(step[1]) * _UNITS[step[2]] if step else moment(to)
    body = {"to": target, "clock": clock, "in_step": in_step}
    done = with_progress(url, clock, now, target, lambda: ask(url, "POST", "advance", body))
    if as_json:
        output.emit(done)
    else:
        output.done(f"It is {shown(done['now'])} there; {done['timers_fired']} things fell due.")


def _ask_clock(url: str, clock: str) -> int:
    found = _fetch(f"{url.rstrip('/')}/v1/test_helpers/test_clocks/{clock}", "GET", None, key=_KEY)
    return int(found["frozen_time"])


def with_progress(
    url: str, clock: str, now: int, target: int, work: Callable[[], Any], *, label: str = "Advancing"
) -> Any:
    """Do the work in a thread, and meanwhile show how far the sandbox's clock has come."""
    done: list[Any] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:  # noqa: BLE001 - it is raised again by the thread that waits
            done.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    columns = (TextColumn(label), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=output.err, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task(shown(now), total=max(1, target - now))
        while thread.is_alive():
            thread.join(_POLL)
            if thread.is_alive() and not progress.disable and not clock:
                reached = ask(url, "GET", "state")["now"]
                progress.update(task, completed=reached - now, description=shown(reached))
    if isinstance(done[0], Exception):
        raise done[0]
    return done[0]


@sandbox_app.command("trigger")
def trigger(
    event: Annotated[str, typer.Argument(help="A type of event, such as invoice.payment_failed.")] = "",
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Make an event really happen, by doing what causes it. Without one: those that can be."""
    found = ask(url, "POST", "trigger", {"event": event}) if event else ask(url, "GET", "trigger")
    if as_json:
        output.emit(found)
        return
    for name in found["events"]:
        output.say(name)
    if event:
        output.done(f"{event} happened, with {len(found['events']) - 1} others.")


@sandbox_app.command("listen")
def listen(
    to: Annotated[str, typer.Argument(help="The address that gets the events.")],
    event: Annotated[list[str] | None, typer.Option(help="Only this type; may be given again.")] = None,
    thin: Annotated[bool, typer.Option("--thin", help="Send thin events, as /v2 does.")] = False,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Have events sent to an address, and print the secret that signs them."""
    made = ask(url, "POST", "listen", {"url": to, "events": event or ["*"], "thin": thin})
    if as_json:
        output.emit(made)
    else:
        output.done(f"{made['id']} sends to {made['url']}")
        output.say(f"  Signing secret  {made['secret']}")


@sandbox_app.command("deliver")
def deliver(
    mode: Annotated[
        str | None, typer.Option(help="in_order, parallel, shuffled, crossed (objects overtake each other) or held.")
    ] = None,
    within: Annotated[int | None, typer.Option(min=0, help="Seconds within which events change places, or 5.")] = None,
    delay: Annotated[int | None, typer.Option(min=0, help="Put everything off by so many seconds.")] = None,
    duplicates: Annotated[int | None, typer.Option(min=0, max=100, help="Percent that come twice.")] = None,
    dropped: Annotated[int | None, typer.Option(min=0, max=100, help="Percent lost once, that come later.")] = None,
    endpoint: Annotated[
        str, typer.Option(help="Only to this endpoint, which has a mode of its own then; without it, to all.")
    ] = "",
    retries: Annotated[bool, typer.Option("--retries", help="Also what waits for its next attempt.")] = False,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Deliver what is held or put off now; with other options, say how events are delivered from now on."""
    _choose(mode or "held", _ORDERS, "mode")
    if within is not None and mode not in _WITHIN:
        raise Refused("--within is of --mode shuffled or crossed.", code="within_without_mode", hint="Name the mode.")
    # Nought is an order as well: it ends what was ordered before.
    if any(one is not None for one in (mode, delay, duplicates, dropped)):
        body = {"endpoint": endpoint, "order": "in_order" if mode in {None, "held"} else mode, "held": mode == "held"}
        body |= {"delay": delay or 0, "duplicates": duplicates or 0, "dropped": dropped or 0}
        body["within"] = (5 if within is None else within) if mode in _WITHIN else 0
        found = ask(url, "POST", "delivery", body)
        if as_json:
            output.emit(found)
        else:
            way = _way(found["modes"][endpoint])
            output.done(f"Events for {endpoint or 'every endpoint'} are delivered {way} from now on.")
            if found["ended"]:
                output.say(f"  A mode of their own had, and have no longer: {', '.join(found['ended'])}")
            _show_own(found["modes"], besides=endpoint)
        return
    counts = ask(url, "POST", "deliver", {"endpoint": endpoint or None, "retries": retries})
    if as_json:
        output.emit(counts)
    else:
        output.done(f"{counts['delivered']} are delivered, {counts['waiting']} wait, {counts['failed']} failed.")


@sandbox_app.command("resend")
def resend(
    event: Annotated[str, typer.Argument(help="The event's id.")],
    endpoint: Annotated[str, typer.Option(help="Only to this endpoint.")] = "",
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Deliver an event once more."""
    found = ask(url, "POST", "resend", {"event": event, "endpoint": endpoint or None})
    if as_json:
        output.emit(found)
    else:
        output.done(f"{event} goes to {found['resent']} endpoints.")


@sandbox_app.command("fail")
def fail(
    kind: Annotated[
        str,
        typer.Argument(
            help="rate_limit, lock_timeout, forbidden, error, unavailable, timeout, drop, slow; or none to end all."
        ),
    ],
    times: Annotated[
        int | None, typer.Option(min=1, help="The next so many requests; without it and --percent, one.")
    ] = None,
    percent: Annotated[int, typer.Option(min=1, max=100, help="This share of the requests, until ended.")] = 100,
    method: Annotated[str, typer.Option(help="Only this method.")] = "",
    path: Annotated[str, typer.Option(help="Only paths like this, such as '/v1/invoices*'.")] = "*",
    done: Annotated[bool, typer.Option("--done", help="Do the work all the same: only the answer is lost.")] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="How long: slow takes 2 and timeout lasts until the client gives up.")
    ] = None,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Have requests meet errors, silence or a broken connection."""
    _choose(kind, (*_FAULTS, "none"), "fault")
    if kind == "none":
        found = ask(url, "DELETE", "faults", {})
    else:
        wait = (2.0 if kind == "slow" else 0.0) if seconds is None else seconds
        body = {"kind": kind, "percent": percent, "method": method, "path": path, "done": done, "seconds": wait}
        found = ask(url, "POST", "faults", body | {"times": times or (1 if percent == 100 else None)})
    if as_json:
        output.emit(found)
    else:
        output.done("Nothing fails any more." if kind == "none" else f"Fault {found['id']}: {kind} for {path}.")


@sandbox_app.command("save")
def save(file: Annotated[Path, typer.Argument(help="A new file.")], url: Url = HERE, as_json: AsJson = False) -> None:
    """Write everything into a new file."""
    found = ask(url, "POST", "save", {"path": str(file.absolute())})
    if as_json:
        output.emit(found)
    else:
        output.done(f"Saved in {found['path']}")


@sandbox_app.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="What `save` wrote.")], url: Url = HERE, as_json: AsJson = False
) -> None:
    """Become what was saved; what there is, is gone."""
    _show_state(ask(url, "POST", "load", {"path": str(file.absolute())}), as_json=as_json)


# --- within ----------------------------------------------------------------------------------------------------------


def _show_state(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.emit(found)
        return
    runs = "runs" if found["mode"] == "running" else "stands still"
    output.say(f"It is {shown(found['now'])} there; the clock {runs}. Seed {found['seed']}.")
    counts = found["deliveries"]
    waits = f"{found['timers']} timers" + (f", the next at {shown(found['next_due'])}" if found["next_due"] else "")
    output.say(f"{found['events']} events, {waits}. Delivered {counts['delivered']}, waiting {counts['waiting']}.")
    modes = found["delivery_modes"]
    if "" in modes:
        output.say(f"Events are delivered {_way(modes[''])}.")
    _show_own(modes)
    output.table(("Object", "Number"), found["objects"].items(), empty="There is nothing.")
    for fault in found["faults"]:
        output.say(f"Fault {fault['id']}: {fault['kind']} for {fault['path']}")


def _way(mode: dict[str, Any]) -> str:
    """How events are delivered, in words."""
    order = mode["order"].replace("_", " ") + (f" within {mode['within']} s" if mode["within"] else "")
    said = ["later, when told to" if mode["held"] else order]
    said += [f"put off by {mode['delay']} s"] if mode["delay"] else []
    said += [f"{mode['duplicates']} % twice"] if mode["duplicates"] else []
    said += [f"{mode['dropped']} % lost once"] if mode["dropped"] else []
    return ", ".join(said)


def _show_own(modes: dict[str, Any], *, besides: str = "") -> None:
    for name, mode in sorted(modes.items()):
        if name not in {"", besides}:
            output.say(f"  {name} has a mode of its own: {_way(mode)}")


def _choose(given: str, among: tuple[str, ...], what: str) -> None:
    if given not in among:
        raise Refused(f"{given} is no {what}.", code=f"bad_{what}", hint="There are: " + ", ".join(among))


def moment(text: str) -> int:
    """The unix second that somebody wrote. Raises ``Refused``."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(
            f"{text} is no time.", code="bad_time", hint="Such as 30d, 2026-05-01, 2026-05-01T12:00 or a unix second."
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def shown(at: int) -> str:
    """A unix second for people."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def ask(url: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask a route of the sandbox's own. Raises its errors, and ``Unavailable`` where none answers."""
    return _fetch(f"{url.rstrip('/')}/_sandbox/{path}", method, body)


def _fetch(url: str, method: str, body: dict[str, Any] | None, *, key: str = "") -> Any:
    if not url.startswith(("http://", "https://")):
        raise Refused(f"{url} is no address.", code="bad_url", hint="Such as http://127.0.0.1:12111.")
    headers = {"authorization": f"Bearer {key}"} if key else {"content-type": "application/json"}
    request = urllib.request.Request(  # noqa: S310 - http, as looked at above
        url, method=method, data=None if body is None else msgspec.json.encode(body), headers=headers
    )
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - see above
            return msgspec.json.decode(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error.code, error.read(), url) from None
    except (OSError, msgspec.DecodeError):
        raise Unavailable(
            f"No sandbox answers at {url}.", code="sandbox_away", hint=f"Start one with: trueup sandbox up. {_WHERE}"
        ) from None


def _refusal(status: int, body: bytes, url: str) -> Exception:
    try:
        told = msgspec.json.decode(body)["error"]
        code, message = told.get("code") or told["type"], told["message"]
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        return Unavailable(f"No sandbox answers at {url}, but something else.", code="sandbox_away", hint=_WHERE)
    of = NotFound if status == 404 else Refused if status < 500 else Unavailable
    return of(message, code=code, hint=told.get("hint", ""))


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(sandbox_app, name="sandbox")
