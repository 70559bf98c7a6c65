"""Looking whether everything is as the log says, and the log as it was written; nothing is changed."""

from __future__ import annotations

from collections import Counter
from typing import Final

from psycopg import sql

from trueup.customer import rebuilding as customers
from trueup.inbox import checksums, rereading
from trueup.ops.rebuilding import orphans
from trueup.ops.rebuilding.building import Building, Progress, silent
from trueup.ops.rebuilding.differing import Comparison, changed, expand, failures
from trueup.ops.rebuilding.reasons import Difference, Judge, Why
from trueup.ops.rebuilding.types import TOLD, Checked, Finding, Reason, Target
from trueup.runtime import database
from trueup.runtime.shadows import SCHEMA, held

PAGE: Final = 2_000
SOUND: Final = frozenset({Reason.WAITING, Reason.SET_ASIDE, Reason.RULES})
"""What the workers make good by themselves, or what is known already."""
FIELDS: Final = 6
"""Names of fields in a finding."""

ORPHANS: Final = "Remove it: trueup rebuild --orphans"
REBUILD: Final = "Make it again from the log: trueup rebuild {}"
BODY: Final = "Restore the log from a backup; `trueup replay` asks Stripe for the object of a lost event."

_PICKED: Final = f"""
create table {{picked}} as
select account_id, livemode, object_type, object_id, event_id, created, received_at
from inbox_event e tablesample bernoulli ({{log}})
where {rereading.TOLD} and object_type is not null and object_id is not null limit {{number}}
"""  # noqa: S608 - the condition is a constant
_ASKED: Final = """
create table {asked} as
with held as (
    select account_id, livemode, object_type, object_id from mirror_object tablesample bernoulli ({objects})
    limit {number}
), pointed as (
    select account_id, livemode, object_type, object_id from mirror_version tablesample bernoulli ({versions})
    limit {number}
), named as (
    select account_id, livemode, object_type, object_id from {picked}
    union select * from held union select * from pointed
)
select * from named
union select a.account_id, a.livemode, p.object_type, p.object_id
from named join mirror_about a using (account_id, livemode, object_type, object_id)
cross join lateral (values ('charge', a.charge), ('payment_intent', a.payment_intent)) p (object_type, object_id)
where p.object_id is not null
"""
_READ: Final = """
insert into inbox_pending (account_id, livemode, event_id, created)
select v.account_id, v.livemode, v.event_id, to_timestamp(v.created)
from {asked} a join {versions} v using (account_id, livemode, object_type, object_id)
union select account_id, livemode, event_id, created from {picked}
"""
_OF: Final = (
    "exists (select from {asked} a where (a.account_id, a.livemode, a.object_type, a.object_id)"
    " = (t.account_id, t.livemode, t.object_type, t.object_id))"
)


class _Findings:
    """What was found: all of it counted, some of each kind told."""

    def __init__(self, limit: int) -> None:
        self.told: list[Finding] = []
        self.number = 0
        self.limit = limit
        self.crowded: set[str] = set()
        """Tables with more orphans than are told."""
        self._kinds: Counter[tuple[str, str]] = Counter()
        self._keys: set[tuple[str, str]] = set()

    def add(self, finding: Finding, *, kind: str) -> None:
        self.number += 1
        self._keys.add((finding.table, finding.key))
        self._kinds[finding.table, kind] += 1
        if self._kinds[finding.table, kind] <= self.limit:
            self.told.append(finding)

    def holds(self, one: Difference, reason: Reason) -> bool:
        """Whether a row was found as an orphan already."""
        unsupported = reason in {Reason.EVENT_GONE, Reason.STRAY} and one.derived.table in self.crowded
        return unsupported or (one.derived.table, one.key) in self._keys


def check(*, sample: int | None, limit: int = 20, progress: Progress = silent) -> Checked:
    """Look at bodies, objects, customers and queues: all of them, or about so many of each, picked at random.

    Queues are always looked at whole. ``limit`` is how many findings of one kind are told. What waits in a queue, and
    what older rules made, is no finding. ``Conflict`` while a rebuild runs: both use the same shadow tables.
    """
    findings = _Findings(limit)
    bodies = _bodies(findings, sample, progress)
    # Of a sample the comparison finds what nothing supports, too.
    kinds = orphans.KINDS if sample is None else orphans.QUEUED
    for one in orphans.preview(examples=limit, kinds=kinds, progress=progress):
        for key in one.examples:
            findings.add(
                Finding(table=one.table, key=key, what=f"{one.what}.".capitalize(), remedy=ORPHANS), kind="orphan"
            )
        if one.rows > len(one.examples):
            findings.number += one.rows - len(one.examples)
            findings.crowded.add(one.table)
    with held():
        objects = _objects(findings, sample, progress)
    with held():
        folded = _customers(findings, sample, progress)
    return Checked(
        bodies=bodies, objects=objects, customers=folded, findings=tuple(findings.told), found=findings.number
    )


