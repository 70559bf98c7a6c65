"""Links to the outside: derived from Stripe with the state, or made by hand; and the people they name."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.customer.identity.told import ADA, configure, drain, tell, traits
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.customer import merging
from trueup.customer import service as customers
from trueup.customer.identity import links
from trueup.customer.identity import service as identity
from trueup.customer.identity.types import Link
from trueup.customer.types import LinkKind, Source
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Scope
from trueup.runtime import database

KEYS = "user_id=user,org_id=organization,salesforce_id=crm:salesforce"


def shown(customer: str) -> list[tuple[str, str | None, str, str]]:
    """Kind, system, value and source of a customer's links."""
    return [(one.kind.value, one.system, one.value, one.source.value) for one in identity.links(customer)]


def acme(**metadata: str) -> dict[str, Any]:
    return world.customer("cus_a", "Acme", "Ada@Acme.example", metadata=metadata)


def changed(account: Account, at: int, **metadata: str) -> None:
    """Tell that the customer's metadata is this now."""
    about = acme(**metadata)
    world.told(account, world.event("customer.updated", about, at=world.START + at, previous={"metadata": {}}))


def test_links_come_from_the_metadata_keys_that_are_configured(
    account: Account, settings_of: pytest.MonkeyPatch
) -> None:
    configure(settings_of, keys=KEYS)
    tell(account, acme(user_id="u1", salesforce_id="003A"))

    assert shown("cus_a") == [
        ("user", None, "u1", "metadata"),
        ("crm", "salesforce", "003A", "metadata"),
        ("email", None, "ada@acme.example", "stripe"),
    ]
    assert [(one.rule, one.by) for one in identity.links("cus_a")] == [
        ("metadata.user_id", None),
        ("metadata.salesforce_id", None),
        ("email", None),
    ]


def test_links_follow_the_metadata_and_are_as_old_as_the_object_that_tells_them(
    account: Account, settings_of: pytest.MonkeyPatch
) -> None:
    configure(settings_of, keys=KEYS)
    tell(account, acme(user_id="u1"))
    since = {one.value: one.since for one in identity.links("cus_a")}

    changed(account, 10, user_id="u1", org_id="o1")
    assert shown("cus_a")[:2] == [("user", None, "u1", "metadata"), ("organization", None, "o1", "metadata")]
    now = {one.value: one.since for one in identity.links("cus_a")}
    assert {value: now[value] for value in since} == since
    assert {int(at.timestamp()) for at in now.values()} == {world.START}

    changed(account, 20)
    assert shown("cus_a") == [("email", None, "ada@acme.example", "stripe")]


def test_a_changed_setting_makes_every_customer_dirty_and_its_links_are_made_again(
    account: Account, settings_of: pytest.MonkeyPatch
) -> None:
    tell(account, acme(user_id="u1", org_id="o1"))
    assert shown("cus_a") == [("email", None, "ada@acme.example", "stripe")]
    assert customers.mark_outdated() == 0

    configure(settings_of, keys="user_id=user")
    assert customers.mark_outdated() == 1
    drain()
    assert shown("cus_a")[0] == ("user", None, "u1", "metadata")
    assert customers.mark_outdated() == 0

    configure(settings_of, keys="org_id=user")
    assert customers.mark_outdated() == 1
    drain()
    assert shown("cus_a")[0] == ("user", None, "o1", "metadata")

    configure(settings_of)
    assert customers.mark_outdated() == 1
    drain()
    assert shown("cus_a") == [("email", None, "ada@acme.example", "stripe")]


