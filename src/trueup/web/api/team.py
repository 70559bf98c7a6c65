"""Operations on API tokens, on the team, and on what waits for an approval.

Tokens are managed with the scope ``tokens``, people with ``people``. A program rotates its own with any scope. A
program answers no request: that takes a person.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router

from trueup.kernel.records import Record
from trueup.operators import service as operators
from trueup.operators.approvals import service as approvals
from trueup.operators.approvals.types import Approval
from trueup.operators.team import service as team
from trueup.operators.team.types import Invitation, NewInvitation, RolesChanged
from trueup.operators.tokens import service as tokens
from trueup.operators.types import NewToken, Person, Role, Scope, Token
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.asked import NO_NUL, WHOLE, Asked, Moment, RowId
from trueup.web.api.auth import ANY, PEOPLE, TOKENS, acting

router: Final = Router()

Words = Annotated[str, Field(max_length=1000, pattern=NO_NUL)]
Days = Annotated[int, Field(strict=True, ge=1, le=3650), WHOLE]
Short = Annotated[str, Field(max_length=200, pattern=NO_NUL)]


class Tokens(Record, frozen=True):
    """All tokens, without their secrets."""

    data: tuple[Token, ...]


class People(Record, frozen=True):
    """Everybody who may sign in or could once."""

    data: tuple[Person, ...]


class Invitations(Record, frozen=True):
    """Everybody who was invited and has not come yet."""

    data: tuple[Invitation, ...]


class Approvals(Record, frozen=True):
    """The newest requests, however they stand."""

    data: tuple[Approval, ...]


class TokenIn(Asked):
    """A token to make."""

    name: Short
    scopes: Annotated[list[Scope], Field(max_length=10)]
    days: Annotated[Days | None, Field(description="Days until it expires; never without.")] = None


class RotationIn(Asked):
    """How to rotate a token."""

    hours: Annotated[
        int, Field(strict=True, ge=0, le=168, description="Hours for which the old secret stays good."), WHOLE
    ] = 24
    days: Annotated[Days | None, Field(description="Days until it expires; unchanged without.")] = None


class InvitationIn(Asked):
    """Somebody to ask in."""

    email: Annotated[str, Field(max_length=254, pattern=NO_NUL)]
    name: Short = ""
    roles: Annotated[list[Role], Field(max_length=20)]


class RolesIn(Asked):
    """What a person is here for, all of it."""

    roles: Annotated[list[Role], Field(max_length=20)]
    why: Annotated[Words, Field(description="For the owner who has to agree, where one has to.")] = ""


class AccessIn(Asked):
    """From when until when a person may do anything; null is no bound."""

    since: Moment | None = None
    until: Moment | None = None


@router.get("/tokens", auth=TOKENS, operation_id="tokens", summary="List API tokens")
@openapi.answers(Tokens)
def list_tokens(request: HttpRequest) -> HttpResponse:
    """All tokens, newest first, those that ended too; a secret is never told again."""
    del request
    return answer(Tokens(data=tuple(tokens.tokens())))


@router.post("/tokens", auth=TOKENS, operation_id="makeToken", summary="Make an API token")
@openapi.answers(NewToken)
def make_token(request: HttpRequest, body: TokenIn) -> HttpResponse:
    """A token that may do no more than the one that asks; `token` is told this once."""
    lifetime = None if body.days is None else timedelta(days=body.days)
    return answer(tokens.create_token(name=body.name, scopes=body.scopes, lifetime=lifetime, by=acting(request)))


@router.post("/tokens/current/rotate", auth=ANY, operation_id="rotateOwnToken", summary="Rotate the token that asks")
@openapi.answers(NewToken)
def rotate_own_token(request: HttpRequest, body: RotationIn) -> HttpResponse:
    """A new secret for the token that asks, whatever its scopes; the old one stays good for a while."""
    return _rotated(request, int(acting(request).id), body)


@router.post("/tokens/{token_id}/rotate", auth=TOKENS, operation_id="rotateToken", summary="Rotate an API token")
@openapi.answers(NewToken)
def rotate_token(request: HttpRequest, token_id: RowId, body: RotationIn) -> HttpResponse:
    """A new secret for a token that may do no more than the one that asks."""
    return _rotated(request, token_id, body)


def _rotated(request: HttpRequest, token_id: int, body: RotationIn) -> HttpResponse:
    lifetime = None if body.days is None else timedelta(days=body.days)
    overlap = timedelta(hours=body.hours)
    return answer(tokens.rotate_token(token_id=token_id, overlap=overlap, lifetime=lifetime, by=acting(request)))


@router.delete("/tokens/{token_id}", auth=TOKENS, operation_id="revokeToken", summary="Revoke an API token")
@openapi.answers(Token)
def revoke_token(request: HttpRequest, token_id: RowId) -> HttpResponse:
    """End a token at once."""
    return answer(tokens.revoke_token(token_id=token_id, by=acting(request)))


@router.get("/operators", auth=PEOPLE, operation_id="operators", summary="List the team")
@openapi.answers(People)
def list_operators(request: HttpRequest) -> HttpResponse:
    """Everybody who may sign in or could once, by address."""
    del request
    return answer(People(data=tuple(operators.operators())))


@router.put("/operators/{operator_id}/roles", auth=PEOPLE, operation_id="setRoles", summary="Give somebody roles")
@openapi.answers(RolesChanged)
def set_roles(request: HttpRequest, operator_id: RowId, body: RolesIn) -> HttpResponse:
    """Replace what a person is here for. To make an owner or admin is asked of an owner: `approval` is the request."""
    return answer(team.give_roles(operator_id=operator_id, roles=body.roles, why=body.why, by=acting(request)))


@router.post("/operators/{operator_id}/deactivate", auth=PEOPLE, operation_id="deactivate", summary="Shut somebody out")
@openapi.answers(Person)
def deactivate(request: HttpRequest, operator_id: RowId) -> HttpResponse:
    """Their sessions and the tokens that they made end at once."""
    return answer(team.deactivate(operator_id=operator_id, by=acting(request)))


@router.post("/operators/{operator_id}/activate", auth=PEOPLE, operation_id="activate", summary="Let somebody in again")
@openapi.answers(Person)
def activate(request: HttpRequest, operator_id: RowId) -> HttpResponse:
    """With the roles and the password they had; their tokens stay revoked."""
    return answer(team.activate(operator_id=operator_id, by=acting(request)))


@router.put(
    "/operators/{operator_id}/access", auth=PEOPLE, operation_id="limitAccess", summary="Limit somebody in time"
)
@openapi.answers(Person)
def limit_access(request: HttpRequest, operator_id: RowId, body: AccessIn) -> HttpResponse:
    """Let a person do anything only from `since` on and before `until`, as an auditor's visit."""
    return answer(team.limit_access(operator_id=operator_id, since=body.since, until=body.until, by=acting(request)))


