"""Puts the schema ``stripe`` into the database, and brings it up to date when its SQL has changed.

Analysts read it while Trueup runs without it, so nothing here may keep Trueup from starting: whatever stands in the way
is a warning with what to do, and the views stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import psycopg
from psycopg import sql as compose

from trueup.mirror.views import sql
from trueup.mirror.views.sql import MARK, SCHEMA, Made
from trueup.runtime import database, logs

log = logs.get(__name__)

Connection = psycopg.Connection[tuple[Any, ...]]

LOCK_TIMEOUT: Final = "set local lock_timeout = '2s'"
"""A report that reads a view holds it for as long as its transaction lasts; neither may wait long for the other."""

FEW: Final = 5
"""Names in a warning."""

OURS: Final = """
select c.relname, d.description from pg_class c
join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0
where c.relnamespace = to_regnamespace(%(schema)s) and c.relkind = 'v' and d.description like %(mark)s || '%%'
order by 1
"""
FUNCTIONS: Final = """
select p.oid::regprocedure::text from pg_proc p
join pg_description d on d.classoid = 'pg_proc'::regclass and d.objoid = p.oid
where p.pronamespace = to_regnamespace(%(schema)s) and d.description like %(mark)s || '%%'
order by 1
"""
TAKEN: Final = """
select c.relname from pg_class c
where c.relnamespace = to_regnamespace(%(schema)s) and c.relname = any (%(names)s)
  and coalesce(obj_description(c.oid, 'pg_class'), '') not like %(mark)s || '%%'
union all
select p.proname from pg_proc p
where p.pronamespace = to_regnamespace(%(schema)s) and p.proname = any (%(functions)s)
  and coalesce(obj_description(p.oid, 'pg_proc'), '') not like %(mark)s || '%%'
order by 1
"""
GRANTS: Final = """
select c.relname, a.privilege_type, coalesce(r.rolname, ''), a.is_grantable
from pg_class c cross join lateral aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
where c.relnamespace = to_regnamespace(%(schema)s) and c.relname = any (%(names)s) and a.grantee <> c.relowner
order by 1, 2, 3
"""


class Outcome(StrEnum):
    """How it went."""

    CURRENT = "current"
    """They were up to date."""
    INSTALLED = "installed"
    """They were made, or made anew."""
    NOT_PERMITTED = "not_permitted"
    """Our role may not make the schema, or not what is in it."""
    NAME_TAKEN = "name_taken"
    """The schema holds something of somebody else under a name of ours."""
    IN_USE = "in_use"
    """Something of somebody else is built on a view of ours, which therefore cannot be made anew."""
    BUSY = "busy"
    """Somebody reads them just now."""


HINTS: Final = {
    Outcome.NOT_PERMITTED: "Let the owner of the database say: create schema stripe authorization <our role>",
    Outcome.NAME_TAKEN: "Another mirror lives in the schema stripe: give Trueup a database of its own, or move it.",
    Outcome.IN_USE: "Drop what is built on them, run `trueup migrate`, and make it again.",
    Outcome.BUSY: "They are made anew at the next start, or by `trueup migrate`.",
}


def refresh() -> Outcome:
    """Bring the schema up to date in one transaction; can be repeated, and costs one query when nothing is to be done.

    Who runs it in several processes at once has to take turns. Grants on views that are made anew are kept. Raises only
    what a lost or a full database raises.
    """
    return _tried(anew=False)


def reinstall() -> Outcome:
    """Make the schema's views again even where they seem up to date; inside the caller's transaction, if there is one.

    Answers as ``refresh`` does.
    """
    return _tried(anew=True)


def _tried(*, anew: bool) -> Outcome:
    try:
        with database.transaction() as connection:
            return _refresh(connection, anew=anew)
    except psycopg.errors.InsufficientPrivilege as error:
        return _warned(Outcome.NOT_PERMITTED, str(error))
    except psycopg.errors.DependentObjectsStillExist as error:
        return _warned(Outcome.IN_USE, str(error.diag.message_detail))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        return _warned(Outcome.BUSY, str(error))


def _refresh(connection: Connection, *, anew: bool = False) -> Outcome:
    everything = sql.everything()
    version = f"{MARK}{sql.digest(everything)}"
    names = {"schema": SCHEMA, "mark": MARK}
    ours: dict[str, str] = {row[0]: row[1] for row in connection.execute(OURS.encode(), names)}
    views = [made.name for made in everything if made.kind == "view"]
    if not anew and ours.keys() == set(views) and all(words.startswith(version) for words in ours.values()):
        return Outcome.CURRENT
    functions = [made.name.partition("(")[0] for made in everything if made.kind == "function"]
    taken = connection.execute(TAKEN.encode(), {**names, "names": views, "functions": functions}).fetchall()
    if taken:
        named = ", ".join(row[0] for row in taken[:FEW])
        return _warned(Outcome.NAME_TAKEN, named if len(taken) <= FEW else f"{named} and {len(taken) - FEW} more")
    connection.execute(LOCK_TIMEOUT.encode())
    # Asked first, because `if not exists` wants the right to make a schema even where there is one.
    if connection.execute(b"select to_regnamespace(%(schema)s) is null", names).fetchone() == (True,):
        connection.execute(compose.SQL("create schema {}").format(compose.Identifier(SCHEMA)))
    grants = connection.execute(GRANTS.encode(), {"schema": SCHEMA, "names": list(ours)}).fetchall()
    _drop(connection, sorted(ours), [row[0] for row in connection.execute(FUNCTIONS.encode(), names)])
    for made in everything:
        _make(connection, made, version)
    _grant(connection, [grant for grant in grants if grant[0] in views])
    return Outcome.INSTALLED


def _drop(connection: Connection, views: Sequence[str], functions: Sequence[str]) -> None:
    # One statement for all of them, so that those which depend on each other may go in any order; no cascade, because
    # what others built on them is theirs.
    if views:
        named = compose.SQL(", ").join(compose.Identifier(SCHEMA, name) for name in views)
        connection.execute(compose.SQL("drop view {}").format(named))
    if functions:
        # PostgreSQL wrote these names with their arguments, quoted where they have to be.
        connection.execute(f"drop function {', '.join(functions)}".encode())


def _make(connection: Connection, made: Made, version: str) -> None:
    connection.execute(made.create.encode())
    words = compose.Literal(f"{version} {made.words}")
    target = compose.SQL(f"{made.kind} {SCHEMA}.{made.name}")
    connection.execute(compose.SQL("comment on {} is {}").format(target, words))


def _grant(connection: Connection, grants: Sequence[tuple[Any, ...]]) -> None:
    for view, privilege, role, grantable in grants:
        statement = compose.SQL("grant {} on {} to {}{}").format(
            compose.SQL(privilege),
            compose.Identifier(SCHEMA, view),
            compose.Identifier(role) if role else compose.SQL("public"),
            compose.SQL(" with grant option" if grantable else ""),
        )
        connection.execute(statement)


def _warned(outcome: Outcome, detail: str) -> Outcome:
    log.warning("views.not_installed", reason=outcome.value, detail=detail, hint=HINTS[outcome])
    return outcome
