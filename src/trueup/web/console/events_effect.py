"""What one event did, in words: its version, what it changed of the customer's state, and how long that took."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from django.utils.translation import gettext as _

from trueup.customer import service as customers
from trueup.customer.types import Customer, CustomerState
from trueup.inbox.types import EventDetail
from trueup.kernel.errors import NotFound
from trueup.kernel.records import Record
from trueup.mirror import effects
from trueup.mirror.effects import Effect
from trueup.web.console import formats, payload
from trueup.web.console.customer_objects import changes
from trueup.web.console.method_words import method_name
from trueup.web.console.words import FETCH_REASONS, FIELDS, STAGES, Label

LONGEST: Final = 120
_BEFORE: Final = timedelta(seconds=1)
_CONTACT: Final = frozenset({"name", "email"})
_PAYLOAD: Final = frozenset({"metadata", "tags"})
_ALWAYS_NEW: Final = frozenset({"last_event_at", "as_of"})


class Moved(Record, frozen=True):
    """One field of a customer's state, before the event's second and after it; None where there was nothing."""

    label: Label
    before: str | None
    after: str | None


def told(event: EventDetail, customer: Customer | None, *, contact: bool, shown: bool) -> dict[str, Any]:
    """For the templates: the effect of an event. Without ``shown`` nothing of what Stripe sent is told."""
    effect = effects.of(event)
    version = effect.version if effect is not None else None
    return {
        "effect": effect,
        "version": version,
        "newest": payload.html(msgspec.json.encode(effect.shape)) if effect is not None and shown else None,
        "changes": changes(version.changes) if version is not None and shown else (),
        "moved": _moved(event, customer, contact=contact, shown=shown) if version is not None else [],
        "steps": _steps(event, customer, effect),
        "asked": FETCH_REASONS.get(effect.asked.reason, effect.asked.reason) if effect and effect.asked else "",
        "payload_shown": shown,
    }


def _moved(event: EventDetail, customer: Customer | None, *, contact: bool, shown: bool) -> list[Moved]:
    """What differs between the customer's state before the second of the event and after it."""
    if customer is None:
        return []
    before, after = (_then(customer.id, event, early=early) for early in (True, False))
    if after is None:
        return []
    hidden = _ALWAYS_NEW | (frozenset() if contact else _CONTACT) | (frozenset() if shown else _PAYLOAD)
    found: list[Moved] = []
    for name, (label, _meaning) in FIELDS.items():
        if name in hidden or not hasattr(after, name):
            continue
        old, new = (None if state is None else getattr(state, name) for state in (before, after))
        if old != new and (old or new):
            found.append(Moved(label=label, before=_text(name, old), after=_text(name, new)))
    return found


def _then(customer_id: str, event: EventDetail, *, early: bool) -> CustomerState | None:
    try:
        return customers.get_at(customer_id, at=event.created - _BEFORE if early else event.created).state
    except NotFound:
        return None


def _money(values: Any) -> str:
    return " + ".join(formats.money(one.minor, one.currency) for one in values)


def _payment(value: Any) -> str:
    amount = "?" if value.amount is None else formats.money(value.amount.minor, value.amount.currency)
    return f"{amount}, {formats.stamp(value.at)}"


_WRITTEN: Final[Mapping[str, Callable[[Any], str]]] = {
    "stage": lambda value: str(STAGES[value].label),
    "mrr": _money,
    "lifetime_paid": _money,
    "plans": lambda value: ", ".join(one.product_name or one.nickname or one.price_id or "?" for one in value),
    "last_payment": _payment,
    "last_failure": _payment,
    "payment_method": method_name,
}
"""How fields are written that are more than a text."""


def _text(name: str, value: Any) -> str | None:
    if value is None or value in ((), {}, ""):
        return None
    if name in _WRITTEN:
        return _WRITTEN[name](value)
    if isinstance(value, datetime):
        return formats.stamp(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _steps(event: EventDetail, customer: Customer | None, effect: Effect | None) -> list[tuple[Label, timedelta]]:
    """How long it took from step to step, as far as the moments are kept."""
    found: list[tuple[Label, timedelta]] = [(_("arrived"), event.received_at - event.created)]
    last = customer is not None and effect is not None and customer.last_event_at == event.created
    if customer is not None and last and customer.folded_at >= event.received_at:
        found.append((_("state made"), customer.folded_at - event.received_at))
    return found
