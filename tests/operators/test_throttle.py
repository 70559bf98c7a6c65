"""Guessing passwords: ten failures, then a wait, for an address and for a client."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.operators.conftest import BY, PASSWORD
from trueup.audit.types import AuditEntry
from trueup.operators import rules
from trueup.operators import service as operators
from trueup.operators.errors import SignInThrottled
from trueup.operators.models import SignInAttempt
from trueup.operators.types import Person
from trueup.runtime import database

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Entries = Callable[[], list[AuditEntry]]


def fail(number: int, *, email: str = "", client: str = "192.0.2.1") -> None:
    """So many sign-ins that do not succeed; each for an address of its own where none is named."""
    for turn in range(number):
        operators.begin_sign_in(email=email or f"guess{turn}@acme.example", client=client)


def post(client: Client, email: str, password: str, **headers: str) -> tuple[int, str]:
    """Try to sign in; gives the status and the page."""
    response = client.post("/sign-in", {"username": email, "password": password}, headers=headers)
    return response.status_code, response.content.decode()


@pytest.mark.parametrize(
    ("minutes_ago", "wait"),
    [
        ([], None),
        ([1] * 9, None),
        ([1] * 10, 14),
        ([14, *[1] * 9], 1),
        ([15, *[1] * 9], None),
        ([14, 13, *[1] * 9], 2),
        ([40] * 30, None),
    ],
)
def test_the_wait_ends_when_fewer_than_ten_failures_are_recent(minutes_ago: list[int], wait: int | None) -> None:
    attempts = [NOW - minutes * MINUTE for minutes in minutes_ago]

    assert rules.retry_at(attempts, now=NOW) == (None if wait is None else NOW + wait * MINUTE)


@given(st.lists(st.integers(0, 2000), max_size=40))
def test_waiting_as_long_as_told_is_enough(seconds_ago: list[int]) -> None:
    attempts = [NOW - timedelta(seconds=seconds) for seconds in seconds_ago]
    until = rules.retry_at(attempts, now=NOW) or NOW

    assert NOW <= until <= NOW + rules.WINDOW
    assert rules.retry_at(attempts, now=until) is None


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_a_client_is_an_address_or_the_network_of_one_host(address: str, client: str) -> None:
    assert rules.client_of(address) == client


def test_the_eleventh_guess_at_an_address_is_refused_from_anywhere(db: None) -> None:
    for turn in range(10):
        fail(1, email="ada@acme.example", client=f"192.0.2.{turn}")

    with pytest.raises(SignInThrottled) as refused:
        operators.begin_sign_in(email=" ADA@acme.example", client="192.0.2.99")
    assert refused.value.status == 429
    assert f"{refused.value.retry_at:%H:%M} UTC" in refused.value.hint
    operators.begin_sign_in(email="other@acme.example", client="192.0.2.99")


def test_the_eleventh_guess_of_a_client_is_refused_for_any_address(db: None) -> None:
    fail(10, client="2001:db8::1")

    with pytest.raises(SignInThrottled):
        operators.begin_sign_in(email="ada@acme.example", client="2001:db8::2")
    operators.begin_sign_in(email="ada@acme.example", client="2001:db8:0:1::1")


def test_what_is_refused_does_not_make_the_wait_longer(db: None) -> None:
    fail(10, email="ada@acme.example")
    waits = set()

    for _ in range(5):
        with pytest.raises(SignInThrottled) as refused:
            operators.begin_sign_in(email="ada@acme.example", client="192.0.2.1")
        waits.add(refused.value.retry_at)

    assert len(waits) == 1


def test_after_the_wait_it_goes_on_and_the_old_failures_are_dropped(db: None) -> None:
    fail(10, email="ada@acme.example")
    SignInAttempt.objects.update(at=datetime(2026, 1, 1, tzinfo=UTC))

    operators.begin_sign_in(email="ada@acme.example", client="192.0.2.1")

    assert SignInAttempt.objects.count() == 2


def test_signing_in_forgets_the_failures_of_the_address_and_keeps_those_of_the_client(person: Person) -> None:
    fail(9, client="192.0.2.1")
    fail(9, email=person.email, client="192.0.2.2")

    operators.record_sign_in(person.id, attempt=operators.begin_sign_in(email=person.email, client="192.0.2.1"))

    fail(10, email=person.email, client="192.0.2.3")
    operators.begin_sign_in(email="x@acme.example", client="192.0.2.1")
    with pytest.raises(SignInThrottled):
        operators.begin_sign_in(email="x@acme.example", client="192.0.2.1")


def test_a_new_password_ends_the_wait_of_its_address(person: Person) -> None:
    fail(10, email=person.email)

    operators.set_password(email=person.email, password=PASSWORD, by=BY)

    operators.begin_sign_in(email=person.email, client="192.0.2.9")


def test_neither_addresses_nor_clients_can_be_read_in_the_table(db: None) -> None:
    fail(1, email="ada@acme.example", client="192.0.2.1")

    stored = b"".join(
        bytes(row[0]) for row in database.execute("select subject from operators_signinattempt").fetchall()
    )

    assert len(stored) == 64
    assert b"ada" not in stored
    assert b"192" not in stored


def test_the_console_refuses_the_right_password_too_and_says_when_to_come_back(
    person: Person, entries: Entries
) -> None:
    visitor = Client()
    assert {post(visitor, person.email, "wrong password")[0] for _ in range(10)} == {422}
    noted = len(entries())

    response = visitor.post("/sign-in", {"username": person.email, "password": PASSWORD})

    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 900
    assert "Too many sign-ins have failed. Try again in 15 min." in response.content.decode()
    assert visitor.get("/customers").status_code == 302
    assert len(entries()) == noted


def test_an_unknown_address_is_throttled_in_the_same_words(person: Person) -> None:
    known, unknown = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")
    pages = []
    for visitor, email in ((known, person.email), (unknown, "nobody@acme.example")):
        answers = [post(visitor, email, "wrong password") for _ in range(11)]
        pages.append([(status, page.replace(email, "").partition("<form")[0]) for status, page in answers])

    assert [status for status, _page in pages[0]] == [422] * 10 + [429]
    assert [status for status, _page in pages[1]] == [422] * 10 + [429]


def test_a_mistyped_password_now_and_then_never_locks_anybody_out(person: Person) -> None:
    visitor = Client()
    for _ in range(4):
        assert [post(visitor, person.email, "wrong password")[0] for _ in range(2)] == [422, 422]
        assert post(visitor, person.email, PASSWORD)[0] == 302
        visitor.post("/sign-out")


def test_a_form_without_a_password_is_no_attempt(person: Person) -> None:
    visitor = Client()
    assert {post(visitor, person.email, "")[0] for _ in range(12)} == {422}

    assert post(visitor, person.email, PASSWORD)[0] == 302


def test_a_client_cannot_name_itself(person: Person) -> None:
    visitor = Client()
    for turn in range(10):
        post(visitor, f"guess{turn}@acme.example", "wrong password", x_forwarded_for=f"203.0.113.{turn}")

    assert post(visitor, person.email, PASSWORD, x_forwarded_for="203.0.113.99")[0] == 429


def test_guesses_at_once_are_counted_one_by_one(committing: None) -> None:
    def guess(turn: int) -> bool:
        try:
            operators.begin_sign_in(email="ada@acme.example", client=f"192.0.2.{turn}")
        except SignInThrottled:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(guess, range(40)))

    assert sum(taken) == 10
