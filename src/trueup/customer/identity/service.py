"""What others may ask about who a customer is elsewhere, and say by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from trueup.accounts import service as accounts
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer.identity import links as linked
from trueup.customer.identity import merged, suggestions
from trueup.customer.identity import people as persons
from trueup.customer.identity.types import Breach, Link, Person, Suggestion, Violation
from trueup.customer.rules.identity import known_value, person_of
from trueup.customer.store import own_id
from trueup.customer.types import LinkKind, Source
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.mirror import service as mirror
from trueup.mirror.service import CustomerKey
from trueup.mirror.types import ObjectKey
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import database
from trueup.runtime.pages import Number, Page, decode_cursor, encode_cursor

LARGEST_PAGE: Final = 200
SYSTEM: Final = re.compile(r"[a-z0-9_-]{1,40}")
SENTENCES: Final = {
    Breach.REQUIRED: "The metadata has no {key}.",
    Breach.PATTERN: "The metadata's {key} is not of the form that the rule demands.",
    Breach.UNIQUE: "Another customer has the same {key} in its metadata.",
}


def links(id: str) -> tuple[Link, ...]:  # noqa: A002 - the field's name
    """All links of a customer by any of its ids, those of every Stripe customer that it is, the leading one's first."""
    ids = _members(_resolved(id)[1])
    found = linked.of(ids)
    return tuple(link for one in ids for link in found.get(one, ()))


def link(
    *,
    id: str,  # noqa: A002 - the field's name
    kind: LinkKind,
    value: str,
    system: str = "",
    person_id: str | None = None,
    by: Actor,
) -> Link:
    """Say that a customer is the same as something elsewhere. Again, it changes nothing.

    ``system`` names the CRM for that kind. ``person_id`` says which person a user id or an address belongs to; without
    it, it names a person of its own. ``Refused`` for a value that cannot be, ``NotFound`` for an unknown person.
    """
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    known = _value(kind, value, system)
    with database.transaction() as connection:
        key, _leader = _resolved(id)
        person = person_of(kind, known, livemode=key[1])
        if person_id is not None:
            if person is None:
                raise Refused(
                    f"A link of kind {kind} belongs to no person.",
                    code="link_invalid",
                    hint="Only a user id or an address does.",
                )
            if (owner := persons.find(person_id)) is None or owner.livemode != key[1]:
                raise _no_person(person_id)
            person = person_id
        source = Source.API if by.kind is ActorKind.TOKEN else Source.OPERATOR
        customer_id = own_id(key)
        added = linked.add(
            customer_id, key, kind=kind, system=system, value=known, source=source, person_id=person, by=by
        )
        if added:
            audit.record(
                connection,
                by=by,
                action=Action.LINK_ADDED,
                object_type="customer",
                object_id=customer_id,
                livemode=key[1],
                after=_recorded(kind, system, known, person),
            )
        (made,) = (
            one
            for one in linked.of([customer_id])[customer_id]
            if (one.kind, one.system or "", one.value, one.source) == (kind, system, known, source)
        )
    return made


def unlink(*, id: str, kind: LinkKind, value: str, system: str = "", by: Actor) -> None:  # noqa: A002 - the field's name
    """Take back a link that was made by hand.

    ``NotFound`` when there is none, ``Conflict`` for one that Stripe tells: it would come back with the next event.
    """
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    known = _value(kind, value, system)
    with database.transaction() as connection:
        key, leader = _resolved(id)
        ids = _members(leader)
        told = [
            one
            for found in linked.of(ids).values()
            for one in found
            if (one.kind, one.system or "", one.value) == (kind, system, known)
        ]
        if linked.remove(ids, kind=kind, system=system, value=known):
            person = next((one.person_id for one in told if one.by is not None), None)
            audit.record(
                connection,
                by=by,
                action=Action.LINK_REMOVED,
                object_type="customer",
                object_id=own_id(key),
                livemode=key[1],
                before=_recorded(kind, system, known, person),
            )
        elif told:
            raise Conflict(
                f"The link comes from {told[0].rule} in Stripe and would come back.",
                code="link_derived",
                hint="Change it in Stripe, or TRUEUP_IDENTITY_KEYS where the key means something else.",
            )
        else:
            raise NotFound("The customer has no such link.", code="link_unknown", hint="List what it has first.")


def people(*, q: str = "", customer: str | None = None, limit: int = 50, after: str | None = None) -> Page[Person]:
    """People in the order of their ids; ``q`` is a whole user id or address, ``customer`` any id of a customer.

    ``total`` is None: people are only found by reading their links.
    """
    limit = max(1, min(limit, LARGEST_PAGE))
    (last,) = decode_cursor(after, tuple[str]) if after else ("",)
    values = sorted({q.strip(), q.strip().casefold()}) if q.strip() else None
    of = None if customer is None else _members(_resolved(customer)[1])
    found = persons.page(after=last, limit=limit + 1, customers=of, accounts=_accounts(), values=values)
    if of is not None and values is not None:
        found = [one for one in found if {*one.emails, *one.user_ids} & set(values)]
    following = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(data=tuple(found[:limit]), next=following, total=None)


