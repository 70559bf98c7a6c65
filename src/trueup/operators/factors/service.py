"""What others may ask about second factors: authenticator apps, passkeys and recovery codes."""

from __future__ import annotations

import secrets
from typing import Any, Final

from django.utils.crypto import salted_hmac

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Conflict, Forbidden, NotFound, Refused
from trueup.operators import ranks
from trueup.operators import service as operators
from trueup.operators import store as people
from trueup.operators.factors import rules, store
from trueup.operators.factors.errors import FactorRefused
from trueup.operators.factors.types import Factors
from trueup.operators.permissions import Permission
from trueup.operators.sessions.types import End
from trueup.operators.types import Attempt
from trueup.runtime import clock, database

LONGEST_NAME: Final = 60
MOST_PASSKEYS: Final = 20


def factors(operator_id: int) -> Factors:
    """What a person signs in with beside a password."""
    return store.factors(operator_id)


def has_factor(operator_id: int) -> bool:
    """Whether a person has an authenticator app or a passkey."""
    return store.has_factor(operator_id)


def new_secret() -> str:
    """A secret for an authenticator app; nothing is kept until ``add_app``."""
    return rules.secret_of(secrets.token_bytes(rules.SECRET_BYTES))


def check_code(*, operator_id: int, code: str, client: str) -> str:
    """Use the password of an app, or a recovery code, up: which of them it was, ``app`` or ``code``.

    Any other, or one that was used before, raises ``FactorRefused``; after ten within fifteen minutes, for this person
    or from this client, ``SignInThrottled`` comes first.
    """
    attempt = operators.begin_sign_in(email=_factor_of(operator_id), client=client)
    now, given = clock.now(), rules.plain(code)
    with database.transaction() as connection:
        store.lock(operator_id)
        app = store.app(operator_id)
        step = None if app is None else rules.matching_step(app[0], given, unix=clock.unix(), after=app[1])
        if step is not None:
            store.note_app_used(operator_id, step=step, now=now)
        elif store.take_code(operator_id, _digest(operator_id, given), now=now):
            audit.record(
                connection,
                by=_self(operator_id),
                action=Action.RECOVERY_CODE_USED,
                object_type="operator",
                object_id=str(operator_id),
                after={"left": store.factors(operator_id).codes_left},
            )
        else:
            raise FactorRefused("That code is not right, or was used already.")
        people.forget_attempts(attempt.ids)
    return "code" if step is None else "app"


def check_password(*, operator_id: int, password: str, client: str) -> None:
    """Make sure that somebody who is signed in is still who they say.

    A wrong password raises ``FactorRefused`` and is recorded; too many of them ``SignInThrottled``, as at signing in.
    """
    person = people.operator(operator_id)
    attempt = operators.begin_sign_in(email=person.email, client=client)
    if not people.has_password(operator_id, password):
        operators.record_refused_sign_in(person.email)
        raise FactorRefused("That is not the password.")
    people.forget_attempts(attempt.ids)


def begin_passkey(*, operator_id: int, client: str) -> Attempt:
    """Count an attempt with a passkey, which ``note_passkey_used`` takes back; refuses as ``check_code`` does."""
    return operators.begin_sign_in(email=_factor_of(operator_id), client=client)


def note_passkey_used(passkey_id: int, *, attempt: Attempt) -> None:
    """Note that somebody signed in with it; how the sign-in ends is recorded."""
    people.forget_attempts(attempt.ids)
    store.note_passkey_used(passkey_id, now=clock.now())


def add_app(*, operator_id: int, secret: str, code: str, but: int | None = None, by: Actor) -> tuple[str, ...]:
    """Keep an authenticator app that shows ``code`` now; recovery codes, to be shown once, if there were none.

    ``FactorRefused`` for another code, ``Conflict`` where there is an app. The person's sessions but ``but`` end:
    who has only the password must not stay.
    """
    _require_own(operator_id, by)
    step = rules.matching_step(secret, rules.plain(code), unix=clock.unix(), after=0)
    if step is None:
        raise FactorRefused("That is not the code that the app shows now.")
    with database.transaction():
        store.lock(operator_id)
        if store.app(operator_id) is not None:
            raise Conflict("There is an authenticator app already.", code="factor_exists", hint="Remove it first.")
        store.insert_app(operator_id, secret=secret, step=step, now=clock.now())
        return _added(operator_id, "app", but=but, by=by)


def add_passkey(
    *, operator_id: int, name: str, credential: dict[str, Any], but: int | None = None, by: Actor
) -> tuple[str, ...]:
    """Keep a passkey whose answer was checked; recovery codes and sessions as for ``add_app``."""
    _require_own(operator_id, by)
    with database.transaction():
        store.lock(operator_id)
        if len(store.factors(operator_id).passkeys) >= MOST_PASSKEYS:
            raise Refused(f"There are {MOST_PASSKEYS} passkeys already.", code="passkeys_full", hint="Remove one.")
        store.insert_passkey(operator_id, name=_name(name), credential=credential, now=clock.now())
        return _added(operator_id, "passkey", but=but, by=by)


