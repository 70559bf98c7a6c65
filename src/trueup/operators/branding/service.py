"""How the console looks for this company: an accent that can be read, and a logo."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Refused
from trueup.operators import service as operators
from trueup.operators.branding import rules, store
from trueup.operators.branding.types import Branding
from trueup.operators.permissions import Permission
from trueup.runtime import clock, database

LARGEST_LOGO: Final = 200_000
"""Bytes."""


def branding() -> Branding:
    """How the console looks now."""
    return store.branding()


def logo() -> bytes | None:
    """The logo as it was given; None where there is none."""
    return store.logo()


def tones() -> rules.Tones | None:
    """The accent for light and dark pages; None for our own."""
    accent = store.branding().accent
    return rules.tones(accent) if accent else None


def set_accent(*, accent: str, by: Actor) -> Branding:
    """Choose the accent, ``#rrggbb``, or our own with an empty one; ``Refused`` for one that cannot be read."""
    operators.require(by, Permission.SETTINGS_CHANGE)
    chosen = accent.strip().lower()
    if chosen:
        rules.tones(chosen)
    return _change({"accent": store.branding().accent}, {"accent": chosen}, by=by, accent=chosen)


def set_logo(*, content: bytes, by: Actor) -> Branding:
    """Give a logo, PNG, JPEG or WebP, of at most ``LARGEST_LOGO`` bytes, or take it away with no bytes at all."""
    operators.require(by, Permission.SETTINGS_CHANGE)
    kind = rules.image_type(content)
    if len(content) > LARGEST_LOGO or (content and not kind):
        raise Refused(
            "A logo is a PNG, JPEG or WebP picture of at most 200 KB.", code="logo_invalid", hint="Choose another file."
        )
    digest = hashlib.sha256(content).hexdigest() if content else None
    return _change(None, {"logo_digest": digest}, by=by, logo=content or None, logo_type=kind)


def _change(before: dict[str, Any] | None, after: dict[str, Any], *, by: Actor, **columns: object) -> Branding:
    with database.transaction() as connection:
        store.update(at=clock.now(), **columns)
        audit.record(
            connection,
            by=by,
            action=Action.BRANDING_CHANGED,
            object_type="branding",
            object_id="console",
            before=before,
            after=after,
        )
    return store.branding()
