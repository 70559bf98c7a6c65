"""Second factors: one-time passwords, recovery codes, who may change them, and how often somebody may guess."""

from __future__ import annotations

import base64
import json

import pytest
from pytest_django import Settings

from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Conflict, Forbidden, NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.errors import SignInThrottled
from trueup.operators.factors import rules
from trueup.operators.factors import service as factors
from trueup.operators.factors.errors import FactorRefused
from trueup.operators.sessions import service as sessions
from trueup.operators.types import Person
from trueup.runtime import clock, database

# https://www.rfc-editor.org/rfc/rfc6238#appendix-B, the last six of the eight digits.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
HOST = "192.0.2.7"


@pytest.fixture
def person(db: None, settings: Settings) -> Person:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return operators.create_operator(email="o@acme.example", password="nine quiet rivers", by=system("test"))


def _self(person: Person) -> Actor:
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


def _now(secret: str, ahead: int = 0) -> str:
    return rules.password(secret, clock.unix() // rules.STEP_SECONDS + ahead)


def _with_app(person: Person) -> tuple[str, tuple[str, ...]]:
    secret = factors.new_secret()
    # The step before, so that a test may use the one of now.
    return secret, factors.add_app(operator_id=person.id, secret=secret, code=_now(secret, -1), by=_self(person))


def _check(person: Person, code: str, client: str = HOST) -> str:
    return factors.check_code(operator_id=person.id, code=code, client=client)


@pytest.mark.parametrize(
    ("unix", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_one_time_passwords_are_those_of_the_rfc(unix: int, expected: str) -> None:
    assert rules.password(RFC_SECRET, unix // rules.STEP_SECONDS) == expected


def test_a_clock_may_be_one_step_off_and_a_used_step_counts_no_more() -> None:
    step = 1_000_000
    unix = step * rules.STEP_SECONDS

    def found(at: int, after: int = 0) -> int | None:
        return rules.matching_step(RFC_SECRET, rules.password(RFC_SECRET, at), unix=unix, after=after)

    assert [found(step - 1), found(step), found(step + 1)] == [step - 1, step, step + 1]
    assert [found(step - 2), found(step + 2)] == [None, None]
    assert [found(step, after=step), found(step + 1, after=step)] == [None, step + 1]


def test_codes_are_read_however_they_are_typed() -> None:
    code = rules.code_of(bytes(range(10)))

    assert code == "aaaq-eaye-auda-ocaj"
    assert rules.plain(f" {code.upper().replace('-', ' ')}\n") == code.replace("-", "")


def test_an_app_lets_in_once_a_step_and_its_secret_is_sealed(person: Person) -> None:
    secret, codes = _with_app(person)

    assert len(set(codes)) == rules.CODES
    assert factors.has_factor(person.id)
    assert _check(person, _now(secret)) == "app"
    with pytest.raises(FactorRefused):
        _check(person, _now(secret))
    stored = json.dumps(database.execute("select data from mfa_authenticator").fetchall())
    assert secret not in stored
    assert not any(rules.plain(code) in stored for code in codes)


def test_a_recovery_code_lets_in_once_and_new_ones_end_the_former(person: Person) -> None:
    _secret, codes = _with_app(person)

    assert _check(person, codes[0].upper()) == "code"
    with pytest.raises(FactorRefused):
        _check(person, codes[0])
    assert factors.factors(person.id).codes_left == rules.CODES - 1

    fresh = factors.make_codes(operator_id=person.id, by=_self(person))
    with pytest.raises(FactorRefused):
        _check(person, codes[1])
    assert _check(person, fresh[1]) == "code"


def test_whoever_guesses_codes_is_stopped_and_the_right_one_waits_as_well(person: Person) -> None:
    secret, _codes = _with_app(person)
    for host in range(10):
        with pytest.raises(FactorRefused):
            _check(person, "000000x", client=f"192.0.2.{host}")

    with pytest.raises(SignInThrottled):
        _check(person, _now(secret))


def test_an_app_is_added_with_the_code_that_it_shows_and_only_once(person: Person) -> None:
    secret = factors.new_secret()
    with pytest.raises(FactorRefused):
        factors.add_app(operator_id=person.id, secret=secret, code="123", by=_self(person))
    assert not factors.has_factor(person.id)

    factors.add_app(operator_id=person.id, secret=secret, code=_now(secret), by=_self(person))
    with pytest.raises(Conflict):
        factors.add_app(operator_id=person.id, secret=secret, code=_now(secret), by=_self(person))


def test_only_they_themselves_change_somebodys_factors(person: Person) -> None:
    secret = factors.new_secret()

    with pytest.raises(Forbidden):
        factors.add_app(operator_id=person.id, secret=secret, code=_now(secret), by=system("test"))
    with pytest.raises(Refused):
        factors.make_codes(operator_id=person.id, by=_self(person))


def test_a_change_of_factors_ends_the_sessions_elsewhere(person: Person) -> None:
    here = sessions.open_session(person.id, client=HOST, device="").id
    sessions.open_session(person.id, client=HOST, device="")
    secret = factors.new_secret()

    factors.add_app(operator_id=person.id, secret=secret, code=_now(secret), but=here, by=_self(person))
    assert [one.id for one in sessions.sessions(person.id)] == [here]

    assert factors.reset(operator_id=person.id, by=system("test")) == 1
    assert sessions.sessions(person.id) == []
    assert not factors.has_factor(person.id)
    assert factors.factors(person.id).codes_left == 0


def test_the_codes_go_with_the_last_factor(person: Person) -> None:
    _with_app(person)
    again = factors.add_passkey(operator_id=person.id, name=" ", credential={}, by=_self(person))
    (key,) = factors.factors(person.id).passkeys
    assert (again, key.name) == ((), "Passkey")

    factors.remove_app(operator_id=person.id, by=_self(person))
    assert factors.factors(person.id).codes_left == rules.CODES
    with pytest.raises(NotFound):
        factors.remove_app(operator_id=person.id, by=_self(person))
    factors.rename_passkey(operator_id=person.id, passkey_id=key.id, name="Laptop", by=_self(person))
    assert factors.factors(person.id).passkeys[0].name == "Laptop"

    factors.remove_passkey(operator_id=person.id, passkey_id=key.id, by=_self(person))
    assert factors.factors(person.id).codes_left == 0


def test_somebody_elses_passkey_is_none(person: Person) -> None:
    other = operators.create_operator(
        email="p@acme.example", password="nine quiet rivers", roles=person.roles, by=system("test")
    )
    factors.add_passkey(operator_id=other.id, name="Laptop", credential={}, by=_self(other))
    (key,) = factors.factors(other.id).passkeys

    with pytest.raises(NotFound):
        factors.remove_passkey(operator_id=person.id, passkey_id=key.id, by=_self(person))
    with pytest.raises(NotFound):
        factors.rename_passkey(operator_id=person.id, passkey_id=key.id, name="Mine", by=_self(person))


def test_a_password_is_asked_again_and_guesses_count_as_at_signing_in(person: Person) -> None:
    factors.check_password(operator_id=person.id, password="nine quiet rivers", client=HOST)
    for _ in range(10):
        with pytest.raises(FactorRefused):
            factors.check_password(operator_id=person.id, password="guess", client=HOST)

    with pytest.raises(SignInThrottled):
        factors.check_password(operator_id=person.id, password="nine quiet rivers", client=HOST)
