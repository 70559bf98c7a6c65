"""What roles, permissions, scopes and standings are called on pages."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from trueup.kernel.records import Record
from trueup.operators.approvals.types import Standing
from trueup.operators.permissions import Permission
from trueup.operators.types import Role, Scope
from trueup.web.console.words import Label, Look

_P: Final = Permission


class Named(Record, frozen=True):
    """A name, and what it means in a sentence."""

    label: Label
    hint: Label


ROLES: Final[dict[Role, Named]] = {
    Role.OWNER: Named(label=pgettext_lazy("role", "Owner"), hint=_("Everything, and who else is owner or admin.")),
    Role.ADMIN: Named(label=_("Admin"), hint=_("Runs the installation and the team.")),
    Role.SALES: Named(label=_("Sales"), hint=_("Customers, their notes and owners, and lists of them as files.")),
    Role.SUPPORT: Named(label=_("Support"), hint=_("Helps customers, repairs what differs, asks for refunds.")),
    Role.FINANCE: Named(label=_("Finance"), hint=_("Money, lists of it, and what others ask to move.")),
    Role.COMPLIANCE: Named(label=_("Compliance"), hint=_("Privacy, the audit log and who looked at what.")),
    Role.OPS: Named(label=_("Operations"), hint=_("Events, accounts and whether everything is true.")),
    Role.AUDITOR: Named(label=_("Auditor"), hint=_("Reads for a while, and changes nothing.")),
    Role.DEVELOPER: Named(label=_("Developer"), hint=_("Events, raw objects and API tokens.")),
}

SCOPES: Final[dict[Scope, Named]] = {
    Scope.READ: Named(label=_("Read"), hint=_("Customers, objects, events and how everything stands.")),
    Scope.WRITE: Named(label=_("Write"), hint=_("Links and merges, replays, comparisons and repairs; reads as well.")),
    Scope.AUDIT: Named(label=_("Audit"), hint=_("The audit log and its proofs, and nothing else.")),
    Scope.PEOPLE: Named(label=_("People"), hint=_("The team, its roles and invitations, and nothing else.")),
    Scope.TOKENS: Named(label=_("Tokens"), hint=_("API tokens that may do no more than it may, and nothing else.")),
}

AREAS: Final[tuple[tuple[Label, tuple[tuple[Permission, Label], ...]], ...]] = (
    (
        _("Customers"),
        (
            (_P.CUSTOMERS_READ, _("See customers and why they are as they are")),
            (_P.CUSTOMERS_CHANGE, _("Link, merge and split customers; notes and owners")),
            (_P.CUSTOMERS_EXPORT, _("Take lists of customers away as files")),
        ),
    ),
    (
        _("Personal data"),
        (
            (_P.PERSONAL_CONTACT, _("See names, addresses and telephone numbers")),
            (_P.PERSONAL_PAYLOAD, _("See raw objects and bodies of events")),
            (_P.PERSONAL_FREE_TEXT, _("See what people wrote")),
        ),
    ),
    (
        _("Money"),
        (
            (_P.MONEY_READ, _("See payments, invoices, refunds and disputes")),
            (_P.MONEY_CHANGE, _("Ask for what moves money")),
            (_P.MONEY_APPROVE, _("Allow what others asked for")),
        ),
    ),
    (
        _("Stripe"),
        (
            (_P.EVENTS_READ, _("See the log of events")),
            (_P.EVENTS_REPLAY, _("Read events again, and give up what cannot be read")),
            (_P.TRUTH_READ, _("See what differs from Stripe and what stands wrong")),
            (_P.TRUTH_REPAIR, _("Compare, repair and read everything anew")),
            (_P.ACCOUNTS_READ, _("See Stripe accounts and their endpoints")),
            (_P.ACCOUNTS_CHANGE, _("Connect accounts, change keys and webhook secrets")),
        ),
    ),
    (
        _("Audit and privacy"),
        (
            (_P.AUDIT_READ, _("See the audit log and its proofs")),
            (_P.AUDIT_OPEN, _("Open personal values of its entries")),
            (_P.AUDIT_EXPORT, _("Export the audit log")),
            (_P.ACCESS_LOG_READ, _("See who looked at which customer")),
            (_P.PRIVACY_CHANGE, _("Ask for an erasure or a hold")),
            (_P.PRIVACY_APPROVE, _("Allow an erasure or a hold that others asked for")),
        ),
    ),
    (
        _("Running Trueup"),
        (
            (_P.PEOPLE_READ, _("See the team")),
            (_P.PEOPLE_MANAGE, _("Invite people, give roles, shut people out")),
            (_P.PEOPLE_APPROVE, _("Allow that somebody is made owner or admin")),
            (_P.SSO_MANAGE, _("Set up single sign-on")),
            (_P.IMPERSONATE, _("See the console as another role")),
            (_P.TOKENS_MANAGE, _("Make, rotate and revoke API tokens")),
            (_P.SETTINGS_READ, _("See branding and configuration")),
            (_P.SETTINGS_CHANGE, _("Change branding and notification rules")),
            (_P.GALLERY_READ, _("See every component in every state")),
        ),
    ),
)
"""Every permission in words, by what it is about."""

PERMISSIONS: Final[dict[Permission, Label]] = {one: label for _area, each in AREAS for one, label in each}
"""What a permission is called."""

STANDINGS: Final[dict[Standing, Look]] = {
    Standing.WAITING: Look(label=_("Waiting"), tone="info", icon="hourglass"),
    Standing.APPROVED: Look(label=_("Approved"), tone="good", icon="circle-check"),
    Standing.REJECTED: Look(label=_("Refused"), tone="bad", icon="circle-x"),
    Standing.CANCELED: Look(label=_("Taken back"), tone="", icon="circle-slash"),
    Standing.EXPIRED: Look(label=_("Expired"), tone="", icon="clock-alert"),
}

KINDS: Final[dict[str, Label]] = {
    "operators.roles": _("Change of roles"),
    "operators.sso": _("Single sign-on switched on"),
}
"""What kinds of requests are called; one without a word of ours by its own name."""
