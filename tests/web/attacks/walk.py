"""Every page of the console with a world behind it, so that an address leads to something."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

from django.urls import URLPattern

from trueup.web.console.guard import PUBLIC
from trueup.web.console.urls import urlpatterns

ASKED = re.compile(r"""(?:\.get|\.getlist|\.pop|_asked|_of)\(\s*(?:request, )?"(\w+)"|(?:GET|POST)\["(\w+)"\]""")
IDS = {
    "customer_id": "cus_000",
    "event_id": "evt_known",
    "object_type": "customer",
    "object_id": "cus_000",
    "field": "stage",
    "slug": "acme",
    "mode": "test",
    "role": "support",
}
"""What stands in an address, so that there is something; any other number is 1, any other text ``nobody``."""


class Route(NamedTuple):
    """A page: its name, an address that fits, whether strangers may see it, and the words a request to it may have."""

    name: str
    address: str
    public: bool
    asked: tuple[str, ...]


def _names(module: ModuleType) -> set[str]:
    return {first or second for first, second in ASKED.findall(inspect.getsource(module))}


def _asked(view: Callable[..., Any]) -> tuple[str, ...]:
    """The words that the view's module reads from a request, and those that modules of the console read for it."""
    module = inspect.getmodule(inspect.unwrap(view))
    assert module is not None
    names = _names(module)
    for used in vars(module).values():
        beside = used if inspect.ismodule(used) else inspect.getmodule(used) if inspect.isfunction(used) else None
        if beside is not None and beside.__name__.startswith("trueup.web.console.") and "asked" in beside.__name__:
            names |= _names(beside)
    return tuple(sorted(names))


def filled(pattern: str, ids: dict[str, str]) -> str:
    """An address of a route, with an id for each of its places."""

    def one(place: re.Match[str]) -> str:
        return ids.get(place[2], "1" if place[1] == "int" else "nobody")

    return "/" + re.sub(r"<(\w+):(\w+)>", one, pattern)


def routes() -> Iterator[Route]:
    """Every page of the console."""
    for one in urlpatterns:
        assert isinstance(one, URLPattern)
        view: Any = one.callback
        yield Route(str(one.name), filled(str(one.pattern), IDS), view.permission == PUBLIC, _asked(view))


ROUTES = tuple(routes())
