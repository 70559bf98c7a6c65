"""The same tables for signing in: sessions, second factors and the first person. ``audit_tables`` takes them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trueup.kernel.actor import Actor, ActorKind
from trueup.operators.factors import rules
from trueup.operators.factors import service as factors
from trueup.operators.passwords import service as passwords
from trueup.operators.sessions import service as sessions
from trueup.operators.set_up import service as set_up
from trueup.runtime import clock, database

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
PASSWORD = "correct horse battery"
SECRET = rules.secret_of(bytes(rules.SECRET_BYTES))
CREDENTIAL = {"id": "x", "response": {}}
Scenario = Callable[[Any], object]


def _own(stage: Any) -> dict[str, Any]:
    return {"operator_id": stage.person.id, "by": Actor(kind=ActorKind.OPERATOR, id=str(stage.person.id))}


def _password() -> str:
    return rules.password(SECRET, clock.unix() // rules.STEP_SECONDS)


def _with_app(stage: Any) -> tuple[str, ...]:
    return factors.add_app(secret=SECRET, code=_password(), **_own(stage))


def _without_app(stage: Any) -> None:
    _with_app(stage)
    factors.remove_app(**_own(stage))


def _with_passkey(stage: Any) -> int:
    factors.add_passkey(name="Laptop", credential=CREDENTIAL, **_own(stage))
    return factors.factors(stage.person.id).passkeys[0].id


def _session(stage: Any) -> int:
    return sessions.open_session(stage.person.id, client="127.0.0.1", device="Firefox").id


def _owner() -> object:
    database.execute("delete from operators_operator")
    return set_up.create_owner(
        given=set_up.code(), email="o@acme.example", name="", password=PASSWORD, client="127.0.0.1"
    )


ADDED = ["operators.factor.added", "operators.recovery_codes.made"]
CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "operators.sessions.revoke": (
        lambda stage: sessions.revoke(session_id=_session(stage), operator_id=stage.person.id, by=BY),
        ["operators.sessions.revoked"],
    ),
    "operators.sessions.revoke_all": (
        lambda stage: [_session(stage), sessions.revoke_all(operator_id=stage.person.id, by=BY)],
        ["operators.sessions.revoked"],
    ),
    "operators.factors.add_app": (_with_app, ADDED),
    "operators.factors.add_passkey": (_with_passkey, ADDED),
    "operators.factors.rename_passkey": (
        lambda stage: factors.rename_passkey(passkey_id=_with_passkey(stage), name="Phone", **_own(stage)),
        [*ADDED, "operators.factor.renamed"],
    ),
    "operators.factors.remove_app": (
        _without_app,
        [*ADDED, "operators.factor.removed"],
    ),
    "operators.factors.remove_passkey": (
        lambda stage: factors.remove_passkey(passkey_id=_with_passkey(stage), **_own(stage)),
        [*ADDED, "operators.factor.removed"],
    ),
    "operators.factors.make_codes": (
        lambda stage: [_with_app(stage), factors.make_codes(**_own(stage))],
        [*ADDED, "operators.recovery_codes.made"],
    ),
    "operators.factors.reset": (
        lambda stage: [_with_app(stage), factors.reset(operator_id=stage.person.id, by=BY)],
        [*ADDED, "operators.factors.reset"],
    ),
    "operators.factors.check_code": (
        lambda stage: factors.check_code(operator_id=stage.person.id, code=_with_app(stage)[0], client="127.0.0.1"),
        [*ADDED, "operators.recovery_code.used"],
    ),
    "operators.passwords.change": (
        lambda stage: passwords.change(old=PASSWORD, new="another horse", client="127.0.0.1", **_own(stage)),
        ["operators.operator.password_set"],
    ),
    "operators.set_up.create_owner": (lambda _: _owner(), ["operators.operator.created"]),
}

READS: dict[str, Scenario] = {
    "operators.sessions.sessions": lambda stage: sessions.sessions(stage.person.id),
    "operators.factors.factors": lambda stage: factors.factors(stage.person.id),
    "operators.factors.has_factor": lambda stage: factors.has_factor(stage.person.id),
    "operators.factors.new_secret": lambda _: factors.new_secret(),
    "operators.passwords.has_password": lambda stage: passwords.has_password(stage.person.id),
    "operators.set_up.is_open": lambda _: set_up.is_open(),
    "operators.set_up.code": lambda _: set_up.code(),
}

UNRECORDED: dict[str, str] = {
    "operators.sessions.open_session": "Belongs to a sign-in, which is recorded.",
    "operators.sessions.use": "Notes when a session was last used, and that time ended it; nobody decided that.",
    "operators.sessions.end_session": "Belongs to signing out, which is recorded.",
    "operators.factors.check_password": "Asks; a wrong password is recorded as a refused sign-in.",
    "operators.factors.begin_passkey": "Counts attempts for minutes; how the attempt ends is recorded.",
    "operators.factors.note_passkey_used": "Belongs to a sign-in, which is recorded.",
}

COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "operator reset-factors": (["operator", "reset-factors", "elena@acme.example"], ["operators.factors.reset"]),
    "operator set-up-code": (["operator", "set-up-code"], []),
}
