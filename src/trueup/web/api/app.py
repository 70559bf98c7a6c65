"""The API: ``/api/v1``.

Answers are the domain's records as JSON, the same that the command line prints with ``--json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
import psycopg
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import Query
from ninja.errors import AuthenticationError, HttpError, ValidationError

from trueup.customer import service as customers
from trueup.customer import timeline
from trueup.customer.types import Contact, Customer, CustomerRow, Entry, Explanation, Kind, Stage
from trueup.inbox import service as inbox
from trueup.inbox.types import EventDetail, EventRow, State
from trueup.kernel.errors import TrueupError, Unauthenticated, Unavailable
from trueup.runtime import clock, database
from trueup.runtime.pages import Page
from trueup.web import looking
from trueup.web.api import (
    alarms,
    audit,
    backfill,
    dead_letters,
    drift,
    identity,
    limits,
    lists,
    objects,
    openapi,
    permitted,
    replays,
    team,
)
from trueup.web.api.answers import answer
from trueup.web.api.asked import After, Limit, Moment
from trueup.web.api.auth import READ
from trueup.web.api.types import ErrorBody, ErrorOut

api: Final = openapi.DescribedAPI(
    title="Trueup",
    version="1",
    description="Customers as Stripe's facts make them, and the facts themselves.",
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api-v1",
)

api.add_router("", identity.router)
api.add_router("", lists.router)
api.add_router("", objects.router)
api.add_router("", backfill.router)
api.add_router("", alarms.router)
api.add_router("", drift.router)
api.add_router("", limits.router)
api.add_router("", dead_letters.router)
api.add_router("", replays.router)
api.add_router("", audit.router)
api.add_router("", team.router)


@api.get("/customers", auth=READ, operation_id="customers", summary="List customers")
@openapi.answers(Page[CustomerRow])
def list_customers(
    request: HttpRequest,
    more: Query[lists.MoreFilters],
    limit: Limit = 50,
    after: After = None,
    q: Annotated[
        str, Query(max_length=200, description="Beginnings of words of name or email, an invoice's number, or any id.")
    ] = "",
    stage: Annotated[Stage | None, Query(description="Only this stage.")] = None,
    account: Annotated[str, Query(max_length=200, description="Only this account, by its slug.")] = "",
    sort: Annotated[
        str,
        Query(description="name, mrr, last_event_at, or trial_end of trials; a leading hyphen means descending."),
    ] = "-last_event_at",
) -> HttpResponse:
    """Customers, newest event first unless asked otherwise.

    `total` is null where more than 10,000 match other filters than `q`, `stage` and `account`.
    """
    del request
    found = customers.search(
        limit=limit, after=after, q=q, stage=stage, account=account, sort=sort, among=more.filters()
    )
    return answer(found)


@api.get("/customers/{customer_id}", auth=READ, operation_id="customer", summary="One customer")
@openapi.answers(Customer)
def get_customer(
    request: HttpRequest,
    customer_id: str,
    why: Annotated[bool, Query(description="With the facts behind each value.")] = False,
    as_of: Annotated[
        Moment | None, Query(description="As it was at this moment in Stripe's time; with its offset, or UTC.")
    ] = None,
    known_at: Annotated[
        Moment | None, Query(description="Only by what had arrived by this moment of ours; with `as_of` or now.")
    ] = None,
) -> HttpResponse:
    """One customer by our id or Stripe's."""
    del request
    if as_of is None and known_at is None:
        customer = customers.get(customer_id)
    else:
        customer = customers.get_at(
            customer_id,
            at=as_of or clock.now(),
            known_at=known_at,
        )
    if not why:
        customer = msgspec.structs.replace(customer, state=msgspec.structs.replace(customer.state, why={}))
    return answer(customer)


@api.get("/customers/{customer_id}/why/{field}", auth=READ, operation_id="why", summary="Why a value is what it is")
@openapi.answers(Explanation)
def get_why(request: HttpRequest, customer_id: str, field: str) -> HttpResponse:
    """The rule that chose the value of one field of the state, and the facts it used, newest first."""
    del request
    return answer(customers.why(customer_id, field))


