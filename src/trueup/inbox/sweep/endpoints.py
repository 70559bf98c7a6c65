"""Our webhook endpoint as Stripe tells of it: is it there, is it enabled, what is it sent."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from trueup.accounts import calls
from trueup.accounts.calls import Lane
from trueup.accounts.types import Account
from trueup.connectors.stripe.errors import StripeForbidden, StripeUnavailable
from trueup.inbox.sweep.types import Endpoint, EndpointState
from trueup.runtime import clock

ADDRESS: Final = "/webhooks/stripe/"
MOST_PAGES: Final = 5
"""Stripe allows 16 endpoints a mode; a list that does not end is an error and no reason to ask for ever."""


class _Told(msgspec.Struct):
    id: str
    url: str = ""
    status: str = ""
    api_version: str | None = None
    enabled_events: list[str] = []


class _Page(msgspec.Struct):
    data: list[_Told]
    has_more: bool = False


def look(account: Account, *, lane: Lane = Lane.SWEEP) -> Endpoint:
    """How the endpoint that leads to an account's address here stands at Stripe.

    Its host is not compared, since proxies stand in front. Of several, an enabled one counts. A key that may not read
    endpoints gives ``UNREADABLE``; other errors are raised as ``accounts.calls.get`` raises them.
    """
    checked_at = clock.now()
    try:
        told = _all(account, lane)
    except StripeForbidden:
        return Endpoint(state=EndpointState.UNREADABLE, checked_at=checked_at)
    ours = [one for one in told if urlsplit(one.url).path.rstrip("/").endswith(ADDRESS + account.slug)]
    if not ours:
        return Endpoint(state=EndpointState.MISSING, checked_at=checked_at, others=len(told))
    enabled = [one for one in ours if one.status == "enabled"]
    best = (enabled or ours)[0]
    return Endpoint(
        state=EndpointState.ENABLED if enabled else EndpointState.DISABLED,
        checked_at=checked_at,
        id=best.id,
        url=best.url,
        api_version=best.api_version,
        events=tuple(sorted({name for one in enabled or ours for name in one.enabled_events})),
        others=len(told) - len(ours),
    )


def _all(account: Account, lane: Lane) -> list[_Told]:
    found: list[_Told] = []
    params: dict[str, Any] = {"limit": 100}
    for _ in range(MOST_PAGES):
        answer = calls.get(account, "/v1/webhook_endpoints", params, lane=lane)
        try:
            page = msgspec.json.decode(answer.body, type=_Page)
        except msgspec.DecodeError:
            raise StripeUnavailable("Stripe's list of endpoints cannot be read.") from None
        found += page.data
        if not page.has_more or not page.data:
            break
        params["starting_after"] = page.data[-1].id
    return found
