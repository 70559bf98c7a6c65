"""What can be asked for: each domain registers its own kinds when its service is loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trueup.kernel.actor import Actor
from trueup.kernel.errors import NotFound
from trueup.kernel.records import Record
from trueup.operators.approvals.types import Approval
from trueup.operators.permissions import Permission


class Kind(Record, frozen=True):
    """One thing that takes two people."""

    name: str
    """``domain.noun``."""
    asking: Permission
    """Who may ask, and still may when it is allowed."""
    approving: Permission
    """Who may allow or refuse it."""
    perform: Callable[[Approval, Actor], object]
    """Does it, in the transaction in which it is allowed, for the one who allows; raising takes all of it back."""


_KINDS: Final[dict[str, Kind]] = {}


def register(kind: Kind) -> Kind:
    """Make a kind known to this process; its pages and commands load the service that does so."""
    _KINDS[kind.name] = kind
    return kind


def kind(name: str) -> Kind:
    """The kind of this name; ``NotFound`` for one that nothing registered."""
    found = _KINDS.get(name)
    if found is None:
        raise NotFound(f"There is nothing of the kind {name[:80]} to approve.", code="approval_kind_unknown")
    return found


def kinds() -> tuple[Kind, ...]:
    """All kinds of this process, by their names."""
    return tuple(_KINDS[name] for name in sorted(_KINDS))
