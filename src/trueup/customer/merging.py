"""Making several Stripe customers one of ours, and taking them apart again.

Each has a preview that writes nothing, leaves one audit entry in its transaction, and can be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer import drain, store
from trueup.customer.identity import links, merged
from trueup.customer.identity.merged import Group, Resolved
from trueup.customer.identity.types import Joined, Summary
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict, Refused
from trueup.mirror.service import CustomerKey
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import database

MOST: Final = 100
"""Stripe customers that one customer may be: more is a mistake, and every event of one folds them all."""


def merge(*, id: str, others: Sequence[str], by: Actor, preview: bool = False) -> Joined:  # noqa: A002 - the field's name
    """Make ``others`` part of the customer ``id``, which leads: its id stays, and it gives name and email.

    Ids are ours or Stripe's. ``NotFound`` for an unknown one; ``Refused`` for one merged with itself, other accounts or
    modes, or too many; ``Conflict`` for one that is part of another customer already. Again, it changes nothing.
    """
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    if not others:
        raise Refused("Nothing was named to merge.", code="merge_nothing", hint="Name at least two customers.")
    with database.transaction() as connection:
        leader = merged.one(id)
        named = list(dict.fromkeys(merged.one(other) for other in others))
        joining = _joining(leader, named)
        _hold([leader, *named])
        groups = merged.groups([leader.key, *(one.key for one in joining)])
        before = [_members(one.key, groups) for one in (leader, *joining)]
        after = _together(leader.key, [one.key for one in joining], groups)
        if len(after) > MOST:
            raise Refused(
                f"One customer would be {len(after)} Stripe customers; at most {MOST} are possible.",
                code="merge_too_large",
                hint="Check that these are one customer; if so, correct it in Stripe.",
            )
        joined = Joined(
            action="merge",
            done=not preview,
            changed=bool(joining),
            before=_summaries(before),
            after=_summaries([after]),
        )
        if joining and not preview:
            merged.add(leader.key, [one.key for one in joining], by=by)
            drain.fold_customers([leader.key])
            audit.record(
                connection,
                by=by,
                action=Action.CUSTOMERS_MERGED,
                object_type="customer",
                object_id=store.own_id(leader.key),
                livemode=leader.key[1],
                before={"stripe_customer_ids": [[member[2] for member in members] for members in before]},
                after={"stripe_customer_ids": [[member[2] for member in after]]},
            )
    return joined


def split(*, id: str, take: Sequence[str] = (), by: Actor, preview: bool = False) -> Joined:  # noqa: A002 - the field's name
    """Let Stripe customers that were merged into the customer ``id`` stand for themselves again; it undoes merges.

    ``take`` names them, by our former id or Stripe's; without any, all that were merged into the leading one are meant.
    What had been merged into one of them before stays with it. Ids and states become what they were. ``NotFound`` for
    an unknown id, ``Refused`` for the leading one, ``Conflict`` for a part of another customer. Again, it changes
    nothing.
    """
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    with database.transaction() as connection:
        customer = merged.one(id)
        named = list(dict.fromkeys(merged.one(one) for one in take))
        _hold([customer, *named])
        group = merged.groups([customer.leader]).get(customer.leader)
        taken = _taken(customer, named, group)
        if group is None or not taken:
            whole = _summaries([(customer.leader,) if group is None else group.keys])
            return Joined(action="split", done=not preview, changed=False, before=whole, after=whole)
        account_id, livemode, _ = group.leader
        parts = [
            tuple((account_id, livemode, member) for member in members)
            for members in merged.parts(group, taken).values()
        ]
        joined = Joined(
            action="split",
            done=not preview,
            changed=True,
            before=_summaries([group.keys]),
            after=_summaries(parts),
        )
        if not preview:
            standing = merged.remove(group, taken)
            drain.fold_customers(sorted({group.leader, *standing}))
            audit.record(
                connection,
                by=by,
                action=Action.CUSTOMERS_SPLIT,
                object_type="customer",
                object_id=store.own_id(group.leader),
                livemode=group.leader[1],
                before={"stripe_customer_ids": [[key[2] for key in group.keys]]},
                after={"stripe_customer_ids": [[key[2] for key in part] for part in parts]},
            )
    return joined


def _summaries(units: Sequence[Sequence[CustomerKey]]) -> tuple[Summary, ...]:
    """What customers are, or would be, when these Stripe customers are one each; folded now, and nothing is written."""
    found = {row.id: row for row in drain.folded_as(units)}
    held = links.of([store.own_id(key) for members in units for key in members])
    summed = []
    for members in units:
        row = found.get(store.own_id(members[0]))
        if row is None:
            raise merged.unknown(members[0][2])
        state = row.state
        summed.append(
            Summary(
                id=row.id,
                stripe_customer_id=state.stripe_customer_id,
                stripe_customer_ids=state.stripe_customer_ids,
                name=state.name,
                email=state.email,
                stage=state.stage,
                billing_status=state.billing_status,
                mrr=state.mrr,
                plans=state.plans,
                links=tuple(link for key in members for link in held.get(store.own_id(key), ())),
            )
        )
    return tuple(summed)


def _joining(leader: Resolved, named: Sequence[Resolved]) -> list[Resolved]:
    """Those that are not part of the leader yet."""
    joining = []
    for one in named:
        if one.key == leader.key:
            raise Refused(
                f"{one.key[2]} cannot be merged with itself.", code="merge_itself", hint="Name two different customers."
            )
        if one.key[:2] != leader.key[:2]:
            modes = one.key[1] != leader.key[1]
            raise Refused(
                f"{one.key[2]} and {leader.key[2]} are of different {'modes' if modes else 'accounts'}.",
                code="merge_across_modes" if modes else "merge_across_accounts",
                hint="Only customers of one Stripe account and mode can be merged; link them to one organization.",
            )
        if leader.leader == one.key:
            raise Conflict(
                f"{leader.key[2]} is part of {one.key[2]} already, which leads.",
                code="merge_cycle",
                hint=f"Split {one.key[2]} first, then merge the other way round.",
            )
        if leader.leader != leader.key:
            _elsewhere(leader)
        if one.leader == leader.key:
            continue
        if one.leader != one.key:
            _elsewhere(one)
        joining.append(one)
    return joining


def _elsewhere(one: Resolved) -> NoReturn:
    raise Conflict(
        f"{one.key[2]} was merged into {one.leader[2]}.",
        code="merged_elsewhere",
        hint=f"Name {one.leader[2]}, or split {one.key[2]} off first.",
    )


def _hold(named: Sequence[Resolved]) -> None:
    """Lock the customers with all that are one with them, and see that each still has the same leader."""
    keys = [key for one in named for key in (one.key, one.leader)]
    locked = {*keys, *merged.groups(keys)}
    store.lock(list(locked))
    now = merged.groups(keys)
    if not locked.issuperset(now) or any(_leader(one.key, now) != one.leader for one in named):
        raise Conflict(
            "Somebody merged or split one of these customers at the same moment.",
            code="merge_raced",
            hint="Look at them again, then repeat it.",
        )


def _leader(key: CustomerKey, groups: dict[CustomerKey, Group]) -> CustomerKey:
    group = groups.get(key)
    return key if group is None else group.leader


def _members(key: CustomerKey, groups: dict[CustomerKey, Group]) -> tuple[CustomerKey, ...]:
    group = groups.get(key)
    return (key,) if group is None else group.keys


def _together(
    leader: CustomerKey, joining: Sequence[CustomerKey], groups: dict[CustomerKey, Group]
) -> tuple[CustomerKey, ...]:
    """All that will be one, in the order that they will be read back in: what was merged first comes first."""
    account_id, livemode, _ = leader
    known = {groups[key].leader: groups[key] for key in (leader, *joining) if key in groups}
    former = sorted((one.since, one.stripe_customer_id) for group in known.values() for one in group.members)
    return (leader, *((account_id, livemode, customer) for _since, customer in former), *joining)


def _taken(customer: Resolved, named: Sequence[Resolved], group: Group | None) -> list[str]:
    """The Stripe customers to take out of the group."""
    if not named:
        direct = [] if group is None else group.members
        return [one.stripe_customer_id for one in direct if one.merged_into == customer.leader[2]]
    taken = []
    for one in named:
        if one.key == customer.leader:
            raise Refused(
                f"{one.key[2]} leads and cannot be split off.",
                code="split_leader",
                hint="Split the others off instead, then merge them with another one leading.",
            )
        if one.leader == customer.leader:
            taken.append(one.key[2])
        elif one.leader != one.key:
            _elsewhere(one)
    return taken
