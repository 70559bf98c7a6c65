"""``/v1/credit_notes``."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler, Instead
from trueup.sandbox.answers.merging import metadata, put
from trueup.sandbox.invoices import credit_notes
from trueup.sandbox.world.world import Obj, World


def _create(world: World, call: Call) -> Obj:
    invoice = world.get("invoice", call.params["invoice"], param="invoice")
    world.follow(invoice)
    return credit_notes.create(world, invoice, call.params)


def _preview(world: World, call: Call) -> Obj:
    raise Instead(_create(world, call))


def _preview_lines(world: World, call: Call) -> Obj:
    note = _create(world, call)
    raise Instead(pages.of(call, note["lines"]["data"], kind="credit_note_line_item"))


def _found(world: World, call: Call) -> Obj:
    note = world.get("credit_note", call.ids.get("id") or call.ids["credit_note"])
    world.follow(world.get("invoice", note["invoice"]))
    return note


def _lines(world: World, call: Call) -> Obj:
    return pages.of(call, _found(world, call)["lines"]["data"], kind="credit_note_line_item")


def _list(world: World, call: Call) -> Obj:
    asked = {"invoice": call.value("invoice"), "customer": call.value("customer")}
    return pages.page(world, call, "credit_note", **{name: value for name, value in asked.items() if value})


def _update(world: World, call: Call) -> Obj:
    note = _found(world, call)
    put(note, call, ("memo",))
    if call.given("metadata"):
        note["metadata"] = metadata(note["metadata"], call.params["metadata"])
    world.tell("credit_note.updated", note)
    return note


def _void(world: World, call: Call) -> Obj:
    return credit_notes.void(world, _found(world, call))


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/credit_notes": _create,
    "GET /v1/credit_notes": _list,
    "GET /v1/credit_notes/preview": _preview,
    "GET /v1/credit_notes/preview/lines": _preview_lines,
    "GET /v1/credit_notes/{id}": _found,
    "POST /v1/credit_notes/{id}": _update,
    "POST /v1/credit_notes/{id}/void": _void,
    "GET /v1/credit_notes/{credit_note}/lines": _lines,
}
