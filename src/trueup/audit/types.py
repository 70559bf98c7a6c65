"""The public nouns of the audit log."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from trueup.kernel.records import Record


class Action(StrEnum):
    """Everything that is ever recorded, as ``domain.noun.verb_past``; an action not listed here cannot be written."""

    ACCOUNT_CONNECTED = "accounts.account.connected"
    ACCOUNT_CHANGED = "accounts.account.changed"
    ACCOUNT_APPEARED = "accounts.account.appeared"
    WEBHOOK_SECRET_ADDED = "accounts.webhook_secret.added"  # noqa: S105 - the name of an action
    WEBHOOK_SECRET_RETIRED = "accounts.webhook_secret.retired"  # noqa: S105 - the name of an action
    OPERATOR_CREATED = "operators.operator.created"
    OPERATOR_PASSWORD_SET = "operators.operator.password_set"  # noqa: S105 - the name of an action
    OPERATOR_SIGNED_IN = "operators.operator.signed_in"
    OPERATOR_SIGNED_OUT = "operators.operator.signed_out"
    OPERATOR_SIGN_IN_REFUSED = "operators.operator.sign_in_refused"
    TOKEN_CREATED = "operators.token.created"  # noqa: S105 - the name of an action
    TOKEN_REVOKED = "operators.token.revoked"  # noqa: S105 - the name of an action
    DEAD_LETTERS_RETRIED = "inbox.dead_letters.retried"
    DEAD_LETTERS_DISCARDED = "inbox.dead_letters.discarded"
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
    BACKFILL_STARTED = "mirror.backfill.started"
    BACKFILL_CANCELLED = "mirror.backfill.cancelled"
    BACKFILL_RESUMED = "mirror.backfill.resumed"
    RECONCILE_STARTED = "mirror.reconcile.started"
    RECONCILE_CANCELLED = "mirror.reconcile.cancelled"
    RECONCILE_REPAIRED = "mirror.reconcile.repaired"
    BACKUP_MADE = "ops.backup.made"
    BACKUP_RESTORED = "ops.backup.restored"
    OLD_DATABASE_DROPPED = "ops.old_database.dropped"


class AuditEntry(Record, frozen=True):
    """One recorded change, as it is read back."""

    id: int
    at: datetime
    actor_kind: str
    actor_id: str
    action: str
    object_type: str
    object_id: str
    why: str
    before: Any
    after: Any
    request_id: str
