"""From what happened to an entry: its bytes, the copies to search by, and the personal values kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, Final

from trueup.audit import canonical, disclosures
from trueup.audit.catalogue import CATALOGUE
from trueup.audit.disclosures import Disclosure
from trueup.audit.errors import EntryInvalid
from trueup.audit.store import Sealed
from trueup.audit.subjects import SubjectKey
from trueup.audit.types import Action, Phase
from trueup.kernel.actor import Actor
from trueup.kernel.modes import mode_name
from trueup.kernel.records import Record

VERSION: Final = 1
"""Of the body's form; a verifier needs nothing of it but the bytes."""
PEOPLE: Final = frozenset({"customer", "operator", "person"})
"""Types of objects whose values speak of the object itself."""
LONGEST: Final = 2_500
"""Bytes of what the log has an index for, which hold 2,704."""
SHORT: Final = LONGEST // 4
"""Characters that never have more."""
LARGEST_PLAIN: Final = 16_384
"""Bytes; a larger value is kept apart, so that entries stay within their limit."""


class Told(Record, frozen=True):
    """A value kept apart, its place in the entry, and whom it speaks of."""

    name: str
    disclosure: Disclosure
    subject: str


class Draft(Record, frozen=True):
    """An entry before it is written."""

    columns: Mapping[str, Any]
    disclosures: tuple[Told, ...]

    def sealed(self, keys: Mapping[str, SubjectKey]) -> list[Sealed]:
        """The values kept apart, each under the key of its subject."""
        return [
            Sealed(
                digest=one.disclosure.digest,
                subject=one.subject,
                key_id=keys[one.subject].key_id,
                ciphertext=disclosures.seal(one.disclosure, keys[one.subject].cipher),
            )
            for one in self.disclosures
        ]


def moment(at: datetime) -> str:
    """A moment as entries write it: UTC with microseconds, always of the same length."""
    there = at if at.tzinfo is UTC else at.astimezone(UTC)
    return there.isoformat("T", "microseconds")[:-6] + "Z"


def actor_subject(by: Actor) -> str:
    """Whom values speak of that are the actor's own."""
    return f"{by.kind._value_}:{by.id}"


def compose(
    *,
    at: datetime,
    livemode: bool,
    by: Actor,
    action: Action,
    object_type: str,
    object_id: str,
    why: str,
    origin: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    facts: Sequence[str],
    subject: str,
    phase: Phase,
    intent: int | None,
    request_id: str,
) -> Draft:
    """Build an entry; ``EntryInvalid`` for what cannot stand in one."""
    own = subject or (f"{object_type}:{object_id}" if object_type in PEOPLE else actor_subject(by))
    behind, kind, acted = by.behind, by.kind._value_, action._value_
    # In the end names are sorted. All that is put in is exact, or a word of ours.
    body: dict[str, Any] = {
        "v": VERSION,
        "at": moment(at),
        "mode": mode_name(livemode),
        "action": acted,
        "actor": {"kind": kind, "id": canonical.text(by.id)},
        "object": {"type": object_type, "id": canonical.text(object_id)},
    }
    told: list[Told] = []
    for side, given in (("before", before), ("after", after)):
        if given is not None:
            body[side] = _standing(CATALOGUE[action].plain, side, canonical.fields(given), own, told)
    if why:
        told.append(_apart("why", canonical.text(why), own))
    if origin:
        told.append(_apart("origin", canonical.text(origin), actor_subject(behind or by)))
    if behind is not None:
        body["behind"] = {"kind": behind.kind._value_, "id": canonical.text(behind.id)}
    if request_id:
        body["request"] = canonical.text(request_id)
    if facts:
        body["facts"] = [canonical.text(one) for one in facts]
    if phase is not Phase.DONE:
        body["phase"] = phase._value_
    if intent:
        body["intent"] = intent
    if told:
        body["_sd"] = {one.name: one.disclosure.digest for one in told}
    columns = {
        "at": at,
        "livemode": livemode,
        "actor_kind": kind,
        "actor_id": by.id,
        "behind_kind": "" if behind is None else behind.kind._value_,
        "behind_id": "" if behind is None else behind.id,
        "action": acted,
        "object_type": object_type,
        "object_id": object_id,
        "request_id": request_id,
        "body": canonical.body(body),
    }
    if len(by.id) + len(object_type) + len(object_id) + len(request_id) > SHORT:
        _require_findable(columns)
    return Draft(columns=columns, disclosures=tuple(told))


def _require_findable(columns: Mapping[str, Any]) -> None:
    """What is too long for the log's indexes is refused here, and not when the sequencer puts the entry there."""
    for names in (("object_type", "object_id"), ("actor_kind", "actor_id"), ("request_id",)):
        found = sum(len(canonical.text(columns[name]).encode()) for name in names)
        if found > LONGEST:
            raise EntryInvalid(f"A name in an entry has at most {LONGEST} bytes; {names[-1]} would have {found}.")


def _standing(
    plain: AbstractSet[str], side: str, known: Mapping[str, Any], subject: str, told: list[Told]
) -> Mapping[str, Any]:
    """The values of a side that stand in the entry as they are; the others are told apart."""
    apart = [name for name, value in known.items() if not _is_plain(plain, name, value)]
    if not apart:
        return known
    told += [_apart(f"{side}.{name}", known[name], subject) for name in apart]
    return {name: value for name, value in known.items() if name not in apart}


def _apart(name: str, value: Any, subject: str) -> Told:
    return Told(name=name, disclosure=disclosures.disclosed(name, value), subject=subject)


def _is_plain(plain: AbstractSet[str], name: str, value: Any) -> bool:
    """Whether a value stands in the log as it is: yes, no, nothing, and what the catalogue says, unless it is large."""
    kind = type(value)
    if value is None or kind is bool:
        return True
    if name not in plain:
        return False
    # A character takes six bytes at most.
    if kind is int or (kind is str and 6 * len(value) + 2 <= LARGEST_PLAIN):
        return True
    return len(canonical.canonical(value)) <= LARGEST_PLAIN