def person(id: str) -> Person:  # noqa: A002 - the field's name
    """One person by our id."""
    found = persons.find(id)
    if found is None:
        raise _no_person(id)
    return found


def duplicates(*, limit: int = 50, after: str | None = None) -> Page[Suggestion]:
    """Pairs of customers that may be one, the surest first; nobody but you merges them. ``total`` is None."""
    limit = max(1, min(limit, LARGEST_PAGE))
    place = decode_cursor(after, tuple[Number, str, str]) if after else None
    found = suggestions.page(accounts=_accounts(), after=place, limit=limit + 1)
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = encode_cursor(last.score, last.first.id, last.second.id)
    return Page(data=tuple(found[:limit]), next=following, total=None)


def dismiss_duplicate(*, first: str, second: str, by: Actor) -> bool:
    """Say that two customers are two, so that they are not suggested again; False where it was said before."""
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    return _judge(first, second, by=by, dismissed=True)


def restore_duplicate(*, first: str, second: str, by: Actor) -> bool:
    """Take back that two customers are two; False where nobody had said so."""
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    return _judge(first, second, by=by, dismissed=False)


def violations(*, limit: int = 50, after: str | None = None) -> Page[Violation]:
    """Customers whose metadata breaks the rules that were configured, by key and rule. ``total`` is None."""
    limit = max(1, min(limit, LARGEST_PAGE))
    place = decode_cursor(after, tuple[str, str, str]) if after else None
    rows = suggestions.broken(accounts=_accounts(), after=place, limit=limit + 1)
    shown = rows[:limit]
    known = persons.customers_of({row.leader_id for row in shown})
    objects = mirror.objects(
        [
            ObjectKey(
                account_id=row.account_id,
                livemode=row.livemode,
                object_type="customer",
                object_id=row.stripe_customer_id,
            )
            for row in shown
            if row.breach == Breach.PATTERN
        ]
    )
    found = []
    for row in shown:
        told = objects.get((row.account_id, row.livemode, row.stripe_customer_id), [])
        values = [str(value) for one in told if (value := (one.data.get("metadata") or {}).get(row.key)) is not None]
        customer = known.get(row.leader_id)
        found.append(
            Violation(
                customer_id=row.leader_id,
                stripe_customer_id=row.stripe_customer_id,
                name=None if customer is None else customer[2] or customer[3],
                key=row.key,
                breach=Breach(row.breach),
                value=values[0] if values else row.value,
                sentence=SENTENCES[Breach(row.breach)].format(key=row.key),
            )
        )
    last = shown[-1] if len(rows) > limit else None
    following = None if last is None else encode_cursor(last.key, last.breach, last.customer_id)
    return Page(data=tuple(found), next=following, total=None)


def _judge(first: str, second: str, *, by: Actor, dismissed: bool) -> bool:
    with database.transaction() as connection:
        keys = _resolved(first)[1], _resolved(second)[1]
        pair = own_id(keys[0]), own_id(keys[1])
        if pair[0] == pair[1]:
            raise Refused("These are one customer.", code="duplicate_itself", hint="Name two different customers.")
        changed = suggestions.dismiss(pair, by=by) if dismissed else suggestions.restore(pair)
        if changed:
            audit.record(
                connection,
                by=by,
                action=Action.DUPLICATE_DISMISSED if dismissed else Action.DUPLICATE_RESTORED,
                object_type="customer",
                object_id=min(pair),
                livemode=keys[0][1],
                after={"other_id": max(pair)},
            )
    return changed


def _accounts() -> list[int]:
    return [account.id for account in accounts.accounts()]


def _resolved(identifier: str) -> tuple[CustomerKey, CustomerKey]:
    """The Stripe customer that an id names, and the one that leads it."""
    found = merged.one(identifier)
    return found.key, found.leader


def _members(leader: CustomerKey) -> Sequence[str]:
    """Our ids of every Stripe customer that a customer is, the leading one first."""
    group = merged.groups([leader]).get(leader)
    return [own_id(key) for key in ((leader,) if group is None else group.keys)]


def _value(kind: LinkKind, value: str, system: str) -> str:
    """The value as links hold it."""
    known = known_value(kind, value)
    if known is None:
        what = "an email address" if kind is LinkKind.EMAIL else "an id of 1 to 200 characters"
        raise Refused(f"The value is not {what}.", code="link_invalid", hint="Check it, and try again.")
    if (kind is LinkKind.CRM) != bool(system) or (system and SYSTEM.fullmatch(system) is None):
        raise Refused(
            "A link of kind crm names its system, and no other kind does.",
            code="link_invalid",
            hint="Name it in lower case, such as salesforce or hubspot.",
        )
    return known


def _recorded(kind: LinkKind, system: str, value: str, person_id: str | None) -> dict[str, str | None]:
    """What the audit log keeps of a link: an address is somebody's, so only whose it is."""
    return {
        "kind": kind.value,
        "system": system or None,
        "value": None if kind is LinkKind.EMAIL else value,
        "person_id": person_id,
    }


def _no_person(identifier: str) -> NotFound:
    return NotFound(f"There is no person {identifier}.", code="person_unknown", hint="List people to see who there is.")
