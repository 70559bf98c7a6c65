"""The page Truth says how the audit log stands."""

from __future__ import annotations

from django.test import Client

from tests.audit.anchors.test_health import verified
from tests.audit.witnesses.conftest import configure, log
from tests.audit.witnesses.stored import StoredLog

__all__ = ["configure", "log"]


def section(reader: Client) -> str:
    page = reader.get("/truth").content.decode()
    return page.split('id="audit-log"')[1].split("</section>")[0]


def test_a_log_that_nobody_outside_remembers_is_not_certain(reader: Client, log: StoredLog) -> None:
    told = section(reader)

    assert "300" in told
    assert "Not certain" in told
    assert "Nobody outside remembers it" in told
    assert "nothing recorded" in told


def test_a_verification_that_failed_is_shown(reader: Client, log: StoredLog) -> None:
    verified(well=False)

    told = section(reader)

    assert "Broken" in told
    assert "found something changed" in told
