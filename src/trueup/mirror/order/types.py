"""The nouns of order: what ordering needs to know of a fact, and what it answers.

Times are whole unix seconds **in the object's own clock**: an event's ``created``, and for a read the moment before the
request was sent, taken from a test clock's ``frozen_time`` or else from Stripe's ``Date`` header, rounded down. The
caller brings them; nothing here knows another time. States are fingerprints (see ``fingerprint``), compared only within
one object and one API version.
"""

from __future__ import annotations

from enum import StrEnum

from trueup.kernel.records import Record


class Verdict(StrEnum):
    """How far the head of an object can be trusted; ``AMBIGUOUS`` covers ``GAP`` where both hold."""

    CERTAIN = "certain"
    """All facts fit: the head is the newest version of those known."""
    AMBIGUOUS = "ambiguous"
    """Several facts of the newest second may be the last; one was chosen by (type rank, event id). Read the object."""
    GAP = "gap"
    """The head is the newest known, but an event before it is missing, and nothing has been read since."""


class PlaceKind(StrEnum):
    """What is not plain at one place of an object's history."""

    AMBIGUOUS = "ambiguous"
    """``facts`` are those that may be the last of the second, the chosen one last."""
    GAP = "gap"
    """Something is missing between the two facts of ``facts``; or, with one, before it."""
    STARTS_LATE = "starts_late"
    """The first fact known is not the object's creation. No doubt about what follows."""
    AFTER_DELETION = "after_deletion"
    """``facts`` claim to be later than the deletion of the same incarnation; they are taken for earlier."""


class Trace(Record, frozen=True):
    """One fact about one object, without its body: 100 bytes instead of thousands.

    ``state`` is the fingerprint of the object as told; ``before`` that of the object before the event, ``None`` when
    the event does not say. ``made`` is the object's own ``created``, which tells incarnations under one id apart.
    ``stage`` is how far along an irreversible course the object is, ``None`` when it has none (see ``stages``).
    ``event_type`` is empty and ``read`` set for a snapshot that was read from the API; ``second`` is then the second in
    which reading started, and ``fact_id`` any name of that read. ``after`` names facts of that very second which were
    known here before the reading began, reads included: what they tell was true earlier than what the read tells. A
    read that found the object names, of whatever second, the deletions too that may be refuted (``history``).
    """

    second: int
    fact_id: str
    event_type: str
    state: int
    before: int | None = None
    made: int | None = None
    version: str | None = None
    stage: int | None = None
    deleted: bool = False
    read: bool = False
    after: tuple[str, ...] = ()


class Place(Record, frozen=True):
    """Where in the history something is not plain: in which incarnation, at which second, between which facts."""

    kind: PlaceKind
    second: int
    facts: tuple[str, ...]
    made: int | None = None


class Checkpoint(Record, frozen=True):
    """What was sure just before the second ``since``: enough to decide again with the facts from ``since`` on alone.

    ``state`` is ``None`` when nothing is known from before. ``gap`` says that a gap was open then.
    """

    since: int
    state: int | None = None
    version: str | None = None
    gap: bool = False


class Head(Record, frozen=True):
    """What the row of an object keeps of its order: the fact that is current, its verdict, and where to start again.

    ``second`` and ``fact_id`` name the current fact, ``state`` and ``version`` describe it. ``deleted`` holds for ever
    within the incarnation ``made``. ``floor`` is the second of the newest read, 0 without one: what happened earlier
    cannot change the head. ``gap`` says that one is open since the floor. ``tied`` says that the head was found among
    several states of its second and not read since: should one of those events be missing, it may be wrong without a
    sign, so one confirming read is worth its call.
    """

    second: int
    fact_id: str
    event_type: str
    state: int
    verdict: Verdict
    checkpoint: Checkpoint
    made: int | None = None
    version: str | None = None
    deleted: bool = False
    read: bool = False
    floor: int = 0
    gap: bool = False
    tied: bool = False


class Need(Record, frozen=True):
    """The answer that more facts are needed: all stored facts of the object with ``second >= since``, reads too."""

    since: int


class Resolution(Record, frozen=True):
    """Everything that a set of facts says about the order of one object.

    ``versions`` are all facts, oldest first, incarnation by incarnation; the last is the head's. ``places`` tell every
    doubt, also those that later facts made harmless.
    """

    versions: tuple[Trace, ...]
    head: Head
    places: tuple[Place, ...]
