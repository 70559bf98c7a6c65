"""Operations on backfills: how far the newest of each account is."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from trueup.mirror.backfill import service as backfill
from trueup.mirror.backfill.types import Progress
from trueup.runtime.pages import Page
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.auth import READ

router: Final = Router()


@router.get("/backfills", auth=READ, operation_id="backfills", summary="How far backfills are")
@openapi.answers(Page[Progress])
def list_backfills(request: HttpRequest) -> HttpResponse:
    """The newest backfill of each account that reads everything and, behind it, a newer one of less; on one page."""
    del request
    return answer(backfill.all_progress())


@router.get("/backfills/{account}", auth=READ, operation_id="backfill", summary="How far one account's backfill is")
@openapi.answers(Progress)
def get_backfill(
    request: HttpRequest, account: Annotated[str, Path(max_length=200, description="The account's slug.")]
) -> HttpResponse:
    """The newest backfill of an account: what was read of each type, what is expected, and what cannot be reached."""
    del request
    return answer(backfill.progress(backfill.account_of(account)))
