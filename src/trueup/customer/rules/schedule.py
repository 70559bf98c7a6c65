"""What is planned for a subscription, in plain words.

A schedule is a list of phases. Its own course is silent: what a phase brings is told by the subscription when it comes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from trueup.customer.rules.words import Said, day
from trueup.customer.types import Tone
from trueup.kernel.time import from_unix
from trueup.mirror.types import Fact
from trueup.mirror.upcast.shape import id_of, listed, mapping, moment, overlay, text


def created(fact: Fact) -> Said | None:
    """A subscription will begin, or change; nothing where a schedule only takes over what runs."""
    begins = _next(fact.data, fact)
    if begins is None:
        return None
    if text(fact.data.get("status")) == "not_started":
        return Said(f"Subscription planned for {day(begins)}", "", Tone.GOOD)
    return Said(f"Change planned for {day(begins)}", "", Tone.PLAIN)


def updated(fact: Fact) -> Said | None:
    """The next change was planned, moved or withdrawn; nothing when the planned moment has merely come."""
    if fact.previous is None or "phases" not in fact.previous:
        return None
    was, begins = _next(overlay(fact.data, fact.previous), fact), _next(fact.data, fact)
    if was == begins:
        return None
    if begins is None:
        return Said("Planned change withdrawn", "", Tone.PLAIN)
    if was is None:
        return Said(f"Change planned for {day(begins)}", "", Tone.PLAIN)
    return Said(f"Planned change moved to {day(begins)}", f"It was planned for {day(was)}", Tone.PLAIN)


def released(fact: Fact) -> Said | None:
    """The subscription goes on without its plan for later."""
    return None if _next(fact.data, fact) is None else Said("Planned change withdrawn", "", Tone.PLAIN)


def canceled(fact: Fact) -> Said | None:
    """A subscription that was planned will not begin; one that runs tells its own end."""
    if id_of(fact.data.get("subscription")) is not None:
        return None
    return Said("Planned subscription called off", "", Tone.WARN)


def expiring(fact: Fact) -> Said | None:
    """The last phase ends in seven days, and the subscription with it."""
    if text(fact.data.get("end_behavior")) != "cancel":
        return None
    end = moment(mapping(fact.data.get("current_phase")).get("end_date"))
    return Said("Ends with its plan" if end is None else f"Ends on {day(end)} as planned", "", Tone.WARN)


def _next(data: dict[str, Any], fact: Fact) -> datetime | None:
    """When the next phase begins, seen from the event."""
    now = from_unix(fact.created)
    begins = [moment(mapping(phase).get("start_date")) for phase in listed(data.get("phases"))]
    return min((start for start in begins if start is not None and start > now), default=None)
