"""Which views there are: one for each Stripe resource with an id, and one for each list inside an object worth a table.

Pure. Names follow Stripe's: the type in snake_case and the plural, a namespace in front (``issuing.card`` is
``issuing_cards``). ``VIEWS`` holds them all, those of resources first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from trueup.kernel.records import Record
from trueup.mirror.views import namespaced, resources


class Kind(StrEnum):
    """What a column holds, and thereby its SQL type and how its field is read."""

    TEXT = "text"
    """text. Enums too: a value that Stripe adds later passes."""
    ID = "id"
    """text: the id in a field that holds either an id or the expanded object."""
    EMBEDDED = "embedded"
    """jsonb: a whole object with an id of its own, which stands beside it in the column ``<name>_id``."""
    BIGINT = "bigint"
    """bigint, such as an amount in the currency's minor unit."""
    NUMERIC = "numeric"
    """numeric, from a number or from a decimal in a string."""
    BOOLEAN = "boolean"
    """boolean."""
    MOMENT = "moment"
    """timestamptz, from Unix seconds or, in Stripe's API v2, from a string."""
    MILLISECONDS = "milliseconds"
    """timestamptz, from Unix milliseconds."""
    OBJECT = "object"
    """jsonb that is an object."""
    ARRAY = "array"
    """jsonb that is an array."""
    CUSTOMER = "customer"
    """text: the customer that the mirror knows the object by, which has an index."""
    DELETED = "deleted"
    """boolean: whether the object is deleted, which Stripe tells in its own field only sometimes."""


class Column(Record, frozen=True):
    """A column, named as the field of the payload that it is read from unless ``path`` leads to another."""

    name: str
    kind: Kind
    path: tuple[str, ...] = ()


class Child(Record, frozen=True):
    """Where the rows of a child view stand: ``path`` inside an object of the type, down to the array.

    ``parent`` names the column with the id of the object that they stand in; it takes the place of a field of that
    name. ``id`` says whether the rows have ids of their own.
    """

    path: tuple[str, ...]
    parent: str
    id: bool = True


class View(Record, frozen=True):
    """One view: its name in the schema ``stripe``, whose objects it reads, and the columns between id and ours."""

    name: str
    object_type: str
    columns: tuple[Column, ...]
    child: Child | None = None


CHILDREN: Final[Mapping[str, tuple[str, str, Child]]] = {
    # name: (type of the rows, type of the object that they stand in, where)
    "subscription_items": (
        "subscription_item",
        "subscription",
        Child(path=("items", "data"), parent="subscription"),
    ),
    "invoice_line_items": ("line_item", "invoice", Child(path=("lines", "data"), parent="invoice")),
    "credit_note_line_items": (
        "credit_note_line_item",
        "credit_note",
        Child(path=("lines", "data"), parent="credit_note"),
    ),
    "checkout_session_line_items": (
        "item",
        "checkout.session",
        Child(path=("line_items", "data"), parent="checkout_session"),
    ),
    "subscription_schedule_phases": (
        "subscription_schedule.phases",
        "subscription_schedule",
        Child(path=("phases",), parent="subscription_schedule", id=False),
    ),
    "balance_transaction_fee_details": (
        "balance_transaction.fee_details",
        "balance_transaction",
        Child(path=("fee_details",), parent="balance_transaction", id=False),
    ),
    "price_tiers": ("price.tiers", "price", Child(path=("tiers",), parent="price", id=False)),
}
"""Child views. Their types stand inside others only, so they have no view of their own besides."""

SHORT_CUTS: Final[Mapping[str, tuple[Column, ...]]] = {
    "invoices": (Column(name="subscription", kind=Kind.ID, path=("parent", "subscription_details", "subscription")),),
    "invoice_line_items": (
        Column(name="period_start", kind=Kind.MOMENT, path=("period", "start")),
        Column(name="period_end", kind=Kind.MOMENT, path=("period", "end")),
        Column(name="price_id", kind=Kind.ID, path=("pricing", "price_details", "price")),
        Column(name="product_id", kind=Kind.ID, path=("pricing", "price_details", "product")),
        Column(
            name="subscription_item",
            kind=Kind.ID,
            path=("parent", "subscription_item_details", "subscription_item"),
        ),
    ),
    "subscription_items": (Column(name="product_id", kind=Kind.ID, path=("price", "product")),),
    "discounts": (Column(name="coupon", kind=Kind.ID, path=("source", "coupon")),),
}
"""Columns for what stands deeper in the newest shape and is joined or filtered by every day."""

_NAMED: Final = {"invoiceitem": "invoice_items"}
"""Where everybody says it otherwise than Stripe's type does."""
_WORDS: Final[Mapping[str, str]] = {**resources.RESOURCES, **namespaced.RESOURCES}


def view_name(object_type: str) -> str:
    """The name of the view on a type: ``tax.registration`` gives ``tax_registrations``."""
    name = object_type.replace(".", "_")
    if object_type in _NAMED:
        return _NAMED[object_type]
    if re.search(r"[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}es" if re.search(r"(s|x|ch|sh)$", name) else f"{name}s"


def columns(words: str) -> tuple[Column, ...]:
    """The columns told in the words of the generated tables, by name."""
    found = []
    for word in words.split():
        kind, _, names = word.partition(":")
        found += [Column(name=name, kind=Kind(kind)) for name in names.split(",")]
    return tuple(sorted(found, key=lambda column: column.name))


def _views() -> tuple[View, ...]:
    inside = {rows for rows, _, _ in CHILDREN.values()}
    own = [
        View(name=view_name(object_type), object_type=object_type, columns=columns(words))
        for object_type, words in _WORDS.items()
        if object_type not in inside
    ]
    children = [
        View(
            name=name,
            object_type=object_type,
            columns=tuple(column for column in columns(_WORDS[rows]) if column.name != child.parent),
            child=child,
        )
        for name, (rows, object_type, child) in CHILDREN.items()
    ]
    return tuple(
        msgspec.structs.replace(view, columns=(*view.columns, *SHORT_CUTS.get(view.name, ())))
        for view in (*own, *children)
    )


VIEWS: Final = _views()
