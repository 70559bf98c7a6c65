"""The page of alarms: what stands wrong, who is on it, saying so and taking it back, and what is over."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from trueup.accounts.types import Account
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Role
from trueup.runtime import database

DRIFT = Alarm(code="drift", message="Three objects differ.", remedy="See docs/runbooks/drift.md")
DEAD = Alarm(code="odd", message="It is odd.", remedy="Run `trueup status`.")
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/alarms"}


def seen(client: Client, path: str = "/alarms") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return words(answer.content.decode())


def words(page: str) -> str:
    inside = page.split("<main", 1)[-1]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", inside)))


def raised(*found: Alarm, account: Account | None = None) -> int:
    """The number of the first of these, which stand."""
    alarms.settle(source="test", account_id=account.id if account else None, alarms=found)
    return next((one.id for one in alarms.standing() if found and one.code == found[0].code), 0)


def as_(role: Role) -> Client:
    """A browser of somebody with a role."""
    someone = operators.create_operator(
        email=f"{role.value}@acme.example",
        name=f"{role.value.title()} Person",
        password="correct horse battery",
        roles=[role],
        by=system("test"),
    )
    client = Client()
    client.force_login(get_user_model().objects.get(pk=someone.id))
    return client


def test_nothing_stands_wrong(reader: Client) -> None:
    page = seen(reader)

    assert "Nothing stands wrong" in page
    assert "Nothing stood wrong that is over." in page


def test_what_stands_wrong_says_what_to_do_and_that_nobody_is_on_it(reader: Client, account: Account) -> None:
    number = raised(DRIFT, DEAD, account=account)

    page = seen(reader)

    assert "Three objects differ." in page
    assert "acme · since" in page
    assert "2 need a person" in page
    assert page.count("Nobody is on it") == 2
    html = reader.get("/alarms").content.decode()
    assert '<a class="btn sm" href="/runbooks/drift">' in html
    assert "<code>trueup status</code>" in html
    assert f'id="alarm-{number}"' in html
    assert "<html" not in reader.get("/alarms", headers=HTMX).content.decode()


def test_somebody_is_on_it_and_takes_it_back(reader: Client, account: Account) -> None:
    number = raised(DEAD, DRIFT, account=account)

    answer = reader.post(f"/alarms/{number}/acknowledge", {"note": "Waiting for Stripe."})

    assert (answer.status_code, answer["Location"]) == (302, "/alarms")
    page = seen(reader)
    assert "You are on it. Everybody sees that." in page
    assert "1 needs a person" in page
    assert "1 in hand" in page
    assert "Waiting for Stripe." in page
    # What nobody is on stands first.
    assert page.index("Three objects differ.") < page.index("It is odd.")
    other = as_(Role.OPS)
    assert "Elena Sato is on it" in seen(other)
    assert "Change the note" not in seen(other)

    answer = other.post(f"/alarms/{number}/release")
    assert answer.status_code == 302
    page = seen(other)
    assert "2 need a person" in page
    assert "Waiting for Stripe." not in page


def test_what_another_is_on_is_not_taken_from_them_unasked(reader: Client, db: None) -> None:
    number = raised(DEAD)
    as_(Role.OPS).post(f"/alarms/{number}/acknowledge")

    answer = reader.post(f"/alarms/{number}/acknowledge", {"note": "Mine."})

    assert answer.status_code == 409
    assert "Somebody else is on this alarm already." in words(answer.content.decode())
    assert alarms.standing()[0].on_it == "Ops Person"


def test_it_was_over_meanwhile(reader: Client, db: None) -> None:
    number = raised(DEAD)
    raised()

    for act in ("acknowledge", "release"):
        answer = reader.post(f"/alarms/{number}/{act}")
        assert answer.status_code == 409
        told = answer.content.decode()
        assert "This alarm is over." in words(told)
        assert 'hx-get="/alarms"' in told
        assert reader.post(f"/alarms/{number + 1}/{act}").status_code == 404
        assert reader.get(f"/alarms/{number}/{act}").status_code == 405
    assert reader.post(f"/alarms/{number}/acknowledge", {"note": "x" * 201}).status_code == 400


@pytest.mark.usefixtures("person")
def test_who_may_only_look_is_offered_nothing() -> None:
    number = raised(DEAD)
    auditor = as_(Role.AUDITOR)

    assert "It is odd." in seen(auditor)
    assert "I am on it" not in seen(auditor)
    assert auditor.post(f"/alarms/{number}/acknowledge").status_code == 403


def test_what_is_over_says_from_when_to_when_and_who_was_on_it(reader: Client, account: Account) -> None:
    number = raised(DEAD, account=account)
    reader.post(f"/alarms/{number}/acknowledge", {"note": "Made room."})
    raised(account=account)
    raised(DRIFT)
    raised()
    database.execute("update inbox_pastalarm set since = ended_at - interval '3 hours' where code = 'odd'")

    page = seen(reader)

    assert "Nothing stands wrong" in page
    assert "It is odd. acme · Elena Sato was on it: Made room." in page
    assert "3 hours" in page
    assert "Three objects differ. nobody was on it" in page
    assert "2 of 2" in page
    database.execute("update inbox_pastalarm set ended_at = ended_at - interval '31 days' where code = 'odd'")
    assert "It is odd." not in seen(reader)


def test_more_than_a_page_is_over(reader: Client, db: None) -> None:
    for number in range(52):
        raised(Alarm(code=f"c{number:02}", message=f"Odd thing {number:02}.", remedy="Look."))
    raised()

    html = reader.get("/alarms").content.decode()
    following = unescape(re.findall(r'rel="next" href="([^"]+)"', html)[0])
    rest = seen(reader, following)

    assert "50 of 52" in words(html)
    assert "52 of 52" in rest
    assert "Odd thing 00." in rest
    assert "Odd thing 51." not in rest


def test_home_and_truth_count_what_nobody_is_on_and_lead_there(reader: Client, account: Account) -> None:
    number = raised(DEAD, DRIFT, account=account)
    assert "Alarms 2 need a person" in seen(reader, "/truth")

    as_(Role.OPS).post(f"/alarms/{number}/acknowledge")

    assert "Alarms 1 needs a person, 1 in hand" in seen(reader, "/truth")
    assert "Ops Person is on it" in seen(reader, "/truth")
    home = seen(reader, "/")
    assert "needs a person, 1 in hand" in home
    assert home.index("Nobody is on it") < home.index("Ops Person is on it")
    html = reader.get("/").content.decode()
    assert f'href="/alarms#alarm-{number}"' in html
    assert '<dt>Alarms</dt><dd><a href="/alarms">1' in html

    for one in alarms.standing():
        if not one.acknowledged_by:
            alarms.acknowledge(alarm_id=one.id, by=system("test"))
    assert "It is odd." not in seen(reader, "/")
    assert "2 in hand" in seen(reader, "/")
