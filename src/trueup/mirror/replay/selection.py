"""From a selection to the events of the log that it means.

The log has no index by object or customer, which every event would pay for. The mirror's versions have one, so events
are found by those, and events that never became a version by the queue they were set aside in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from trueup.accounts import service as accounts
from trueup.accounts.errors import AccountUnknown
from trueup.kernel.errors import NotFound, Refused
from trueup.mirror import lookup
from trueup.mirror.replay.types import Selection
from trueup.runtime import database
from trueup.runtime.dead_letters import CAUSE

Place = tuple[int, bool]
"""An account and its mode."""

MOST_NAMES: Final = 1000
"""Ids that one selection may name."""

# Look-ups go through lateral subqueries with ``offset 0``, as in ``mirror.statements``.
_ASIDE_ROWS: Final = """
    from (
        select account_id, livemode, event_id, created from inbox_pending where set_aside_at is not null
        union all select account_id, livemode, event_id, created from inbox_discarded
    ) q
    cross join lateral (
        select object_id, customer from inbox_event
        where (account_id, livemode, event_id, created) = (q.account_id, q.livemode, q.event_id, q.created) offset 0
    ) told
"""
_ASIDE: Final = f"select q.account_id, q.livemode, q.event_id, q.created {_ASIDE_ROWS}"

_OF_OBJECTS: Final = f"""(
    select k.account_id, k.livemode, v.event_id collate "default" as event_id, to_timestamp(v.created) as created
    from unnest(%(o_account)s::int8[], %(o_livemode)s::bool[], %(o_type)s::text[], %(o_id)s::text[])
         as k (account_id, livemode, object_type, object_id)
    cross join lateral (
        select event_id, created from mirror_version
        where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
        offset 0
    ) v
    union {_ASIDE} where told.object_id = any(%(objects)s::text[])
)"""  # noqa: S608 - all parts are constants of ours

_OF_CUSTOMERS: Final = f"""(
    select k.account_id, k.livemode, v.event_id collate "default" as event_id, to_timestamp(v.created) as created
    from unnest(%(c_account)s::int8[], %(c_livemode)s::bool[], %(c_id)s::text[]) as k (account_id, livemode, customer)
    cross join lateral (
        select event_id, created from mirror_version
        where (account_id, livemode, customer) = (k.account_id, k.livemode, k.customer)
        offset 0
    ) v
    union
    select k.account_id, k.livemode, v.event_id collate "default", to_timestamp(v.created)
    from unnest(%(c_account)s::int8[], %(c_livemode)s::bool[], %(c_id)s::text[]) as k (account_id, livemode, customer)
    cross join lateral (
        select object_type, object_id from mirror_object
        where (account_id, livemode, customer) = (k.account_id, k.livemode, k.customer)
        offset 0
    ) o
    cross join lateral (
        select event_id, created from mirror_version
        where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, o.object_type, o.object_id)
        offset 0
    ) v
    union {_ASIDE} where told.customer = any(%(customers)s::text[]) or told.object_id = any(%(customers)s::text[])
)"""  # noqa: S608 - all parts are constants of ours

_OF_CAUSE: Final = f"""(
    select account_id, livemode, event_id, created from inbox_pending
    where set_aside_at is not null and {CAUSE} = %(cause)s
)"""  # noqa: S608 - all parts are constants of ours

_KNOWN_EVENTS: Final = """
select event_id from inbox_event
where account_id = any(%(accounts)s::int8[]) and livemode = any('{t,f}') and event_id = any(%(ids)s::text[])
"""

_KNOWN_CUSTOMERS: Final = """
select k.customer
from unnest(%(accounts)s::int8[], %(livemode)s::bool[]) as a (account_id, livemode)
cross join unnest(%(ids)s::text[]) as k (customer)
where exists (
    select from mirror_object where (account_id, livemode, customer) = (a.account_id, a.livemode, k.customer)
) or exists (
    select from mirror_version where (account_id, livemode, customer) = (a.account_id, a.livemode, k.customer)
)
"""

_KNOWN_ASIDE: Final = f"""
select told.object_id, told.customer {_ASIDE_ROWS}
where q.account_id = any(%(accounts)s::int8[])
  and (told.object_id = any(%(ids)s::text[]) or told.customer = any(%(ids)s::text[]))
