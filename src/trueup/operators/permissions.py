"""Who may do what, in one table. Deny by default: what is not granted here nobody may do.

Pure. ``service.require`` asks it for whoever acts; the console's guard and the API ask it before anything is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from trueup.operators.types import Role, Scope


class Permission(StrEnum):
    """One thing that somebody may be allowed: an area and what is done there."""

    CUSTOMERS_READ = "customers.read"
    """Customers, their states and timelines, and why each value is what it is."""
    CUSTOMERS_CHANGE = "customers.change"
    """Links, merges, splits, notes, owners, and what else is said of a customer here."""
    CUSTOMERS_EXPORT = "customers.export"
    """Lists of customers as files."""
    PERSONAL_CONTACT = "personal.contact"
    """Names, addresses and telephone numbers."""
    PERSONAL_PAYLOAD = "personal.payload"
    """Raw objects and bodies of events, which hold whatever Stripe was told of somebody."""
    PERSONAL_FREE_TEXT = "personal.free_text"
    """What people wrote: notes and reasons."""
    MONEY_READ = "money.read"
    """Payments, invoices, refunds, disputes, renewals."""
    MONEY_CHANGE = "money.change"
    """Asking for what moves money."""
    MONEY_APPROVE = "money.approve"
    """Letting somebody else's request that moves money happen."""
    EVENTS_READ = "events.read"
    """The log of events, what was set aside and what is in the quarantine, without bodies."""
    EVENTS_REPLAY = "events.replay"
    """Reading events again, and giving up what was set aside."""
    TRUTH_READ = "truth.read"
    """Differences, backfills, sweeps, alarms and limits."""
    TRUTH_REPAIR = "truth.repair"
    """Comparing, repairing, reading everything anew, clearing alarms."""
    AUDIT_READ = "audit.read"
    """Entries, checkpoints and proofs, without personal values."""
    AUDIT_OPEN = "audit.open"
    """Personal values of entries; opening one is recorded."""
    AUDIT_EXPORT = "audit.export"
    """Exports of the audit log."""
    ACCESS_LOG_READ = "access_log.read"
    """Who looked at which customer."""
    PRIVACY_CHANGE = "privacy.change"
    """Asking for an erasure or a hold."""
    PRIVACY_APPROVE = "privacy.approve"
    """Letting somebody else's request for these happen."""
    ACCOUNTS_READ = "accounts.read"
    """Stripe accounts, their access and endpoints, without secrets."""
    ACCOUNTS_CHANGE = "accounts.change"
    """Connecting accounts, keys and webhook secrets."""
    SETTINGS_READ = "settings.read"
    SETTINGS_CHANGE = "settings.change"
    """Branding, language, notification rules, saved views of a team."""
    PEOPLE_READ = "people.read"
    PEOPLE_MANAGE = "people.manage"
    """Inviting people, their roles, their sessions."""
    PEOPLE_APPROVE = "people.approve"
    """Letting somebody else's request to make an owner or an admin happen."""
    SSO_MANAGE = "sso.manage"
    """Which providers sign people in: whoever has it can become anybody of their domains, so that only owners do."""
    TOKENS_MANAGE = "tokens.manage"
    """API tokens."""
    IMPERSONATE = "people.impersonate"
    """Seeing the console as another role, for a while and with a reason."""
    GALLERY_READ = "gallery.read"
    """The page that shows every component in every state."""


_P = Permission
_LOOK: Final = frozenset({_P.CUSTOMERS_READ, _P.PERSONAL_CONTACT, _P.MONEY_READ, _P.TRUTH_READ, _P.EVENTS_READ})
_ADMIN: Final = frozenset(Permission) - {
    *(_P.MONEY_APPROVE, _P.PRIVACY_APPROVE, _P.PEOPLE_APPROVE, _P.SSO_MANAGE, _P.GALLERY_READ),
}

