"""The tables of customers: a state each, what lists sort and search by, who is one, and ties to the outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now
from typing_extensions import override

from trueup.runtime.queue_rows import QueueRow

PENDING_KB: Final = 128
"""How much an index of words puts off. Whoever exceeds it sorts it in, and the default of 4 MB takes 0.1 s at once."""

OWING: Final = ("past_due", "unpaid", "incomplete", "incomplete_expired", "paused")
"""Statuses that few customers have: these are indexed. The others are found soon enough by walking along an order."""


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
    billing_status = models.TextField(null=True)
    trial_end = models.DateTimeField(null=True)
    last_event_at = models.DateTimeField()
    fold_version = models.IntegerField()
    folded_at = models.DateTimeField(db_default=Now())
    state = models.TextField()
    standing = models.BigIntegerField(null=True)
    """Changes when something did that others are told about; see ``rules.standing``."""

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
            models.Index(fields=["stage", "account_id"], name="customer_customer_stage"),
            models.Index(fields=["fold_version"], name="customer_customer_fold"),
            models.Index(
                fields=["trial_end", "id"],
                name="customer_customer_trial",
                condition=models.Q(stage="trialing", trial_end__isnull=False),
            ),
            models.Index(
                fields=["billing_status"],
                name="customer_customer_owing",
                condition=models.Q(billing_status__in=OWING),
            ),
        ]

    @override
    def __str__(self) -> str:
        """Our id."""
        return self.id


class Moved(QueueRow):
    """A customer (our id) whose standing is not what it was, for whoever tells others."""

    customer_id = models.TextField()
    moved_at = models.DateTimeField(db_default=Now())

    @override
    def __str__(self) -> str:
        """The customer's id."""
        return self.customer_id


class Turn(models.Model):
    """When time alone gives a customer another state, by our clock, as a discount's end does.

    A row only for those few whom it will; who lives by a test clock has none.
    """

    customer_id = models.TextField(primary_key=True)
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    stripe_customer_id = models.TextField()
    at = models.DateTimeField()

    class Meta:
        """Found by the moment, for the sweep."""

        indexes: ClassVar = [models.Index(fields=["at"], name="customer_turn_at")]

    @override
    def __str__(self) -> str:
        """The customer's id."""
        return self.customer_id


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
            GinIndex(fields=["search"], name="customer_lookup_search", gin_pending_list_limit=PENDING_KB),
            GinIndex(fields=["product_ids"], name="customer_lookup_product", gin_pending_list_limit=PENDING_KB),
        ]

    @override
    def __str__(self) -> str:
        """The customer's id."""
        return self.customer_id


