"""What the import linter cannot see: foreign keys name tables by string, and columns hold what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.test.utils import isolate_apps

from tests.architecture.layers import PACKAGE, ranks

CLASSES = {"name", "email", "phone", "address", "free_text", "payload"}
"""What personal data is, as a privacy request sorts it; ``payload`` may hold any of it."""

SUSPECT = re.compile(
    r"(^|_)(name|email|phone|address|body|data|state|search|payload|before|after|why|note|detail|reason|error|metadata)$"
)
"""Names of columns that hold words or objects, which may be somebody's."""

NOT_PERSONAL = {
    "accounts.Account.name": "What the operator calls a Stripe account of their own company.",
    "audit.Checkpoint.note": "A signed note: an origin, a size, a root and signatures.",
    "audit.Cosignature.key_name": "A witness's name.",
    "audit.LogEntry.body": "Ids, codes and digests; what is personal stands in Disclosure.",
    "audit.Unsealed.body": "Ids, codes and digests; what is personal stands in told.",
    "audit.Sink.last_error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "audit.Sink.name": "What the operator calls a place that remembers checkpoints.",
    "customer.Moved.last_error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "inbox.AwaitingFetch.last_error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "inbox.Discarded.error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "inbox.Pending.last_error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "inbox.Quarantined.detail": "A sentence of ours that says what was wrong with a body, without quoting it.",
    "inbox.Quarantined.reason": "A code of ours.",
    "inbox.Sweep.after": "What names the next page of Stripe's list: an event's id, or a token.",
    "inbox.Sweep.last_error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "mirror.BackfillSpan.last_error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "mirror.Changed.last_error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "mirror.Fetch.last_error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "mirror.Fetch.reason": "One of our own words.",
    "mirror.Object.reason": "Stripe's code, or one of our own words.",
    "mirror.Replay.last_error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "mirror.Version.after": "Ids of events and readings.",
    "notices.Rule.address": "Where a webhook of Slack or of a program is, sealed; it is nobody's.",
    "notices.Delivery.error": "A sentence of ours; those hold no personal data (kernel.errors).",
    "operators.ApiToken.name": "What a program is called.",
    "operators.SsoConnection.name": "What a provider of single sign-on is called.",
}
"""Columns with a suspect name that hold no personal data, and why."""

WORDS = (models.CharField, models.TextField, models.JSONField, models.BinaryField, SearchVectorField)


def our_models() -> list[type[models.Model]]:
    """Every table of ours."""
    return [model for model in apps.get_models() if model.__module__.startswith(f"{PACKAGE}.")]


def home(model: type[models.Model]) -> str:
    """The package whose table it is."""
    return model.__module__.split(".")[1]


def wrong_keys(tables: list[type[models.Model]], rank: Mapping[str, int]) -> list[str]:
    """Foreign keys across packages that point up or sideways, or that give the other side a way back."""
    wrong = []
    for model in tables:
        fields: list[Any] = list(model._meta.get_fields())
        for field in fields:
            target = field.related_model
            if not field.concrete or target is None or not target.__module__.startswith(f"{PACKAGE}."):
                continue
            away = home(target)
            if away != home(model) and (rank[away] >= rank[home(model)] or not field.remote_field.hidden):
                wrong.append(f"{model._meta.label}.{field.name} -> {target._meta.label}")
    return wrong


def undeclared(tables: list[type[models.Model]], not_personal: Mapping[str, str]) -> list[str]:
    """Columns whose name is suspect and that nobody declared."""
    return sorted(
        label
        for model in tables
        for field in model._meta.concrete_fields
        if isinstance(field, WORDS) and SUSPECT.search(field.name)
        if (label := f"{model._meta.label}.{field.name}") not in not_personal
        if field.name not in getattr(model, "PERSONAL", {})
    )


def test_foreign_keys_point_down_and_leave_no_way_back(repository: Path) -> None:
    assert wrong_keys(our_models(), ranks(repository)) == []


def test_every_column_that_may_hold_personal_data_is_declared() -> None:
    assert undeclared(our_models(), NOT_PERSONAL) == []


def test_what_is_declared_personal_is_a_column_with_a_known_class() -> None:
    declared = {
        f"{model._meta.label}.{name}": kind
        for model in our_models()
        for name, kind in getattr(model, "PERSONAL", {}).items()
    }
    columns = {f"{model._meta.label}.{field.name}" for model in our_models() for field in model._meta.concrete_fields}

    assert set(declared) <= columns
    assert set(declared.values()) <= CLASSES
    assert declared["inbox.Event.body"] == "payload"


def test_what_is_declared_not_personal_still_exists_and_is_not_declared_twice() -> None:
    columns = {f"{model._meta.label}.{field.name}" for model in our_models() for field in model._meta.concrete_fields}
    personal = {f"{model._meta.label}.{name}" for model in our_models() for name in getattr(model, "PERSONAL", {})}

    assert set(NOT_PERSONAL) <= columns
    assert not set(NOT_PERSONAL) & personal


def test_no_table_counts_in_floating_point() -> None:
    floats = [
        f"{model._meta.label}.{field.name}"
        for model in our_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.FloatField)  # noqa: TID251 - looked for, not used
    ]

    assert floats == []


@pytest.mark.parametrize(
    ("_case", "package", "target", "related_name", "expected"),
    [
        ("down and hidden", "customer", "inbox", "+", []),
        ("down with a way back", "customer", "inbox", "back", ["customer.Seeded.key -> inbox.Target"]),
        ("up", "audit", "inbox", "+", ["audit.Seeded.key -> inbox.Target"]),
        ("sideways", "web", "ops", "+", ["web.Seeded.key -> ops.Target"]),
        ("at home with a way back", "inbox", "inbox", "back", []),
    ],
)
@isolate_apps()
def test_a_seeded_foreign_key_is_judged(
    _case: str, package: str, target: str, related_name: str, expected: list[str], repository: Path
) -> None:
    below = table("Target", target)
    key = models.ForeignKey(below, on_delete=models.CASCADE, related_name=related_name)

    assert wrong_keys([table("Seeded", package, key=key)], ranks(repository)) == expected


@isolate_apps()
def test_a_seeded_personal_column_is_found() -> None:
    seeded = table(
        "Words",
        "customer",
        billing_email=models.TextField(),
        data=models.JSONField(),
        quantity=models.IntegerField(),
        PERSONAL={"data": "payload"},
    )

    assert undeclared([seeded], {}) == ["customer.Words.billing_email"]
    assert undeclared([seeded], {"customer.Words.billing_email": "For this test."}) == []


def table(name: str, package: str, **members: Any) -> type[models.Model]:
    """A table of a package that exists in memory only."""
    meta = type("Meta", (), {"app_label": package})
    return type(name, (models.Model,), {"__module__": f"{PACKAGE}.{package}.models", "Meta": meta, **members})
