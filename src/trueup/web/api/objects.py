"""Operations on Stripe's objects: as they are, as they were, and every version of each."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from trueup.accounts import service as accounts
from trueup.mirror import service as mirror
from trueup.mirror.order.types import Verdict
from trueup.mirror.types import ObjectDetail, ObjectRow, ObjectVersion
from trueup.runtime.pages import Page
from trueup.web import looking
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.asked import After, Limit, Moment
from trueup.web.api.auth import READ

router: Final = Router()

Type = Annotated[str, Query(max_length=200, description="Stripe's name of a type, such as subscription.")]
AccountSlug = Annotated[str, Query(max_length=200, description="Only this account, by its slug.")]


@router.get("/objects", auth=READ, operation_id="objects", summary="List objects")
@openapi.answers(Page[ObjectRow])
def list_objects(
    request: HttpRequest,
    limit: Limit = 50,
    after: After = None,
    type: Type = "",  # noqa: A002
    customer: Annotated[str, Query(max_length=500, description="A customer id of Stripe's.")] = "",
    verdict: Annotated[Verdict | None, Query(description="How far the newest version can be trusted.")] = None,
    account: AccountSlug = "",
) -> HttpResponse:
    """Every object that an event told of, by account, type and id. They are not counted: `total` is null."""
    del request
    return answer(
        mirror.search(type=type, customer=customer, verdict=verdict, account=account, limit=limit, after=after)
    )


@router.get("/objects/{object_id}", auth=READ, operation_id="object", summary="One object")
@openapi.answers(ObjectDetail)
def get_object(
    request: HttpRequest,
    object_id: str,
    type: Type = "",  # noqa: A002
    account: AccountSlug = "",
    as_of: Annotated[
        Moment | None, Query(description="As it was at this moment in Stripe's time; with its offset, or UTC.")
    ] = None,
    known_at: Annotated[
        Moment | None, Query(description="Only by what had arrived by this moment of ours; with `as_of` or without.")
    ] = None,
    told: Annotated[bool, Query(description="With the object as it was sent.")] = False,
) -> HttpResponse:
    """One object in the newest shape. `type` or `account` say which where several have the id."""
    found = mirror.get(object_id, type=type, account=account, as_of=as_of, known_at=known_at, told=told)
    for one in accounts.accounts():
        if one.slug == found.account_slug:
            looking.payload(request, account_id=one.id, livemode=found.livemode, customer=found.customer)
    return answer(found)


@router.get("/objects/{object_id}/versions", auth=READ, operation_id="versions", summary="Versions of an object")
@openapi.answers(Page[ObjectVersion])
def list_versions(
    request: HttpRequest,
    object_id: str,
    limit: Limit = 50,
    after: After = None,
    type: Type = "",  # noqa: A002
    account: AccountSlug = "",
) -> HttpResponse:
    """Every version known of an object, newest first, with the event that told it and what changed."""
    del request
    return answer(mirror.versions(object_id, type=type, account=account, limit=limit, after=after))
