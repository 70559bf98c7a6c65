"""Operations on what differs from Stripe, and on the comparisons that find it."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router
from ninja.errors import ValidationError
from pydantic import WithJsonSchema

from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.mirror.reconcile import service as reconcile
from trueup.mirror.reconcile.types import Difference, Drift, Kind, Run
from trueup.runtime.pages import Page
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.asked import After, Limit, RowId
from trueup.web.api.auth import READ

router: Final = Router()

AccountSlug = Annotated[str, Query(max_length=200, description="Only this account, by its slug.")]


Type = Annotated[str, Field(max_length=200), WithJsonSchema({"type": "string", "enum": list(reconcile.NAMES)})]


def _type(named: str) -> str:
    """The type that is meant; an unknown one is a parameter that cannot be used, as an unknown kind is."""
    try:
        return reconcile.type_of(named)
    except Refused as error:
        raise ValidationError([{"loc": ("query", "type"), "msg": error.message}]) from error


class Drifts(Record, frozen=True):
    """How far every account is from Stripe."""

    data: tuple[Drift, ...]


@router.get("/drift", auth=READ, operation_id="drift", summary="How much differs from Stripe")
@openapi.answers(Drifts)
def get_drift(request: HttpRequest) -> HttpResponse:
    """How many differences are open, by account and kind, and when each account was last compared whole."""
    del request
    return answer(Drifts(data=reconcile.drift()))


@router.get("/drift/differences", auth=READ, operation_id="differences", summary="List what differs from Stripe")
@openapi.answers(Page[Difference])
def list_differences(
    request: HttpRequest,
    limit: Limit = 50,
    after: After = None,
    account: AccountSlug = "",
    kind: Annotated[Kind | None, Query(description="Only this kind.")] = None,
    type: Annotated[  # noqa: A002
        Type | None, Query(description="Stripe's name of a type; state for customers' states.")
    ] = None,
    customer: Annotated[str, Query(max_length=500, description="A customer id of Stripe's.")] = "",
    closed: Annotated[bool, Query(description="What differed and is over, instead of what differs.")] = False,
    run: Annotated[
        int | None,
        Query(ge=1, lt=2**63, description="Only what this reconciliation saw last, or with closed what it ended."),
    ] = None,
) -> HttpResponse:
    """What differs at this moment, the newest first: the fields with both values, since when, and why.

    With `closed` what differed in the last 90 days and is over, the last that ended first: how it ended, and by which
    reconciliation. Of the fields only the paths are kept; `dropped` says that the values are forgotten.
    """
    del request
    listed = reconcile.closed if closed else reconcile.differences
    return answer(
        listed(
            account=account, kind=kind, type=_type(type or ""), customer=customer, run_id=run, limit=limit, after=after
        )
    )


@router.get("/reconciliations", auth=READ, operation_id="reconciliations", summary="List comparisons with Stripe")
@openapi.answers(Page[Run])
def list_reconciliations(
    request: HttpRequest, limit: Limit = 50, after: After = None, account: AccountSlug = ""
) -> HttpResponse:
    """Comparisons of accounts with Stripe, the newest first: what was compared, found, repaired, and not seen."""
    del request
    return answer(reconcile.runs(account=account, limit=limit, after=after))


@router.get("/reconciliations/{run_id}", auth=READ, operation_id="reconciliation", summary="One comparison")
@openapi.answers(Run)
def get_reconciliation(request: HttpRequest, run_id: RowId) -> HttpResponse:
    """How far a comparison is, or how it ended."""
    del request
    return answer(reconcile.run(run_id))
