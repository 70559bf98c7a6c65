"""Operations on who a customer is: links, people, duplicates, merges, splits, and broken metadata rules."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router

from trueup.customer import merging
from trueup.customer.identity import service as identity
from trueup.customer.identity.types import Joined, Link, Person, Suggestion, Violation
from trueup.customer.types import LinkKind
from trueup.kernel.records import Record
from trueup.runtime.pages import Page
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.asked import NO_NUL, After, Asked, Limit, Yes
from trueup.web.api.auth import READ, WRITE, acting

router: Final = Router()

Id = Annotated[str, Field(max_length=500, pattern=NO_NUL)]
Ids = Annotated[list[Id], Field(max_length=100)]


class Links(Record, frozen=True):
    """All links of a customer."""

    data: tuple[Link, ...]


class Judged(Record, frozen=True):
    """Whether anything was not as asked before."""

    changed: bool


class LinkIn(Asked):
    """A link to make."""

    kind: LinkKind
    value: Id
    system: Annotated[Id, Field(description="Which CRM, for that kind.")] = ""
    person_id: Annotated[Id | None, Field(description="Whose user id or address it is.")] = None


class MergeIn(Asked):
    """Customers to make part of the one in the path, which leads; ids are ours or Stripe's."""

    others: Ids
    preview: Yes = Field(False, description="Only say what would be.")


class SplitIn(Asked):
    """Stripe customers to let stand for themselves again; without any, all that were merged into the leading one."""

    take: Ids = []
    preview: Yes = Field(False, description="Only say what would be.")


class PairIn(Asked):
    """Two customers; ids are ours or Stripe's."""

    first: Id
    second: Id


@router.get("/customers/{customer_id}/links", auth=READ, operation_id="links", summary="Links of a customer")
@openapi.answers(Links)
def list_links(request: HttpRequest, customer_id: str) -> HttpResponse:
    """What a customer is elsewhere: your users and organisations, CRM records, and addresses."""
    del request
    return answer(Links(data=identity.links(customer_id)))


@router.post("/customers/{customer_id}/links", auth=WRITE, operation_id="link", summary="Link a customer")
@openapi.answers(Link)
def add_link(request: HttpRequest, customer_id: str, body: LinkIn) -> HttpResponse:
    """Say that a customer is the same as something elsewhere; again, it changes nothing."""
    made = identity.link(
        id=customer_id,
        kind=body.kind,
        value=body.value,
        system=body.system,
        person_id=body.person_id,
        by=acting(request),
    )
    return answer(made)


@router.delete("/customers/{customer_id}/links", auth=WRITE, operation_id="unlink", summary="Take a link back")
@openapi.answers(Links)
def remove_link(
    request: HttpRequest,
    customer_id: str,
    kind: LinkKind,
    value: Annotated[str, Query(max_length=500)],
    system: Annotated[str, Query(max_length=40, description="Which CRM, for that kind.")] = "",
) -> HttpResponse:
    """Take back a link that was made by hand; answers with those that are left."""
    identity.unlink(id=customer_id, kind=kind, value=value, system=system, by=acting(request))
    return answer(Links(data=identity.links(customer_id)))


@router.post("/customers/{customer_id}/merge", auth=WRITE, operation_id="merge", summary="Merge customers into one")
@openapi.answers(Joined)
def merge(request: HttpRequest, customer_id: str, body: MergeIn) -> HttpResponse:
    """Make others part of this customer, whose id stays; with `preview` only say what would be."""
    return answer(merging.merge(id=customer_id, others=body.others, by=acting(request), preview=body.preview))


@router.post("/customers/{customer_id}/split", auth=WRITE, operation_id="split", summary="Undo merges")
@openapi.answers(Joined)
def split(request: HttpRequest, customer_id: str, body: SplitIn) -> HttpResponse:
    """Let merged customers stand for themselves again, as they were; with `preview` only say what would be."""
    return answer(merging.split(id=customer_id, take=body.take, by=acting(request), preview=body.preview))


@router.get("/people", auth=READ, operation_id="people", summary="List people")
@openapi.answers(Page[Person])
def list_people(
    request: HttpRequest,
    limit: Limit = 50,
    after: After = None,
    q: Annotated[str, Query(max_length=200, description="A whole user id or address.")] = "",
    customer: Annotated[str | None, Query(max_length=500, description="Only people of this customer.")] = None,
) -> HttpResponse:
    """Who belongs to customers, by their ids."""
    del request
    return answer(identity.people(q=q, customer=customer, limit=limit, after=after))


@router.get("/people/{person_id}", auth=READ, operation_id="person", summary="One person")
@openapi.answers(Person)
def get_person(request: HttpRequest, person_id: str) -> HttpResponse:
    """One person with addresses, user ids and customers."""
    del request
    return answer(identity.person(person_id))


@router.get("/duplicates", auth=READ, operation_id="duplicates", summary="Customers that may be one")
@openapi.answers(Page[Suggestion])
def list_duplicates(request: HttpRequest, limit: Limit = 50, after: After = None) -> HttpResponse:
    """Pairs of customers that may be one, with the reasons, the surest first. Nothing is merged by itself."""
    del request
    return answer(identity.duplicates(limit=limit, after=after))


@router.post("/duplicates/dismissals", auth=WRITE, operation_id="dismiss", summary="Say that two customers are two")
@openapi.answers(Judged)
def dismiss(request: HttpRequest, body: PairIn) -> HttpResponse:
    """Suggest this pair no more."""
    return answer(Judged(changed=identity.dismiss_duplicate(first=body.first, second=body.second, by=acting(request))))


@router.delete("/duplicates/dismissals", auth=WRITE, operation_id="restore", summary="Take a dismissal back")
@openapi.answers(Judged)
def restore(
    request: HttpRequest,
    first: Annotated[str, Query(max_length=500)],
    second: Annotated[str, Query(max_length=500)],
) -> HttpResponse:
    """Let this pair be suggested again."""
    return answer(Judged(changed=identity.restore_duplicate(first=first, second=second, by=acting(request))))


@router.get("/violations", auth=READ, operation_id="violations", summary="Broken metadata rules")
@openapi.answers(Page[Violation])
def list_violations(request: HttpRequest, limit: Limit = 50, after: After = None) -> HttpResponse:
    """Customers whose metadata breaks the rules that were configured, by key and rule."""
    del request
    return answer(identity.violations(limit=limit, after=after))
