"""What roles, and the things that happened since yesterday, are called on a home."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy as _n
from django.utils.translation import pgettext_lazy

from trueup.kernel.records import Record
from trueup.operators.types import Role
from trueup.web.console.words import Label

ROLES: Final[dict[Role, Label]] = {
    Role.OWNER: pgettext_lazy("role", "Owner"),
    Role.ADMIN: _("Admin"),
    Role.SALES: _("Sales"),
    Role.SUPPORT: _("Support"),
    Role.FINANCE: _("Finance"),
    Role.COMPLIANCE: _("Compliance"),
    Role.OPS: _("Operations"),
    Role.AUDITOR: _("Auditor"),
    Role.DEVELOPER: _("Developer"),
}


class Happened(Record, frozen=True):
    """A kind of event that a home counts: how it looks, what it is called, and who cares."""

    type: str
    label: Any
    """Django's text that waits for a number, ``n``."""
    tone: str
    icon: str
    roles: frozenset[Role]

    def called(self, number: int) -> str:
        """What so many of it are called, without the number."""
        return str(self.label % {"n": number})


_BOSS: Final = (Role.OWNER, Role.ADMIN)
_SELL: Final = frozenset({*_BOSS, Role.SALES, Role.SUPPORT, Role.FINANCE})
_PAY: Final = frozenset({*_BOSS, Role.SUPPORT, Role.FINANCE})
_ALL: Final = frozenset(Role)

SINCE: Final = (
    Happened(
        type="invoice.payment_failed",
        label=_n("payment failed", "payments failed", "n"),
        tone="bad",
        icon="circle-alert",
        roles=_PAY,
    ),
    Happened(
        type="invoice.paid",
        label=_n("invoice paid", "invoices paid", "n"),
        tone="good",
        icon="check",
        roles=_PAY,
    ),
    Happened(
        type="charge.dispute.created",
        label=_n("dispute opened", "disputes opened", "n"),
        tone="bad",
        icon="shield-alert",
        roles=_PAY,
    ),
    Happened(
        type="charge.refunded",
        label=_n("charge refunded", "charges refunded", "n"),
        tone="warn",
        icon="rotate-ccw",
        roles=_PAY,
    ),
    Happened(
        type="customer.subscription.created",
        label=_n("subscription started", "subscriptions started", "n"),
        tone="good",
        icon="plus",
        roles=_SELL,
    ),
    Happened(
        type="customer.subscription.deleted",
        label=_n("subscription ended", "subscriptions ended", "n"),
        tone="warn",
        icon="minus",
        roles=_SELL,
    ),
    Happened(
        type="customer.subscription.trial_will_end",
        label=_n("trial about to end", "trials about to end", "n"),
        tone="info",
        icon="hourglass",
        roles=_SELL,
    ),
    Happened(
        type="customer.created",
        label=_n("new customer", "new customers", "n"),
        tone="info",
        icon="user-round-plus",
        roles=_ALL,
    ),
    Happened(
        type="customer.deleted",
        label=_n("customer deleted", "customers deleted", "n"),
        tone="",
        icon="trash-2",
        roles=_ALL,
    ),
    Happened(
        type="customer.updated",
        label=_n("customer changed", "customers changed", "n"),
        tone="",
        icon="pencil",
        roles=frozenset({Role.COMPLIANCE, Role.OPS, Role.AUDITOR, Role.DEVELOPER}),
    ),
)
"""In the order of the list; those that did not happen are left out."""
