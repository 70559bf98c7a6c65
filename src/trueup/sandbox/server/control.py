"""The sandbox's own routes below ``/_sandbox/``: what Stripe has no API for, because it happens to Stripe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec

from trueup.kernel.errors import NotFound, Refused, TrueupError
from trueup.sandbox.delivery.modes import Mode as Delivery
from trueup.sandbox.scenarios.lives import SCENARIOS
from trueup.sandbox.server import triggers
from trueup.sandbox.server.desk import Desk
from trueup.sandbox.server.faults import Fault
from trueup.sandbox.server.populating import populate
from trueup.sandbox.server.requests import Answer, Request
from trueup.sandbox.server.settings import Settings
from trueup.sandbox.wire.errors import StripeError

PREFIX: Final = "/_sandbox/"
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    to: int | None = None
    days: int = 0
    hours: int = 0
    seconds: int = 0
    clock: str = ""
    in_step: bool = False


class _Delivery(Delivery, frozen=True, forbid_unknown_fields=True):
    endpoint: str = ""


class _Deliver(msgspec.Struct, forbid_unknown_fields=True):
    endpoint: str | None = None
    event: str | None = None
    retries: bool = False
    timeout: float = 30.0


class _Resend(msgspec.Struct, forbid_unknown_fields=True):
    event: str
    endpoint: str | None = None


class _Which(msgspec.Struct, forbid_unknown_fields=True):
    id: int | None = None


class _Endpoint(msgspec.Struct, forbid_unknown_fields=True):
    id: str


class _Listen(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    events: tuple[str, ...] = ("*",)
    thin: bool = False


class _Authenticate(msgspec.Struct, forbid_unknown_fields=True):
    succeed: bool = True


class _Trigger(msgspec.Struct, forbid_unknown_fields=True):
    event: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    path: str


class _Lives(msgspec.Struct, forbid_unknown_fields=True):
    customers: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    months: Annotated[int, msgspec.Meta(ge=1, le=120)]
    scenarios: tuple[str, ...] = ()
    seed: str = "lives"


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


def _state(desk: Desk, _told: _Nothing) -> Any:
    return desk.state()


def _advance(desk: Desk, told: _Advance) -> Any:
    fired = desk.advance(
        told.to, days=told.days, hours=told.hours, seconds=told.seconds, clock=told.clock, in_step=told.in_step
    )
    return {"now": desk.engine.now(told.clock), "timers_fired": fired}


def _faults(desk: Desk, _told: _Nothing) -> Any:
    return {"faults": desk.faults.all()}


def _fail(desk: Desk, told: Fault) -> Any:
    return desk.faults.add(told)


def _heal(desk: Desk, told: _Which) -> Any:
    desk.heal(told.id)
    return {"faults": desk.faults.all()}


def _modes(desk: Desk, _told: _Nothing) -> Any:
    return {"modes": desk.engine.outbox.modes(), "deliveries": desk.engine.outbox.latest(100)}


def _set_mode(desk: Desk, told: _Delivery) -> Any:
    values = {name: getattr(told, name) for name in Delivery.__struct_fields__}
    ended = desk.delivery(endpoint=told.endpoint, **values)
    return {"modes": desk.engine.outbox.modes(), "ended": ended}


def _deliver(desk: Desk, told: _Deliver) -> Any:
    return desk.deliver(endpoint=told.endpoint, event=told.event, retries=told.retries, timeout=told.timeout)


def _resend(desk: Desk, told: _Resend) -> Any:
    return {"resent": desk.resend(told.event, told.endpoint)}


def _roll(desk: Desk, told: _Endpoint) -> Any:
    return {"id": told.id, "secret": desk.roll(told.id)}


def _listen(desk: Desk, told: _Listen) -> Any:
    return desk.endpoint(told.url, events=told.events, thin=told.thin)


def _trigger(desk: Desk, told: _Trigger) -> Any:
    return {"events": triggers.trigger(desk, told.event)}


def _triggers(_desk: Desk, _told: _Nothing) -> Any:
    return {"events": triggers.known()}


def _settings(desk: Desk, _told: _Nothing) -> Any:
    return desk.settings()


def _set(desk: Desk, told: Settings) -> Any:
    return desk.settings(told)


def _seed(desk: Desk, told: _Lives) -> Any:
    stage = populate(
        desk.engine, customers=told.customers, months=told.months, seed=told.seed, names=tuple(told.scenarios)
    )
    return {"now": desk.now, "lives": len(stage.lives), "broken": stage.broken}


def _scenarios(_desk: Desk, _told: _Nothing) -> Any:
    return {"scenarios": {name: scenario.about for name, scenario in SCENARIOS.items()}}


def _save(desk: Desk, told: _File) -> Any:
    desk.save(told.path)
    return {"path": told.path}


def _load(desk: Desk, told: _File) -> Any:
    desk.load(told.path)
    return desk.state()


Control = tuple[type, Callable[[Desk, Any], Any]]

CONTROLS: Final[Mapping[str, Control]] = {
    "GET state": (_Nothing, _state),
    "POST advance": (_Advance, _advance),
    "GET faults": (_Nothing, _faults),
    "POST faults": (Fault, _fail),
    "DELETE faults": (_Which, _heal),
    "GET delivery": (_Nothing, _modes),
    "POST delivery": (_Delivery, _set_mode),
    "POST deliver": (_Deliver, _deliver),
    "POST resend": (_Resend, _resend),
    "POST roll": (_Endpoint, _roll),
    "POST listen": (_Listen, _listen),
    "GET trigger": (_Nothing, _triggers),
    "POST trigger": (_Trigger, _trigger),
    "GET settings": (_Nothing, _settings),
    "POST settings": (Settings, _set),
    "GET seed": (_Nothing, _scenarios),
    "POST seed": (_Lives, _seed),
    "POST save": (_File, _save),
    "POST load": (_File, _load),
}
"""Method and path below the prefix -> what its JSON body holds, and what does it. Others may add theirs."""


def answer(desk: Desk, request: Request) -> Answer:
    """Do what is asked. Errors come as ``{"error": {"code", "message", "hint"}}``, never as an exception."""
    try:
        _require_local(request)
        return _json(200, _done(desk, request))
    except StripeError as error:
        told = {"code": error.code or error.type, "message": error.message, "hint": ""}
        return _json(error.status, {"error": told})
    except TrueupError as error:
        return _json(error.status, {"error": {"code": error.code, "message": error.message, "hint": error.hint}})


def _done(desk: Desk, request: Request) -> Any:
    name = request.path.removeprefix(PREFIX).strip("/")
    if request.method == "POST" and name.startswith("authenticate/"):
        told = _read(request, _Authenticate)
        return desk.authenticate(name.removeprefix("authenticate/"), succeed=told.succeed)
    found = CONTROLS.get(f"{request.method} {name}")
    if found is None:
        raise NotFound(
            f"The sandbox has no {request.method} {request.path}.",
            code="no_route",
            hint=f"It has {', '.join(sorted(CONTROLS))} and POST authenticate/INTENT.",
        )
    return found[1](desk, _read(request, found[0]))


def _read(request: Request, shape: Any) -> Any:
    try:
        return msgspec.json.decode(request.body or b"{}", type=shape)
    except msgspec.DecodeError as error:
        raise Refused(f"The request's JSON does not fit: {error}.", code="bad_request") from error


def _require_local(request: Request) -> None:
    """Refuse what a page in a browser could send: another name for this machine, or a body that is not JSON."""
    host = request.headers.get("host", "").rsplit(":", 1)[0]
    kind = request.headers.get("content-type", "")
    if host not in _LOCAL:
        raise Refused("Only programs on this machine may control the sandbox.", code="not_local", hint="Ask 127.0.0.1.")
    if request.method != "GET" and not kind.startswith("application/json"):
        raise Refused(
            "The sandbox's own routes take JSON.",
            code="not_json",
            hint="Send the header content-type: application/json. A page in a browser cannot, which is the point.",
        )


def _json(status: int, found: Any) -> Answer:
    body = msgspec.json.format(msgspec.json.encode(found), indent=2)
    return Answer(status=status, body=body, headers={"content-type": "application/json"})
