"""What is left of the calls to Stripe."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from trueup.accounts import calls
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.auth import READ

router: Final = Router()


@router.get("/limits", auth=READ, operation_id="limits", summary="What is left of the calls to Stripe")
@openapi.answers(calls.LimitList)
def list_limits(
    request: HttpRequest,
    account: Annotated[str, Query(max_length=200, description="Only this account, by its slug.")] = "",
) -> HttpResponse:
    """The limits of every key, for the whole account and for each endpoint that was called, and what is left of each.

    Connected accounts are called with their platform's key, and within its limits.
    """
    del request
    return answer(calls.limits(account))
