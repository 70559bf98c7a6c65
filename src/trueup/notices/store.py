"""Statements on notices."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from trueup.kernel.actor import Actor
from trueup.kernel.money import Money
from trueup.notices.rules import Found, Look
from trueup.notices.types import Change, Channel, Delivery, Draft, Kind, Pace, Rule, Status
from trueup.runtime import database
from trueup.runtime.queues import storable

LEASE: Final = timedelta(seconds=90)
"""So long nobody else sends a message that somebody is sending."""
_RULE: Final = (
    "id, operator_id, name, kinds, account_id, only_mine, at_least, channel, target, pace, hour, zone, quiet_from, "
    "quiet_until, with_names, language, paused, made_by, created_at"
)
_CHANGE: Final = (
    "c.id, c.customer_id, c.account_id, c.livemode, c.kind, c.subject, c.was, c.became, c.amount_minor, c.currency, "
    "c.at, c.fact"
)
_DELIVERY: Final = (
    "d.id, d.rule_id, r.name, r.operator_id, r.channel, r.target, d.status, d.due_at, d.attempts, d.settled_at, "
    "d.error, d.answer, (select count(*) from notices_item i where i.delivery_id = d.id)"
)
_INSERT_RULE: Final = """
insert into notices_rule (operator_id, name, kinds, account_id, only_mine, at_least, channel, target, address, secret,
    pace, hour, zone, quiet_from, quiet_until, with_names, language, paused, made_by)
values (%(operator_id)s, %(name)s, %(kinds)s::jsonb, %(account_id)s, %(only_mine)s, %(at_least)s, %(channel)s,
    %(target)s, %(address)b, %(secret)b, %(pace)s, %(hour)s, %(zone)s, %(quiet_from)s, %(quiet_until)s, %(with_names)s,
    %(language)s, %(paused)s, %(made_by)s::jsonb)
"""
_UPDATE_RULE: Final = """
update notices_rule set name = %(name)s, kinds = %(kinds)s::jsonb, account_id = %(account_id)s,
    only_mine = %(only_mine)s, at_least = %(at_least)s, channel = %(channel)s, target = %(target)s,
    address = %(address)b, secret = %(secret)b, pace = %(pace)s, hour = %(hour)s, zone = %(zone)s,
    quiet_from = %(quiet_from)s, quiet_until = %(quiet_until)s, with_names = %(with_names)s, language = %(language)s,
    paused = %(paused)s, made_by = %(made_by)s::jsonb
where id = %(id)s
"""
_ADD_CHANGE: Final = """
insert into notices_change (customer_id, account_id, livemode, key, kind, subject, was, became, amount_minor, currency,
    at, fact)
values (%(customer_id)s, %(account_id)s, %(livemode)s, %(key)s, %(kind)s, %(subject)s, %(was)s, %(became)s,
    %(amount_minor)s, %(currency)s, to_timestamp(%(at)s), %(fact)s)
on conflict (customer_id, key) do nothing returning id
"""
_PLAN: Final = """
with message as (
    insert into notices_delivery (rule_id, "window", due_at) values (%(rule_id)s, %(window)s, %(due_at)s)
    on conflict (rule_id, "window") do update set due_at = notices_delivery.due_at returning id
)
insert into notices_item (rule_id, change_id, delivery_id) select %(rule_id)s, %(change_id)s, id from message
on conflict do nothing
"""
_CLAIM: Final = """
update notices_delivery set leased_until = %(now)s + %(lease)s, attempts = attempts + 1
where id = (
    select id from notices_delivery
    where status = 'waiting' and due_at <= %(now)s and (leased_until is null or leased_until < %(now)s)
    order by due_at limit 1 for update skip locked
) returning id
"""
_SETTLE: Final = """
update notices_delivery set status = %(status)s, due_at = coalesce(%(due_at)s, due_at), error = %(error)s,
    answer = %(answer)s, leased_until = null, settled_at = case when %(status)s = 'waiting' then null else now() end
