"""The routes of search: one for each kind of object that Stripe indexes."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from typing import Final

import orjson

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.assumptions import SEARCH_LAG_SECONDS
from trueup.sandbox.search.fields import FIELDS
from trueup.sandbox.search.query import Query, matches, parse
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World, render


def lag(world: World) -> int:
    """For how many seconds of the sandbox's own clock a change is not found: the meta value ``search_lag``."""
    return int(world.store.meta("search_lag", str(SEARCH_LAG_SECONDS)))


def _search(kind: str) -> Handler:
    def handler(world: World, call: Call) -> Obj:
        query = parse(kind, call.params["query"])
        size = pages.limit(call)
        found = list(islice(_after(call, _found(world, kind, query)), size + 1))
        shown, more = found[:size], len(found) > size
        result: Obj = {
            "object": "search_result",
            "data": [render(obj) for obj in shown],
            "has_more": more,
            "next_page": _token(call, shown[-1]["id"]) if more else None,
            "url": call.path,
        }
        if "total_count" in call.expand:
            result["total_count"] = sum(1 for _ in _found(world, kind, query))
        return result

    return handler


def _found(world: World, kind: str, query: Query) -> Iterator[Obj]:
    """What the query finds, newest first, without what the index does not know yet.

    It is read past the world, which would keep every object of the kind to see whether it changes.
    """
    seconds, store = lag(world), world.store
    world.flush(kind)
    fresh = store.changed_since(kind, world.clocks.now() - seconds) if seconds else frozenset()
    for object_id in store.ids(kind, ()):
        if object_id not in fresh and (body := store.read(kind, object_id)) is not None:
            obj = orjson.loads(body)
            if matches(query, obj):
                yield obj


def _after(call: Call, found: Iterator[Obj]) -> Iterator[Obj]:
    """What follows the page before. Raises Stripe's 400 for a ``page`` of another query, or one that has gone."""
    page = call.value("page")
    if page is None:
        yield from found
        return
    last = _last(call, page)
    for obj in found:
        if obj["id"] == last:
            yield from found
            return
    raise _unknown(page)


def _token(call: Call, last: str) -> str:
    return urlsafe_b64encode(_print(call) + last.encode()).decode().rstrip("=")


def _last(call: Call, page: str) -> str:
    try:
        raw = urlsafe_b64decode(page + "=" * (-len(page) % 4))
        told, last = raw[:8], raw[8:].decode()
    except ValueError as error:
        raise _unknown(page) from error
    if told != _print(call):
        raise _unknown(page)
    return last


def _print(call: Call) -> bytes:
    return blake2b(f"{call.path} {call.params['query']}".encode(), digest_size=8).digest()


def _unknown(page: str) -> Exception:
    return invalid(f"Invalid page: {page}. Use the `next_page` of an earlier answer to the same query.", param="page")


ROUTES: Final[dict[str, Handler]] = {f"GET /v1/{kind}s/search": _search(kind) for kind in FIELDS}