"""

_COLUMNS: Final = "account_id, livemode, event_id, created, received_at, type, kind, object_type, object_id, customer"


def statement(selection: Selection) -> tuple[str, dict[str, Any]]:
    """SQL that picks the events, with the columns of ``_COLUMNS``, and its values.

    ``Refused`` for a selection that says nothing, or names too much; ``AccountUnknown`` for a slug that there is not.
    """
    places = _places(selection)
    sets, values = _sets(selection, places)
    where, more = _conditions(selection)
    values |= more | {"accounts": [account_id for account_id, _livemode in places]}
    where.append("e.account_id = any(%(accounts)s::int8[])")
    if not sets:
        return f"select {_COLUMNS} from inbox_event e where {' and '.join(where)}", values  # noqa: S608
    keys = " intersect ".join(f"select account_id, livemode, event_id, created from {one} s" for one in sets)  # noqa: S608
    looked_up = (
        f"select e.* from ({keys}) k cross join lateral (select {_COLUMNS} from inbox_event "  # noqa: S608
        "where (account_id, livemode, event_id, created) = (k.account_id, k.livemode, k.event_id, k.created) offset 0"
        f") e where {' and '.join(where)}"
    )
    return looked_up, values


def require_known(selection: Selection) -> None:
    """Refuse, with ``NotFound``, events, objects and customers that nothing in these accounts ever told of.

    What waits for its first reading is not yet known as an object or a customer, as an event it is. Otherwise as
    ``statement`` refuses.
    """
    places = _places(selection)
    where = f" in {selection.account}" if selection.account else ""
    _require("event", selection.events, _known_events(selection.events, places), where)
    objects = {one for one in selection.objects if lookup.told_of(one, accounts=places)}
    _require("object", selection.objects, objects | _aside(set(selection.objects) - objects, places), where)
    customers = _known_customers(selection.customers, places)
    _require("customer", selection.customers, customers | _aside(set(selection.customers) - customers, places), where)


def _require(kind: str, named: Sequence[str], known: AbstractSet[str], where: str) -> None:
    unknown = [one for one in dict.fromkeys(named) if one not in known]
    if not unknown:
        return
    others = f", and {len(unknown) - 1} more of those named are unknown too" if len(unknown) > 1 else ""
    hint = "Look at the id and at --account. What never arrived a sweep brings: trueup sweep --since TIME"
    if kind != "event":
        hint += ". What the mirror does not know is found by --type, --from and --to, or --all."
    raise NotFound(f"There is no {kind} {unknown[0]}{where}{others}.", code=f"{kind}_unknown", hint=hint)


def _known_events(ids: Sequence[str], places: Sequence[Place]) -> set[str]:
    values = {"ids": list(ids), "accounts": [account_id for account_id, _livemode in places]}
    return {row[0] for row in database.execute(_KNOWN_EVENTS, values).fetchall()} if ids else set()


def _known_customers(ids: Sequence[str], places: Sequence[Place]) -> set[str]:
    values = {"ids": list(ids), "accounts": [one[0] for one in places], "livemode": [one[1] for one in places]}
    return {row[0] for row in database.execute(_KNOWN_CUSTOMERS, values).fetchall()} if ids else set()


def _aside(ids: AbstractSet[str], places: Sequence[Place]) -> set[str]:
    """Those of these objects and customers that events tell of which were set aside or given up."""
    values = {"ids": list(ids), "accounts": [account_id for account_id, _livemode in places]}
    rows = database.execute(_KNOWN_ASIDE, values).fetchall() if ids else []
    return {one for row in rows for one in row if one is not None}


def _places(selection: Selection) -> list[Place]:
    """The accounts that are meant, each with its mode."""
    _check(selection)
    known = [one for one in accounts.accounts() if not selection.account or one.slug == selection.account]
    if selection.account and not known:
        raise AccountUnknown(f"There is no account {selection.account}.", hint="See: trueup accounts")
    return [(one.id, one.livemode) for one in known]


def _check(selection: Selection) -> None:
    narrowed = selection.everything or any(
        getattr(selection, name) for name in Selection.__struct_fields__ if name not in {"everything", "account"}
    )
    if not narrowed:
        raise Refused(
            "Nothing says which events are meant.",
            code="selection_missing",
            hint="Name an event, object, customer, type, time or cause; or all of the log: --all, in the API "
            "“everything”: true.",
        )
    _check_spans(selection)
    names = (*selection.events, *selection.objects, *selection.customers, *selection.types)
    if len(names) > MOST_NAMES:
        raise Refused(f"More than {MOST_NAMES} ids and types are named.", code="selection_too_large")
    if any("\x00" in name for name in (*names, selection.cause, selection.account)):
        raise Refused("An id holds a character that no id has.", code="selection_invalid")


def _check_spans(selection: Selection) -> None:
    """Refuse a span of time that is over before it begins: nobody means the nothing that is in it."""
    for what, since, until, options in (
        ("created", selection.created_from, selection.created_until, "--from and --to"),
        ("received", selection.received_from, selection.received_until, "--received-from and --received-to"),
    ):
        if since is not None and until is not None and since > until:
            raise Refused(
                f"Events are to be {what} from {since:%Y-%m-%d %H:%M:%S} UTC on and before {until:%Y-%m-%d %H:%M:%S} "
                "UTC, which is earlier.",
                code="selection_span",
                hint=f"Change them over: {options}, in the API {what}_from and {what}_until.",
            )


def _sets(selection: Selection, places: Sequence[Place]) -> tuple[list[str], dict[str, Any]]:
    """Sets of keys that the events have to be in all of."""
    sets: list[str] = []
    values: dict[str, Any] = {}
    if selection.objects:
        keys = [key for one in selection.objects for key in lookup.told_of(one, accounts=places)]
        sets.append(_OF_OBJECTS)
        values |= {
            "o_account": [key.account_id for key in keys],
            "o_livemode": [key.livemode for key in keys],
            "o_type": [key.object_type for key in keys],
            "o_id": [key.object_id for key in keys],
            "objects": list(selection.objects),
        }
    if selection.customers:
        pairs = [(*place, one) for place in places for one in selection.customers]
        sets.append(_OF_CUSTOMERS)
        values |= {
            "c_account": [pair[0] for pair in pairs],
            "c_livemode": [pair[1] for pair in pairs],
            "c_id": [pair[2] for pair in pairs],
            "customers": list(selection.customers),
        }
    if selection.cause:
        sets.append(_OF_CAUSE)
        values["cause"] = selection.cause
    return sets, values


def _conditions(selection: Selection) -> tuple[list[str], dict[str, Any]]:
    where: list[str] = []
    values: dict[str, Any] = {}
    if selection.events:
        # The primary key begins with account and mode; naming all of them lets it serve.
        where.append("e.livemode = any('{t,f}') and e.event_id = any(%(events)s::text[])")
        values["events"] = list(selection.events)
    if selection.types:
        where.append("e.type like any(%(types)s::text[])")
        values["types"] = [_pattern(one) for one in selection.types]
    bounds: Mapping[str, tuple[str, Any]] = {
        "created_from": ("e.created >=", selection.created_from),
        "created_until": ("e.created <", selection.created_until),
        "received_from": ("e.received_at >=", selection.received_from),
        "received_until": ("e.received_at <", selection.received_until),
    }
    for name, (condition, bound) in bounds.items():
        if bound is not None:
            where.append(f"{condition} %({name})s::timestamptz")
            values[name] = bound
    return where, values


def _pattern(event_type: str) -> str:
    """What LIKE takes: a trailing asterisk stands for anything, and every other character for itself."""
    escaped = event_type.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped[:-1]}%" if escaped.endswith("*") else escaped
