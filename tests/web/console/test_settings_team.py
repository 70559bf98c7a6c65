"""The team on pages: inviting somebody, giving roles by two, shutting out."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.web.console.conftest import PASSWORD
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.approvals import service as approvals
from trueup.operators.team import service as team
from trueup.operators.types import Person, Role

BY = system("test")


def somebody(*roles: Role, name: str = "joe") -> Person:
    return operators.create_operator(email=f"{name}@acme.example", password=PASSWORD, name=name, roles=roles, by=BY)


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client


def page(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def link_of(told: str) -> str:
    found = re.search(r"http://testserver(/invitation/[\w-]+)", told)
    assert found is not None
    return found.group(1)


def test_the_list_shows_everybody_with_roles_and_last_sign_in(reader: Client) -> None:
    somebody(Role.SALES)
    told = page(reader.get("/settings/team"))

    assert "elena@acme.example" in told
    assert "joe@acme.example" in told
    assert ">Sales<" in told
    assert ">Owner<" in told


def test_somebody_is_invited_by_a_link_that_is_shown_once_and_comes_in(reader: Client, visitor: Client) -> None:
    told = page(
        reader.post("/settings/team/invite", {"email": "new@acme.example", "name": "New", "role": ["sales", "ops"]})
    )
    link = link_of(told)
    assert link not in page(reader.get("/settings/team"))
    assert "new@acme.example" in page(reader.get("/settings/team"))

    stranger = Client()
    welcome = page(stranger.get(link))
    assert "You were invited as new@acme.example" in welcome
    assert 'value="New"' in welcome
    short = stranger.post(link, {"name": "New", "password": "short", "again": "short"})
    other = stranger.post(link, {"name": "New", "password": PASSWORD, "again": PASSWORD + "x"})
    assert [(one.status_code, "id_" in page(one)) for one in (short, other)] == [(422, True), (422, True)]
    came = stranger.post(link, {"name": "New One", "password": PASSWORD, "again": PASSWORD})

    assert (came.status_code, came["Location"]) == (302, "/sign-in")
    assert "Welcome. Sign in with the password" in page(stranger.get("/sign-in"))
    person = operators.find_operator("new@acme.example")
    assert person is not None
    assert (person.name, person.roles) == ("New One", (Role.SALES, Role.OPS))
    assert stranger.get(link).status_code == 404
    assert visitor.post(link).status_code == 403


def test_what_cannot_be_an_invitation_is_told_beside_the_form_with_what_was_written(reader: Client) -> None:
    answer = reader.post("/settings/team/invite", {"email": "nobody", "name": "No <b>", "role": ["sales"]})

    assert answer.status_code == 400
    assert "not an email address" in page(answer)
    assert 'value="No &lt;b&gt;"' in page(answer)
    assert team.invitations() == []
    again = reader.post("/settings/team/invite", {"email": "elena@acme.example", "role": ["nonsense", "sales"]})
    assert again.status_code == 409


def test_an_invitation_gets_another_link_or_is_taken_back(reader: Client) -> None:
    first = link_of(page(reader.post("/settings/team/invite", {"email": "new@acme.example", "role": "sales"})))
    (made,) = team.invitations()
    second = link_of(page(reader.post(f"/settings/team/invitations/{made.id}/renew")))
    assert [Client().get(link).status_code for link in (first, second)] == [404, 200]

    answer = reader.post(f"/settings/team/invitations/{made.id}/withdraw", follow=True)

    assert "is taken back" in page(answer)
    assert Client().get(second).status_code == 404


def test_roles_are_given_on_the_persons_page(reader: Client) -> None:
    joe = somebody(Role.SALES)

    answer = reader.post(f"/settings/team/{joe.id}", {"role": ["support", "finance"]}, follow=True)

    assert "The roles are changed." in page(answer)
    assert team.member(joe.id).roles == (Role.SUPPORT, Role.FINANCE)
    none = reader.post(f"/settings/team/{joe.id}", {})
    assert (none.status_code, "at least one role" in page(none)) == (400, True)
    assert reader.get("/settings/team/999999").status_code == 404


def test_one_of_two_owners_asks_and_the_other_approves_in_the_inbox(reader: Client) -> None:
    other, joe = somebody(Role.OWNER, name="ada"), somebody(Role.SALES)
    silent = reader.post(f"/settings/team/{joe.id}", {"role": ["admin"]})
    assert (silent.status_code, "Say why." in page(silent)) == (400, True)

    asked = reader.post(f"/settings/team/{joe.id}", {"role": ["admin"], "why": "He runs it."}, follow=True)

    assert "Another owner was asked" in page(asked)
    assert "It waits for another owner." in page(asked)
    (waiting,) = approvals.newest()
    mine = page(reader.get("/inbox"))
    assert "Nothing waits for you" in mine
    assert "Take back" in mine
    ada = signed_in(other)
    told = page(ada.get("/inbox"))
    assert "He runs it." in told
    assert '<span class="badge">1</span>' in told
    assert reader.post(f"/inbox/{waiting.id}/approve").status_code == 403
    refused = ada.post(f"/inbox/{waiting.id}/reject", {"answer": ""})
    assert (refused.status_code, "Say why." in page(refused)) == (400, True)

    done = ada.post(f"/inbox/{waiting.id}/approve", {"answer": "Yes."}, follow=True)

    assert "Approved, and done." in page(done)
    assert team.member(joe.id).roles == (Role.ADMIN,)
    assert "answered by ada" in page(reader.get("/inbox"))
    assert "He runs it." not in page(signed_in(somebody(Role.SALES, name="sal")).get("/inbox"))
    assert ada.post(f"/inbox/{waiting.id}/approve").status_code == 409


def test_whoever_asked_takes_it_back(reader: Client) -> None:
    somebody(Role.OWNER, name="ada")
    joe = somebody(Role.SALES)
    reader.post(f"/settings/team/{joe.id}", {"role": ["admin"], "why": "He runs it."})
    (waiting,) = approvals.newest()

    answer = reader.post(f"/inbox/{waiting.id}/cancel", follow=True)

    assert "Taken back." in page(answer)
    assert team.member(joe.id).roles == (Role.SALES,)


def test_a_person_is_shut_out_let_in_again_and_let_in_for_a_while(reader: Client) -> None:
    joe = somebody(Role.AUDITOR)
    his = signed_in(joe)
    assert his.get("/settings/roles").status_code == 200

    told = page(reader.post(f"/settings/team/{joe.id}/out", follow=True))

    assert "Deactivated" in told
    assert his.get("/settings/roles").status_code == 302
    assert "May sign in" in page(reader.post(f"/settings/team/{joe.id}/in", follow=True))
    reader.post(f"/settings/team/{joe.id}/access", {"since": "2026-01-01", "until": "2026-01-31"})
    person = team.member(joe.id)
    assert person.access_until is not None
    assert person.access_until.isoformat() == "2026-02-01T00:00:00+00:00"
    shown = page(reader.get(f"/settings/team/{joe.id}"))
    assert 'value="2026-01-31"' in shown
    assert "Access is over" in page(reader.get("/settings/team"))
    odd = reader.post(f"/settings/team/{joe.id}/access", {"since": "tomorrow"})
    assert (odd.status_code, "not a day" in page(odd)) == (400, True)


def test_an_admin_sees_that_owners_are_not_theirs_to_change(person: Person) -> None:
    admin = signed_in(somebody(Role.ADMIN, name="adam"))

    told = page(admin.get(f"/settings/team/{person.id}"))

    assert "Only an owner changes owners and admins." in told
    assert "Save the roles" not in told
    assert admin.post(f"/settings/team/{person.id}/out").status_code == 403
    assert "takes two" in page(admin.get("/settings/team"))


@pytest.mark.parametrize("role", [Role.COMPLIANCE, Role.AUDITOR])
def test_whoever_only_reads_the_team_sees_no_form(person: Person, role: Role) -> None:
    told = page(signed_in(somebody(role)).get("/settings/team"))

    assert "elena@acme.example" in told
    assert "Invite somebody" not in told
