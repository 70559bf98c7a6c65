"""What a Stripe customer's own objects say about who it is elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.customer.builders import NOW, customer, subscription, told
from trueup.customer.rules import identity
from trueup.customer.rules.identity import IdentityKey, MetadataRule, Settings
from trueup.customer.types import LinkKind, Source
from trueup.mirror.types import MirrorObject

KEYS = identity.settings(" user_id = user, org_id=organization,sf=crm:salesforce,contact=email, ", "")


def found(*objects: MirrorObject, told: Settings = KEYS) -> list[tuple[str, str, str]]:
    """The kind, system and value of what objects say."""
    return [(one.kind, one.system, one.value) for one in identity.derive(objects, told, livemode=False)]


def person(kind: str, value: str, *, livemode: bool = False) -> str | None:
    return identity.person_of(LinkKind(kind), value, livemode=livemode)


def people(*objects: MirrorObject) -> dict[str, str | None]:
    """The person behind each value."""
    return {one.value: one.person_id for one in identity.derive(objects, KEYS, livemode=False) if one.person_id}


def test_of_two_methods_with_one_card_the_older_tells_since_when() -> None:
    card = {"fingerprint": "Fp1"}
    new = told("payment_method", "pm_1", type="card", card=card, created=NOW + 9)
    old = told("payment_method", "pm_2", type="card", card=card, created=NOW)

    for objects in ([new, old], [old, new]):
        (trait,) = identity.derive(objects, KEYS, livemode=False)
        assert trait.since == NOW


def test_settings_are_read_from_their_text_forms() -> None:
    read = identity.settings(
        "user_id=user,sf=crm:salesforce", "user_id:required; ref : pattern=^R=[0-9:]+$ ;user_id:unique;"
    )

    assert read == Settings(
        keys=(
            IdentityKey(key="user_id", kind=LinkKind.USER, system=""),
            IdentityKey(key="sf", kind=LinkKind.CRM, system="salesforce"),
        ),
        rules=(
            MetadataRule(key="user_id", rule="required"),
            MetadataRule(key="ref", rule="pattern", pattern="^R=[0-9:]+$"),
            MetadataRule(key="user_id", rule="unique"),
        ),
    )
    assert identity.settings("", "") == Settings()


def test_named_metadata_keys_are_links_on_the_customer_and_on_its_subscriptions() -> None:
    of_customer = customer(metadata={"user_id": " u1 ", "sf": "003A", "other": "x"})
    of_subscription = subscription(metadata={"user_id": "u2", "org_id": "o1"})

    traits = identity.derive([of_subscription, of_customer], KEYS, livemode=False)

    assert [(one.kind, one.system, one.value, one.rule) for one in traits] == [
        ("crm", "salesforce", "003A", "metadata.sf"),
        ("organization", "", "o1", "subscription.metadata.org_id"),
        ("user", "", "u1", "metadata.user_id"),
        ("user", "", "u2", "subscription.metadata.user_id"),
    ]
    assert {one.source for one in traits} == {Source.METADATA}


def test_what_the_customer_says_itself_comes_before_its_subscriptions() -> None:
    traits = identity.derive(
        [subscription(metadata={"user_id": "u1"}), customer(metadata={"user_id": "u1"})], KEYS, livemode=False
    )

    assert [one.rule for one in traits] == ["metadata.user_id"]


def test_without_settings_metadata_means_nothing() -> None:
    assert found(customer(metadata={"user_id": "u1"}), told=Settings()) == []


@pytest.mark.parametrize("value", ["", "  ", None, 7, ["u"], "x" * 201, "u\x00", "u\n1", "\ud800"])
def test_what_is_no_id_is_no_link(value: Any) -> None:
    assert found(customer(metadata={"user_id": value})) == []


@pytest.mark.parametrize("email", ["ada", "@acme.example", "ada@", "a b@acme.example", "a@x.example,b@x.example", 7])
def test_what_is_no_address_is_no_link(email: Any) -> None:
    assert found(customer(email=email)) == []


def test_addresses_are_compared_in_lower_case() -> None:
    traits = identity.derive([customer(email=" Ada@ACME.example ", name=None)], KEYS, livemode=False)

    assert [(one.kind, one.value, one.source, one.rule) for one in traits] == [
        ("email", "ada@acme.example", Source.STRIPE, "email")
    ]
    assert found(customer(metadata={"contact": "ADA@acme.example"})) == [("email", "", "ada@acme.example")]


def test_the_address_of_a_single_user_is_that_users() -> None:
    assert people(customer(email="ada@x.example", metadata={"user_id": "u1"})) == {
        "ada@x.example": person("user", "u1"),
        "u1": person("user", "u1"),
    }


@pytest.mark.parametrize(
    "objects",
    [
        [customer(email="ada@x.example")],
        [customer(email="ada@x.example", metadata={"user_id": "u1", "org_id": "o1"})],
        [customer(email="ada@x.example"), subscription(metadata={"user_id": "u1"})],
    ],
)
def test_any_other_address_is_a_person_of_its_own(objects: list[MirrorObject]) -> None:
    assert people(*objects)["ada@x.example"] == person("email", "ada@x.example")


def test_people_are_others_in_the_other_mode_and_only_users_and_addresses_are_people() -> None:
    assert person("user", "u1") != person("user", "u1", livemode=True)
    assert person("user", "u1") != person("email", "u1")
    assert person("organization", "o1") is None
    assert str(person("user", "u1")).startswith("tp_")


@pytest.mark.parametrize(
    ("name", "email", "company"),
    [
        ("Acme, Inc.", "a@acme.example", "acme.example acme"),
        ("ACME", "b@acme.example", "acme.example acme"),
        ("The Acme Company", "b@acme.example", "acme.example acme"),
        ("Café Zoë GmbH & Co. KG", "x@zoe.example", "zoe.example cafe zoe"),
        ("Zoe Cafe", "x@zoe.example", "zoe.example cafe zoe"),
        ("A.C.M.E. Labs", "b@acme.example", "acme.example acme labs"),
        ("Acme", "acme@gmail.com", None),
        ("GmbH", "x@zoe.example", None),
        ("!!!", "x@zoe.example", None),
    ],
)
def test_customers_of_one_company_have_the_domain_and_the_words_of_the_name_in_common(
    name: str, email: str, company: str | None
) -> None:
    assert identity.company_of(name, email) == company


def test_a_company_is_a_clue_beside_the_address() -> None:
    assert found(customer(name="Acme Ltd", email="a@acme.example")) == [
        ("company", "", "acme.example acme"),
        ("email", "", "a@acme.example"),
    ]


def test_what_a_payment_method_draws_on_is_a_clue_where_stripe_tells_it() -> None:
    card = told("payment_method", "pm_1", type="card", card={"fingerprint": "Fp1"})
    old = told("card", "card_1", fingerprint="Fp2")
    gone = told("payment_method", "pm_2", deleted=True, type="card", card={"fingerprint": "Fp3"})
    untold = told("payment_method", "pm_3", type="card", card={"last4": "4242"})

    assert found(card, old, gone, untold) == [("card", "", "Fp1"), ("card", "", "Fp2")]


RULES = identity.settings("", "user_id:required;ref:pattern=R-[0-9]+;user_id:unique")


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, [("breach", "user_id", "required")]),
        ({"user_id": ""}, [("breach", "user_id", "required")]),
        ({"user_id": "u1"}, [("metadata", "user_id", "u1")]),
        ({"user_id": "u1", "ref": "R-12"}, [("metadata", "user_id", "u1")]),
        ({"user_id": "u1", "ref": "xR-12"}, [("breach", "ref", "pattern"), ("metadata", "user_id", "u1")]),
    ],
)
def test_broken_rules_are_noted_and_values_that_have_to_be_unique(
    metadata: dict[str, str], expected: list[tuple[str, str, str]]
) -> None:
    assert found(customer(metadata=metadata), told=RULES) == expected


def test_a_deleted_customer_breaks_no_rule() -> None:
    assert found(customer(deleted=True), told=RULES) == []


def test_a_mark_is_another_one_when_anything_but_the_time_is() -> None:
    listed = [
        [customer(metadata={"user_id": "u1"})],
        [customer(metadata={"user_id": "u2"})],
        [customer(metadata={"sf": "u1"})],
        [subscription(metadata={"user_id": "u1"})],
        [customer(email="u1@x.example")],
    ]
    marks = [one.mark for objects in listed for one in identity.derive(objects, KEYS, livemode=False)]
    live = [one.mark for one in identity.derive(listed[0], KEYS, livemode=True)]
    later = [
        one.mark for one in identity.derive([customer(when=NOW + 9, metadata={"user_id": "u1"})], KEYS, livemode=False)
    ]

    assert len({*marks, *live}) == len(listed) + 1
    assert later == marks[:1]


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
objects = st.builds(
    lambda kind, number, data, deleted: told(kind, f"id_{number}", deleted=deleted, **data),
    st.sampled_from(["customer", "subscription", "payment_method", "card", "invoice"]),
    st.integers(0, 2),
    st.fixed_dictionaries(
        {},
        optional={
            "email": json | st.just("a@b.example"),
            "name": json,
            "metadata": json | st.dictionaries(st.sampled_from(["user_id", "org_id", "ref"]), json, max_size=3),
            "type": json | st.just("card"),
            "fingerprint": json | st.just("Fp1"),
            "card": st.just({"fingerprint": "Fp1"}),
            "created": json | st.integers(NOW, NOW + 2),
        },
    ),
    st.booleans(),
)


@settings(max_examples=150)
@given(st.lists(objects, max_size=5, unique_by=lambda one: (one.object_type, one.object_id)), st.randoms())
def test_whatever_objects_hold_there_is_an_answer_that_their_order_does_not_change(
    listed: list[MirrorObject], luck: Any
) -> None:
    one_customer = [one for one in listed if one.object_type != "customer"] + [
        one for one in listed if one.object_type == "customer"
    ][:1]
    both = Settings(keys=KEYS.keys, rules=RULES.rules)
    straight = identity.derive(one_customer, both, livemode=False)
    luck.shuffle(one_customer)

    mixed = identity.derive(one_customer, both, livemode=False)

    assert [one.mark for one in mixed] == [one.mark for one in straight]
    assert len({(one.kind, one.system, one.value) for one in straight}) == len(straight)
    assert all(0 < len(one.value.encode()) <= 800 for one in straight)
