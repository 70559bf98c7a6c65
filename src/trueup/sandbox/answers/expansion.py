"""``expand``: ids become objects, and fields that are left out appear."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from trueup.kernel.records import Record
from trueup.sandbox.answers.calls import Included
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.wire.schema import expandable
from trueup.sandbox.world.world import Obj, World, render

_DEEPEST: Final = 4


class _Place(Record, frozen=True, kw_only=False):
    """Where a path has led to: the object that holds it, and the field of its kind, dotted where a hash of it does.

    A hash such as a promotion code's ``promotion`` has no ``object`` that says what its ids expand to.
    """

    path: str
    owner: Obj
    field: str


class Expansion:
    """Expands answers; ``included`` has the fields that exist on request only."""

    def __init__(self, included: Included) -> None:
        self._included = included

    def expanded(self, world: World, obj: Obj, paths: Iterable[str]) -> Obj:
        """The object as it is shown with ``paths`` (``"latest_invoice.payments"``, ``"data.customer"``) expanded.

        The object itself stays as it is. Raises Stripe's 400 for a path that cannot be expanded or goes too deep.
        """
        shown = render(obj)
        for path in paths:
            parts = path.split(".")
            if len(parts) > _DEEPEST + (parts[0] == "data"):
                message = f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}"
                raise StripeError(message, param="expand")
            self._into(world, shown, parts, _Place(path, {}, ""))
        return shown

    def _into(self, world: World, holder: Obj, parts: list[str], at: _Place) -> None:
        name, rest = parts[0], parts[1:]
        if holder.get("deleted"):
            return
        owner, field = (holder, name) if "object" in holder else (at.owner, f"{at.field}.{name}")
        kind, at = owner.get("object", ""), _Place(at.path, owner, field)
        if kind in {"list", "search_result"} and name == "data":
            holder["data"] = [self._one(world, entry, rest, at) for entry in holder["data"]]
            return
        if (kind, field) in self._included and not isinstance(holder.get(name), dict):
            holder[name] = self._included[kind, field](world, owner)
            kinds: tuple[str, ...] = ()
        else:
            if name not in holder:
                raise unexpandable(at.path)
            kinds = expandable(kind, field)
        value = holder[name]
        if isinstance(value, list):
            holder[name] = [self._grown(world, entry, kinds, rest, at) for entry in value]
        elif value is not None:
            holder[name] = self._grown(world, value, kinds, rest, at)

    def _grown(self, world: World, value: Any, kinds: tuple[str, ...], rest: list[str], at: _Place) -> Any:
        if isinstance(value, str):
            for kind in kinds:
                found = world.find(kind, value)
                if found is not None:
                    value = _stub(found) if found.get("deleted") else render(found)
                    break
            else:
                raise unexpandable(at.path)
        return self._one(world, value, rest, at)

    def _one(self, world: World, value: Any, rest: list[str], at: _Place) -> Any:
        if not rest:
            return value
        if not isinstance(value, dict):
            raise unexpandable(at.path)
        grown = dict(value)
        self._into(world, grown, rest, at)
        return grown


def unexpandable(path: str) -> StripeError:
    """A path that leads to nothing that can be expanded."""
    return StripeError(
        f"This property cannot be expanded ({path}). You may want to try expanding something else.", param="expand"
    )


def _stub(obj: Obj) -> Obj:
    if obj["object"] == "discount":
        return render(obj)  # Invoices show in full what they took off, also after it ended.
    return {"id": obj["id"], "object": obj["object"], "deleted": True}
