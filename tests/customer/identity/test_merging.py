"""Several Stripe customers become one of ours and are taken apart again; nothing is lost on the way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.customer.identity.told import ADA, paying, states, tell, traits
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.customer import merging, timeline
from trueup.customer import service as customers
from trueup.customer.store import own_id
from trueup.customer.types import Entry, Stage
from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.runtime import database


def three(account: Account) -> None:
    """Three customers: one pays 10, one pays 49, and one is a lead."""
    tell(
        account,
        world.customer("cus_a", "Acme", "a@acme.example"),
        world.customer("cus_b", "Acme Ltd", "b@acme.example"),
        world.customer("cus_c", "Other", "c@other.example"),
    )
    paying(account, "cus_a", amount=1000)
    paying(account, "cus_b", amount=4900, status="past_due", at=world.START + 2)


def entries() -> list[str]:
    """What was recorded since the account was made, oldest first."""
    found = audit.entries(database.connection(), object_type="customer")
    return [entry.action for entry in reversed(found)]


def test_merged_customers_are_one_in_lists_and_counts_and_answer_to_every_id(account: Account) -> None:
    three(account)
    second = customers.get("cus_b").id

    joined = merging.merge(id="cus_a", others=["cus_b"], by=ADA)

    assert (joined.done, joined.changed) == (True, True)
    assert [row.stripe_customer_id for row in customers.search(sort="name").data] == ["cus_a", "cus_c"]
    assert sum(customers.counts().values()) == 2
    answers = [customers.get(one) for one in ("cus_a", "cus_b", own_id((account.id, False, "cus_a")), second)]
    assert len({answer.id for answer in answers}) == 1
    one = answers[0]
    assert one.id == own_id((account.id, False, "cus_a"))
    assert one.merged_ids == (second,)
    assert one.state.stripe_customer_ids == ("cus_a", "cus_b")
    assert (one.name, one.stage, one.mrr[0].minor) == ("Acme", Stage.PAST_DUE, 5900)
    assert customers.search(q="cus_b").data[0].id == one.id
    key = (account.id, False, "cus_b")
    assert customers.names([key]) == {key: "Acme"}


def test_the_timeline_spans_all_of_them_page_by_page(account: Account) -> None:
    three(account)
    apart = {entry.event_id for one in ("cus_a", "cus_b") for entry in timeline.history(one, limit=50).data}

    merging.merge(id="cus_a", others=["cus_b"], by=ADA)

    whole = timeline.history("cus_b", limit=50).data
    assert {entry.event_id for entry in whole} == apart
    assert len(whole) == 4
    assert [entry.created for entry in whole] == sorted((entry.created for entry in whole), reverse=True)
    paged: list[Entry] = []
    after = None
    for _ in range(4):
        page = timeline.history("cus_a", limit=1, after=after)
        paged += page.data
        after = page.next
    assert tuple(paged) == whole
    assert after is None


def test_the_fold_follows_changes_of_any_member(account: Account) -> None:
    three(account)
    merging.merge(id="cus_a", others=["cus_b"], by=ADA)

    world.told(
        account,
        world.event(
            "customer.subscription.updated",
            world.subscription("sub_cus_b", "cus_b", amount=9000),
            at=world.START + 50,
            previous={"status": "past_due"},
        ),
    )

    one = customers.get("cus_a")
    assert (one.stage, one.mrr[0].minor) == (Stage.ACTIVE, 10_000)
    assert int(one.last_event_at.timestamp()) == world.START + 50
    assert len(states()) == 2


def test_a_split_gives_back_the_very_states_and_ids_of_before(account: Account) -> None:
    three(account)
    before, tied = states(), traits()
    merging.merge(id="cus_c", others=["cus_a", "cus_b"], by=ADA)
    assert len(states()) == 1
    assert traits() == tied

    split = merging.split(id="cus_a", by=ADA)

    assert states() == before
    assert traits() == tied
    assert {one.id for one in split.after} == set(before)
    assert entries() == ["customer.customers.merged", "customer.customers.split"]


def test_a_merge_of_a_merge_is_undone_in_the_order_it_was_made(account: Account) -> None:
    three(account)
    first = states()
    merging.merge(id="cus_a", others=["cus_b"], by=ADA)
    second = states()
    merging.merge(id="cus_c", others=["cus_a"], by=ADA)
    assert customers.get("cus_b").state.stripe_customer_ids == ("cus_c", "cus_b", "cus_a")

    merging.split(id="cus_c", by=ADA)
    assert states() == second
    assert customers.get("cus_b").stripe_customer_id == "cus_a"

    merging.split(id="cus_b", take=["cus_b"], by=ADA)
    assert states() == first


@pytest.mark.parametrize(
    ("take", "left"),
    [
        (["cus_b"], [("cus_b",), ("cus_c", "cus_a")]),
        (["cus_a"], [("cus_a", "cus_b"), ("cus_c",)]),
        (["cus_a", "cus_b"], [("cus_a",), ("cus_b",), ("cus_c",)]),
    ],
)
def test_parts_of_a_tree_are_taken_out_with_what_came_with_them(
    account: Account, take: list[str], left: list[tuple[str, ...]]
) -> None:
    three(account)
    merging.merge(id="cus_a", others=["cus_b"], by=ADA)
    merging.merge(id="cus_c", others=["cus_a"], by=ADA)
    preview = merging.split(id="cus_c", take=take, by=ADA, preview=True)

    split = merging.split(id="cus_c", take=take, by=ADA)

    assert sorted(customer.state.stripe_customer_ids for customer in map(customers.get, states())) == left
    assert sorted(one.stripe_customer_ids for one in split.after) == left
    assert preview.after == split.after


def test_a_preview_says_what_would_be_and_writes_nothing(account: Account) -> None:
    three(account)
    before = states()

    preview = merging.merge(id="cus_b", others=["cus_a", "cus_c"], by=ADA, preview=True)

    assert (preview.action, preview.done, preview.changed) == ("merge", False, True)
    assert [(one.stripe_customer_id, one.stage) for one in preview.before] == [
        ("cus_b", Stage.PAST_DUE),
        ("cus_a", Stage.ACTIVE),
        ("cus_c", Stage.LEAD),
    ]
    after = preview.after[0]
    assert (after.name, after.stage, after.mrr[0].minor, len(after.plans)) == ("Acme Ltd", Stage.PAST_DUE, 5900, 2)
    assert [link.value for link in after.links] == ["b@acme.example", "a@acme.example", "c@other.example"]
    assert states() == before
    assert entries() == []

    done = merging.merge(id="cus_b", others=["cus_a", "cus_c"], by=ADA)
    assert msgspec.structs.replace(preview, done=True) == done
    held = customers.get("cus_b").state
    assert (held.stage, held.mrr, held.plans) == (after.stage, after.mrr, after.plans)


def test_again_changes_nothing_and_is_not_recorded(account: Account) -> None:
    three(account)
    merging.merge(id="cus_a", others=["cus_b"], by=ADA)
    merged = states()

    again = merging.merge(id="cus_a", others=["cus_b", "cus_b"], by=ADA)

    assert (again.changed, again.before, again.after) == (False, again.after, again.after)
    assert states() == merged
    merging.split(id="cus_a", by=ADA)
    apart = states()
    assert not merging.split(id="cus_a", by=ADA).changed
    assert not merging.split(id="cus_a", take=["cus_b"], by=ADA).changed
    assert states() == apart
    assert entries() == ["customer.customers.merged", "customer.customers.split"]


def test_what_was_merged_is_recorded_without_anybodys_name(account: Account) -> None:
    three(account)

    merging.merge(id="cus_a", others=["cus_b"], by=ADA)

    (entry,) = audit.entries(database.connection(), object_type="customer")
    assert (entry.actor_kind, entry.actor_id) == ("operator", "7")
    assert entry.object_id == own_id((account.id, False, "cus_a"))
    assert entry.before == {"stripe_customer_ids": [["cus_a"], ["cus_b"]]}
    assert entry.after == {"stripe_customer_ids": [["cus_a", "cus_b"]]}


REFUSALS: list[tuple[str, dict[str, Any], type[Refused], str]] = [
    ("nothing", {"id": "cus_a", "others": []}, Refused, "merge_nothing"),
    ("unknown leader", {"id": "cus_x", "others": ["cus_a"]}, NotFound, "customer_unknown"),
    ("unknown other", {"id": "cus_c", "others": ["cus_x"]}, NotFound, "customer_unknown"),
    ("itself", {"id": "cus_c", "others": ["cus_c"]}, Refused, "merge_itself"),
    ("a cycle", {"id": "cus_b", "others": ["cus_a"]}, Conflict, "merge_cycle"),
    ("a part leads", {"id": "cus_b", "others": ["cus_c"]}, Conflict, "merged_elsewhere"),
    ("a part joins", {"id": "cus_c", "others": ["cus_b"]}, Conflict, "merged_elsewhere"),
    ("other account", {"id": "cus_c", "others": ["cus_o"]}, Refused, "merge_across_accounts"),
    ("other mode", {"id": "cus_c", "others": ["cus_l"]}, Refused, "merge_across_modes"),
    ("in two accounts", {"id": "cus_c", "others": ["cus_two"]}, Refused, "customer_ambiguous"),
]


@pytest.mark.parametrize(("_case", "asked", "error", "code"), REFUSALS)
def test_what_cannot_be_merged_is_refused_and_nothing_changes(
    account: Account, _case: str, asked: dict[str, Any], error: type[Refused], code: str
) -> None:
    three(account)
    tell(account, world.customer("cus_two", "Two"))
    tell(world.connect("other"), world.customer("cus_o", "Other"), world.customer("cus_two", "Two"))
    live = world.connect("live", livemode=True)
    world.told(live, {**world.event("customer.created", world.customer("cus_l", "Live")), "livemode": True})
    merging.merge(id="cus_a", others=["cus_b"], by=ADA)
    before = states()

    with pytest.raises(error) as raised:
        merging.merge(**asked, by=ADA)

    assert raised.value.code == code
    assert raised.value.hint
    assert states() == before


def test_too_many_are_refused(account: Account) -> None:
    tell(account, *(world.customer(f"cus_{number}", "x") for number in range(merging.MOST + 1)))
    others = [f"cus_{number}" for number in range(1, merging.MOST + 1)]

    with pytest.raises(Refused) as raised:
        merging.merge(id="cus_0", others=others, by=ADA)

    assert raised.value.code == "merge_too_large"
    assert merging.merge(id="cus_0", others=others[1:], by=ADA).changed


def test_what_cannot_be_split_is_refused(account: Account) -> None:
    three(account)
    tell(account, world.customer("cus_d", "D"))
    merging.merge(id="cus_a", others=["cus_b"], by=ADA)
    merging.merge(id="cus_c", others=["cus_d"], by=ADA)
    before = states()

    for take, code in ((["cus_a"], "split_leader"), (["cus_d"], "merged_elsewhere"), (["cus_x"], "customer_unknown")):
        with pytest.raises(Refused) as raised:
            merging.split(id="cus_a", take=take, by=ADA)
        assert raised.value.code == code

    assert states() == before


def test_a_member_that_stripe_deletes_leaves_the_others_alive(account: Account) -> None:
    three(account)
    merging.merge(id="cus_a", others=["cus_b"], by=ADA)

    gone = {**world.customer("cus_a", "Acme", "a@acme.example"), "deleted": True}
    world.told(account, world.event("customer.deleted", gone, at=world.START + 60))

    one = customers.get("cus_a")
    assert (one.stage, one.name) == (Stage.PAST_DUE, "Acme Ltd")
    merging.split(id="cus_a", by=ADA)
    assert customers.get("cus_a").stage is Stage.DELETED
    assert customers.get("cus_b").stage is Stage.PAST_DUE
