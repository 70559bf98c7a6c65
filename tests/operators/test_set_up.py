"""The first person: a code that only the host knows, and only one owner of two who come at once."""

from __future__ import annotations

import pytest

from trueup.kernel.errors import Conflict
from trueup.operators import service as operators
from trueup.operators.errors import SignInThrottled
from trueup.operators.set_up import service as set_up
from trueup.operators.set_up.errors import SetUpRefused
from trueup.operators.types import Person, Role


def _create(given: str, email: str = "o@acme.example") -> Person:
    return set_up.create_owner(given=given, email=email, name="Ada", password="nine quiet rivers", client="192.0.2.7")


def test_the_code_makes_an_owner_and_opens_nothing_afterwards(db: None) -> None:
    assert set_up.is_open()
    code = set_up.code()

    owner = _create(code.lower().replace("-", " "))

    assert (owner.roles, owner.name) == ((Role.OWNER,), "Ada")
    assert not set_up.is_open()
    assert set_up.code() == code
    with pytest.raises(Conflict):
        _create(code, email="second@acme.example")
    assert operators.operator_count() == 1


def test_a_stranger_who_guesses_the_code_gets_nowhere_and_is_stopped(db: None) -> None:
    for _ in range(10):
        with pytest.raises(SetUpRefused):
            _create("AAAA-BBBB-CCCC-DDDD")

    with pytest.raises(SignInThrottled):
        _create(set_up.code())
    assert operators.operator_count() == 0