def test_what_was_linked_by_hand_outlives_folds_and_can_be_taken_back(account: Account) -> None:
    tell(account, acme())
    made = identity.link(id="cus_a", kind=LinkKind.CRM, system="hubspot", value=" 77 ", by=ADA)
    assert (made.value, made.system, made.source, made.by) == ("77", "hubspot", Source.OPERATOR, "operator:7")
    token = tokens.create_token(name="app", scopes=[Scope.WRITE], by=system("test"))
    program = Actor(kind=ActorKind.TOKEN, id=str(token.id))
    identity.link(id="cus_a", kind=LinkKind.ORGANIZATION, value="o9", by=program)

    changed(account, 10, anything="else")
    customers.refold(ids=["cus_a"], by=ADA)
    drain()

    assert shown("cus_a") == [
        ("organization", None, "o9", "api"),
        ("crm", "hubspot", "77", "operator"),
        ("email", None, "ada@acme.example", "stripe"),
    ]
    identity.unlink(id="cus_a", kind=LinkKind.CRM, system="hubspot", value="77", by=ADA)
    assert ("crm", "hubspot", "77", "operator") not in shown("cus_a")


def test_linking_again_changes_nothing_and_is_recorded_once(account: Account) -> None:
    tell(account, acme())
    first = identity.link(id="cus_a", kind=LinkKind.EMAIL, value="Bob@acme.example", by=ADA)

    assert identity.link(id="cus_a", kind=LinkKind.EMAIL, value="bob@ACME.example", by=ADA) == first

    (entry,) = audit.entries(database.connection(), object_type="customer")
    assert entry.action == "customer.link.added"
    assert entry.object_id == customers.get("cus_a").id
    # An address is somebody's: the log says whose it is, and not what it is.
    assert entry.after == {"kind": "email", "system": None, "value": None, "person_id": first.person_id}


def test_links_are_kept_by_the_stripe_customer_and_go_with_it(account: Account) -> None:
    tell(account, acme(), world.customer("cus_b", "B", "b@b.example"))
    apart = traits()
    merging.merge(id="cus_a", others=["cus_b"], by=ADA)
    identity.link(id="cus_b", kind=LinkKind.USER, value="u7", by=ADA)

    assert [one.value for one in identity.links("cus_a")] == ["ada@acme.example", "u7", "b@b.example"]
    merging.split(id="cus_a", by=ADA)
    assert [one.value for one in identity.links("cus_a")] == ["ada@acme.example"]
    assert [one.value for one in identity.links("cus_b")] == ["u7", "b@b.example"]
    identity.unlink(id="cus_b", kind=LinkKind.USER, value="u7", by=ADA)
    assert traits() == apart


@pytest.mark.parametrize(
    ("_case", "asked", "error", "code"),
    [
        ("unknown customer", {"id": "cus_x", "kind": LinkKind.USER, "value": "1"}, NotFound, "customer_unknown"),
        ("empty", {"id": "cus_a", "kind": LinkKind.USER, "value": " "}, Refused, "link_invalid"),
        ("no address", {"id": "cus_a", "kind": LinkKind.EMAIL, "value": "ada"}, Refused, "link_invalid"),
        ("crm without a system", {"id": "cus_a", "kind": LinkKind.CRM, "value": "1"}, Refused, "link_invalid"),
        (
            "system of no crm",
            {"id": "cus_a", "kind": LinkKind.USER, "value": "1", "system": "hubspot"},
            Refused,
            "link_invalid",
        ),
        (
            "odd system",
            {"id": "cus_a", "kind": LinkKind.CRM, "value": "1", "system": "Hub Spot"},
            Refused,
            "link_invalid",
        ),
        (
            "unknown person",
            {"id": "cus_a", "kind": LinkKind.USER, "value": "1", "person_id": "tp_x"},
            NotFound,
            "person_unknown",
        ),
        (
            "an organization is nobody",
            {"id": "cus_a", "kind": LinkKind.ORGANIZATION, "value": "1", "person_id": "tp_x"},
            Refused,
            "link_invalid",
        ),
    ],
)
def test_what_cannot_be_linked_is_refused(
    account: Account, _case: str, asked: dict[str, Any], error: type[Refused], code: str
) -> None:
    tell(account, acme())
    before = traits()

    with pytest.raises(error) as raised:
        identity.link(**asked, by=ADA)

    assert raised.value.code == code
    assert traits() == before