TABLE: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: _ADMIN,
    Role.SALES: _LOOK | {_P.CUSTOMERS_CHANGE, _P.CUSTOMERS_EXPORT, _P.PERSONAL_FREE_TEXT},
    Role.SUPPORT: _LOOK | {_P.CUSTOMERS_CHANGE, _P.PERSONAL_FREE_TEXT, _P.TRUTH_REPAIR, _P.MONEY_CHANGE},
    Role.FINANCE: _LOOK
    | {_P.CUSTOMERS_EXPORT, _P.PERSONAL_FREE_TEXT, _P.MONEY_CHANGE, _P.MONEY_APPROVE, _P.TRUTH_REPAIR},
    Role.COMPLIANCE: _LOOK
    | {
        *(_P.PERSONAL_PAYLOAD, _P.PERSONAL_FREE_TEXT, _P.CUSTOMERS_EXPORT, _P.PRIVACY_CHANGE, _P.PRIVACY_APPROVE),
        *(_P.AUDIT_READ, _P.AUDIT_OPEN, _P.AUDIT_EXPORT, _P.ACCESS_LOG_READ, _P.PEOPLE_READ, _P.SETTINGS_READ),
    },
    Role.OPS: _LOOK
    | {
        *(_P.PERSONAL_PAYLOAD, _P.EVENTS_REPLAY, _P.TRUTH_REPAIR, _P.ACCOUNTS_READ, _P.ACCOUNTS_CHANGE),
        *(_P.AUDIT_READ, _P.SETTINGS_READ, _P.TOKENS_MANAGE),
    },
    Role.AUDITOR: frozenset(
        {
            *(_P.CUSTOMERS_READ, _P.MONEY_READ, _P.TRUTH_READ, _P.EVENTS_READ, _P.ACCOUNTS_READ),
            *(_P.AUDIT_READ, _P.AUDIT_EXPORT, _P.ACCESS_LOG_READ, _P.PEOPLE_READ, _P.SETTINGS_READ),
        }
    ),
    Role.DEVELOPER: frozenset(
        {
            *(_P.CUSTOMERS_READ, _P.EVENTS_READ, _P.TRUTH_READ, _P.PERSONAL_CONTACT, _P.PERSONAL_PAYLOAD),
            *(_P.ACCOUNTS_READ, _P.EVENTS_REPLAY, _P.TOKENS_MANAGE, _P.SETTINGS_READ, _P.GALLERY_READ),
        }
    ),
}
"""Read as: whoever has the role may do what stands beside it. Several roles add up."""

READING: Final = frozenset(
    {
        *(_P.CUSTOMERS_READ, _P.PERSONAL_CONTACT, _P.PERSONAL_PAYLOAD, _P.PERSONAL_FREE_TEXT, _P.MONEY_READ),
        *(_P.EVENTS_READ, _P.TRUTH_READ, _P.ACCOUNTS_READ, _P.SETTINGS_READ),
    }
)
SCOPES: Final[Mapping[Scope, frozenset[Permission]]] = {
    Scope.READ: READING,
    Scope.WRITE: READING | {_P.CUSTOMERS_CHANGE, _P.EVENTS_REPLAY, _P.TRUTH_REPAIR},
    Scope.AUDIT: frozenset({_P.AUDIT_READ, _P.AUDIT_EXPORT}),
    Scope.PEOPLE: frozenset({_P.PEOPLE_READ, _P.PEOPLE_MANAGE}),
    Scope.TOKENS: frozenset({_P.TOKENS_MANAGE}),
}
"""What a token with a scope may do."""

CHANGING: Final = frozenset(
    one
    for one in Permission
    if one.value.rpartition(".")[2] in {"change", "replay", "repair", "approve", "manage", "impersonate", "open"}
)
"""Permissions with which something can be changed, or a secret told: whoever has one signs in with two factors."""


def granted(roles: Iterable[Role]) -> frozenset[Permission]:
    """What somebody with all these roles may do."""
    return frozenset().union(*(TABLE[role] for role in roles))


def of_scopes(scopes: Iterable[Scope]) -> frozenset[Permission]:
    """What a token with all these scopes may do."""
    return frozenset().union(*(SCOPES[scope] for scope in scopes))


def seen_as(role: Role, own: frozenset[Permission]) -> frozenset[Permission]:
    """What somebody who may ``own`` may do while they see the console as a role: read what both may, change nothing."""
    return (TABLE[role] & own) - CHANGING if Permission.IMPERSONATE in own else frozenset()


def shown_as(role: Role, own: frozenset[Permission]) -> frozenset[Permission]:
    """What a page offers somebody who sees it as a role: the role's buttons too, though none of them does anything."""
    return seen_as(role, own) | (TABLE[role] & CHANGING) if Permission.IMPERSONATE in own else frozenset()


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """The roles that have a permission, in the order of the table."""
    return tuple(role for role, its in TABLE.items() if permission in its)
