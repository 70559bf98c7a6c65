"""Pages of /v2: they name the address of the next one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.assumptions import DESTINATIONS_PAGE
from trueup.sandbox.wire import forms
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, render

_MOST: Final = 100


def of(call: Call, objects: Iterable[Obj]) -> Obj:
    """A page of objects that are given newest first.

    ``page`` in the parameters is how many were shown before: what the address of the next page holds.
    """
    size = call.params.get("limit", DESTINATIONS_PAGE)
    if not 1 <= size <= _MOST:
        message = f"Invalid limit: {size}. It must be between 1 and {_MOST}."
        raise invalid(message, param="limit")
    page = call.params.get("page", "0")
    if not (page.isascii() and page.isdigit() and len(page) < 10):
        message = f"Invalid page: {page}."
        raise invalid(message, param="page")
    before = int(page)
    shown = list(islice(objects, before, before + size + 1))
    return {
        "data": [render(obj) for obj in shown[:size]],
        "next_page_url": _address(call, before + size) if len(shown) > size else None,
        "previous_page_url": _address(call, max(0, before - size)) if before else None,
    }


def _address(call: Call, before: int) -> str:
    return f"{call.path}?{forms.encode({**call.params, 'page': before})}"
