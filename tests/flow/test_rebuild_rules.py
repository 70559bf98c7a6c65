"""A change of rules is reviewed field by field before anything changes; so is what somebody did to the views."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import msgspec
import pytest

from tests.flow.conftest import Ask, Lived
from tests.flow.laying import lay
from tests.flow.rebuilds import no, settle, yes
from tests.flow.tables import differences, stored
from tests.instance import TESTER
from trueup.accounts.types import Account
from trueup.customer import drain
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.customer.fold import FOLD_VERSION, fold
from trueup.customer.identity import links
from trueup.mirror import drain as mirror_drain
from trueup.mirror.essence import essence
from trueup.ops.rebuilding.running import rebuild
from trueup.ops.rebuilding.types import Reason, Target
from trueup.runtime import database as runtime
from trueup.runtime import drains
from trueup.runtime.crypto import Sealer


@pytest.fixture
def settled(connect: Callable[..., Account], database: str, sealer: Sealer, lived: Lived) -> None:
    """A log with all sorts of lives, all of it read, and what people said of it."""
    lay("settled", database, lambda: settle(connect("lived"), database, sealer=sealer, lived=lived))


def test_a_changed_rule_is_shown_field_by_field_before_anything_changes(
    ask: Ask, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settled
    before = stored(ask)
    number = len(before["customer_customer"])
    named = sum(row["name"] is not None for row in before["customer_customer"])
    monkeypatch.setattr(links, "FOLD_VERSION", FOLD_VERSION + 1)
    monkeypatch.setattr(
        drain,
        "fold",
        lambda *given, **more: msgspec.structs.replace(state := fold(*given, **more), name=state.name and "X"),
    )

    found = rebuild(Target.CUSTOMERS, by=TESTER, agreed=no, examples=2)

    assert list(islice(differences(stored(ask), before), 20)) == []
    assert not found.swapped
    table = {one.table: one for one in found.tables}["customer_customer"]
    assert (table.added, table.removed, table.changed) == (0, 0, number)
    (cause,) = table.causes
    assert (cause.reason, cause.rows, len(cause.examples)) == (Reason.RULES, number, 2)
    assert str(FOLD_VERSION + 1) in cause.detail
    fields = {field.field: field for field in table.fields}
    assert fields["fold_version"].rows == number
    assert fields["state.name"].rows == fields["name"].rows == named
    shown = fields["state.name"].examples[0]
    assert shown.after == "X"
    assert any(row["name"] == shown.before for row in before["customer_customer"])
    assert set(fields) == {"fold_version", "name", "sort_name", "state.name"}
    words = {one.table: one for one in found.tables}["customer_lookup"]
    assert {cause.reason for cause in words.causes} == {Reason.RULES}

    assert rebuild(Target.CUSTOMERS, by=TESTER, agreed=yes).swapped

    assert {row["name"] for row in stored(ask)["customer_customer"]} == {"X", None}
    assert rebuild(Target.CUSTOMERS, by=TESTER, agreed=no).same


def test_another_rule_of_the_mirror_is_named_with_its_versions(
    ask: Ask, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settled
    before = stored(ask)
    known = mirror_drain.SHAPE_VERSION
    monkeypatch.setattr(mirror_drain, "SHAPE_VERSION", known + 1)
    monkeypatch.setattr(
        mirror_drain,
        "essence",
        lambda kind, data: essence(kind, data) | ({"status": "seen"} if kind == "subscription" else {}),
    )

    found = rebuild(Target.MIRROR, by=TESTER, agreed=no, examples=1)

    table = {one.table: one for one in found.tables}["mirror_object"]
    number = sum(row["object_type"] == "subscription" for row in before["mirror_object"])
    assert [(cause.reason, cause.detail) for cause in table.causes] == [
        (Reason.RULES, f"shape_version {known} → {known + 1}")
    ]
    fields = {field.field: field for field in table.fields}
    assert (fields["essence.status"].rows, fields["essence.status"].examples[0].after) == (number, "seen")
    assert list(islice(differences(stored(ask), before), 20)) == []

    assert rebuild(Target.MIRROR, by=TESTER, agreed=yes).swapped

    # Whoever has such an object is folded again, by the objects as they are now.
    drains.empty(CUSTOMER)
    assert rebuild(Target.CUSTOMERS, by=TESTER, agreed=no).same
    assert "seen" in "".join(row["state"] for row in stored(ask)["customer_customer"])


def test_views_that_somebody_changed_are_named_and_made_again(ask: Ask, settled: None) -> None:
    del settled
    (columns,) = ask("select count(*) from information_schema.columns where table_schema = 'stripe'")
    runtime.execute("drop view stripe.coupons")
    runtime.execute("create or replace view stripe.disputes as select * from stripe.disputes where false")

    shown = rebuild(Target.VIEWS, by=TESTER, agreed=no)

    assert (shown.views, shown.swapped) == (
        (
            "stripe.coupons would be made: it is missing.",
            "stripe.disputes would be made otherwise: other expressions.",
        ),
        False,
    )
    assert rebuild(Target.VIEWS, by=TESTER, agreed=yes).swapped
    assert ask("select count(*) from information_schema.columns where table_schema = 'stripe'") == [columns]
    assert rebuild(Target.VIEWS, by=TESTER, agreed=no).same
