"""Subjects as people name them: ``customer:cus_1``, ``operator:7``."""

from __future__ import annotations

import re
from typing import Final

from trueup.kernel.errors import Refused

SUBJECT: Final = re.compile(r"[a-z_]{1,40}:\S{1,255}")


def require_subject(subject: str) -> None:
    """Return if this names a subject, and raise ``Refused`` if not; whether the log knows it is not asked."""
    if SUBJECT.fullmatch(subject) is None:
        raise Refused(
            f"{subject!r} names nobody.",
            code="audit_subject_invalid",
            hint="Name a kind and an id, such as customer:cus_1 or operator:7.",
        )
