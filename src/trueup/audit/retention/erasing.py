"""Erasing what the log tells of somebody, while every entry, leaf and root stays as it is.

The values stand apart from the entries, under a key of whom they speak of. Both go in one transaction, and the copy of
the keys is rewritten before the caller is told of success; the ledger makes every restore do it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from trueup.audit import composing
from trueup.audit import service as audit
from trueup.audit.retention import copies, holds, keeping, waiting
from trueup.audit.retention.naming import require_subject
from trueup.audit.store import VALUES
from trueup.audit.subjects import forget
from trueup.audit.types import Action
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.runtime import clock, database

KNOWN: Final = f"""
select (select count(*) from {VALUES} d where subject = %(subject)s),
       exists (select from audit_subjectkey where subject = %(subject)s),
       exists (select from audit_erasure where subject = %(subject)s)
"""  # noqa: S608 - our own text
ADVANCE: Final = """
select max(nextval('audit_subjectkey_key_id_seq'))
from audit_subjectkey_key_id_seq s, generate_series(0, greatest(0, %(last)s - s.last_value))
"""
"""A number that no key has or will have: those that exist are below it, those in the copy and in unfinished
transactions too, and every later one is above. ``setval`` could set back what another transaction has just taken."""
ERASE: Final = """
with keys as (
    delete from audit_subjectkey where subject = %(subject)s and key_id <= %(through)s
), disclosures as (
    delete from audit_disclosure where subject = %(subject)s and key_id <= %(through)s returning 1
), counted as (
    select count(*) as disclosures from disclosures
)
insert into audit_erasure (subject, at, through, disclosures)
select %(subject)s, %(at)s, %(through)s, disclosures from counted returning disclosures
"""
FORGET_ORIGINS: Final = """
update audit_look set origin = ''
where %(subject)s in (actor_kind || ':' || actor_id, behind_kind || ':' || behind_id) and origin <> ''
"""
"""From where somebody looked at customers; the look itself stays, as the entry of a change does."""


class ErasedSubject(Record, frozen=True):
    """What was erased of one subject."""

    subject: str
    values: int
    """Personal values that spoke of it."""
    before: bool
    """Whether it had been erased, and nothing was told of it since; then nothing was done."""


class Erased(Record, frozen=True):
    """What an erasure did, or would do."""

    subjects: tuple[ErasedSubject, ...]
    values: int
    dry_run: bool


def erase(*, subjects: Sequence[str], why: str, by: Actor, dry_run: bool = False) -> Erased:
    """Erase the personal values that speak of these subjects, in all entries of both logs, for good.

    ``Held`` where a legal hold keeps one of them: then none is erased. On return neither the database nor the copy of
    the keys has what would open them, in no backup either. ``Unavailable`` (``audit_copy_unwritten``) says that the
    database has it done and the copy could not be rewritten yet; the worker goes on trying, and so does a repetition.
    A subject that was erased before, and of whom nothing was told since, is passed over.
    """
    wanted = list(dict.fromkeys(subjects))
    for subject in wanted:
        require_subject(subject)
    if not wanted or not why.strip():
        raise Refused("An erasure names somebody, and a reason.", code="audit_erasure_unnamed", hint="Say why.")
    last = max((one.key_id for one in copies.keys(copies.folder())), default=0)
    with database.transaction() as connection:
        database.execute(holds.ALONE)
        for subject in wanted:
            if standing := holds.standing(subject):
                raise holds.Held(f"erasing {subject}", standing)
        found = [_found(subject) for subject in wanted]
        if not dry_run:
            # In one order, so that two erasures wait for each other and not each for the other's rows.
            todo = sorted(one.subject for one in found if not one.before)
            found = [one for one in found if one.before] + [
                _erased(connection, one, last=last, why=why, by=by) for one in todo
            ]
    if not dry_run:
        forget()
        keeping.write_out()
    found.sort(key=lambda one: wanted.index(one.subject))
    return Erased(subjects=tuple(found), values=sum(one.values for one in found), dry_run=dry_run)


def _found(subject: str) -> ErasedSubject:
    row = database.execute(KNOWN, {"subject": subject}).fetchone()
    values, has_key, erased = row or (0, False, False)
    return ErasedSubject(subject=subject, values=values, before=erased and not has_key and not values)


def _erased(
    connection: psycopg.Connection[tuple[Any, ...]], subject: str, *, last: int, why: str, by: Actor
) -> ErasedSubject:
    through = database.execute(ADVANCE, {"last": last}).fetchone()
    values: dict[str, Any] = {"subject": subject, "at": clock.now(), "through": through[0] if through else 0}
    waiting.take(connection, subject=subject)
    row = database.execute(ERASE, values).fetchone()
    database.execute(FORGET_ORIGINS, {"subject": subject})
    erased = ErasedSubject(subject=subject, values=row[0] if row else 0, before=False)
    kind, _, name = subject.partition(":")
    audit.record(
        connection,
        by=by,
        action=Action.SUBJECT_ERASED,
        object_type=kind,
        object_id=name,
        why=why,
        # The reason is whoever acts's own: under the subject's key it would be the first thing told of it again.
        subject=composing.actor_subject(by.behind or by),
        after={"values": erased.values},
    )
    return erased
