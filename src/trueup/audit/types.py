"""The public nouns of the audit log."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from trueup.kernel.records import Record


class Phase(StrEnum):
    """Which part of a change an entry tells."""

    DONE = "done"
    """The change itself, written in its transaction."""
    INTENT = "intent"
    """What is about to be done outside, where no transaction reaches."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """What came of an intent."""


class Action(StrEnum):
    """Everything that is ever recorded, as ``domain.noun.verb_past``; an action not listed here cannot be written."""

    ACCOUNT_CONNECTED = "accounts.account.connected"
    ACCOUNT_CHANGED = "accounts.account.changed"
    ACCOUNT_APPEARED = "accounts.account.appeared"
    WEBHOOK_SECRET_ADDED = "accounts.webhook_secret.added"  # noqa: S105 - the name of an action
    WEBHOOK_SECRET_RETIRED = "accounts.webhook_secret.retired"  # noqa: S105 - the name of an action
    OPERATOR_CREATED = "operators.operator.created"
    OPERATOR_ROLES_SET = "operators.operator.roles_set"
    OPERATOR_PASSWORD_SET = "operators.operator.password_set"  # noqa: S105 - the name of an action
    OPERATOR_SIGNED_IN = "operators.operator.signed_in"
    OPERATOR_SIGNED_OUT = "operators.operator.signed_out"
    OPERATOR_SIGN_IN_REFUSED = "operators.operator.sign_in_refused"
    SESSIONS_REVOKED = "operators.sessions.revoked"
    FACTOR_ADDED = "operators.factor.added"
    FACTOR_RENAMED = "operators.factor.renamed"
    FACTOR_REMOVED = "operators.factor.removed"
    FACTORS_RESET = "operators.factors.reset"
    RECOVERY_CODES_MADE = "operators.recovery_codes.made"
    RECOVERY_CODE_USED = "operators.recovery_code.used"
    SSO_CONNECTION_ADDED = "operators.sso_connection.added"
    SSO_CONNECTION_CHANGED = "operators.sso_connection.changed"
    SSO_CONNECTION_SWITCHED = "operators.sso_connection.switched"
    SSO_CONNECTION_REMOVED = "operators.sso_connection.removed"
    SSO_LINKED = "operators.sso.linked"
    SSO_UNLINKED = "operators.sso.unlinked"
    SSO_REFUSED = "operators.sso.refused"
    TOKEN_CREATED = "operators.token.created"  # noqa: S105 - the name of an action
    TOKEN_REVOKED = "operators.token.revoked"  # noqa: S105 - the name of an action
    TOKEN_ROTATED = "operators.token.rotated"  # noqa: S105 - the name of an action
    OPERATOR_DEACTIVATED = "operators.operator.deactivated"
    OPERATOR_ACTIVATED = "operators.operator.activated"
    OPERATOR_ACCESS_LIMITED = "operators.operator.access_limited"
    OPERATOR_PREFERENCES_SET = "operators.operator.preferences_set"
    INVITATION_MADE = "operators.invitation.made"
    INVITATION_RENEWED = "operators.invitation.renewed"
    INVITATION_WITHDRAWN = "operators.invitation.withdrawn"
    APPROVAL_ASKED = "operators.approval.asked"
    APPROVAL_GIVEN = "operators.approval.given"
    APPROVAL_REFUSED = "operators.approval.refused"
    APPROVAL_CANCELED = "operators.approval.canceled"
    APPROVAL_EXPIRED = "operators.approval.expired"
    VIEWING_STARTED = "operators.viewing.started"
    VIEWING_ENDED = "operators.viewing.ended"
    BRANDING_CHANGED = "operators.branding.changed"
    DEAD_LETTERS_RETRIED = "inbox.dead_letters.retried"
    DEAD_LETTERS_DISCARDED = "inbox.dead_letters.discarded"
    ALARM_ACKNOWLEDGED = "inbox.alarm.acknowledged"
    ALARM_RELEASED = "inbox.alarm.released"
    REPLAY_STARTED = "mirror.replay.started"
    REPLAY_ENDED = "mirror.replay.ended"
    REPLAY_CANCELED = "mirror.replay.canceled"
    CUSTOMERS_REFOLDED = "customer.customers.refolded"
    STATES_REBUILT = "customer.states.rebuilt"
    TABLES_REBUILT = "customer.tables.rebuilt"
    ORPHANS_REMOVED = "customer.orphans.removed"
    CUSTOMERS_MERGED = "customer.customers.merged"
    CUSTOMERS_SPLIT = "customer.customers.split"
    LINK_ADDED = "customer.link.added"
    LINK_REMOVED = "customer.link.removed"
    DUPLICATE_DISMISSED = "customer.duplicate.dismissed"
    DUPLICATE_RESTORED = "customer.duplicate.restored"
    CUSTOMER_OWNED = "customer.owner.set"
    NOTE_ADDED = "customer.note.added"
    NOTE_CHANGED = "customer.note.changed"
    NOTE_REMOVED = "customer.note.removed"
    VIEW_SAVED = "customer.view.saved"
    VIEW_REMOVED = "customer.view.removed"
    LIST_EXPORTED = "customer.list.exported"
    LIST_OWNED = "customer.list.owned"
    MONEY_EXPORTED = "customer.money.exported"
    NOTICE_RULE_SAVED = "notices.rule.saved"
    NOTICE_RULE_REMOVED = "notices.rule.removed"
    NOTICE_TESTED = "notices.rule.tested"
    NOTICE_RESENT = "notices.delivery.resent"
    BACKFILL_STARTED = "mirror.backfill.started"
    BACKFILL_CANCELLED = "mirror.backfill.cancelled"
    BACKFILL_RESUMED = "mirror.backfill.resumed"
    RECONCILE_STARTED = "mirror.reconcile.started"
    RECONCILE_CANCELLED = "mirror.reconcile.cancelled"
    RECONCILE_REPAIRED = "mirror.reconcile.repaired"
    BACKUP_MADE = "ops.backup.made"
    BACKUP_RESTORED = "ops.backup.restored"
    OLD_DATABASE_DROPPED = "ops.old_database.dropped"
    SUBJECT_ERASED = "audit.subject.erased"
    HOLD_PLACED = "audit.hold.placed"
    HOLD_RELEASED = "audit.hold.released"
    MONTHS_DROPPED = "audit.months.dropped"
    EXPORT_MADE = "audit.export.made"
    SIGNING_KEY_MADE = "audit.key.made"
    SIGNING_KEY_ROTATED = "audit.key.rotated"
    ROLLBACK_ACCEPTED = "audit.rollback.accepted"
    VALUES_OPENED = "audit.values.opened"


class AuditEntry(Record, frozen=True):
    """One recorded change, as it is read back.

    ``before`` and ``after`` hold the values that stand in the log as they are, and those that were opened for the
    reader. ``hidden`` names the places of the others, such as ``why`` or ``after.name``: personal values that the
    reader did not ask for, or that were erased.
    """

    id: int
    at: datetime
    livemode: bool
    actor_kind: str
    actor_id: str
    behind_kind: str
    """Who really acted, where the actor is a token or somebody seen by another; empty else."""
    behind_id: str
    action: str
    object_type: str
    object_id: str
    why: str
    origin: str
    """From where: a network address or a host; empty where it is not known."""
    before: Any
    after: Any
    facts: tuple[str, ...]
    """Ids of the events, or other facts, that caused it."""
    request_id: str
    intent: int | None
    """The entry that announced this outcome."""
    phase: Phase
    hidden: tuple[str, ...]
    body: bytes
    """The very bytes that the tree has the hash of."""
