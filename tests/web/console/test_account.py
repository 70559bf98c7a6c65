"""One's own account: sessions that can be seen, ended, and that end by themselves."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.test import Client

from tests.web.console.test_sign_in_factor import sign_in
from trueup.operators.types import Person
from trueup.runtime import database
from trueup.web.console.devices import device_name

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def another(person: Person, agent: str = FIREFOX) -> Client:
    """A second browser of the same person."""
    client = Client(enforce_csrf_checks=True, headers={"user-agent": agent})
    sign_in(client, person)
    return client


def _numbers() -> list[int]:
    return [number for (number,) in database.execute("select id from operators_session order by id").fetchall()]


def _age(idle: timedelta) -> None:
    database.execute("update operators_session set used_at = used_at - %s, opened_at = opened_at - %s", (idle, idle))


def test_the_page_lists_where_one_is_signed_in_and_says_which_is_this(reader: Client, person: Person) -> None:
    another(person)

    page = reader.get("/account/security").content.decode()

    assert "Firefox on Windows" in page
    assert page.count("This one") == 1
    assert "127.0.0.1" in page
    assert "End all others" in page


def test_a_session_that_was_ended_elsewhere_is_out_at_its_next_request(reader: Client, person: Person) -> None:
    other = another(person)
    reader.get("/account/security")
    theirs = _numbers()[0]

    assert reader.post(f"/account/sessions/{theirs}/end")["Location"] == "/account/security#sessions"

    answer = other.get("/events")
    assert answer["Location"] == "/sign-in?next=/events&over=revoked"
    assert "ended from elsewhere" in other.get(answer["Location"]).content.decode()
    assert reader.get("/account/security").status_code == 200
    assert reader.post(f"/account/sessions/{theirs}/end").status_code == 404


def test_all_others_end_and_this_one_stays(reader: Client, person: Person) -> None:
    others = [another(person), another(person)]

    reader.post("/account/sessions/end-others")

    assert [one.get("/account/security").status_code for one in (*others, reader)] == [302, 302, 200]


def test_nobody_ends_a_session_of_somebody_else(reader: Client, person: Person) -> None:
    reader.get("/account/security")
    stranger = get_user_model().objects.create(email="s@acme.example", roles=["sales"])
    other = Client()
    other.force_login(stranger)
    other.get("/account/security")

    assert other.post(f"/account/sessions/{_numbers()[0]}/end").status_code == 404
    assert reader.get("/account/security").status_code == 200


def test_an_unused_session_is_out_and_what_a_page_asks_by_itself_keeps_nobody_in(reader: Client) -> None:
    reader.get("/account/security")
    _age(timedelta(minutes=20))
    assert reader.get("/account/session", headers={"X-Tick": "1"}).json()["left"] <= 600
    _age(timedelta(minutes=11))

    answer = reader.get("/events")

    assert answer["Location"] == "/sign-in?next=/events&over=idle"
    assert "nobody used this session" in reader.get(answer["Location"]).content.decode()


def test_staying_signed_in_moves_the_end(reader: Client) -> None:
    reader.get("/account/security")
    _age(timedelta(minutes=28))

    assert reader.post("/account/session").json()["left"] > 1700

    page = reader.get("/account/security").content.decode()
    assert 'data-left="1' in page


def test_a_person_who_was_deactivated_is_out_at_the_next_request(reader: Client) -> None:
    reader.get("/account/security")
    database.execute("update operators_operator set is_active = false")

    assert reader.get("/account/security").status_code == 302


def test_signing_out_ends_the_session_for_good(reader: Client) -> None:
    reader.get("/account/security")

    reader.post("/sign-out")

    assert database.execute('select "end" from operators_session').fetchall() == [("signed_out",)]


def test_a_stolen_cookie_is_worth_nothing_after_signing_out(person: Person) -> None:
    mine = another(person)
    stolen = Client()
    stolen.cookies = mine.cookies.copy()  # type: ignore[assignment]
    assert stolen.get("/account/security").status_code == 200

    token = mine.get("/account/security").content.decode().split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    mine.post("/sign-out", {"csrfmiddlewaretoken": token})

    assert stolen.get("/account/security").status_code == 302


def test_browsers_are_called_what_people_call_them() -> None:
    safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1"
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"

    assert [device_name(one) for one in (FIREFOX, safari, edge, "curl/8.0", "")] == [
        *("Firefox on Windows", "Safari on iPhone", "Edge on Windows", "curl", "Unknown device")
    ]
