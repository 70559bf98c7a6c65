"""What a person sees when something goes wrong."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from trueup.kernel.errors import Broken, Forbidden, NotFound, Unavailable
from trueup.operators.errors import PermissionMissing
from trueup.operators.permissions import Permission
from trueup.web.console import failures
from trueup.web.console.guard import public


def _raising(error: Exception) -> HttpResponse:
    def view(request: HttpRequest) -> HttpResponse:
        del request
        raise error

    response = public(view)(RequestFactory().get("/page"))
    assert isinstance(response, HttpResponse)
    return response


def test_an_unknown_address_keeps_the_navigation_for_people_who_signed_in(reader: Client, visitor: Client) -> None:
    signed_in, stranger = reader.get("/no/such/page"), visitor.get("/no/such/page")

    assert signed_in.status_code == stranger.status_code == 404
    assert 'aria-label="Main"' in signed_in.content.decode()
    assert 'aria-label="Main"' not in stranger.content.decode()
    assert "There is no page at this address." in stranger.content.decode()


def test_an_unknown_address_of_the_api_is_answered_as_the_api_does(visitor: Client) -> None:
    response = visitor.get("/api/v1/no-such-thing")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


def test_a_part_that_fails_is_a_fragment_with_its_status(reader: Client) -> None:
    response = reader.get("/customers/cus_nobody", headers={"HX-Request": "true"})

    assert response.status_code == 404
    assert response["X-Fragment"] == "error"
    assert "<html" not in response.content.decode()
    assert "There is no customer cus_nobody." in response.content.decode()


@pytest.mark.parametrize(
    ("error", "status", "heading"),
    [
        (NotFound("It is gone.", hint="Look elsewhere."), 404, "Not found"),
        (Forbidden("Not yours."), 403, "You may not do this"),
        (Unavailable("Away."), 503, "Back in a moment"),
    ],
)
def test_our_errors_become_pages_with_their_status_sentence_and_hint(
    error: Exception, status: int, heading: str
) -> None:
    response = _raising(error)

    assert response.status_code == status
    page = response.content.decode()
    assert f"<h1>{heading}</h1>" in page
    assert str(error) in page
    assert response["Cache-Control"] == "private, no-store"


def test_who_lacks_a_permission_reads_its_name_and_the_roles_that_have_it() -> None:
    response = _raising(PermissionMissing(Permission.TOKENS_MANAGE))

    told = response.content.decode()
    assert response.status_code == 403
    assert "Your role does not include: Make, rotate and revoke API tokens." in told
    assert "It comes with: Owner, Admin, Operations, Developer. Whoever" in told
    assert "tokens.manage" not in told


def test_a_database_that_is_away_is_said_and_not_a_crash(db: None) -> None:
    response = _raising(OperationalError("connection refused at secret-host"))

    assert response.status_code == 503
    assert "The database does not answer." in response.content.decode()
    assert "secret-host" not in response.content.decode()


def test_a_broken_invariant_is_not_hidden_from_whoever_is_paged() -> None:
    with pytest.raises(Broken):
        _raising(Broken("two heads"))


def test_the_page_for_our_own_mistakes_needs_neither_database_nor_session() -> None:
    response = failures.broken(RequestFactory().get("/customers"))

    assert response.status_code == 500
    assert "Trueup made a mistake" in response.content.decode()
