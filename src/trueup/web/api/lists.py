"""Operations on who looks after customers and on notes, and the further filters of their list."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema
from pydantic import WithJsonSchema

from trueup.customer.listing.types import Filters
from trueup.customer.notes import service as notes
from trueup.customer.notes.types import Note
from trueup.customer.owners import service as owners
from trueup.customer.owners.types import Owner
from trueup.kernel.records import Record
from trueup.runtime.pages import Page
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.asked import BIGGEST, NO_NUL, WHOLE, After, Asked, Limit, Moment, RowId
from trueup.web.api.auth import READ, WRITE, acting

router: Final = Router()

LARGEST: Final = 10**15
Amount = Annotated[
    Decimal,
    Field(ge=-LARGEST, le=LARGEST),
    WithJsonSchema({"type": "number", "minimum": -LARGEST, "maximum": LARGEST}),
]


class MoreFilters(Schema):
    """What a list of customers can be narrowed by, besides words, stage and account."""

    product: Annotated[str, Query(max_length=200, pattern=NO_NUL, description="Stripe's id of a product.")] = ""
    billing_status: Annotated[
        str, Query(max_length=40, pattern=r"^[a-z_]*$", description="Stripe's word for the subscription that decides.")
    ] = ""
    owner: Annotated[int | None, Query(ge=1, le=BIGGEST, description="The number of who looks after it.")] = None
    unowned: Annotated[bool, Query(description="Only those that nobody looks after.")] = False
    trial_ends_before: Annotated[
        Moment | None, Query(description="Only trials that end before this moment; with its offset, or UTC.")
    ] = None
    mrr_from: Annotated[Amount | None, Query(description="The least monthly revenue, in major units.")] = None
    mrr_to: Annotated[Amount | None, Query(description="The most monthly revenue, in major units.")] = None
    differing: Annotated[bool, Query(description="Only those that are not as at Stripe.")] = False

    def filters(self) -> Filters:
        """As the list knows them."""
        return Filters(
            product_id=self.product,
            billing_status=self.billing_status,
            owner=self.owner,
            unowned=self.unowned,
            trial_ends_before=self.trial_ends_before,
            mrr_from=self.mrr_from,
            mrr_to=self.mrr_to,
            differing=self.differing,
        )


class Owned(Record, frozen=True):
    """Who looks after a customer; null for nobody."""

    owner: Owner | None


class Removed(Record, frozen=True):
    """That something is there no more."""

    removed: bool


class OwnerIn(Asked):
    """Who shall look after a customer; null for nobody."""

    operator_id: Annotated[int, Field(strict=True, ge=1, le=BIGGEST), WHOLE] | None


class NoteIn(Asked):
    """What a note says."""

    text: Annotated[str, Field(min_length=1, max_length=notes.LONGEST, pattern=NO_NUL)]


@router.get("/customers/{customer_id}/owner", auth=READ, operation_id="owner", summary="Who looks after a customer")
@openapi.answers(Owned)
def get_owner(request: HttpRequest, customer_id: str) -> HttpResponse:
    """The person of yours who looks after a customer."""
    del request
    return answer(Owned(owner=owners.owner(customer_id)))


@router.put(
    "/customers/{customer_id}/owner", auth=WRITE, operation_id="set_owner", summary="Give a customer to somebody"
)
@openapi.answers(Owned)
def set_owner(request: HttpRequest, customer_id: str, body: OwnerIn) -> HttpResponse:
    """Let a person look after a customer, or nobody; again, it changes nothing."""
    owners.assign(ids=[customer_id], operator_id=body.operator_id, by=acting(request))
    return answer(Owned(owner=owners.owner(customer_id)))


@router.get("/customers/{customer_id}/notes", auth=READ, operation_id="notes", summary="Notes about a customer")
@openapi.answers(Page[Note])
def list_notes(request: HttpRequest, customer_id: str, limit: Limit = 50, after: After = None) -> HttpResponse:
    """What people and programs wrote down about a customer, newest first."""
    del request
    return answer(notes.notes(customer_id, limit=limit, after=after))


@router.post("/customers/{customer_id}/notes", auth=WRITE, operation_id="add_note", summary="Write a note")
@openapi.answers(Note)
def add_note(request: HttpRequest, customer_id: str, body: NoteIn) -> HttpResponse:
    """Write something down about a customer."""
    return answer(notes.add(id=customer_id, text=body.text, by=acting(request)))


@router.put("/notes/{note_id}", auth=WRITE, operation_id="change_note", summary="Write a note anew")
@openapi.answers(Note)
def change_note(request: HttpRequest, note_id: RowId, body: NoteIn) -> HttpResponse:
    """Write a note anew; only who wrote it may."""
    return answer(notes.change(note_id=note_id, text=body.text, by=acting(request)))


@router.delete("/notes/{note_id}", auth=WRITE, operation_id="remove_note", summary="Remove a note")
@openapi.answers(Removed)
def remove_note(request: HttpRequest, note_id: RowId) -> HttpResponse:
    """Remove a note, whoever wrote it."""
    notes.remove(note_id=note_id, by=acting(request))
    return answer(Removed(removed=True))
