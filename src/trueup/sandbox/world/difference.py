"""What ``previous_attributes`` holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_ALSO: Final = frozenset(
    {
        "charge.captured",
        "charge.dispute.closed",
        "charge.refunded",
        "payment_method.detached",
        "setup_intent.succeeded",
        "subscription_schedule.canceled",
    }
)


def carries(event_type: str) -> bool:
    """Whether events of this type say what was before. Source: recorded events (sandbox specification B.0.9)."""
    return event_type.endswith(("updated", "_applied")) or event_type in _ALSO


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The values of ``before`` that ``after`` changed: hashes in part, lists whole, None for what was not there."""
    found: dict[str, Any] = {}
    for name in after.keys() | before.keys() if before.keys() != after.keys() else after:
        old, new = before.get(name), after.get(name)
        if old == new and (name in before) == (name in after):
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            found[name] = difference(old, new)
        else:
            found[name] = old
    return dict(sorted(found.items()))


def earlier(now: Mapping[str, Any], previous: Mapping[str, Any]) -> dict[str, Any]:
    """The version before: ``previous`` laid over ``now``. Inverse of ``difference`` but that an absent key is None."""
    laid = dict(now)
    for name, value in previous.items():
        under = laid.get(name)
        laid[name] = earlier(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return laid