def test_only_what_was_made_by_hand_can_be_unlinked(account: Account) -> None:
    tell(account, acme())

    with pytest.raises(Conflict) as derived:
        identity.unlink(id="cus_a", kind=LinkKind.EMAIL, value="ada@acme.example", by=ADA)
    with pytest.raises(NotFound) as unknown:
        identity.unlink(id="cus_a", kind=LinkKind.USER, value="u1", by=ADA)

    assert (derived.value.code, unknown.value.code) == ("link_derived", "link_unknown")


# --- people ----------------------------------------------------------------------------------------------------------


def test_a_person_has_addresses_ids_and_customers(account: Account, settings_of: pytest.MonkeyPatch) -> None:
    configure(settings_of, keys=KEYS)
    tell(
        account,
        world.customer("cus_a", "Acme", "ada@x.example", metadata={"user_id": "u1"}),
        world.customer("cus_b", "Bee", "billing@bee.example", metadata={"user_id": "u1", "org_id": "o1"}),
    )

    ada = identity.people(q="u1").data[0]

    assert (ada.emails, ada.user_ids) == (("ada@x.example",), ("u1",))
    assert [one.stripe_customer_id for one in sorted(ada.customers, key=lambda one: one.name or "")] == [
        "cus_a",
        "cus_b",
    ]
    assert identity.person(ada.id) == ada
    (billing,) = identity.people(q=" Billing@Bee.example ").data
    assert (billing.emails, billing.user_ids, len(billing.customers)) == (("billing@bee.example",), (), 1)
    assert {one.id for one in identity.people(customer="cus_b").data} == {ada.id, billing.id}
    assert identity.people(customer="cus_a", q="billing@bee.example").data == ()
    assert identity.people(q="nobody@x.example").data == ()


def test_an_address_can_be_given_to_a_person_by_hand(account: Account, settings_of: pytest.MonkeyPatch) -> None:
    configure(settings_of, keys=KEYS)
    tell(account, world.customer("cus_a", "Acme", "ada@x.example", metadata={"user_id": "u1"}))
    (ada,) = identity.people().data

    given: Link = identity.link(id="cus_a", kind=LinkKind.EMAIL, value="ada@home.example", person_id=ada.id, by=ADA)

    assert given.person_id == ada.id
    assert identity.person(ada.id).emails == ("ada@home.example", "ada@x.example")


def test_people_of_test_mode_are_nobody_in_live_mode(account: Account) -> None:
    tell(account, acme())
    live = world.connect("live", livemode=True)
    world.told(live, {**world.event("customer.created", world.customer("cus_l", "L", "l@l.example")), "livemode": True})
    person = next(one for one in identity.people().data if not one.livemode)

    with pytest.raises(NotFound):
        identity.link(id="cus_l", kind=LinkKind.USER, value="u1", person_id=person.id, by=ADA)


def test_people_of_merged_customers_belong_to_the_one_they_are(account: Account) -> None:
    tell(account, acme(), world.customer("cus_b", "B", "ada@acme.example"))
    merging.merge(id="cus_a", others=["cus_b"], by=ADA)

    (ada,) = identity.people().data

    assert [one.stripe_customer_id for one in ada.customers] == ["cus_a"]
    assert identity.people(customer="cus_b").data == (ada,)


def test_pages_hold_every_person_once(account: Account) -> None:
    tell(account, *(world.customer(f"cus_{number}", None, f"{number}@x.example") for number in range(7)))
    whole = identity.people().data
    seen: list[Any] = []
    after = None
    for _ in range(4):
        page = identity.people(limit=2, after=after)
        seen += page.data
        after = page.next

    assert tuple(seen) == whole
    assert (len(whole), after) == (7, None)
    with pytest.raises(NotFound):
        identity.person("tp_nobody")


@pytest.mark.django_db
def test_what_a_batch_no_longer_tells_is_looked_up_in_a_hash_however_the_planner_is_misled() -> None:
    told = re.sub(rb"%\(\w+\)b", b"null", links.REPLACE)
    with database.transaction():
        database.execute("set local enable_hashjoin = off")
        plan = database.execute("explain " + told.decode()).fetchall()

    assert any("hashed SubPlan" in row[0] for row in plan)
