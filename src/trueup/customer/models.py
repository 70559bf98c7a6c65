"""The table of customers: one state each, with the columns that lists filter and sort by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now
from typing_extensions import override


class Customer(models.Model):
    """One customer as folded. Everything here can be dropped and folded again from the mirror.

    ``state`` is text as ``customer.stored`` writes it.
    """

    PERSONAL: ClassVar[Mapping[str, str]] = {
        "name": "name",
        "sort_name": "name",
        "email": "email",
        "state": "payload",
    }

    id = models.TextField(primary_key=True)
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    stripe_customer_id = models.TextField()
    name = models.TextField(null=True)
    email = models.TextField(null=True)
    sort_name = models.TextField()
    stage = models.TextField()
    mrr_sort = models.DecimalField(max_digits=24, decimal_places=8)
    last_event_at = models.DateTimeField()
    fold_version = models.SmallIntegerField()
    folded_at = models.DateTimeField(db_default=Now())
    state = models.TextField()

    class Meta:
        """Unique a Stripe customer; every sort of the list has its index."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account_id", "livemode", "stripe_customer_id"], name="customer_customer_stripe"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["sort_name", "id"], name="customer_customer_name"),
            models.Index(fields=["mrr_sort", "id"], name="customer_customer_mrr"),
            models.Index(fields=["last_event_at", "id"], name="customer_customer_last"),
            models.Index(fields=["stripe_customer_id"], name="customer_customer_cus"),
        ]

    @override
    def __str__(self) -> str:
        """Our id."""
        return self.id


class Lookup(models.Model):
    """The words and products a customer is found by.

    They stand apart from the state, because they seldom change: an index of words is dear to write, and a state is
    written with every event. ``digest`` tells whether they did.
    """

    PERSONAL: ClassVar[Mapping[str, str]] = {"search": "payload"}

    customer_id = models.TextField(primary_key=True)
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    stripe_customer_id = models.TextField()
    digest = models.BigIntegerField()
    product_ids = ArrayField(models.TextField(), default=list)
    search = SearchVectorField()

    class Meta:
        """One index for words, one for products."""

        indexes: ClassVar = [
            GinIndex(fields=["search"], name="customer_lookup_search"),
            GinIndex(fields=["product_ids"], name="customer_lookup_product"),
        ]

    @override
    def __str__(self) -> str:
        """The customer's id."""
        return self.customer_id