where id = %(id)s
"""


def _rule(row: tuple[Any, ...]) -> Rule:
    return Rule(
        id=row[0],
        operator_id=row[1],
        name=row[2],
        kinds=frozenset(Kind(one) for one in json.loads(row[3])),
        account_id=row[4],
        only_mine=row[5],
        at_least=row[6],
        channel=Channel(row[7]),
        target=row[8],
        pace=Pace(row[9]),
        hour=row[10],
        zone=row[11],
        quiet_from=row[12],
        quiet_until=row[13],
        with_names=row[14],
        language=row[15],
        paused=row[16],
        made_by=msgspec.json.decode(row[17], type=Actor),
        created_at=row[18],
    )


def rules(*, operator_id: int | None = None, everybody: bool = False) -> list[Rule]:
    """Those of a person, or of the team where that is None, or all; by name."""
    whose = "true" if everybody else "operator_id is not distinct from %(operator_id)s"
    sql = f"select {_RULE} from notices_rule where removed_at is null and {whose} order by lower(name), id"  # noqa: S608 - constants
    return [_rule(row) for row in database.execute(sql, {} if everybody else {"operator_id": operator_id}).fetchall()]


def find(rule_id: int, *, lock: bool = False) -> Rule | None:
    """A rule that was not removed; ``lock`` holds it until the transaction ends."""
    sql = f"select {_RULE} from notices_rule where id = %s and removed_at is null{' for update' if lock else ''}"  # noqa: S608 - constants
    row = database.execute(sql, (rule_id,)).fetchone()
    return None if row is None else _rule(row)


def sealed(rule_id: int) -> tuple[bytes | None, bytes | None]:
    """The sealed address and secret of a rule."""
    row = database.execute("select address, secret from notices_rule where id = %s", (rule_id,)).fetchone()
    return (None, None) if row is None else (row[0], row[1])


def put(
    rule_id: int | None,
    draft: Draft,
    *,
    operator_id: int | None,
    target: str,
    address: bytes | None,
    secret: bytes | None,
    by: Actor,
) -> int:
    """A new rule, or another content of a known one; returns its number."""
    values = msgspec.structs.asdict(draft) | {
        "id": rule_id,
        "operator_id": operator_id,
        "kinds": json.dumps(sorted(draft.kinds)),
        "channel": draft.channel.value,
        "pace": draft.pace.value,
        "target": target,
        "address": address,
        "secret": secret,
        "made_by": msgspec.json.encode(by).decode(),
    }
    sql = _INSERT_RULE if rule_id is None else _UPDATE_RULE
    row = database.execute(f"{sql} returning id", values).fetchone()
    assert row is not None  # noqa: S101 - what `returning` gives
    return int(row[0])


def remove(rule_id: int) -> None:
    """Forget where a rule leads, and drop what waits for it or did not arrive."""
    database.execute(
        "update notices_rule set removed_at = now(), address = null, secret = null where id = %s", (rule_id,)
    )
    database.execute(
        "update notices_delivery set status = 'dropped', settled_at = now()"
        " where rule_id = %s and status in ('waiting', 'failed')",
        (rule_id,),
    )


def looks(customers: Sequence[str]) -> dict[str, Look]:
    """What the last looks at customers (our ids) saw; those never looked at are left out."""
    rows = database.execute(
        "select customer_id, look from notices_seen where customer_id = any(%s)", (list(customers),)
    ).fetchall()
    return {row[0]: msgspec.json.decode(row[1], type=Look) for row in rows}


def keep(customer_id: str, look: Look) -> None:
    """Keep what a look saw."""
    database.execute(
        "insert into notices_seen (customer_id, look) values (%s, %s)"
        " on conflict (customer_id) do update set look = excluded.look",
        (customer_id, msgspec.json.encode(look).decode()),
    )


def add(found: Found, *, customer_id: str, account_id: int, livemode: bool) -> int | None:
    """Write a change; None where it was found before."""
    values = {
        "customer_id": customer_id,
        "account_id": account_id,
        "livemode": livemode,
        "key": storable(found.key),
        "kind": found.kind.value,
        "subject": found.subject,
        "was": storable(found.before),
        "became": storable(found.after),
        "amount_minor": None if found.amount is None else found.amount.minor,
        "currency": None if found.amount is None else found.amount.currency,
        "at": found.at,
        "fact": found.fact,
    }
    row = database.execute(_ADD_CHANGE, values).fetchone()
    return None if row is None else int(row[0])


def trials_told(customers: Sequence[str]) -> set[tuple[str, str]]:
    """Customers and ends of trials, as ``Found.after`` has them, that were found already."""
    sql = "select customer_id, became from notices_change where kind = 'trial_ending' and customer_id = any(%s)"
    return {(row[0], row[1]) for row in database.execute(sql, (list(customers),)).fetchall()}


def plan(rule_id: int, change_id: int, *, window: str, due_at: datetime) -> None:
    """Let the message of a window tell of a change; once, however often this is asked for."""
    values = {"rule_id": rule_id, "change_id": change_id, "window": window, "due_at": due_at}
    database.execute(_PLAN, values)


def claim(*, now: datetime) -> Delivery | None:
    """The message that has been due for longest, for ``LEASE`` nobody else's; its attempt is counted."""
    row = database.execute(_CLAIM, {"lease": LEASE, "now": now}).fetchone()
    return None if row is None else delivery(row[0])