def _added(operator_id: int, kind: str, *, but: int | None, by: Actor) -> tuple[str, ...]:
    _record(Action.FACTOR_ADDED, operator_id, by, kind=kind)
    people.end_sessions(operator_id, why=End.CREDENTIALS.value, now=clock.now(), but=but)
    return () if store.factors(operator_id).codes_left else _make_codes(operator_id, by)


def rename_passkey(*, operator_id: int, passkey_id: int, name: str, by: Actor) -> None:
    """Call a passkey something else; ``NotFound`` for one that is not this person's."""
    _require_own(operator_id, by)
    with database.transaction():
        _own_passkey(operator_id, passkey_id)
        store.rename_passkey(passkey_id, _name(name))
        _record(Action.FACTOR_RENAMED, operator_id, by, kind="passkey")


def remove_app(*, operator_id: int, but: int | None = None, by: Actor) -> None:
    """Forget an authenticator app; the recovery codes go with the last factor, and other sessions than ``but`` end."""
    _require_own(operator_id, by)
    with database.transaction():
        store.lock(operator_id)
        if not store.remove_app(operator_id):
            raise NotFound("There is no authenticator app.", code="factor_unknown")
        _removed(operator_id, "app", but=but, by=by)


def remove_passkey(*, operator_id: int, passkey_id: int, but: int | None = None, by: Actor) -> None:
    """Forget a passkey; as for ``remove_app``."""
    _require_own(operator_id, by)
    with database.transaction():
        store.lock(operator_id)
        _own_passkey(operator_id, passkey_id)
        store.remove_passkey(passkey_id)
        _removed(operator_id, "passkey", but=but, by=by)


def _removed(operator_id: int, kind: str, *, but: int | None, by: Actor) -> None:
    if not store.has_factor(operator_id):
        store.remove_codes(operator_id)
    _record(Action.FACTOR_REMOVED, operator_id, by, kind=kind)
    people.end_sessions(operator_id, why=End.CREDENTIALS.value, now=clock.now(), but=but)


def make_codes(*, operator_id: int, by: Actor) -> tuple[str, ...]:
    """New recovery codes in the place of all former ones, to be shown once; ``Refused`` without a second factor."""
    _require_own(operator_id, by)
    with database.transaction():
        store.lock(operator_id)
        if not store.has_factor(operator_id):
            raise Refused(
                "Recovery codes stand in for a second factor, and there is none.",
                code="factor_missing",
                hint="Add an authenticator app or a passkey first.",
            )
        return _make_codes(operator_id, by)


def _make_codes(operator_id: int, by: Actor) -> tuple[str, ...]:
    codes = tuple(rules.code_of(secrets.token_bytes(rules.CODE_BYTES)) for _ in range(rules.CODES))
    store.replace_codes(operator_id, [_digest(operator_id, rules.plain(code)) for code in codes], now=clock.now())
    _record(Action.RECOVERY_CODES_MADE, operator_id, by, codes=len(codes))
    return codes


def reset(*, operator_id: int, by: Actor) -> int:
    """Forget every second factor of somebody who lost theirs, and end their sessions; returns how many there were.

    They sign in with their password and set up another. Only an owner resets an owner's or admin's; one's own are
    changed where one shows who one is.
    """
    operators.require(by, Permission.PEOPLE_MANAGE)
    person = people.find_by_id(operator_id)
    if person is None:
        raise NotFound(f"There is no operator {operator_id}.", code="operator_unknown")
    ranks.require(by, person.roles)
    if by == _self(operator_id):
        raise Forbidden("Change your own below Signing in.", code="factor_of_oneself")
    with database.transaction():
        store.lock(operator_id)
        removed = store.remove_all(operator_id)
        people.end_sessions(operator_id, why=End.CREDENTIALS.value, now=clock.now())
        _record(Action.FACTORS_RESET, operator_id, by, factors=removed)
    return removed


def _record(action: Action, operator_id: int, by: Actor, **after: object) -> None:
    connection = database.connection()
    audit.record(
        connection, by=by, action=action, object_type="operator", object_id=str(operator_id), after=dict(after)
    )


def _own_passkey(operator_id: int, passkey_id: int) -> None:
    if store.passkey(passkey_id, operator_id=operator_id) is None:
        raise NotFound("There is no such passkey.", code="factor_unknown")


def _name(name: str) -> str:
    return name.strip()[:LONGEST_NAME] or "Passkey"


def _require_own(operator_id: int, by: Actor) -> None:
    if by != _self(operator_id):
        raise Forbidden("Only they themselves change somebody's second factors.", code="factor_of_another")


def _self(operator_id: int) -> Actor:
    return Actor(kind=ActorKind.OPERATOR, id=str(operator_id))


def _factor_of(operator_id: int) -> str:
    # Counted like an address, and no address: those have no colon before their sign.
    return f"factor:{operator_id}"


def _digest(operator_id: int, code: str) -> str:
    # Keyed with the installation's key, so that a copy of the database alone cannot be searched for codes.
    return salted_hmac(f"trueup recovery code {operator_id}", code, algorithm="sha256").hexdigest()
