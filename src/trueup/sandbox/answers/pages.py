"""Lists: newest first, in pages, filtered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.wire.errors import invalid, missing
from trueup.sandbox.world.world import Obj, World, render

_DEFAULT: Final = 10
_MOST: Final = 100


def page(
    world: World,
    call: Call,
    kind: str,
    *,
    keep: Callable[[Obj], bool] | None = None,
    **where: object,
) -> Obj:
    """A page of the objects that ``where`` (see ``World.select``), the ``created`` filter and ``keep`` let through.

    Knows ``limit`` (1 to 100), ``starting_after``, ``ending_before`` and ``created``. Raises Stripe's 400s.
    """
    return of(call, (o for o in world.select(kind, **where) if keep is None or keep(o)), kind=kind)


def of(call: Call, objects: Iterable[Obj], *, kind: str) -> Obj:
    """A page of objects that are given newest first."""
    size = limit(call)
    span = call.params.get("created")
    found = (o for o in objects if span is None or within(o.get("created", 0), span))
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after and before:
        message = "You cannot parameterize by both `starting_after` and `ending_before`."
        raise invalid(message)
    if before:
        taken: list[Obj] = []
        for obj in found:
            if obj["id"] == before:
                return _list(call, taken[-size:], more=len(taken) > size)
            taken.append(obj)
        raise missing(kind, before, param="ending_before")
    if after:
        for obj in found:
            if obj["id"] == after:
                break
        else:
            raise missing(kind, after, param="starting_after")
    shown = list(islice(found, size + 1))
    return _list(call, shown[:size], more=len(shown) > size)


def limit(call: Call) -> int:
    """The page's size. Raises Stripe's 400 where it is not 1 to 100."""
    size: int = call.params.get("limit", _DEFAULT)
    if not 1 <= size <= _MOST:
        word = "must be greater than or equal to 1" if size < 1 else f"must be less than or equal to {_MOST}"
        message = f"Invalid limit: {size}. Limit {word}."
        raise invalid(message, param="limit", code="parameter_invalid_integer")
    return size


def within(at: int, span: int | Mapping[str, int]) -> bool:
    """Whether a time is what a filter such as ``created[gte]`` asks for."""
    if not isinstance(span, Mapping):
        return at == int(span)
    return (
        ("gt" not in span or at > span["gt"])
        and ("gte" not in span or at >= span["gte"])
        and ("lt" not in span or at < span["lt"])
        and ("lte" not in span or at <= span["lte"])
    )


def _list(call: Call, data: list[Obj], *, more: bool) -> Obj:
    shown: list[Any] = [render(obj) for obj in data]
    return {"object": "list", "data": shown, "has_more": more, "url": call.path}
