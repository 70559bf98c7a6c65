"""The comparison at the end: everything that the sandbox's own API gives against everything that Trueup has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
import orjson

from trueup.accounts.types import Account
from trueup.connectors.stripe.resources import RESOURCES
from trueup.customer import service as customers
from trueup.customer.supposing import supposed
from trueup.customer.types import Customer, CustomerState
from trueup.kernel.errors import NotFound, Refused
from trueup.mirror import service as mirror
from trueup.mirror.backfill import lists
from trueup.mirror.changes import changes
from trueup.mirror.reconcile import service as reconciliations
from trueup.mirror.reconcile.types import Run
from trueup.mirror.types import MirrorObject, ObjectDetail, ObjectKey, ObjectRow
from trueup.ops.simulation.machine import rows_of
from trueup.ops.simulation.types import Difference, Json
from trueup.runtime import database
from trueup.sandbox.server.desk import Desk

Key = tuple[str, str]
"""Type and id of an object."""
Theirs = Mapping[Key, Json | None]
STATE: Final = "customer state"
OF_FACTS: Final = frozenset({"why", "last_event_at", "as_of"})
"""What tells which facts a state came from: the API tells no facts."""
LONGEST: Final = 300
MOST: Final = 10
"""Fields that are told of one object."""
UNTOLD: Final = frozenset(
    {
        "hosted_invoice_url",
        "invoice_pdf",
        "next_invoice_sequence",
        "receipt_url",
        "times_redeemed",
        "webhooks_delivered_at",
    }
)
"""What Stripe signs anew at each reading, notes of its deliveries, or counts when other objects change."""
ASKED: Final = frozenset({"currency_options", "tiers"})
"""What is told to those alone who ask for it; Trueup does, and the comparison does not."""


_EMPTY: Final[Mapping[str, bytes]] = {
    "events": b"select count(*) from inbox_pending",
    "thin events": b"select count(*) from inbox_awaitingfetch",
    "folds": b"select count(*) from mirror_changed",
    "fetches": b"select count(*) from mirror_fetch",
    "quarantine": b"select count(*) from inbox_quarantined",
    "facts that were not mirrored": b"""
        select count(*) from inbox_event e
        where kind <> 'thin' and object_type is not null and object_id is not null and not exists (
            select from mirror_version v where (v.account_id, v.event_id, v.object_id)
                = (e.account_id, e.event_id collate "C", e.object_id collate "C"))
    """,
}
"""What has to be nothing at the end."""


def judge(sandbox: Desk, account: Account, *, lost: bool = False) -> tuple[Difference, ...]:
    """Everything that differs: objects, the states of customers, and what has to be empty and whole.

    ``lost`` says that events may be gone for good, older than Stripe keeps them. Types that nothing but events reads
    by itself, plans beside their prices and tax ids, are then left out.
    """
    left_out = RESOURCES.keys() - set(lists.DEFAULT) if lost else frozenset()
    ours = {(row.type, row.id): row for row in rows_of(account) if row.type not in left_out}
    theirs = {
        (object_type, object_id): None if gone else _there(sandbox, object_type, object_id)
        for object_type, object_id, gone in sorted(_known_there(sandbox))
    }
    theirs |= {key: _there(sandbox, *key) for key in ours if key not in theirs and key[0] in RESOURCES}
    return (
        *_objects(sandbox, account, ours, theirs),
        *_customers(account, ours, theirs),
        *_order(account),
    )


def _objects(sandbox: Desk, account: Account, ours: Mapping[Key, ObjectRow], theirs: Theirs) -> Iterator[Difference]:
    for (object_type, object_id), there in theirs.items():
        here = ours.get((object_type, object_id))
        if here is not None:
            yield from _compared(account, here, there)
        elif there is not None and object_type in lists.DEFAULT and not _out_of_reach(sandbox, there):
            yield Difference(object_type=object_type, object_id=object_id, field="", ours="missing", theirs="there")


def _customers(account: Account, ours: Mapping[Key, ObjectRow], theirs: Theirs) -> Iterator[Difference]:
    """What the states of customers have otherwise than the fold of the objects at Stripe."""
    known = {row.state.stripe_customer_id: row.state for row in _states(account)}
    objects: dict[str, list[MirrorObject]] = {}
    catalog: dict[Key, MirrorObject] = {}
    for one, owner in _as_folded(account, ours, theirs):
        catalog[one.object_type, one.object_id] = one
        if owner is not None:
            objects.setdefault(owner, []).append(one)
    keys = [(account.id, account.livemode, customer) for customer in sorted({*known, *objects})]
    heard = mirror.last_events(keys)
    for key in keys:
        state = known.get(key[2])
        if state is None:
            if any(one.object_type == "customer" for one in objects.get(key[2], ())):
                yield Difference(object_type=STATE, object_id=key[2], field="", ours="missing", theirs="there")
            continue
        wanted = supposed(key, objects.get(key[2], []), catalog, last_event=heard.get(key, 0))
        told, _more = changes(_told(state), _told(wanted))
        for field in told[:MOST]:
            yield Difference(
                object_type=STATE,
                object_id=key[2],
                field=field.path,
                ours=shown(field.before),
                theirs=shown(field.after),
            )


def _states(account: Account) -> Iterator[Customer]:
    after = None
    while True:
        page = customers.search(account_id=account.id, limit=200, after=after)
        yield from (customers.get(row.id) for row in page.data)
        after = page.next
        if after is None:
            return


def _told(state: CustomerState) -> Json:
    found: Json = orjson.loads(msgspec.json.encode(state))
    return {name: value for name, value in found.items() if name not in OF_FACTS}


def _as_folded(
    account: Account, ours: Mapping[Key, ObjectRow], theirs: Theirs
) -> Iterator[tuple[MirrorObject, str | None]]:
    """The objects as Stripe has them, and whose they are; of those that are gone only we know what they were."""
    gone = [key for key, row in ours.items() if theirs.get(key) is None]
    remembered = mirror.objects(
        [
            ObjectKey(account_id=account.id, livemode=account.livemode, object_type=kind, object_id=name)
            for kind, name in gone
        ]
    )
    for key in gone:
        for one in remembered.get((account.id, account.livemode, key[1]), []):
            if one.object_type == key[0]:
                yield one, ours[key].customer
    for key, there in theirs.items():
        row = ours.get(key)
        if there is not None and row is not None:
            at = int(row.at.timestamp())
            yield (
                MirrorObject(
                    object_type=key[0],
                    object_id=key[1],
                    data=there,
                    deleted=False,
                    created=at,
                    event_id=row.event_id,
                    event_type=row.event_type,
                ),
                _owner(key[0], there),
            )


def _owner(object_type: str, there: Json) -> str | None:
    found = there["id"] if object_type == "customer" else there.get("customer")
    return found["id"] if isinstance(found, dict) else found


def _known_there(sandbox: Desk) -> list[tuple[str, str, bool]]:
    """Type and id of all that the sandbox ever had, and whether it is deleted."""
    with sandbox.engine.change() as world:
        found = world.store.db.execute("select kind, id, deleted from object").fetchall()
    return [(row[0], row[1], bool(row[2])) for row in found if row[0] in RESOURCES]


def _there(sandbox: Desk, object_type: str, object_id: str) -> Json | None:
    """An object as the API has it, its lists whole; None where it has none, or a stub of one."""
    resource = RESOURCES[object_type]
    path = resource.one(object_id, parent=_parent(sandbox, object_type, object_id))
    if path is None:
        return None
    try:
        found = sandbox.request("GET", path)
    except (NotFound, Refused):
        return None
    if found.get("deleted"):
        return None
    for inner in resource.lists:
        held = found.get(inner.field)
        if isinstance(held, dict) and held.get("has_more"):
            listed, params = inner.whole(object_id)
            elements: list[Json] = []
            page: Json = {"has_more": True, "data": []}
            while page["has_more"]:
                after = {"starting_after": elements[-1]["id"]} if elements else {}
                page = sandbox.request("GET", listed, {**params, **after, "limit": 100})
                elements += page["data"]
            found[inner.field] = held | {"data": elements, "has_more": False}
    return found


def _out_of_reach(sandbox: Desk, there: Json) -> bool:
    """Whether no list gives an object: it belongs to nobody, or its customer is deleted."""
    if RESOURCES[there["object"]].parent is None:
        return False
    customer = there.get("customer")
    return customer is None or _there(sandbox, "customer", customer) is None


def _parent(sandbox: Desk, object_type: str, object_id: str) -> str:
    retrieve = RESOURCES[object_type].retrieve
    if retrieve is None or "{parent}" not in retrieve:
        return ""
    with sandbox.engine.change() as world:
        found = world.find(object_type, object_id) or {}
    return str(found.get("customer") or "")


def _compared(account: Account, here: ObjectRow, there: Json | None) -> Iterator[Difference]:
    if there is None or here.deleted:
        if (there is None) != here.deleted:
            yield Difference(
                object_type=here.type,
                object_id=here.id,
                field="deleted",
                ours=str(here.deleted).lower(),
                theirs=str(there is None).lower(),
            )
        return
    detail = mirror.get(here.id, type=here.type, account=account.slug)
    yield from _fields(detail, there)
    if here.verdict != "certain":
        yield Difference(object_type=here.type, object_id=here.id, field="verdict", ours=here.verdict, theirs="certain")


def _fields(here: ObjectDetail, there: Json) -> Iterator[Difference]:
    ours, theirs = ({k: v for k, v in one.items() if k not in UNTOLD} for one in (here.shape or {}, there))
    for name in ASKED - theirs.keys():
        ours.pop(name, None)
    if _bare(ours) == _bare(theirs):
        return
    told, _more = changes(ours, theirs)
    for one in told[:MOST]:
        yield Difference(
            object_type=here.type,
            object_id=here.id,
            field=one.path,
            ours=shown(one.before),
            theirs=shown(one.after),
        )
    if not told:
        yield Difference(object_type=here.type, object_id=here.id, field="order", ours="another", theirs="order")


def _bare(value: Any) -> Any:
    """A value without the keys that are null: absent and null are one."""
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items() if one is not None}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def shown(value: Any) -> str:
    """A value as JSON, cut."""
    text = orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS).decode()
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _order(account: Account) -> Iterator[Difference]:
    """What has to be empty and whole at the end."""
    with database.transaction() as connection:
        for name, statement in _EMPTY.items():
            found = str(connection.execute(statement).fetchall()[0][0])
            if found != "0":
                yield Difference(object_type="trueup", object_id=account.slug, field=name, ours=found, theirs="0")


def left(run: Run) -> tuple[Difference, ...]:
    """What Trueup itself still finds to differ after its last repair."""
    return tuple(
        Difference(
            object_type=f"reconcile: {one.kind} {one.type}",
            object_id=one.object_id,
            field=", ".join(field.path for field in one.fields),
            ours=shown([field.ours for field in one.fields]),
            theirs=shown([field.theirs for field in one.fields]),
        )
        for one in reconciliations.of_run(run.id)
    )


def facts(account: Account, differences: Iterable[Difference]) -> tuple[str, ...]:
    """All versions that we know of the objects that differ, newest first."""
    lines: list[str] = []
    for object_type, object_id in dict.fromkeys((one.object_type, one.object_id) for one in differences):
        if object_type not in RESOURCES:
            continue
        lines.append(f"{object_type} {object_id}:")
        try:
            versions = mirror.versions(object_id, type=object_type, account=account.slug).data
        except NotFound:
            lines.append("  nothing is known of it")
            continue
        lines += [
            f"  {'→' if one.current else ' '} {one.event_id[-12:]} {one.event_type or 'read'} at"
            f" {int(one.at.timestamp())}{' deleted' if one.deleted else ''}"
            f" {' '.join(doubt.kind for doubt in one.doubts)}"
            for one in versions
        ]
    return tuple(lines)