def _bodies(findings: _Findings, sample: int | None, progress: Progress) -> int:
    total, seen = rereading.size(), 0
    for page in checksums.damaged(sample=sample, page=PAGE):
        for event_id in page.damaged:
            what = "The body is not the one that was received: its SHA-256 is another."
            findings.add(Finding(table="inbox_event", key=event_id, what=what, remedy=BODY), kind="body")
        seen += page.seen
        progress("Checking bodies", seen, max(seen, total if sample is None else min(sample, total)))
    return seen


def _objects(findings: _Findings, sample: int | None, progress: Progress) -> int:
    building = Building(Target.MIRROR, progress=progress)
    only = {}
    if sample is None:
        building.build()
    else:
        asked = sql.Identifier(SCHEMA, "asked")
        with database.transaction() as connection:
            for statement in _sampled(building, asked, sample):
                connection.execute(statement)
            connection.execute(sql.SQL("analyze {}").format(asked))
        with building.shadow.within() as connection:
            versions = building.shadow.live("mirror_version")
            connection.execute(
                sql.SQL(_READ).format(asked=asked, versions=versions, picked=sql.Identifier(SCHEMA, "picked"))
            )
        building.read_queued("Reading objects")
        condition = _OF.format(asked=f"{SCHEMA}.asked")
        only = {derived.table: condition for derived in building.shadow.tables}
    _compared(findings, building, only, "mirror", progress)
    row = database.connection().execute(f"select count(*) from {SCHEMA}.mirror_object".encode()).fetchone()  # noqa: S608
    return int(row[0]) if row is not None else 0


def _customers(findings: _Findings, sample: int | None, progress: Progress) -> int:
    building = Building(Target.CUSTOMERS, progress=progress)
    only = {}
    if sample is None:
        building.build()
    else:
        with building.shadow.within() as connection:
            ids = customers.queue_sample(sample, table=building.shadow.name("customer_customer"))
            connection.execute(f"create table {SCHEMA}.asked (id text primary key)".encode())
            connection.execute(f"insert into {SCHEMA}.asked select unnest(%s::text[])".encode(), (ids,))
        building.fold_queued(len(ids))
        only = {
            derived.table: f"t.{derived.key[0]} in (select id from {SCHEMA}.asked)"  # noqa: S608 - constants
            for derived in building.shadow.tables
        }
    _compared(findings, building, only, "customers", progress)
    return building.folded


def _sampled(building: Building, asked: sql.Identifier, number: int) -> list[sql.Composed]:
    """Statements that pick the objects to look at: from the log, from the objects and from the versions."""

    def share(rows: float) -> sql.Literal:
        return sql.Literal(min(100.0, 100.0 * 2 * number / max(rows, 1.0)))

    sizes = [
        (
            database.connection()
            .execute(sql.SQL("select count(*) from {}").format(building.shadow.live(table)))
            .fetchone()
        )
        for table in ("mirror_object", "mirror_version")
    ]
    objects, versions = (float(row[0]) if row is not None else 0.0 for row in sizes)
    parts = {
        "asked": asked,
        "picked": sql.Identifier(SCHEMA, "picked"),
        "log": share(rereading.size()),
        "objects": share(objects),
        "versions": share(versions),
        "number": sql.Literal(number),
    }
    return [sql.SQL(statement).format(**parts) for statement in (_PICKED, _ASKED)]


def _compared(
    findings: _Findings,
    building: Building,
    only: dict[str, str],
    remedy: str,
    progress: Progress,
) -> None:
    comparison = Comparison(building.shadow, only=only)
    comparison.note(progress)
    for _ in range(2):
        building.catch_up()
        comparison.strike()
    judge = Judge(building.shadow, mirror_too=False)
    for derived in building.shadow.tables:
        for batch in comparison.differences(derived):
            for one, why in zip(batch, judge.reasons(batch), strict=True):
                if why[0] not in SOUND and not findings.holds(one, why[0]):
                    findings.add(_finding(one, why, remedy), kind=why[0].value)
    for failure in failures(building.shadow, limit=findings.limit)[0]:
        what = f"The rules fail on it: {failure.error}"
        findings.add(Finding(table=failure.queue, key=failure.key, what=what, remedy="See the error."), kind="failed")


def _finding(one: Difference, why: Why, remedy: str) -> Finding:
    reason, _detail = why
    what = TOLD[reason]
    if one.live is not None and one.made is not None:
        fields = [
            name for name, _, _ in changed(expand(one.derived.table, one.live), expand(one.derived.table, one.made))
        ]
        more = len(fields) - FIELDS
        what += f" Fields: {', '.join(fields[:FIELDS])}{f' and {more} more' if more > 0 else ''}."
    told = ORPHANS if reason in {Reason.EVENT_GONE, Reason.STRAY} else REBUILD.format(remedy)
    return Finding(table=one.derived.table, key=one.key, what=what, remedy=told)
