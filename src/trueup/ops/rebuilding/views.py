"""The SQL views made again: what would be otherwise, and making it so."""

from __future__ import annotations

from typing import Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict
from trueup.mirror.views import install as views
from trueup.mirror.views.install import Outcome
from trueup.mirror.views.sql import SCHEMA
from trueup.runtime import database

_DEFINED: Final = """
select c.relname, pg_get_viewdef(c.oid), (
    select array_agg(a.attname::text order by a.attnum) from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
) from pg_class c where c.relnamespace = to_regnamespace(%(schema)s) and c.relkind = 'v' order by 1
"""

Defined = dict[str, tuple[str, list[str]]]


class _Rehearsal(Exception):
    """Rolls back what was only tried."""


def differences() -> list[str]:
    """What making the views again would change, a line each. They are made, compared and rolled back."""
    before, after = _defined(), dict[str, tuple[str, list[str]]]()
    try:
        with database.transaction():
            _made()
            after = _defined()
            raise _Rehearsal
    except _Rehearsal:
        return _lines(before, after)


def install(*, by: Actor) -> None:
    """Make the views again, whatever stands there under their names, in one transaction; audited.

    ``Conflict`` where something of somebody else is in the way, or somebody reads them.
    """
    with database.transaction() as connection:
        _made()
        audit.record(
            connection,
            by=by,
            action=Action.TABLES_REBUILT,
            object_type="tables",
            object_id="views",
            after={"schema": SCHEMA},
        )


def _made() -> None:
    outcome = views.reinstall()
    if outcome is not Outcome.INSTALLED:
        raise Conflict(
            f"The views cannot be made again: {outcome.value.replace('_', ' ')}.",
            code=f"views_{outcome.value}",
            hint=views.HINTS[outcome],
        )


def _defined() -> Defined:
    rows = database.execute(_DEFINED, {"schema": SCHEMA}).fetchall()
    return {row[0]: (row[1], row[2] or []) for row in rows}


def _lines(before: Defined, after: Defined) -> list[str]:
    lines = []
    for name in sorted({*before, *after}):
        if name not in before:
            lines.append(f"{SCHEMA}.{name} would be made: it is missing.")
        elif name not in after:
            lines.append(f"{SCHEMA}.{name} would be dropped: this release has no such view.")
        elif before[name] != after[name]:
            had, gets = before[name][1], after[name][1]
            told = [f"+{column}" for column in gets if column not in had]
            told += [f"-{column}" for column in had if column not in gets]
            lines.append(f"{SCHEMA}.{name} would be made otherwise: {', '.join(told) or 'other expressions'}.")
    return lines
