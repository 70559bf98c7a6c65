"""Runbooks in the console: every file that there is, safe, and linked from where they are needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from trueup.accounts.types import Account
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.web.console import runbooks
from trueup.web.templatetags.console import marked


def test_every_runbook_is_a_page(reader: Client, account: Account, repository: Path) -> None:
    files = {file.stem for file in (repository / "docs" / "runbooks").glob("*.md")} - {"README"}

    first = reader.get("/runbooks").content.decode()

    assert set(runbooks.names()) == files
    for name in files:
        assert f'href="/runbooks/{name}"' in first
        page = reader.get(f"/runbooks/{name}").content.decode()
        assert len(re.findall("<h1", page)) == 1
        assert 'href="../' not in page


def test_one_that_there_is_not_is_not_found(reader: Client, account: Account) -> None:
    assert reader.get("/runbooks/nothing").status_code == 404
    assert reader.get("/runbooks/..%2F..%2Fsecret").status_code == 404


def test_no_html_and_no_script_of_a_file_reaches_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = "# A title\n\n<script>alert(1)</script> [x](javascript:alert(1)) [y](../api.md) [z](https://stripe.com)\n"
    (tmp_path / "odd.md").write_text(told)
    monkeypatch.setattr(runbooks, "FOLDER", tmp_path)
    for cached in (runbooks.names, runbooks.runbook):
        cached.cache_clear()

    html = runbooks.runbook("odd").html

    assert "<script" not in html
    assert "href" not in html.replace('href="https://stripe.com"', "")
    assert runbooks.runbook("odd").title == "A title"
    for cached in (runbooks.names, runbooks.runbook):
        cached.cache_clear()


def test_what_names_a_runbook_links_to_it() -> None:
    assert marked("See `trueup drift` and docs/runbooks/drift.md.") == (
        'See <code>trueup drift</code> and <a href="/runbooks/drift">The state is not Stripe&#x27;s (drift)</a>.'
    )
    assert marked("See docs/api.md") == "See <code>docs/api.md</code>"


@pytest.mark.parametrize(
    ("code", "name"), [("endpoint_dead", "dead-endpoint"), ("audit_went_back", "audit"), ("drift", "drift"), ("x", "")]
)
def test_an_alarm_has_its_runbook(code: str, name: str) -> None:
    assert runbooks.of_alarm(Alarm(code=code, message="", remedy="")) == name
    assert name in {"", *runbooks.names()}


def test_a_standing_alarm_leads_to_its_runbook(reader: Client, account: Account) -> None:
    drift = Alarm(code="drift", message="Something differs.", remedy="See docs/runbooks/drift.md.")
    alarms.settle(source="test", account_id=account.id, alarms=[drift])

    assert 'href="/runbooks/drift"' in reader.get("/truth").content.decode()
