"""Pure rules about signing in."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

MOST_FAILURES: Final = 10
"""So many sign-ins may fail within ``WINDOW``, for one address and from one client; the next is refused unseen."""
WINDOW: Final = timedelta(minutes=15)


def retry_at(attempts: Sequence[datetime], *, now: datetime) -> datetime | None:
    """When the next attempt is taken again; None means now. ``attempts`` are those not known to have succeeded."""
    recent = sorted(moment for moment in attempts if moment > now - WINDOW)
    return recent[-MOST_FAILURES] + WINDOW if len(recent) >= MOST_FAILURES else None


def client_of(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 of an IPv6 one, which is what a single host is given."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
