"""Operations on the audit log, for tokens with the scope ``audit``: entries, and what proves them.

Below ``/audit/live`` and ``/audit/test`` the two logs answer as C2SP's tiled logs do. Personal values are never told
here: opening them is a command's, and is recorded.
"""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router

from trueup.audit.anchors import health
from trueup.audit.anchors.health import Health
from trueup.audit.listing import service as listing
from trueup.audit.listing.service import Filters
from trueup.audit.listing.types import ListedCheckpoint, ListedEntry, Mode
from trueup.audit.verifying import service as verifying
from trueup.audit.verifying.types import LastVerification
from trueup.kernel.records import Record
from trueup.runtime import database
from trueup.runtime.pages import Page
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.asked import After, Limit, Moment, RowId
from trueup.web.api.auth import AUDIT

router: Final = Router()

TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
FOREVER: Final = "private, max-age=31536000, immutable"
"""For what can never be different: a full tile, or the first hashes of one."""

Which = Annotated[Mode, Path(description="Which log.")]


class Verifications(Record, frozen=True):
    """How the last check of each log ended."""

    data: tuple[LastVerification, ...]


class Healths(Record, frozen=True):
    """How both logs stand."""

    data: tuple[Health, ...]


@router.get("/audit/entries", auth=AUDIT, operation_id="auditEntries", summary="List what was changed")
@openapi.answers(Page[ListedEntry])
def list_entries(
    request: HttpRequest,
    limit: Limit = 50,
    after: After = None,
    action: Annotated[
        str, Query(max_length=200, description="One action, or the beginning of some with an asterisk.")
    ] = "",
    actor: Annotated[str, Query(max_length=500, description="A kind, as token, or somebody, as operator:7.")] = "",
    object: Annotated[  # noqa: A002
        str, Query(max_length=500, description="A type, as account, or one object, as customer:cus_1.")
    ] = "",
    request_id: Annotated[str, Query(max_length=200, description="The X-Request-Id of what caused it.")] = "",
    mode: Annotated[Mode | None, Query(description="Only this log.")] = None,
    since: Annotated[Moment | None, Query(description="From this moment on.")] = None,
    until: Annotated[Moment | None, Query(description="Before this moment.")] = None,
) -> HttpResponse:
    """Entries of the audit log, newest first. Personal values are named in `hidden` and `erased`, and not told."""
    del request
    which = Filters(
        action=action,
        actor=actor,
        object=object,
        request_id=request_id,
        mode=mode,
        since=since,
        until=until,
    )
    return answer(listing.entries(which, limit=limit, after=after))


@router.get("/audit/entries/{entry_id}", auth=AUDIT, operation_id="auditEntry", summary="One entry")
@openapi.answers(ListedEntry)
def get_entry(request: HttpRequest, entry_id: RowId) -> HttpResponse:
    """One entry: who, what, on which object, how it was before and after, and its place in the tree."""
    del request
    return answer(listing.entry(str(entry_id)))


@router.get("/audit/entries/{entry_id}/proof", auth=AUDIT, operation_id="auditProof", summary="The proof of one entry")
@openapi.answers_with(TEXT)
def get_proof(request: HttpRequest, entry_id: RowId) -> HttpResponse:
    """A C2SP proof file that the entry is in the log; the bytes that it is of are the entry's `body`."""
    del request
    return HttpResponse(verifying.prove(database.connection(), entry_id), content_type=TEXT)


@router.get("/audit/verification", auth=AUDIT, operation_id="auditVerification", summary="The last check of the logs")
@openapi.answers(Verifications)
def get_verification(request: HttpRequest) -> HttpResponse:
    """How the last check of each log ended; a log that was never checked is missing."""
    del request
    found = (verifying.last(database.connection(), livemode=mode.livemode) for mode in Mode)
    return answer(Verifications(data=tuple(one for one in found if one is not None)))


@router.get("/audit/health", auth=AUDIT, operation_id="auditHealth", summary="How the logs stand")
@openapi.answers(Healths)
def get_health(request: HttpRequest) -> HttpResponse:
    """Whether each log is signed, was checked, and is remembered by somebody outside."""
    del request
    return answer(Healths(data=tuple(health.health(database.connection(), livemode=mode.livemode) for mode in Mode)))


@router.get("/audit/{mode}/checkpoints", auth=AUDIT, operation_id="auditCheckpoints", summary="List checkpoints")
@openapi.answers(Page[ListedCheckpoint])
def list_checkpoints(request: HttpRequest, mode: Which, limit: Limit = 50, after: After = None) -> HttpResponse:
    """The sizes that the tree of a log had, their roots, and which witnesses cosigned them; the newest first."""
    del request
    return answer(listing.checkpoints(mode, limit=limit, after=after))


@router.get("/audit/{mode}/checkpoint", auth=AUDIT, operation_id="auditCheckpoint", summary="The newest checkpoint")
@openapi.answers_with(TEXT)
def get_checkpoint(
    request: HttpRequest,
    mode: Which,
    size: Annotated[int | None, Query(ge=1, lt=2**63, description="The one of this size, instead.")] = None,
) -> HttpResponse:
    """The newest signed checkpoint with its cosignatures: a C2SP signed note."""
    del request
    response = HttpResponse(listing.checkpoint(mode, size=size), content_type=TEXT)
    response["Cache-Control"] = "no-store"
    return response


@router.get("/audit/{mode}/tile/{path:tile}", auth=AUDIT, operation_id="auditTile", summary="A tile of the tree")
@openapi.answers_with(BYTES)
def get_tile(
    request: HttpRequest,
    mode: Which,
    tile: Annotated[str, Path(description="Level and index, as 0/x001/067 or entries/000.p/9.")],
) -> HttpResponse:
    """256 hashes of one level of the tree, or the bytes of 256 entries, named and written as C2SP's tlog-tiles."""
    del request
    response = HttpResponse(listing.tile(mode, f"tile/{tile}"), content_type=BYTES)
    response["Cache-Control"] = FOREVER
    return response
