"""The public nouns of reconciling."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from trueup.kernel.records import Record

STATE: Final = "trueup.customer"
"""Stands for a Stripe type where the state that we fold of a customer differs; the id is Stripe's of the customer."""


class Kind(StrEnum):
    """How something differs from Stripe."""

    MISSING = "missing"
    """Stripe has it, and we do not."""
    STALE = "stale"
    """Both have it, and fields differ."""
    ORPHANED = "orphaned"
    """We have it, and Stripe does not any more: each one was asked for by itself."""
    RESURRECTED = "resurrected"
    """We say that it was deleted, and Stripe has it."""


class Cause(StrEnum):
    """Why something differs, as far as we can tell."""

    NEVER_CAME = "never_came"
    """No event told of it: one was not sent, or was lost on its way."""
    GAP = "gap"
    """An event that did come names one before it that did not."""
    SET_ASIDE = "set_aside"
    """An event about it was set aside, because it could not be mirrored."""
    GIVEN_UP = "given_up"
    """Somebody gave up an event about it."""
    BEHIND = "behind"
    """What tells of it has come and still waits in a queue."""
    UNREAD = "unread"
    """It was to be read from Stripe, and Stripe would not give it."""
    DAMAGED = "damaged"
    """What is stored is not what the log says."""
    OLDER_RULES = "older_rules"
    """It was made by an older version of our rules and is not made again yet."""
    RULE = "rule"
    """The log has it as Stripe has it, and our rules make something else of it."""
    OBJECTS = "objects"
    """Of a customer's state: objects that it follows from differ."""
    NOT_FOLDED = "not_folded"
    """Of a customer's state: it was not folded since its objects changed."""


class Phase(StrEnum):
    """How far a run is."""

    LISTS = "lists"
    """Stripe's lists are read and compared, page by page."""
    UNSEEN = "unseen"
    """What we have and no list showed is picked out."""
    CONFIRM = "confirm"
    """What differed is read singly, once what is on its way has arrived."""
    STATES = "states"
    """Customers' states are compared with what follows from their objects."""
    VERIFY = "verify"
    """What was repaired is compared once more."""
    OVER = "over"


class Status(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    COMPLETE = "complete"
    """All that it was asked for was compared."""
    INCOMPLETE = "incomplete"
    """It is over, and could not see everything: the troubles say why."""
    CANCELLED = "cancelled"


class Ending(StrEnum):
    """How a difference came to an end."""

    REPAIRED = "repaired"
    """A comparison with repair mended it."""
    EQUAL = "equal"
    """A later comparison found nothing that differs."""
    HEALED = "healed"
    """What was missing arrived by itself, and no comparison was needed to see it."""


class FieldDifference(Record, frozen=True):
    """One value that differs: what we have and what Stripe has, None where there is none.

    ``path`` is as in ``mirror.types.FieldChange``, and so is ``cut``. With ``dropped`` the difference is over: both
    values are forgotten, and None says nothing of them.
    """

    path: str
    ours: Any
    theirs: Any
    cut: bool = False
    dropped: bool = False


class Difference(Record, frozen=True):
    """Something that differs from Stripe, and stayed so when it was looked at again; or did, until ``resolved_at``.

    ``since`` is in Stripe's time: it differs since then where ``since_exact``, else since then at the earliest. The
    other moments are ours.
    """

    id: int
    account_slug: str
    account_id: int
    livemode: bool
    kind: Kind
    type: str
    object_id: str
    customer: str | None
    fields: tuple[FieldDifference, ...]
    fields_left_out: int
    cause: Cause
    why: str
    event_id: str | None
    """The event that it hangs on, where that is known."""
    since: datetime | None
    since_exact: bool
    opened_at: datetime
    last_seen_at: datetime
    run_id: int
    """The run that saw it last."""
    resolved_at: datetime | None = None
    """When it was over; None while it is open."""
    ending: Ending | None = None
    """How it came to its end; None while it is open, and of one that ended before endings were kept."""
    resolved_by: int | None = None
    """The run that ended it; None where none did."""


class Trouble(Record, frozen=True):
    """What a run could not see, and why."""

    type: str
    code: str
    told: str


class Counts(Record, frozen=True):
    """What a run has come to so far.

    ``objects`` were compared and ``states`` of customers too; ``calls`` were made. ``found`` are the differences that
    stayed, by kind, ``repaired`` those of them that were gone after the repair. ``silent`` objects differed in what
    Stripe tells no event of, which is no drift; a repair takes them in too. ``moving`` objects changed whenever they
    were looked at, so that nothing can be said of them. ``singly`` were read by themselves.
    """

    objects: int = 0
    states: int = 0
    calls: int = 0
    singly: int = 0
    found: dict[str, int] = {}
    repaired: int = 0
    silent: int = 0
    moving: int = 0


class Run(Record, frozen=True):
    """A comparison of an account with Stripe."""

    id: int
    account_id: int
    account_slug: str
    livemode: bool
    types: tuple[str, ...]
    customers: tuple[str, ...] | None
    """None where all of the account is compared."""
    whole: bool
    """Whether customers' states are compared too: not where it was asked for some types alone."""
    repair: bool
    status: Status
    phase: Phase
    counts: Counts
    troubles: tuple[Trouble, ...]
    started_at: datetime
    ended_at: datetime | None
    started_by: str
    seconds: float
    left: int
    """Differences within its reach that are open at this moment."""


class Drift(Record, frozen=True):
    """How many differences are open in an account, by kind; zeros are left out."""

    account_slug: str
    kinds: dict[str, int]
    compared_at: datetime | None
    """When the newest complete run over all of the account ended; None where there never was one."""


class Counted(Record, frozen=True):
    """How many differences of a kind and type are open."""

    kind: Kind
    type: str
    number: int
