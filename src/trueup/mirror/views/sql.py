"""The SQL of the schema ``stripe``: safe casts, the one view that reads our tables, and a view for each resource.

Pure text. ``objects`` is the only place that knows where the mirror keeps what; all other views select from it. Every
cast answers null where a value is not of the type it should be, so no payload can make a select fail.
"""

from __future__ import annotations

import hashlib
from typing import Final

from trueup.kernel.records import Record
from trueup.mirror.views.catalog import VIEWS, Column, Kind, View

SCHEMA: Final = "stripe"
MARK: Final = "trueup:"
"""Begins the comment of everything we make in the schema, so that nothing of somebody else's is ever touched."""


class Made(Record, frozen=True):
    """Something in the schema: what PostgreSQL calls it in ``comment on``, and the statement that makes it."""

    kind: str
    name: str
    create: str
    words: str


# The bodies are ``return`` expressions: PostgreSQL resolves their names when they are made, whatever the search path of
# who calls them, and puts the expression in the place of the call when it plans. A ``case`` alone decides what is
# evaluated; ``and`` does not.
FUNCTIONS: Final[tuple[Made, ...]] = (
    Made(
        kind="function",
        name="as_text(jsonb)",
        words="A string; null for anything else.",
        create="""
create function stripe.as_text(value jsonb) returns text language sql immutable parallel safe
return case when jsonb_typeof(value) = 'string' then value #>> '{}' end
""",
    ),
    Made(
        kind="function",
        name="as_id(jsonb)",
        words="The id in a field that holds either an id or the expanded object; null for anything else.",
        create="""
create function stripe.as_id(value jsonb) returns text language sql immutable parallel safe
return case jsonb_typeof(value)
    when 'string' then value #>> '{}'
    when 'object' then case when jsonb_typeof(value -> 'id') = 'string' then value ->> 'id' end
end
""",
    ),
    Made(
        kind="function",
        name="as_boolean(jsonb)",
        words="A boolean; null for anything else.",
        create="""
create function stripe.as_boolean(value jsonb) returns boolean language sql immutable parallel safe
return case when jsonb_typeof(value) = 'boolean' then value::boolean end
""",
    ),
    Made(
        kind="function",
        name="as_bigint(jsonb)",
        words="A whole number that fits into bigint; null for anything else.",
        create="""
create function stripe.as_bigint(value jsonb) returns bigint language sql immutable parallel safe
return case when jsonb_typeof(value) = 'number' then
    case when value::numeric between -9223372036854775808 and 9223372036854775807 then
        case when value::numeric = trunc(value::numeric) then value::bigint end
    end
end
""",
    ),
    Made(
        kind="function",
        name="as_numeric(jsonb)",
        words="A number, or a decimal in a string, of at most 100 digits before and after the point; else null.",
        create=r"""
create function stripe.as_numeric(value jsonb) returns numeric language sql immutable parallel safe
return case jsonb_typeof(value)
    when 'number' then value::numeric
    when 'string' then
        case when value #>> '{}' ~ '^[+-]?[0-9]{1,100}(\.[0-9]{1,100})?$' then (value #>> '{}')::numeric end
end
""",
    ),
    Made(
        kind="function",
        name="moment_in(text)",
        words="A moment in UTC as RFC 3339 writes it with a Z, of the years 0001 to 9999; null for anything else.",
        # Strict, and thereby called and not unfolded into the plan of every view.
        create=r"""
create function stripe.moment_in(said text) returns timestamptz language sql immutable strict parallel safe
return case when said ~ (
    '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
    'T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z$'
) then
    case when substr(said, 9, 2)::integer <= extract(day from
        make_date(substr(said, 1, 4)::integer, substr(said, 6, 2)::integer, 1) + interval '1 month' - interval '1 day'
    ) then (
        make_date(substr(said, 1, 4)::integer, substr(said, 6, 2)::integer, substr(said, 9, 2)::integer)
        + make_interval(
            hours => substr(said, 12, 2)::integer, mins => substr(said, 15, 2)::integer,
            secs => rtrim(substr(said, 18), 'Z')::double precision
        )
    ) at time zone 'UTC' end
end
""",
    ),
    Made(
        kind="function",
        name="as_timestamptz(jsonb, integer)",
        words="A moment of the years 1 to 9999, from Unix time in so many units a second or from a string; else null.",
        create="""
create function stripe.as_timestamptz(value jsonb, a_second integer default 1) returns timestamptz
language sql immutable parallel safe
return case jsonb_typeof(value)
    when 'number' then
        case when value::numeric >= -62135596800 * a_second::numeric
              and value::numeric < 253402300800 * a_second::numeric and value::numeric = trunc(value::numeric)
        then to_timestamp((value::numeric / a_second)::double precision) end
    when 'string' then stripe.moment_in(value #>> '{}')
end
""",
    ),
    Made(
        kind="function",
        name="as_object(jsonb)",
        words="An object; null for anything else.",
        create="""
create function stripe.as_object(value jsonb) returns jsonb language sql immutable parallel safe
return case when jsonb_typeof(value) = 'object' then value end
""",
    ),
    Made(
        kind="function",
        name="as_array(jsonb)",
        words="An array; null for anything else. jsonb_array_elements takes the answer without ever failing.",
        create="""
create function stripe.as_array(value jsonb) returns jsonb language sql immutable parallel safe
return case when jsonb_typeof(value) = 'array' then value end
""",
    ),
    Made(
        kind="function",
        name="object_in(bytea)",
        words="The object that an event in the log tells of; null where PostgreSQL cannot read the event.",
        # A block with an exception is a subtransaction, which a parallel query cannot have.
        create=r"""
create function stripe.object_in(body bytea) returns jsonb language plpgsql immutable parallel unsafe as $$
begin
    return convert_from(body, 'UTF8')::jsonb #> '{data,object}';
exception when data_exception or program_limit_exceeded then
    return null;
end $$
""",
    ),
)