def settle(
    delivery_id: int, status: Status, *, due_at: datetime | None = None, error: str = "", answer: str = ""
) -> None:
    """Write down what came of a message; ``due_at`` is when it is tried again."""
    values = {"id": delivery_id, "status": status.value, "due_at": due_at}
    database.execute(_SETTLE, values | {"error": storable(error), "answer": storable(answer)})


def again(delivery_id: int) -> None:
    """Let a message be sent anew, with all its attempts."""
    database.execute(
        "update notices_delivery set status = 'waiting', due_at = now(), attempts = 0, leased_until = null,"
        " settled_at = null, error = '', answer = '' where id = %s",
        (delivery_id,),
    )


def _delivery(row: tuple[Any, ...]) -> Delivery:
    return Delivery(
        id=row[0],
        rule_id=row[1],
        rule_name=row[2],
        operator_id=row[3],
        channel=Channel(row[4]),
        target=row[5],
        status=Status(row[6]),
        due_at=row[7],
        attempts=row[8],
        settled_at=row[9],
        error=row[10],
        answer=row[11],
        changes=row[12],
    )


def delivery(delivery_id: int, *, lock: bool = False) -> Delivery | None:
    """A message by its number."""
    sql = f"select {_DELIVERY} from notices_delivery d join notices_rule r on r.id = d.rule_id where d.id = %s"  # noqa: S608 - constants
    row = database.execute(sql + (" for update of d" if lock else ""), (delivery_id,)).fetchone()
    return None if row is None else _delivery(row)


def deliveries(
    *, operator_id: int | None, everybody: bool, status: Status | None, limit: int, before: int | None
) -> list[Delivery]:
    """Messages, the newest first: of a person's rules, of the team's, or of all."""
    parts = ["true"] if everybody else ["r.operator_id is not distinct from %(operator_id)s"]
    parts += ["d.status = %(status)s"] if status is not None else []
    parts += ["d.id < %(before)s"] if before is not None else []
    values = {"operator_id": operator_id, "status": status and status.value, "before": before, "limit": limit}
    sql = (
        f"select {_DELIVERY} from notices_delivery d join notices_rule r on r.id = d.rule_id"  # noqa: S608 - constants
        f" where {' and '.join(parts)} order by d.id desc limit %(limit)s"
    )
    named = {name: value for name, value in values.items() if f"%({name})s" in sql}
    return [_delivery(row) for row in database.execute(sql, named).fetchall()]


def counts() -> dict[Status, int]:
    """How many messages stand how."""
    rows = database.execute("select status, count(*) from notices_delivery group by status").fetchall()
    return {status: dict(rows).get(status.value, 0) for status in Status}


def changes_of(delivery_id: int) -> list[Change]:
    """What a message is about, in the order in which it happened."""
    sql = (
        f"select {_CHANGE} from notices_item i join notices_change c on c.id = i.change_id"  # noqa: S608 - constants
        " where i.delivery_id = %s order by c.at, c.id"
    )
    return [_change(row) for row in database.execute(sql, (delivery_id,)).fetchall()]


def _change(row: tuple[Any, ...]) -> Change:
    return Change(
        id=row[0],
        customer_id=row[1],
        account_id=row[2],
        livemode=row[3],
        kind=Kind(row[4]),
        subject=row[5],
        before=row[6],
        after=row[7],
        amount=None if row[8] is None else Money(minor=row[8], currency=row[9]),
        at=row[10],
        fact=row[11],
    )


def forget(before: datetime) -> int:
    """Drop changes that were found before a moment, and the messages that were about them; returns how many."""
    dropped = database.execute(
        "delete from notices_item where change_id in (select id from notices_change where found_at < %s)", (before,)
    ).rowcount
    database.execute("delete from notices_change where found_at < %s", (before,))
    database.execute(
        "delete from notices_delivery d where status <> 'waiting' and settled_at < %s"
        " and not exists (select from notices_item i where i.delivery_id = d.id)",
        (before,),
    )
    return dropped
