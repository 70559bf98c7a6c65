"""One customer as the generator keeps it between two happenings."""

from __future__ import annotations

from dataclasses import dataclass, field

from trueup.kernel.records import Record
from trueup.ops.demo.companies import Company
from trueup.ops.demo.engine import Json


class Trouble(Record, frozen=True):
    """What payments meet from the paid period number ``from_cycle`` on.

    Retry number ``recovers`` succeeds; ``None`` for never, which ends in involuntary churn.
    """

    decline: str
    from_cycle: int
    recovers: int | None


@dataclass(slots=True, kw_only=True)
class Life:
    """One customer as Stripe knows it now. An empty object means that there is none."""

    company: Company
    customer: Json
    card: Json = field(default_factory=dict)
    subscription: Json = field(default_factory=dict)
    discount: Json = field(default_factory=dict)
    invoice: Json = field(default_factory=dict)
    """The invoice that is being collected."""
    payment: Json = field(default_factory=dict)
    """The payment of ``invoice``."""
    charge: Json = field(default_factory=dict)
    """The latest charge that was paid."""
    cycle: int = 0
    """How many paid periods have begun since the billing anchor."""
    numbered: int = 0
    failed_at: int = 0
    trouble: Trouble | None = None
    deleted: bool = False

    @property
    def status(self) -> str:
        """The status of the subscription; empty for a lead and for a deleted customer."""
        return "" if self.deleted else str(self.subscription.get("status", ""))

    @property
    def item(self) -> Json:
        """The one item of the subscription."""
        item: Json = self.subscription["items"]["data"][0]
        return item

    @property
    def is_calm(self) -> bool:
        """Active, and nothing is being collected, paused or canceled."""
        busy = (
            self.invoice or self.subscription.get("pause_collection") or self.subscription.get("cancel_at_period_end")
        )
        return self.status == "active" and not busy
