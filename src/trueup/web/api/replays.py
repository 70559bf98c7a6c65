"""Operations that read events of the log again."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router

from trueup.customer import service as customers
from trueup.mirror.replay import service as replays
from trueup.mirror.replay.types import Preview, Replay, Selection
from trueup.runtime.pages import Page
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.asked import NO_NUL, WHOLE, After, Asked, Limit, Moment, RowId, Yes
from trueup.web.api.auth import READ, WRITE, acting

router: Final = Router()

OURS: Final = "tc_"

Name = Annotated[str, Field(max_length=500, pattern=NO_NUL)]
Names = Annotated[list[Name], Field(max_length=replays.REHEARSED)]
Rate = Annotated[int, Field(strict=True, ge=1, le=replays.FASTEST, description="Events a second, at most."), WHOLE]


class SelectionIn(Asked):
    """Which events of the log: those for which all that is given holds. Lists hold alternatives."""

    events: Names = []
    objects: Names = []
    customers: Names = Field([], description="Our ids or Stripe's: all that is or was theirs.")
    types: Names = Field([], description="A trailing asterisk stands for anything.")
    created_from: Moment | None = None
    created_until: Moment | None = None
    received_from: Moment | None = None
    received_until: Moment | None = None
    cause: Name = Field("", description="Events that were set aside for it.")
    account: Name = Field("", description="A slug.")
    everything: Yes = Field(False, description="The whole log.")
    rate: Rate = replays.USUAL_RATE

    def selection(self) -> Selection:
        """As the mirror understands it."""
        return Selection(
            events=tuple(self.events),
            objects=tuple(self.objects),
            customers=tuple(id_ for one in self.customers for id_ in _stripes(one)),
            types=tuple(self.types),
            created_from=self.created_from,
            created_until=self.created_until,
            received_from=self.received_from,
            received_until=self.received_until,
            cause=self.cause,
            account=self.account,
            everything=self.everything,
        )


class ReplayIn(SelectionIn):
    """Which events, and why they are read again."""

    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern=NO_NUL)]


def _stripes(customer: str) -> tuple[str, ...]:
    return customers.get(customer).state.stripe_customer_ids if customer.startswith(OURS) else (customer,)


@router.get("/replays", auth=READ, operation_id="replays", summary="List replays")
@openapi.answers(Page[Replay])
def list_replays(request: HttpRequest, limit: Limit = 50, after: After = None) -> HttpResponse:
    """Events that were read again, or are: which, why, and how far; newest first."""
    del request
    return answer(replays.replays(limit=limit, after=after))


@router.post("/replays", auth=WRITE, operation_id="replay", summary="Read events again")
@openapi.answers(Replay)
def start(request: HttpRequest, body: ReplayIn) -> HttpResponse:
    """Read the events of a selection again, in the background. What is right stays as it is."""
    which = body.selection()
    replays.require_known(which)
    return answer(replays.start(which, why=body.reason, by=acting(request), rate=body.rate))


@router.post("/replays/preview", auth=READ, operation_id="replayPreview", summary="What a replay would do")
@openapi.answers(Preview)
def preview(request: HttpRequest, body: SelectionIn) -> HttpResponse:
    """Count the events of a selection, and say what reading them again would change; nothing is written."""
    del request
    which = body.selection()
    replays.require_known(which)
    return answer(replays.preview(which, rate=body.rate))


@router.get("/replays/{replay_id}", auth=READ, operation_id="replayStatus", summary="One replay")
@openapi.answers(Replay)
def get_replay(request: HttpRequest, replay_id: RowId) -> HttpResponse:
    """One replay, and how far it is."""
    del request
    return answer(replays.get(replay_id))


@router.post("/replays/{replay_id}/cancel", auth=WRITE, operation_id="cancelReplay", summary="End a replay")
@openapi.answers(Replay)
def cancel(request: HttpRequest, replay_id: RowId) -> HttpResponse:
    """End a replay where it is; what it read stays read."""
    return answer(replays.cancel(replay_id, by=acting(request)))
