"""What every action means, and which of its values stand in the log as they are.

Whatever is not named ``plain`` here is kept as a salted digest in the log and can be erased. Plain are ids, codes,
counts, moments and settings; never what tells of a person or was written by one. ``docs/audit-actions.md`` is made of
this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trueup.audit.types import Action
from trueup.kernel.records import Record


class Described(Record, frozen=True):
    """An action: what happened, in a sentence, and which fields of before and after stand as they are."""

    meaning: str
    plain: frozenset[str] = frozenset()


def _(meaning: str, *plain: str) -> Described:
    return Described(meaning=meaning, plain=frozenset(plain))


_ACCOUNT: Final = ("slug", "livemode", "access", "stripe_account_id", "api_base", "has_api_key")
_APPROVAL: Final = ("kind", "object", "asked_by")
_SSO: Final = (
    *("kind", "issuer", "client_id", "client_secret_replaced", "metadata_url", "sign_in_url", "certificates"),
    *("domains", "makes_people", "groups_claim", "groups", "without_group", "is_required", "provider_factor"),
    *("factor_words", "is_on", "revision"),
)
_BACKUP: Final = (
    *("taken_at", "events", "bytes", "seconds", "made_by"),
    *("subjects_erased", "values_erased", "keys_returned", "keys_missing"),
)
_ALARM: Final = ("code", "source", "account_id")
_NOTICE_RULE: Final = (*("operator_id", "kinds", "channel", "pace", "hour", "zone", "account_id", "at_least", "quiet"),)
_RECONCILE: Final = ("account_id", "types", "customers", "repair", "found", "repaired")

CATALOGUE: Final[Mapping[Action, Described]] = {
    Action.ACCOUNT_CONNECTED: _("A Stripe account was connected.", *_ACCOUNT),
    Action.ACCOUNT_CHANGED: _(
        "What is known of a Stripe account, its key or what Trueup may do there, was changed.",
        *_ACCOUNT,
        "api_key_replaced",
    ),
    Action.ACCOUNT_APPEARED: _(
        "An event told of a connected account for the first time.", "slug", "livemode", "stripe_account_id", "parent_id"
    ),
    Action.WEBHOOK_SECRET_ADDED: _("Another signing secret is accepted from an endpoint.", "account_id"),
    Action.WEBHOOK_SECRET_RETIRED: _("A signing secret is accepted no more.", "account_id"),
    Action.OPERATOR_CREATED: _("A person may sign in.", "is_active", "roles", "invitation", "invited_by", "connection"),
    Action.OPERATOR_ROLES_SET: _("What a person may do was changed.", "roles", "approval", "connection"),
    Action.OPERATOR_PASSWORD_SET: _("A person's password was set."),
    Action.OPERATOR_SIGNED_IN: _("A person signed in.", "method", "factor", "connection"),
    Action.OPERATOR_SIGNED_OUT: _("A person signed out."),
    Action.OPERATOR_SIGN_IN_REFUSED: _("Somebody tried to sign in and was refused."),
    Action.SESSIONS_REVOKED: _("Sessions of a person were ended from elsewhere.", "sessions"),
    Action.FACTOR_ADDED: _("A person added a second factor to sign in with.", "kind"),
    Action.FACTOR_RENAMED: _("A person called a second factor something else.", "kind"),
    Action.FACTOR_REMOVED: _("A person removed a second factor.", "kind"),
    Action.FACTORS_RESET: _("A person's second factors were forgotten, so that they set up another.", "factors"),
    Action.SSO_CONNECTION_ADDED: _("A provider of single sign-on was added, switched off.", *_SSO),
    Action.SSO_CONNECTION_CHANGED: _("What is known of a provider of single sign-on was changed.", *_SSO),
    Action.SSO_CONNECTION_SWITCHED: _(
        "A provider of single sign-on was switched on or off.", "is_on", "revision", "approval"
    ),
    Action.SSO_CONNECTION_REMOVED: _("A provider of single sign-on was removed.", *_SSO),
    Action.SSO_LINKED: _("A person signed in with a provider for the first time.", "connection"),
    Action.SSO_UNLINKED: _("What providers call a person was forgotten.", "connections"),
    Action.SSO_REFUSED: _("A provider's answer let nobody in.", "reason", "purpose", "operator"),
    Action.RECOVERY_CODES_MADE: _("A person made new recovery codes; the ones before ended.", "codes"),
    Action.RECOVERY_CODE_USED: _("A recovery code was used in the place of a second factor.", "left"),
    Action.TOKEN_CREATED: _("A program may use the API.", "scopes", "expires_at"),
    Action.TOKEN_REVOKED: _("A token ended."),
    Action.TOKEN_ROTATED: _(
        "A token has a new secret; the one before is good for a while.", "expires_at", "former_until"
    ),
    Action.OPERATOR_DEACTIVATED: _(
        "A person may sign in no more; their sessions and tokens ended.", "is_active", "tokens"
    ),
    Action.OPERATOR_ACTIVATED: _("A person may sign in again.", "is_active"),
    Action.OPERATOR_ACCESS_LIMITED: _(
        "From when until when a person may do anything was changed.", "access_from", "access_until"
    ),
    Action.OPERATOR_PREFERENCES_SET: _("A person chose their language and time zone.", "language", "zone"),
    Action.INVITATION_MADE: _("Somebody was asked in, with a link.", "roles", "expires_at"),
    Action.INVITATION_RENEWED: _("An invitation has a new link; the one before ended.", "expires_at"),
    Action.INVITATION_WITHDRAWN: _("An invitation was taken back."),
    Action.APPROVAL_ASKED: _(
        "A person asked for something that another has to allow.", *_APPROVAL, "change", "expires_at"
    ),
    Action.APPROVAL_GIVEN: _("A person allowed what another had asked for, and it was done.", *_APPROVAL),
    Action.APPROVAL_REFUSED: _("A person refused what another had asked for.", *_APPROVAL),
    Action.APPROVAL_CANCELED: _("A person took back what they had asked for.", *_APPROVAL),
    Action.APPROVAL_EXPIRED: _("Nobody answered in time what a person had asked for.", *_APPROVAL),
    Action.VIEWING_STARTED: _(
        "A person sees the console as another role, and changes nothing meanwhile.", "role", "expires_at"
    ),
    Action.VIEWING_ENDED: _("A person sees the console as themselves again.", "role"),
    Action.BRANDING_CHANGED: _("The accent or the logo of the console was changed.", "accent", "logo_digest"),
    Action.DEAD_LETTERS_RETRIED: _("Rows that were set aside are tried again.", "rows"),
    Action.DEAD_LETTERS_DISCARDED: _("Rows that were set aside were given up.", "rows", "examples"),
    Action.ALARM_ACKNOWLEDGED: _("Somebody is on an alarm.", *_ALARM),
    Action.ALARM_RELEASED: _("Nobody is on an alarm any more.", *_ALARM, "acknowledged_by"),
    Action.REPLAY_STARTED: _("Stored events are read again.", "events", "rate"),
    Action.REPLAY_ENDED: _("A replay came to its end.", "events", "failed", "gone", "changed"),
    Action.REPLAY_CANCELED: _("A replay was stopped.", "events", "left"),
    Action.CUSTOMERS_REFOLDED: _("States of customers were derived again.", "customers"),
    Action.STATES_REBUILT: _("All states were derived again from the log.", "events"),
    Action.TABLES_REBUILT: _(
        "Tables were built anew from the log and exchanged.", "schema", "tables", "rows", "changed"
    ),
    Action.ORPHANS_REMOVED: _("Rows that nothing in the log supports were removed.", "rows"),
    Action.CUSTOMERS_MERGED: _("Stripe customers became one customer.", "stripe_customer_ids"),
    Action.CUSTOMERS_SPLIT: _("Stripe customers that were one stand for themselves again.", "stripe_customer_ids"),
    Action.LINK_ADDED: _("A customer was linked by hand to an id of another system.", "kind", "system", "person_id"),
    Action.LINK_REMOVED: _("A link that was made by hand was taken back.", "kind", "system", "person_id"),
    Action.DUPLICATE_DISMISSED: _("Two customers were said not to be the same.", "other_id"),
    Action.DUPLICATE_RESTORED: _("Two customers are suggested as the same again.", "other_id"),
    Action.CUSTOMER_OWNED: _("Somebody was made to look after a customer, or nobody any more.", "operator_id"),
    Action.NOTE_ADDED: _("A note about a customer was written.", "note_id"),
    Action.NOTE_CHANGED: _("A note about a customer was written anew.", "note_id"),
    Action.NOTE_REMOVED: _("A note about a customer was removed.", "note_id"),
    Action.VIEW_SAVED: _("A list of customers was kept under a name.", "view_id", "shared", "parameters"),
    Action.VIEW_REMOVED: _("A list of customers is no longer kept under its name.", "view_id", "shared", "parameters"),
    Action.LIST_EXPORTED: _("Customers were taken away as a file.", "customers"),
    Action.LIST_OWNED: _("Who looks after all customers of a list was changed.", "customers", "operator_id"),
    Action.MONEY_EXPORTED: _("Payments, invoices, refunds or disputes were taken away as a file.", "rows"),
    Action.NOTICE_RULE_SAVED: _("A rule says who is told of what happens to customers, and where.", *_NOTICE_RULE),
    Action.NOTICE_RULE_REMOVED: _("A rule by which somebody was told ended.", *_NOTICE_RULE),
    Action.NOTICE_TESTED: _("An invented message was sent to where a rule leads.", "channel"),
    Action.NOTICE_RESENT: _("A message that could not be delivered is sent again.", "rule_id"),
    Action.BACKFILL_STARTED: _("All objects of an account are read.", "account_id", "types", "since"),
    Action.BACKFILL_CANCELLED: _("A backfill was stopped.", "account_id"),
    Action.BACKFILL_RESUMED: _("A backfill went on where it had stopped.", "account_id"),
    Action.RECONCILE_STARTED: _("An account is compared with Stripe.", *_RECONCILE),
    Action.RECONCILE_CANCELLED: _("A comparison was stopped.", *_RECONCILE),
    Action.RECONCILE_REPAIRED: _("What differed from Stripe was repaired.", *_RECONCILE),
    Action.BACKUP_MADE: _("A backup of the database was written.", *_BACKUP),
    Action.BACKUP_RESTORED: _("The database was replaced by a backup.", *_BACKUP),
    Action.OLD_DATABASE_DROPPED: _("The database that a restore had kept was dropped."),
    Action.SUBJECT_ERASED: _("Personal values that speak of somebody were erased from the log.", "values"),
    Action.HOLD_PLACED: _("A legal hold forbids erasing and dropping.", "subject"),
    Action.HOLD_RELEASED: _("A legal hold ended.", "subject"),
    Action.MONTHS_DROPPED: _(
        "Entries older than the log is kept were dropped; their hashes stay.", "minimum", "months", "entries"
    ),
    Action.EXPORT_MADE: _(
        "The log was exported, with the personal values that were chosen.", "size", "minimum", "values", "chosen"
    ),
    Action.SIGNING_KEY_MADE: _("The first key that signs the log was made.", "key"),
    Action.SIGNING_KEY_ROTATED: _("The log is signed with a new key.", "key"),
    Action.ROLLBACK_ACCEPTED: _(
        "The log went on from a state that is older than what was signed before, such as a backup's.", "size", "root"
    ),
    Action.VALUES_OPENED: _("Somebody looked at personal values of entries.", "entries", "filters"),
}
