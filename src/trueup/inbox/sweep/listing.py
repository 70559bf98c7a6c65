"""Stripe's lists of events, page by page: the snapshot ones of /v1 and the thin ones of /v2.

Sources: https://docs.stripe.com/api/events/list, https://docs.stripe.com/api/v2/core/events/list
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from trueup.accounts import calls
from trueup.accounts.calls import Lane
from trueup.accounts.types import Account
from trueup.connectors.stripe.errors import StripeUnavailable
from trueup.inbox.types import Kind
from trueup.kernel.records import Record
from trueup.kernel.time import from_unix

PAGE: Final = 100
"""The most that Stripe gives at once."""
PATIENCE: Final = 20.0
"""Seconds that a page may wait for its turn and for other tries; the sweep is tried again anyway."""
PATHS: Final = {Kind.SNAPSHOT: "/v1/events", Kind.THIN: "/v2/core/events"}


class Page(Record, frozen=True):
    """A page of a list, newest first."""

    bodies: tuple[bytes, ...]
    """The events, each exactly as Stripe wrote it; thin ones without those that have a snapshot twin."""
    listed: int
    """How many events there were, twins among them."""
    next: str | None
    """What names the page after it; None for the last."""
    at: datetime
    """A moment of Stripe's clock, not after that at which the page was asked for."""


class _Snapshots(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool = False


class _Thins(msgspec.Struct):
    data: list[msgspec.Raw]
    next_page_url: str | None = None


class _Id(msgspec.Struct):
    id: Any = None
    snapshot_event: Any = None


def page(
    account: Account,
    kind: Kind,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    after: str | None = None,
    limit: int = PAGE,
    stop: threading.Event | None = None,
) -> Page:
    """Events created from ``since`` up to, and not at, ``until``, after the page that ``after`` names.

    ``stop`` ends the waiting for a turn. Raises what ``accounts.calls.get`` raises, and ``StripeUnavailable`` for an
    answer that is no list.
    """
    span: dict[str, Any] = {}
    for name, moment in (("gte", since), ("lt", until)):
        if moment is not None:
            span[name] = int(moment.timestamp()) if kind is Kind.SNAPSHOT else _iso(moment)
    params: dict[str, Any] = {"limit": limit}
    if span:
        params["created"] = span
    if after is not None:
        params["starting_after" if kind is Kind.SNAPSHOT else "page"] = after
    answer = calls.get(account, PATHS[kind], params, lane=Lane.SWEEP, patience=PATIENCE, stop=stop)
    return _read(kind, answer.body, from_unix(answer.second))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _read(kind: Kind, body: bytes, at: datetime) -> Page:
    try:
        if kind is Kind.THIN:
            thins = msgspec.json.decode(body, type=_Thins)
            events = [bytes(raw) for raw in thins.data]
            alone = tuple(event for event in events if _id(event).snapshot_event is None)
            return Page(bodies=alone, listed=len(events), next=_page(thins.next_page_url), at=at)
        try:
            snapshots = msgspec.json.decode(body, type=_Snapshots)
            events, more = [bytes(raw) for raw in snapshots.data], snapshots.has_more
        except msgspec.DecodeError:
            # A lone surrogate or a number beyond all bounds in one event must not hide its ninety-nine neighbours.
            events, more = _loosely(body.decode())
        return Page(bodies=tuple(events), listed=len(events), next=_last(events) if more else None, at=at)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, KeyError, TypeError, RecursionError):
        raise StripeUnavailable("Stripe's list of events cannot be read.", hint="It is tried again.") from None


def _page(url: str | None) -> str | None:
    return None if url is None else parse_qs(urlsplit(url).query)["page"][0]


def _last(events: Sequence[bytes]) -> str:
    """The id of the last event of a page that is not the last: the next page begins after it."""
    found = _id(events[-1]).id if events else None
    if isinstance(found, str):
        return found
    message = "a page that says there are more, and names none"
    raise ValueError(message)


def _id(event: bytes) -> _Id:
    try:
        return msgspec.json.decode(event, type=_Id)
    except msgspec.DecodeError:
        told = json.loads(event)
        return _Id(id=told.get("id"), snapshot_event=told.get("snapshot_event"))


def _loosely(text: str) -> tuple[list[bytes], bool]:
    """The events in a page by the standard library's parser, which takes what the fast one refuses."""
    decoder, events = json.JSONDecoder(), list[bytes]()
    more = json.loads(text)["has_more"]
    place = text.index("[", text.index('"data"')) + 1
    while True:
        place = len(text) - len(text[place:].lstrip(" \t\r\n,"))
        if text[place] == "]":
            return events, bool(more)
        _told, end = decoder.raw_decode(text, place)
        events.append(text[place:end].encode())
        place = end
