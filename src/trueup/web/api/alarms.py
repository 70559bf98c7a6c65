"""Operations on what stands wrong, and on the sweep of Stripe's events."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from ninja import Router

from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import StandingAlarm
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.types import SweepRow
from trueup.kernel.records import Record
from trueup.web.api import openapi
from trueup.web.api.answers import answer
from trueup.web.api.auth import READ

router: Final = Router()


class Alarms(Record, frozen=True):
    """What stands wrong at this moment."""

    data: tuple[StandingAlarm, ...]


class Sweeps(Record, frozen=True):
    """How the sweep of every account stands."""

    data: tuple[SweepRow, ...]


@router.get("/alarms", auth=READ, operation_id="alarms", summary="List what stands wrong")
@openapi.answers(Alarms)
def list_alarms(request: HttpRequest) -> HttpResponse:
    """What stands wrong at this moment, since when, and what to do; the oldest first. What is over is not listed."""
    del request
    return answer(Alarms(data=alarms.standing()))


@router.get("/sweeps", auth=READ, operation_id="sweeps", summary="How far Stripe's events were read")
@openapi.answers(Sweeps)
def list_sweeps(request: HttpRequest) -> HttpResponse:
    """How far Stripe's own list of events was read for every account that has a key, and what that found."""
    del request
    return answer(Sweeps(data=sweeps.sweeps()))