class Merged(models.Model):
    """A Stripe customer that is part of another customer of ours, because somebody said that they are one.

    ``leader`` (ours: ``leader_id``) is the Stripe customer whose state holds it, ``merged_into`` the one that it was
    merged into: they differ where that one was merged into yet another later on. Nobody can compute this again: a
    rebuild keeps it.
    """

    pk = models.CompositePrimaryKey("account_id", "livemode", "stripe_customer_id")
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    stripe_customer_id = models.TextField()
    customer_id = models.TextField()
    merged_into = models.TextField()
    leader = models.TextField()
    leader_id = models.TextField()
    since = models.DateTimeField(db_default=Now())
    actor_kind = models.TextField()
    actor_id = models.TextField()

    class Meta:
        """Found by any id of its own, and by its leader."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["customer_id"], name="customer_merged_own")]
        indexes: ClassVar = [
            models.Index(fields=["account_id", "livemode", "leader"], name="customer_merged_leader"),
            models.Index(fields=["stripe_customer_id"], name="customer_merged_cus"),
        ]

    @override
    def __str__(self) -> str:
        """Our id of the one that was merged."""
        return self.customer_id


class Trait(models.Model):
    """Something that ties one Stripe customer to the world outside: a link to an id or an address, or a mere clue.

    ``customer_id`` is our id of that very Stripe customer, whatever it was merged into, so that a split needs nothing
    but the fold. Rows whose source is ``stripe`` or ``metadata`` are written with the state and can be dropped; what
    people and programs said stays. ``identity.rules`` says what each kind means.
    """

    PERSONAL: ClassVar[Mapping[str, str]] = {"value": "payload"}

    pk = models.CompositePrimaryKey("customer_id", "kind", "system", "value", "source")
    customer_id = models.TextField()
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    kind = models.TextField()
    system = models.TextField()
    value = models.TextField()
    source = models.TextField()
    rule = models.TextField()
    person_id = models.TextField(null=True)
    since = models.DateTimeField()
    actor_kind = models.TextField(null=True)
    actor_id = models.TextField(null=True)

    class Meta:
        """Found by what it says, for duplicates and breaches; found by person."""

        indexes: ClassVar = [
            models.Index(
                fields=["account_id", "livemode", "kind", "system", "value", "customer_id"], name="customer_trait_said"
            ),
            models.Index(
                fields=["person_id", "customer_id"],
                name="customer_trait_person",
                condition=models.Q(person_id__isnull=False),
            ),
            models.Index(fields=["value"], name="customer_trait_crm", condition=models.Q(kind="crm")),
        ]

    @override
    def __str__(self) -> str:
        """Whose it is, and of what kind."""
        return f"{self.customer_id} {self.kind}"


class Dismissal(models.Model):
    """Two customers that look like one and are not: somebody said so. ``first_id`` is the lesser of our two ids."""

    pk = models.CompositePrimaryKey("first_id", "second_id")
    first_id = models.TextField()
    second_id = models.TextField()
    since = models.DateTimeField(db_default=Now())
    actor_kind = models.TextField()
    actor_id = models.TextField()

    @override
    def __str__(self) -> str:
        """Our two ids."""
        return f"{self.first_id} {self.second_id}"


class Owner(models.Model):
    """Who of ours looks after a customer (our id). People said so: a rebuild keeps it."""

    customer_id = models.TextField(primary_key=True)
    operator_id = models.BigIntegerField()
    since = models.DateTimeField(db_default=Now())
    actor_kind = models.TextField()
    actor_id = models.TextField()

    class Meta:
        """Found by the person."""

        indexes: ClassVar = [models.Index(fields=["operator_id", "customer_id"], name="customer_owner_operator")]

    @override
    def __str__(self) -> str:
        """The customer's id."""
        return self.customer_id


class Note(models.Model):
    """What somebody wrote down about a customer (our id of one Stripe customer, whatever it was merged into)."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"text": "free_text"}

    id = models.BigAutoField(primary_key=True)
    customer_id = models.TextField()
    text = models.TextField()
    at = models.DateTimeField(db_default=Now())
    edited_at = models.DateTimeField(null=True)
    actor_kind = models.TextField()
    actor_id = models.TextField()

    class Meta:
        """Read by customer, the newest first."""

        indexes: ClassVar = [models.Index(fields=["customer_id", "-id"], name="customer_note_customer")]

    @override
    def __str__(self) -> str:
        """Its number, because the text may be about somebody."""
        return f"note {self.pk}"


class View(models.Model):
    """A list of customers that somebody keeps under a name: filters, order and columns as the page's address has them.

    ``operator_id`` is whose it is; a ``shared`` one is everybody's to see.
    """

    PERSONAL: ClassVar[Mapping[str, str]] = {"name": "free_text", "query": "payload"}

    id = models.BigAutoField(primary_key=True)
    operator_id = models.BigIntegerField()
    shared = models.BooleanField(db_default=False)
    name = models.TextField()
    query = models.JSONField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """One of a name for each person, and one of a name for all."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["operator_id", "name"], name="customer_view_own", condition=~models.Q(shared=True)
            ),
            models.UniqueConstraint(fields=["name"], name="customer_view_shared", condition=models.Q(shared=True)),
        ]

    @override
    def __str__(self) -> str:
        """Its number."""
        return f"view {self.pk}"
