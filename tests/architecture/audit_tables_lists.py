"""The same tables for lists of customers, owners and notes. ``audit_tables`` takes them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trueup.customer.listing import service as listing
from trueup.customer.listing.types import Filters
from trueup.customer.notes import service as notes
from trueup.customer.owners import service as owners
from trueup.customer.views import service as views
from trueup.kernel.actor import Actor, ActorKind

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
Scenario = Callable[[Any], object]


def _by(stage: Any) -> Actor:
    """The person of the stage, who is owner."""
    return Actor(kind=ActorKind.OPERATOR, id=str(stage.person.id))


def _noted(_stage: Any) -> int:
    return notes.add(id="cus_000", text="Asked for an invoice by post.", by=BY).id


def _kept(stage: Any, *, shared: bool = False) -> int:
    return views.save(name="Owing", parameters={"stage": ["past_due"]}, shared=shared, by=_by(stage)).id


CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "customer.owners.assign": (
        lambda stage: [owners.assign(ids=["cus_000"], operator_id=one, by=BY) for one in (stage.person.id, None)],
        ["customer.owner.set", "customer.owner.set"],
    ),
    "customer.owners.assign_matching": (
        lambda stage: owners.assign_matching(
            Filters(q="cus_000"), told="q=cus_000", number=1, operator_id=stage.person.id, by=BY
        ),
        ["customer.list.owned"],
    ),
    "customer.notes.add": (_noted, ["customer.note.added"]),
    "customer.notes.change": (
        lambda stage: [notes.change(note_id=_noted(stage), text=text, by=BY) for text in ("By post.",)],
        ["customer.note.added", "customer.note.changed"],
    ),
    "customer.notes.remove": (
        lambda stage: notes.remove(note_id=_noted(stage), by=BY),
        ["customer.note.added", "customer.note.removed"],
    ),
    "customer.views.save": (
        lambda stage: [_kept(stage), _kept(stage), _kept(stage, shared=True)],
        ["customer.view.saved", "customer.view.saved"],
    ),
    "customer.views.remove": (
        lambda stage: views.remove(view_id=_kept(stage), by=_by(stage)),
        ["customer.view.saved", "customer.view.removed"],
    ),
    "customer.listing.begin_export": (
        lambda _: listing.begin_export(Filters(), told="", by=BY),
        ["customer.list.exported"],
    ),
}
"""What changes state, and the entries it has to leave, in order."""

READS: dict[str, Scenario] = {
    "customer.listing.badge": lambda _: listing.badge(Filters(owner=1)),
    "customer.listing.by_stage": lambda _: listing.by_stage(Filters(unowned=True)),
    "customer.listing.products": lambda _: listing.products(),
    "customer.listing.chunks": lambda _: list(listing.chunks(Filters(), sort="name")),
    "customer.listing.counts": lambda _: listing.counts(),
    "customer.listing.rows": lambda _: listing.rows(Filters(q="company", differing=True)),
    "customer.listing.search": lambda _: listing.search(Filters(unowned=True)),
    "customer.listing.total": lambda _: listing.total(Filters(billing_status="past_due")),
    "customer.notes.notes": lambda _: notes.notes("cus_000"),
    "customer.owners.candidates": lambda _: owners.candidates(),
    "customer.owners.matching": lambda _: owners.matching(Filters(q="cus_000")),
    "customer.owners.numbers": lambda _: owners.numbers(),
    "customer.owners.of": lambda stage: owners.of([stage.customer.id]),
    "customer.owners.owner": lambda _: owners.owner("cus_000"),
    "customer.views.views": lambda stage: views.views(operator_id=stage.person.id),
}
"""What only reads; it is run where writing is forbidden."""
