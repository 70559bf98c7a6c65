"""Who does something: the subject of every audit entry."""

from __future__ import annotations

from enum import StrEnum

from trueup.kernel.records import Record


class ActorKind(StrEnum):
    """What kind of subject acts."""

    OPERATOR = "operator"
    """A person signed in to the console."""
    TOKEN = "token"  # noqa: S105 - the name of a kind, not a secret
    """A program with an API token."""
    COMMAND_LINE = "command_line"
    """Somebody with a shell on the host; ``id`` is the operating system's user name."""
    SYSTEM = "system"
    """Trueup itself; ``id`` names the part, such as ``intake``."""
    ROLE = "role"
    """A role that somebody sees the console as; ``id`` is its name, and ``behind`` who looks. It changes nothing."""


class Actor(Record, frozen=True, omit_defaults=True):
    """The subject of a change. ``id`` is stable and holds no personal data beyond an operating system user name."""

    kind: ActorKind
    id: str
    behind: Actor | None = None
    """Who really acts, where this one is a token made by somebody or a person whom another impersonates."""


def system(part: str) -> Actor:
    """Trueup itself, acting through the named part."""
    return Actor(kind=ActorKind.SYSTEM, id=part)
