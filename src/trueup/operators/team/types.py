"""The public nouns of the team."""

from __future__ import annotations

from datetime import datetime

from trueup.kernel.actor import Actor
from trueup.kernel.records import Record
from trueup.operators.approvals.types import Approval
from trueup.operators.types import Person, Role


class Invitation(Record, frozen=True):
    """Somebody who was asked in; the link's secret is shown once, to whoever made it."""

    id: int
    email: str
    name: str
    roles: tuple[Role, ...]
    made_by: Actor
    created_at: datetime
    expires_at: datetime


class NewInvitation(Record, frozen=True):
    """An invitation just made or renewed; ``secret`` cannot be read again."""

    invitation: Invitation
    secret: str


class RolesChanged(Record, frozen=True):
    """What came of giving somebody roles: it was done, or it waits for another owner."""

    person: Person
    approval: Approval | None
