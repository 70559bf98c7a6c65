"""Operations on what was set aside: its causes, another try, and giving up."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router

from trueup.inbox import dead_letters
from trueup.inbox.types import DeadGroup, DeadLetter, Moved
from trueup.kernel.records import Record
from trueup.runtime.pages import Page
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.asked import NO_NUL, After, Asked, Limit, Yes
from trueup.web.api.auth import READ, WRITE, acting

router: Final = Router()

Reason = Annotated[str, Field(min_length=1, max_length=2000, pattern=NO_NUL, description="Why; it is kept.")]


class Groups(Record, frozen=True):
    """All causes."""

    data: tuple[DeadGroup, ...]


class RetryIn(Asked):
    """Whether to do it, or only to say what would be."""

    preview: Yes = Field(False, description="Only say what would be.")


class DiscardIn(Asked):
    """Why something is given up."""

    reason: Reason
    preview: Yes = Field(False, description="Only say what would be.")


@router.get("/dead-letters", auth=READ, operation_id="deadLetters", summary="List what was set aside, by cause")
@openapi.answers(Groups)
def list_groups(request: HttpRequest) -> HttpResponse:
    """What every queue set aside, and the quarantine, by its cause; what was struck last first."""
    del request
    return answer(Groups(data=dead_letters.groups()))


@router.post("/dead-letters/retry", auth=WRITE, operation_id="retryAll", summary="Try everything again")
@openapi.answers(Moved)
def retry_all(request: HttpRequest, body: RetryIn) -> HttpResponse:
    """Give everything that was set aside another round of attempts; with `preview` only say what would be."""
    return answer(dead_letters.retry(by=acting(request), dry_run=body.preview))


@router.get("/dead-letters/{cause}", auth=READ, operation_id="deadLetter", summary="Rows that a cause stopped")
@openapi.answers(Page[DeadLetter])
def list_letters(request: HttpRequest, cause: str, limit: Limit = 50, after: After = None) -> HttpResponse:
    """The rows that a cause stopped, queue by queue, the newest first."""
    del request
    return answer(dead_letters.letters(cause, limit=limit, after=after))


@router.post("/dead-letters/{cause}/retry", auth=WRITE, operation_id="retry", summary="Try a cause again")
@openapi.answers(Moved)
def retry(request: HttpRequest, cause: str, body: RetryIn) -> HttpResponse:
    """Give what a cause stopped another round of attempts; with `preview` only say what would be."""
    return answer(dead_letters.retry(cause=cause, by=acting(request), dry_run=body.preview))


@router.post("/dead-letters/{cause}/discard", auth=WRITE, operation_id="discard", summary="Give a cause up")
@openapi.answers(Moved)
def discard(request: HttpRequest, cause: str, body: DiscardIn) -> HttpResponse:
    """Give up what a cause stopped; its events stay in the log. With `preview` only say what would be."""
    return answer(dead_letters.discard(cause=cause, why=body.reason, by=acting(request), dry_run=body.preview))
