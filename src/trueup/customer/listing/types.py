"""What a list of customers is asked by."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trueup.customer.types import Stage
from trueup.kernel.records import Record


class Filters(Record, frozen=True, kw_only=True):
    """What the customers of a list have in common; whatever is left out does not narrow it."""

    q: str = ""
    """A name, an email address, an id of Stripe's or of your own: each word begins one of the customer's.

    Or all of an invoice's number, in any case.
    """
    stage: Stage | None = None
    account_id: int | None = None
    product_id: str = ""
    """Stripe's id of a product that one of its plans is of."""
    billing_status: str = ""
    """Stripe's word for the subscription that decides the stage."""
    owner: int | None = None
    """The number of the person who looks after it."""
    unowned: bool = False
    """Whether nobody may look after it."""
    trial_ends_before: datetime | None = None
    """It is on trial, and the trial ends before this moment."""
    mrr_from: Decimal | None = None
    """The least monthly revenue in major units, in whatever currency is its largest."""
    mrr_to: Decimal | None = None
    differing: bool = False
    """Whether a comparison found that it, or an object of its own, is not as at Stripe."""

    @property
    def plain(self) -> bool:
        """Whether only words, stage and account narrow it: these are always counted to the end."""
        return self == Filters(q=self.q, stage=self.stage, account_id=self.account_id)


class Product(Record, frozen=True):
    """Something that can be bought: Stripe's id and what to call it."""

    id: str
    name: str