OBJECTS: Final = Made(
    kind="view",
    name="objects",
    words="Every Stripe object that Trueup knows, of any type: its newest version in the newest shape.",
    # - The accounts and both modes are named so that an id alone finds its row: they come first in the primary key.
    # - ``offset 0`` has the payload read once for a row, and only where a column of it is asked for.
    # - The empty object makes one copy in memory of a payload that is stored apart; every column would fetch it again.
    # - The log holds the payload; the row what the newest shape has beyond it, or all of it where PostgreSQL cannot
    #   read the log's. The log's index has the database's collation, and without being told PostgreSQL would not search
    #   it for an id of another.
    create="""
create view stripe.objects as
select account.slug as account, held.account_id, held.livemode, held.object_type as type, held.object_id as id,
       held.customer, held.deleted, to_timestamp(held.created) as event_created,
       held.event_id collate "default" as event_id, held.event_type, payload.data
from accounts_account account
join mirror_object held on held.account_id = account.id and held.livemode = any ('{f,t}')
cross join lateral (
    select coalesce(told.data || held.data, told.data, held.data) || '{}'::jsonb as data
    from (select (
        select stripe.object_in(event.body) from inbox_event event
        where event.account_id = held.account_id and event.livemode = held.livemode
          and event.event_id = held.event_id collate "default" and event.created = to_timestamp(held.created)
    ) as data offset 0) told
    offset 0
) payload
""",
)

_CASTS: Final = {
    Kind.TEXT: "stripe.as_text({})",
    Kind.ID: "stripe.as_id({})",
    Kind.BIGINT: "stripe.as_bigint({})",
    Kind.NUMERIC: "stripe.as_numeric({})",
    Kind.BOOLEAN: "stripe.as_boolean({})",
    Kind.MOMENT: "stripe.as_timestamptz({})",
    Kind.MILLISECONDS: "stripe.as_timestamptz({}, 1000)",
    Kind.OBJECT: "stripe.as_object({})",
    Kind.ARRAY: "stripe.as_array({})",
    Kind.EMBEDDED: "stripe.as_object({})",
}
TYPES: Final = {
    Kind.TEXT: "text",
    Kind.ID: "text",
    Kind.BIGINT: "bigint",
    Kind.NUMERIC: "numeric",
    Kind.BOOLEAN: "boolean",
    Kind.MOMENT: "timestamptz",
    Kind.MILLISECONDS: "timestamptz",
    Kind.OBJECT: "jsonb",
    Kind.ARRAY: "jsonb",
    Kind.EMBEDDED: "jsonb",
    Kind.CUSTOMER: "text",
    Kind.DELETED: "boolean",
}
"""The SQL type of a column of each kind."""


def select_list(view: View) -> list[tuple[str, str, str]]:
    """The columns of a view in order: name, SQL type and expression."""
    source = "row.data" if view.child else "o.data"
    listed: list[tuple[str, str, str]] = []
    if view.child is None:
        listed.append(("id", "text", "o.id"))
    else:
        if view.child.id:
            listed.append(("id", "text", "stripe.as_text(row.data -> 'id')"))
        listed.append((view.child.parent, "text", "o.id"))
    for column in view.columns:
        expression = _expression(column, source)
        listed.append((column.name, TYPES[column.kind], expression))
        if column.kind is Kind.EMBEDDED:
            listed.append((f"{column.name}_id", "text", f"stripe.as_id({_path(column, source)})"))
    if view.child is not None:
        listed.append(("_position", "bigint", "row.position"))
    return [
        *listed,
        ("_account", "text", "o.account"),
        ("_livemode", "boolean", "o.livemode"),
        ("_deleted", "boolean", "o.deleted"),
        ("_event_id", "text", "o.event_id"),
        ("_updated_at", "timestamptz", "o.event_created"),
        ("_data", "jsonb", source),
    ]


def _expression(column: Column, source: str) -> str:
    if column.kind is Kind.CUSTOMER:
        return "o.customer"
    if column.kind is Kind.DELETED:
        return "o.deleted"
    return _CASTS[column.kind].format(_path(column, source))


def _path(column: Column, source: str) -> str:
    return " -> ".join((source, *(f"'{name}'" for name in column.path or (column.name,))))


def typed(view: View) -> Made:
    """The view of one resource."""
    columns = ",\n       ".join(f'{expression} as "{name}"' for name, _, expression in select_list(view))
    rows = ""
    words = f"The objects of Stripe's type {view.object_type}."
    if view.child is not None:
        path = " -> ".join(("o.data", *(f"'{name}'" for name in view.child.path)))
        rows = (
            f"cross join lateral jsonb_array_elements(stripe.as_array({path})) "
            "with ordinality as row (data, position)\n"
        )
        words = f"{'.'.join(view.child.path)} of the objects of Stripe's type {view.object_type}."
    return Made(
        kind="view",
        name=view.name,
        words=words,
        create=(
            f"\ncreate view stripe.{view.name} as\nselect {columns}\nfrom stripe.objects o\n"
            f"{rows}where o.type = '{view.object_type}'\n"
        ),
    )


def everything() -> tuple[Made, ...]:
    """All that the schema holds, in the order in which it can be made."""
    return (*FUNCTIONS, OBJECTS, *(typed(view) for view in VIEWS))


def digest(made: tuple[Made, ...]) -> str:
    """What tells one version of all of it from another: 16 hexadecimal digits."""
    text = "\0".join(part for one in made for part in (one.kind, one.name, one.create, one.words))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
