"""The one row of branding; ORM objects stay here."""

from __future__ import annotations

from datetime import datetime

from trueup.operators import models
from trueup.operators.branding.types import Branding

ROW = 1


def branding() -> Branding:
    """How the console looks."""
    row = models.Branding.objects.filter(pk=ROW).defer("logo").first()
    if row is None:
        return Branding(accent="", logo_type="", version="")
    version = "" if row.changed_at is None else f"{row.changed_at.timestamp():.0f}"
    return Branding(accent=row.accent, logo_type=row.logo_type, version=version)


def logo() -> bytes | None:
    """The logo's bytes."""
    found = models.Branding.objects.filter(pk=ROW).values_list("logo", flat=True).first()
    return None if found is None else bytes(found)


def update(*, at: datetime, **columns: object) -> None:
    """Change some of it."""
    models.Branding.objects.update_or_create(pk=ROW, defaults={"changed_at": at, **columns})
