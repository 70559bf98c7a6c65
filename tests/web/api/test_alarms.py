from __future__ import annotations

from tests.web.api.conftest import Ask
from trueup.accounts.types import Account
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.inbox.sweep import store as sweep_store

DRIFT = Alarm(code="drift", message="Three objects differ.", remedy="Run: trueup reconcile --repair")
BEHIND = Alarm(code="sweep_cursor_old", message="It is behind.", remedy="Run: trueup sweep")


def test_alarms_are_listed_while_they_stand(ask: Ask, account: Account) -> None:
    alarms.settle(source="reconcile", account_id=None, alarms=[DRIFT])
    alarms.settle(source="sweep.snapshot", account_id=account.id, alarms=[BEHIND])

    told = ask("/alarms")["data"]

    assert [(one["code"], one["account_slug"], one["remedy"]) for one in told] == [
        ("drift", "", "Run: trueup reconcile --repair"),
        ("sweep_cursor_old", account.slug, "Run: trueup sweep"),
    ]
    alarms.settle(source="reconcile", account_id=None, alarms=[])
    assert [one["code"] for one in ask("/alarms")["data"]] == ["sweep_cursor_old"]


def test_sweeps_are_listed_by_account(ask: Ask, account: Account) -> None:
    assert ask("/sweeps") == {"data": []}

    sweep_store.enrol([account.id])

    told = ask("/sweeps")["data"]
    assert [(one["account_slug"], one["kind"]) for one in told] == [
        (account.slug, kind) for kind in ("snapshot", "thin")
    ]
    assert (told[0]["cursor"], told[0]["under_way"], told[0]["missed_total"]) == (None, False, 0)
