"""A log with a signed checkpoint, in a home of its own."""

from __future__ import annotations

from tests.audit.witnesses.conftest import configure, log

__all__ = ["configure", "log"]
