"""Where each type of object can be read in Stripe's API: alone, in a list, and within another.

``RESOURCES`` is made from ``resource_table``, which a tool writes, one line a type::

    type  path of one  path of the list  words

``-`` stands where there is no path. ``{id}`` is the object's own id and ``{parent}`` that of the object it lives in.
Words: ``created``, ``clock`` and ``customer`` for filters of the list; ``all=NAME=VALUE`` for what a list has to be
asked for to be whole, given more than once where it takes several lists to be; ``parent=TYPE`` or
``parent=TYPE:PARAMETER`` where one has to say within what; ``inner=FIELD:PATH`` or ``inner=FIELD:PATH:PARAMETER`` for
lists inside of the object that may say ``has_more``; ``permission=NAME``; ``events=TYPE,TYPE`` for the types of events
that tell of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from trueup.connectors.stripe.resource_table import TABLE
from trueup.kernel.records import Record


class Parent(Record, frozen=True):
    """What a list is within: ``param`` is the parameter that names it; None where the path does, as ``{parent}``."""

    object_type: str
    param: str | None = None


class Inner(Record, frozen=True):
    """A list inside an object, and where the whole of it is.

    ``field`` has points where the list is deeper inside: ``amount_details.line_items``.
    ``path`` has ``{id}`` for the object's id, or ``param`` is the parameter that takes it.
    """

    field: str
    path: str
    param: str | None = None

    def whole(self, object_id: str) -> tuple[str, dict[str, str]]:
        """The path and the parameters that list all of it; ``limit`` and ``starting_after`` are the caller's."""
        return self.path.replace("{id}", object_id), {self.param: object_id} if self.param else {}


class Resource(Record, frozen=True):
    """One type of object as Stripe's API gives it.

    ``retrieve`` and ``list`` are paths or None. ``created_filter``, ``by_clock`` and ``by_customer`` say whether the
    list takes ``created``, ``test_clock`` and ``customer``. All pages of the list once with each of ``all_params`` are
    everything that it can give. A list with a ``parent`` is asked for each of these. ``permission`` is what a
    restricted key needs, as Stripe calls it (``rak_customer_read``); empty where that is not known. ``events`` are the
    types of events that tell of it.
    """

    object_type: str
    retrieve: str | None
    list: str | None
    created_filter: bool = False
    all_params: tuple[Mapping[str, str], ...] = ({},)
    by_clock: bool = False
    by_customer: bool = False
    parent: Parent | None = None
    lists: tuple[Inner, ...] = ()
    permission: str = ""
    events: tuple[str, ...] = ()

    def one(self, object_id: str, *, parent: str = "") -> str | None:
        """The path of one object; None where it cannot be retrieved, or only within a ``parent`` that is not given."""
        if self.retrieve is None or ("{parent}" in self.retrieve and not parent):
            return None
        return self.retrieve.replace("{id}", object_id).replace("{parent}", parent)

    def many(self, *, parent: str = "") -> tuple[tuple[str, dict[str, str]], ...]:
        """The lists that together are everything: path and parameters, one for each of ``all_params``.

        Empty where there is no list, or none without the ``parent`` that is not given.
        """
        if self.list is None or (self.parent is not None and not parent):
            return ()
        within = {self.parent.param: parent} if self.parent is not None and self.parent.param else {}
        return tuple((self.list.replace("{parent}", parent), {**params, **within}) for params in self.all_params)


def _lines(table: str) -> list[str]:
    """One line a resource: what begins with spaces goes on with the line before, within a list of names as one word."""
    return table.strip().replace(",\n  ", ",").replace("\n  ", " ").splitlines()


def _read(line: str) -> Resource:
    object_type, retrieve, listed, *words = line.split()
    said: dict[str, list[str]] = {}
    for word in words:
        name, _, value = word.partition("=")
        said.setdefault(name, []).append(value)
    whole = tuple(dict([value.split("=", 1)]) for value in said.get("all", ()))
    parents = [Parent(*value.split(":")) for value in said.get("parent", ())]
    return Resource(
        object_type=object_type,
        retrieve=None if retrieve == "-" else retrieve,
        list=None if listed == "-" else listed,
        created_filter="created" in said,
        all_params=whole or ({},),
        by_clock="clock" in said,
        by_customer="customer" in said,
        parent=parents[0] if parents else None,
        lists=tuple(Inner(*value.split(":")) for value in said.get("inner", ())),
        permission=said.get("permission", [""])[0],
        events=tuple(name for names in said.get("events", ()) for name in names.split(",")),
    )


RESOURCES: Final[Mapping[str, Resource]] = MappingProxyType(
    {found.object_type: found for found in map(_read, _lines(TABLE))}
)
"""Every type that can be retrieved or listed, by its name."""

BACKFILL: Final = (
    "test_helpers.test_clock",
    "product",
    "price",
    "coupon",
    "promotion_code",
    "tax_rate",
    "customer",
    "subscription",
    "subscription_schedule",
    "payment_method",
    "tax_id",
    "invoice",
    "invoiceitem",
    "invoice_payment",
    "credit_note",
    "payment_intent",
    "setup_intent",
    "charge",
    "refund",
    "dispute",
    "customer_balance_transaction",
    "quote",
    "checkout.session",
)
"""What is read when an account is connected, in this order: what is named before what names it."""


EVENTS: Final = "/v1/events"
"""Where the log is listed; events are no resource here, since nothing keeps them as objects."""


def endpoint(path: str) -> str:
    """The operation that reading a path is, as Stripe limits it: ``GET /v1/invoices/{id}`` for ``/v1/invoices/in_1``.

    The names in braces are ours. A path that is not known is the operation of its first two parts.
    """
    parts = tuple(path.strip("/").split("/"))
    for shape in _SHAPES.get(len(parts), ()):
        if all(said == part or said.startswith("{") for said, part in zip(shape, parts, strict=True)):
            return f"GET /{'/'.join(shape)}"
    return f"GET /{'/'.join(parts[:2])}"


def _shapes() -> dict[int, tuple[tuple[str, ...], ...]]:
    """The paths of all resources by their number of parts, those with fewer names in braces first."""
    told = {path for resource in RESOURCES.values() for path in (resource.retrieve, resource.list) if path}
    told |= {inner.path for resource in RESOURCES.values() for inner in resource.lists} | {EVENTS, f"{EVENTS}/{{id}}"}
    found: dict[int, set[tuple[str, ...]]] = {}
    for path in told:
        shape = tuple(path.replace("{parent}", "{id}").strip("/").split("/"))
        found.setdefault(len(shape), set()).add(shape)
    return {
        number: tuple(sorted(shapes, key=lambda shape: (shape.count("{id}"), shape)))
        for number, shapes in found.items()
    }


_SHAPES: Final = _shapes()