@api.get("/customers/{customer_id}/contact", auth=READ, operation_id="contact", summary="The fields of a contact")
@openapi.answers(Contact)
def get_contact(request: HttpRequest, customer_id: str) -> HttpResponse:
    """The six fields that other systems keep about a contact, by their exact names, and what they leave out."""
    del request
    return answer(customers.contact(customer_id))


@api.get("/customers/{customer_id}/timeline", auth=READ, operation_id="timeline", summary="What happened to a customer")
@openapi.answers(Page[Entry])
def get_timeline(
    request: HttpRequest,
    customer_id: str,
    limit: Limit = 50,
    after: After = None,
    kind: Annotated[list[Kind] | None, Query(description="Only these kinds.")] = None,
    as_of: Annotated[
        Moment | None, Query(description="Up to this moment in Stripe's time; with its offset, or UTC.")
    ] = None,
) -> HttpResponse:
    """What happened to a customer in plain words and who did it, newest first."""
    del request
    return answer(timeline.history(customer_id, limit=limit, after=after, kinds=frozenset(kind or ()), as_of=as_of))


@api.get("/events", auth=READ, operation_id="events", summary="List events")
@openapi.answers(Page[EventRow])
def list_events(
    request: HttpRequest,
    limit: Limit = 50,
    after: After = None,
    q: Annotated[str, Query(max_length=200, description="An event, object or customer id of Stripe's.")] = "",
    type: Annotated[str, Query(max_length=200, description="An event type.")] = "",  # noqa: A002
    state: Annotated[State | None, Query(description="How far it came.")] = None,
) -> HttpResponse:
    """The log, newest first."""
    del request
    return answer(inbox.events(limit=limit, after=after, q=q, type=type, state=state or ""))


@api.get("/events/{event_id}", auth=READ, operation_id="event", summary="One event")
@openapi.answers(EventDetail)
def get_event(request: HttpRequest, event_id: str) -> HttpResponse:
    """One event with its body exactly as received."""
    event = inbox.event(event_id)
    looking.payload(request, account_id=event.account_id, livemode=event.livemode, customer=event.customer)
    return answer(event)


permitted.ask(api)


def _failure(code: str, message: str, hint: str, status: int) -> HttpResponse:
    return answer(ErrorOut(error=ErrorBody(code=code, message=message, hint=hint)), status=status)


@api.exception_handler(TrueupError)
def _ours(request: HttpRequest, error: TrueupError) -> HttpResponse:
    del request
    response = _failure(error.code, error.message, error.hint, error.status)
    if isinstance(error, Unauthenticated):
        response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    del request, error
    response = _failure(
        "unauthenticated",
        "A bearer token is needed.",
        "Make one with: trueup token create --name NAME --scope read",
        Unauthenticated.status,
    )
    response["WWW-Authenticate"] = "Bearer"
    return response


def _named(place: Sequence[str | int]) -> str:
    """The parameter or field that is meant; of a list it is the list's, since its places mean nothing to a person."""
    return next((part for part in reversed(place) if isinstance(part, str)), "")


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    del request
    problems = "; ".join(f"{_named(item['loc'])}: {item['msg']}" for item in error.errors)
    return _failure("parameter_invalid", f"A parameter cannot be used. {problems}.", "See /api/v1/openapi.json.", 422)


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
@api.exception_handler(psycopg.OperationalError)
def _away(request: HttpRequest, error: Exception) -> HttpResponse:
    del error
    # Statements on the hot path bypass Django, which then does not know that the connection is dead.
    database.close()
    away = Unavailable("The database does not answer.", code="database_unavailable", hint="Try again in a moment.")
    response = _ours(request, away)
    response["Retry-After"] = "2"
    return response


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    del request
    return _failure("refused", str(error), "", error.status_code)
