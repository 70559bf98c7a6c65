"""How a person is shown what differs from Stripe, or did: narrow enough to be read, values as JSON has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from rich.table import Table
from rich.text import Text

from trueup.mirror.changes import LONGEST as CUT
from trueup.mirror.reconcile.types import STATE, Difference, Ending, FieldDifference
from trueup.ops import output

WIDTH: Final = 120
"""Columns of the table where a terminal does not have fewer."""
FIELDS: Final = 4
"""Fields of one difference that are listed; the others are counted."""
LONGEST: Final = 60
"""Characters of one value."""

_ENDINGS: Final = {
    Ending.REPAIRED: "repaired",
    Ending.EQUAL: "found equal",
    Ending.HEALED: "healed by what arrived",
}


def table(differences: Iterable[Difference], *, accounts: bool = False) -> None:
    """Print differences that are open, or that are over; nothing where there are none.

    ``accounts`` says that they are of several accounts, so that each names its own.
    """
    shown = list(differences)
    # The values of what is over are forgotten, so there is no side of ours and of Stripe's to name.
    has_values = any(one.resolved_at is None for one in shown)
    listed = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Kind", "Object", f"{'Here → Stripe' if has_values else 'How it ended'}, since when, and why"):
        listed.add_column(column, overflow="fold")
    for one in shown:
        named = f"{one.account_slug}: {_typed(one)}" if accounts else _typed(one)
        listed.add_row(
            one.kind.value, *(Text(output.plain(text)) for text in (f"{named}\n{one.object_id}", _told(one)))
        )
    if listed.row_count:
        output.out.print(listed, width=min(WIDTH, output.out.width))


def _typed(one: Difference) -> str:
    return "state" if one.type == STATE else one.type


def _told(one: Difference) -> str:
    """The fields, of whom it is and since when, and the cause: each on lines of its own."""
    told = _open(one) if one.resolved_at is None else _over(one)
    of = "" if one.customer in {None, one.object_id} else f" Of {one.customer}."
    return "\n".join([*told, f"{_since(one)}.{of}", f"{one.cause.value}: {one.why}"])


def _open(one: Difference) -> list[str]:
    more = len(one.fields[FIELDS:]) + one.fields_left_out
    return [*map(_field, one.fields[:FIELDS]), *([f"and {more} more"] if more else [])]


def _over(one: Difference) -> list[str]:
    """How it ended, and the names of what differed: its values are forgotten."""
    ending = "over" if one.ending is None else _ENDINGS[one.ending]
    by = "" if one.resolved_by is None else f" by run {one.resolved_by}"
    told = [f"Found {output.when(one.opened_at)}, {ending}{by} {output.when(one.resolved_at)}."]
    if one.fields:
        more = f" and {one.fields_left_out} more" if one.fields_left_out else ""
        told.append(f"Differed in {', '.join(field.path for field in one.fields)}{more}.")
    return told


def _field(field: FieldDifference) -> str:
    return f"{field.path}: {_value(field.ours, cut=field.cut)} → {_value(field.theirs, cut=field.cut)}"


def _value(value: Any, *, cut: bool) -> str:
    # What was cut is JSON already, and longer than any text that was not.
    text = value if cut and isinstance(value, str) and len(value) >= CUT else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _since(one: Difference) -> str:
    if one.since is None:
        return "Since when is unknown"
    return f"Since {output.when(one.since)}" if one.since_exact else f"At the earliest since {output.when(one.since)}"
