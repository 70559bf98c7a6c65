"""What Stripe has been told to do to a customer's subscriptions at a time to come. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from trueup.customer.rules.known import Known, Subscription, ref_of
from trueup.customer.types import ChangeKind, CustomerState, ScheduledChange, ScheduledItem
from trueup.mirror.types import FactRef
from trueup.mirror.upcast.shape import id_of, listed, mapping, moment, text, whole

_RUNNING = frozenset({"active", "not_started"})


def changes(known: Known) -> tuple[ScheduledChange, ...]:
    """Cancellations, phases to come and ends of pauses, by time; noted in ``known``.

    A cancellation or phase whose time has come stays until a fact says that it came: Stripe may be late, an event
    missing, and what came of it is Stripe's to say. The end of a pause comes by itself, and is left out from then on.
    """
    found: list[tuple[ScheduledChange, FactRef]] = []
    for one in known.live:
        found += [(change, one.ref) for change in _of_subscription(one)]
    if not known.deleted:
        for told in known.schedules:
            if text(told.data.get("status")) in _RUNNING:
                found += [(change, ref_of(told)) for change in _of_schedule(told.data)]
    # A schedule that releases or cancels says the same as its subscription; once is enough.
    once = {(change.at, change.kind, change.subscription_id): (change, ref) for change, ref in reversed(found)}
    kept = sorted(once.values(), key=lambda pair: (pair[0].at, pair[0].kind, pair[0].subscription_id or ""))
    if kept:
        refs = tuple(dict.fromkeys(ref for _change, ref in kept))
        known.noted("scheduled_changes", True, "subscriptions.schedule", refs)  # noqa: FBT003 - any value notes it
    return tuple(change for change, _ref in kept)


def next_turn(state: CustomerState) -> datetime | None:
    """When time alone gives the same facts another state, as a discount's end does; ``None`` when only a fact will."""
    resumes = [change.at for change in state.scheduled_changes if change.kind is ChangeKind.RESUME]
    return min([*resumes, *([] if state.mrr_changes_at is None else [state.mrr_changes_at])], default=None)


def _of_subscription(one: Subscription) -> Iterator[ScheduledChange]:
    ends = moment(one.data.get("cancel_at"))
    if ends is None and one.data.get("cancel_at_period_end") is True:
        periods = [whole(item.get("current_period_end")) for item in one.items]
        ends = moment(max((end for end in periods if end is not None), default=None))
    if ends is not None:
        yield ScheduledChange(at=ends, kind=ChangeKind.CANCEL, subscription_id=one.told.object_id)
    resumes = moment(mapping(one.data.get("pause_collection")).get("resumes_at"))
    if resumes is not None and one.paused:
        yield ScheduledChange(at=resumes, kind=ChangeKind.RESUME, subscription_id=one.told.object_id)


def _of_schedule(data: dict[str, Any]) -> Iterator[ScheduledChange]:
    subscription_id = id_of(data.get("subscription"))
    current = whole(mapping(data.get("current_phase")).get("start_date"))
    phases = [phase for phase in listed(data.get("phases")) if type(phase) is dict]
    for phase in phases:
        starts = whole(phase.get("start_date"))
        at = moment(starts)
        if starts is None or at is None or (current is not None and starts <= current):
            continue
        items = tuple(
            ScheduledItem(price_id=id_of(item.get("price")), quantity=whole(item.get("quantity")))
            for item in listed(phase.get("items"))
            if type(item) is dict
        )
        yield ScheduledChange(at=at, kind=ChangeKind.PLANS, subscription_id=subscription_id, items=items)
    ends = moment(max((end for phase in phases if (end := whole(phase.get("end_date"))) is not None), default=None))
    if ends is not None and data.get("end_behavior") == "cancel":
        yield ScheduledChange(at=ends, kind=ChangeKind.CANCEL, subscription_id=subscription_id)
