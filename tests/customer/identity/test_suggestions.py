"""Customers that may be one are suggested with reasons and merged by nobody; broken metadata rules are listed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.customer.identity.told import ADA, configure, states, tell
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.customer import merging
from trueup.customer.identity import service as identity
from trueup.customer.identity import suggestions
from trueup.customer.identity.types import Violation
from trueup.kernel.errors import NotFound, Refused
from trueup.runtime import database


def pairs() -> list[tuple[int, set[str], list[str]]]:
    """Score, Stripe ids and kinds of reasons, in order."""
    return [
        (
            one.score,
            {one.first.stripe_customer_id, one.second.stripe_customer_id},
            [reason.kind for reason in one.reasons],
        )
        for one in identity.duplicates().data
    ]


def test_pairs_are_suggested_with_reasons_the_surest_first(account: Account, settings_of: pytest.MonkeyPatch) -> None:
    configure(settings_of, keys="user_id=user,sf=crm:salesforce")
    tell(
        account,
        world.customer("cus_a", "Acme, Inc.", "ada@acme.example", metadata={"user_id": "u1"}),
        world.customer("cus_b", "ACME", "ada@acme.example", metadata={"user_id": "u1"}),
        world.customer("cus_c", "Acme Ltd", "bob@acme.example"),
        world.customer("cus_d", "Dee", "d@gmail.com", metadata={"sf": "003"}),
        world.customer("cus_e", "Dee", "e@gmail.com", metadata={"sf": "003"}),
        world.customer("cus_f", "Eff", "e@f.example"),
    )

    found = pairs()

    assert found[:2] == [
        (120, {"cus_a", "cus_b"}, ["user", "email", "company"]),
        (60, {"cus_d", "cus_e"}, ["crm"]),
    ]
    assert sorted(found[2:], key=lambda pair: sorted(pair[1])) == [
        (20, {"cus_a", "cus_c"}, ["company"]),
        (20, {"cus_b", "cus_c"}, ["company"]),
    ]
    first = identity.duplicates().data[0]
    assert [reason.sentence for reason in first.reasons][1] == "Both have the same email address."
    assert sum(reason.weight for reason in first.reasons) == first.score


def test_nothing_is_merged_by_an_address(account: Account) -> None:
    tell(account, world.customer("cus_a", "A", "same@x.example"), world.customer("cus_b", "B", "same@x.example"))

    assert len(states()) == 2
    assert pairs() == [(40, {"cus_a", "cus_b"}, ["email"])]


def test_other_accounts_share_nothing(account: Account) -> None:
    tell(account, world.customer("cus_a", "A", "same@x.example"))
    tell(world.connect("other"), world.customer("cus_b", "B", "same@x.example"))

    assert pairs() == []


def test_what_was_merged_is_suggested_as_the_one_that_it_is(account: Account) -> None:
    tell(
        account,
        *(world.customer(f"cus_{letter}", letter, "same@x.example") for letter in "abc"),
    )
    assert len(pairs()) == 3

    merging.merge(id="cus_a", others=["cus_b"], by=ADA)
    assert pairs() == [(40, {"cus_a", "cus_c"}, ["email"])]
    merging.merge(id="cus_a", others=["cus_c"], by=ADA)
    assert pairs() == []


def test_a_value_that_many_share_says_nothing(account: Account) -> None:
    most = suggestions.MOST_SHARERS
    tell(account, *(world.customer(f"cus_{number}", None, "no-reply@x.example") for number in range(most)))
    assert len(identity.duplicates(limit=200).data) == most * (most - 1) // 2

    tell(account, world.customer("cus_more", None, "no-reply@x.example"))

    assert pairs() == []


def test_a_dismissed_pair_stays_away_until_it_is_taken_back(account: Account) -> None:
    tell(account, world.customer("cus_a", "A", "same@x.example"), world.customer("cus_b", "B", "same@x.example"))

    assert identity.dismiss_duplicate(first="cus_b", second="cus_a", by=ADA)
    assert not identity.dismiss_duplicate(first="cus_a", second="cus_b", by=ADA)
    assert pairs() == []
    assert identity.restore_duplicate(first="cus_a", second="cus_b", by=ADA)
    assert not identity.restore_duplicate(first="cus_a", second="cus_b", by=ADA)
    assert len(pairs()) == 1

    recorded = [entry.action for entry in audit.entries(database.connection(), object_type="customer")]
    assert recorded == ["customer.duplicate.restored", "customer.duplicate.dismissed"]
    with pytest.raises(Refused):
        identity.dismiss_duplicate(first="cus_a", second="cus_a", by=ADA)
    with pytest.raises(NotFound):
        identity.dismiss_duplicate(first="cus_a", second="cus_x", by=ADA)


def test_pages_hold_every_pair_once_and_in_order(account: Account) -> None:
    tell(
        account,
        *(world.customer(f"cus_a{number}", None, "one@x.example") for number in range(4)),
        *(world.customer(f"cus_b{number}", "Bee", f"{number}@bee.example") for number in range(3)),
    )
    whole = identity.duplicates().data
    seen: list[Any] = []
    after = None
    for _ in range(5):
        page = identity.duplicates(limit=2, after=after)
        seen += page.data
        after = page.next

    assert tuple(seen) == whole
    assert [one.score for one in whole] == [40] * 6 + [20] * 3
    assert after is None


# --- metadata rules --------------------------------------------------------------------------------------------------


def broken() -> list[tuple[str, str, str, str | None]]:
    return [(one.key, one.breach.value, one.stripe_customer_id, one.value) for one in identity.violations().data]


def of(number: int, **metadata: Any) -> dict[str, Any]:
    return world.customer(f"cus_{number}", f"C{number}", metadata=metadata)


def test_customers_that_break_a_rule_are_listed_with_what_they_have(
    account: Account, settings_of: pytest.MonkeyPatch
) -> None:
    configure(settings_of, rules="user_id:required;user_id:unique;ref:pattern=R-[0-9]+")
    tell(account, of(1), of(2, user_id="u2", ref="X"), of(3, user_id="u2"), of(4, user_id="u4", ref="R-7"))

    found = broken()

    assert found[:2] == [("ref", "pattern", "cus_2", "X"), ("user_id", "required", "cus_1", None)]
    assert set(found[2:]) == {("user_id", "unique", "cus_2", "u2"), ("user_id", "unique", "cus_3", "u2")}
    first: Violation = identity.violations().data[0]
    assert first.name == "C2"
    assert first.sentence == "The metadata's ref is not of the form that the rule demands."


def test_a_corrected_customer_breaks_nothing_and_one_customer_may_have_a_value_twice(
    account: Account, settings_of: pytest.MonkeyPatch
) -> None:
    configure(settings_of, rules="user_id:required;user_id:unique")
    tell(account, of(1), of(2, user_id="u2"), of(3, user_id="u2"))

    corrected = of(1, user_id="u1")
    world.told(account, world.event("customer.updated", corrected, at=world.START + 9, previous={"metadata": {}}))
    assert [one[1:3] for one in broken()] == [("unique", one[2]) for one in broken()]
    merging.merge(id="cus_2", others=["cus_3"], by=ADA)

    assert broken() == []
    merging.split(id="cus_2", by=ADA)
    assert len(broken()) == 2


def test_a_merged_customer_that_breaks_a_rule_is_named_with_the_one_that_it_is(
    account: Account, settings_of: pytest.MonkeyPatch
) -> None:
    configure(settings_of, rules="user_id:required")
    tell(account, of(1, user_id="u1"), of(2))
    merging.merge(id="cus_1", others=["cus_2"], by=ADA)

    (one,) = identity.violations().data

    assert (one.stripe_customer_id, one.name) == ("cus_2", "C1")


def test_pages_hold_every_violation_once(account: Account, settings_of: pytest.MonkeyPatch) -> None:
    configure(settings_of, rules="a:required;b:required;c:unique")
    tell(account, *(of(number, c="same") for number in range(4)))
    whole = identity.violations().data
    seen: list[Any] = []
    after = None
    for _ in range(3):
        page = identity.violations(limit=5, after=after)
        seen += page.data
        after = page.next

    assert tuple(seen) == whole
    assert (len(whole), after) == (12, None)