@router.get("/invitations", auth=PEOPLE, operation_id="invitations", summary="List who is invited")
@openapi.answers(Invitations)
def list_invitations(request: HttpRequest) -> HttpResponse:
    """Who was invited and has not come yet, newest first."""
    del request
    return answer(Invitations(data=tuple(team.invitations())))


@router.post("/invitations", auth=PEOPLE, operation_id="invite", summary="Invite somebody")
@openapi.answers(NewInvitation)
def invite(request: HttpRequest, body: InvitationIn) -> HttpResponse:
    """Ask somebody in; the link is `/invitation/` and `secret`, told this once, good once for seven days."""
    return answer(team.invite(email=body.email, name=body.name, roles=body.roles, by=acting(request)))


@router.post(
    "/invitations/{invitation_id}/renew", auth=PEOPLE, operation_id="renewInvitation", summary="Make a link anew"
)
@openapi.answers(NewInvitation)
def renew(request: HttpRequest, invitation_id: RowId) -> HttpResponse:
    """A new link for somebody who was invited, told this once; the one before ends at once."""
    return answer(team.renew_invitation(invitation_id=invitation_id, by=acting(request)))


@router.delete("/invitations/{invitation_id}", auth=PEOPLE, operation_id="withdraw", summary="Take an invitation back")
@openapi.answers(Invitation)
def withdraw(request: HttpRequest, invitation_id: RowId) -> HttpResponse:
    """Its link ends at once."""
    return answer(team.withdraw_invitation(invitation_id=invitation_id, by=acting(request)))


@router.get("/approvals", auth=PEOPLE, operation_id="approvals", summary="List what was asked for")
@openapi.answers(Approvals)
def list_approvals(request: HttpRequest) -> HttpResponse:
    """The newest requests of one person that another has to allow, however they stand."""
    del request
    return answer(Approvals(data=tuple(approvals.newest())))
