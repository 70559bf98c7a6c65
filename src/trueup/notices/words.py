"""What notices call things, for messages and for whoever makes rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from trueup.kernel.records import Record
from trueup.notices.types import Channel, Kind, Pace, Status

Label = str | Promise


class Said(Record, frozen=True):
    """How a kind of change is called: as a choice, in a message, and how it should feel (good, warn, bad or plain)."""

    choice: Label
    told: Label
    tone: str


KINDS: Final[Mapping[Kind, Said]] = {
    Kind.PAST_DUE: Said(choice=_("goes past due"), told=_("Past due"), tone="bad"),
    Kind.UNPAID: Said(choice=_("is left unpaid"), told=_("Unpaid"), tone="bad"),
    Kind.CANCELED: Said(choice=_("is canceled"), told=_("Canceled"), tone="bad"),
    Kind.CANCEL_SCHEDULED: Said(choice=_("is set to end"), told=_("Set to end"), tone="warn"),
    Kind.CANCEL_WITHDRAWN: Said(choice=_("is kept after all"), told=_("Kept after all"), tone="good"),
    Kind.RECOVERED: Said(choice=_("is active again"), told=_("Active again"), tone="good"),
    Kind.STARTED: Said(choice=_("becomes active"), told=_("Active"), tone="good"),
    Kind.TRIALING: Said(choice=_("begins a trial"), told=_("Trial began"), tone="good"),
    Kind.TRIAL_ENDING: Said(choice=_("has a trial that ends in three days"), told=_("Trial ends soon"), tone="warn"),
    Kind.PAUSED: Said(choice=_("is paused"), told=_("Paused"), tone="warn"),
    Kind.PAYMENT_FAILED: Said(choice=_("has a payment that failed"), told=_("Payment failed"), tone="bad"),
    Kind.STAGE: Said(choice=_("changes its stage"), told=_("Another stage"), tone=""),
}
"""In the order in which they are offered."""
STATES: Final[Mapping[str, Label]] = {
    "active": _("Active"),
    "trialing": _("Trial"),
    "past_due": _("Past due"),
    "canceled": _("Canceled"),
    "unpaid": _("Unpaid"),
    "incomplete": _("Incomplete"),
    "incomplete_expired": _("Never paid"),
    "paused": _("Paused"),
    "lead": _("Lead"),
    "churned": _("Churned"),
    "deleted": _("Deleted"),
}
"""Statuses of subscriptions and stages of customers."""
CHANNELS: Final[Mapping[Channel, Label]] = {
    Channel.EMAIL: _("Email"),
    Channel.SLACK: _("Slack"),
    Channel.WEBHOOK: _("Webhook"),
}
PACES: Final[Mapping[Pace, Label]] = {
    Pace.IMMEDIATE: _("At once"),
    Pace.HOURLY: _("Once an hour"),
    Pace.DAILY: _("Once a day"),
}
STATUSES: Final[Mapping[Status, Label]] = {
    Status.WAITING: _("Waiting"),
    Status.SENT: _("Sent"),
    Status.FAILED: _("Could not be delivered"),
    Status.DROPPED: _("Not sent"),
}


def state(word: str) -> str:
    """A status or stage in words; one we do not know as it is."""
    return str(STATES.get(word, word))
