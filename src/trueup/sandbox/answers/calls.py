"""What a handler is given and what it may give back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trueup.kernel.records import Record
from trueup.sandbox.world.world import Obj, World


class Call(Record, frozen=True):
    """A request whose parameters were checked against Stripe's tables.

    ``ids`` are the path's placeholders under the SDK's names; ``params`` has real integers and booleans, lists and
    dictionaries; an empty string unsets where Stripe allows it; what was not sent is absent.
    ``expand`` is what the answer will be expanded by.
    """

    method: str
    path: str
    ids: Mapping[str, str]
    params: Mapping[str, Any]
    expand: tuple[str, ...] = ()

    def given(self, name: str) -> bool:
        """Whether a parameter was sent, be it empty."""
        return name in self.params

    def value(self, name: str, default: Any = None) -> Any:
        """A parameter, ``default`` where it was not sent, None where it was sent empty."""
        value = self.params.get(name, default)
        return None if value == "" else value


Handler = Callable[[World, Call], Obj]
Routes = Mapping[str, Handler]
"""``"POST /v1/customers/{customer}"`` with the SDK's names of placeholders -> what answers it."""

Timers = Mapping[str, Callable[[World, str], None]]
"""A timer's name (one of ``world.clocks.RANKS``) -> what it does; it is given the id it was set for."""

Included = Mapping[tuple[str, str], Callable[[World, Obj], Any]]
"""(kind, field) -> what ``expand`` puts there; for fields that are left out unless asked for.

The field is dotted where a hash has it, as ``restrictions.currency_options``. The function is given the object as it is
shown: without the sandbox's own fields.
"""


class Instead(Exception):
    """Raised by a handler to answer ``obj`` and undo all it did, as a preview does."""

    def __init__(self, obj: Obj) -> None:
        super().__init__()
        self.obj = obj
