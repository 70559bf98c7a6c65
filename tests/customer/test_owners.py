"""Who looks after a customer, and what people write down about one."""

from __future__ import annotations

import pytest

from tests.web.console import world
from trueup.audit import service as audit
from trueup.customer import merging
from trueup.customer import service as customers
from trueup.customer.owners import service as owners
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Forbidden, NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.types import Person, Role
from trueup.runtime import database

TESTER = system("test")


@pytest.fixture
def anna(db: None) -> Person:
    world.many(world.connect(), 4)
    operators.create_operator(email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=TESTER)
    return operators.create_operator(
        email="anna@acme.example", password="nine quiet rivers", name="Anna", roles=[Role.SALES], by=TESTER
    )


def acting(person: Person) -> Actor:
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


def test_a_person_looks_after_customers_until_nobody_does(anna: Person) -> None:
    assert owners.owner("cus_001") is None
    assert owners.assign(ids=["cus_001", "cus_002"], operator_id=anna.id, by=acting(anna)) == 2
    assert owners.assign(ids=["cus_001", "cus_003"], operator_id=anna.id, by=acting(anna)) == 1

    found = owners.owner("cus_001")
    assert found is not None
    assert (found.name, found.operator_id, found.is_active, found.by) == (
        "Anna",
        anna.id,
        True,
        f"operator:{anna.id}",
    )
    assert owners.numbers() == {anna.id: 3}
    assert owners.assign(ids=["cus_001"], operator_id=None, by=TESTER) == 1
    assert owners.owner("cus_001") is None
    entry = audit.entries(database.connection(), action="customer.owner.set", limit=1)[0]
    assert (entry.before, entry.after) == ({"operator_id": anna.id}, {"operator_id": None})


def test_an_owner_stays_when_everything_is_made_anew(anna: Person) -> None:
    owners.assign(ids=["cus_001"], operator_id=anna.id, by=TESTER)
    own = customers.get("cus_001").id

    customers.rebuild(by=TESTER)

    assert owners.of([own])[own].operator_id == anna.id


def test_the_owner_of_merged_customers_is_the_leading_ones(anna: Person) -> None:
    owners.assign(ids=["cus_002"], operator_id=anna.id, by=TESTER)
    merging.merge(id="cus_001", others=["cus_002"], by=TESTER)
    assert owners.owner("cus_002") is None

    owners.assign(ids=["cus_002"], operator_id=anna.id, by=TESTER)
    found = owners.owner("cus_001")

    assert found is not None
    assert found.customer_id == customers.get("cus_001").id


def test_nothing_is_changed_where_one_of_them_cannot_be(anna: Person) -> None:
    with pytest.raises(NotFound):
        owners.assign(ids=["cus_001", "cus_nobody"], operator_id=anna.id, by=TESTER)
    with pytest.raises(NotFound):
        owners.assign(ids=["cus_001"], operator_id=10**9, by=TESTER)
    with pytest.raises(Refused, match="At most"):
        owners.assign(ids=["cus_001"] * 1_001, operator_id=anna.id, by=TESTER)

    assert owners.owner("cus_001") is None


def test_only_people_who_see_customers_are_offered_and_accepted(anna: Person) -> None:
    database.execute("update operators_operator set is_active = false where id = %s", (anna.id,))

    assert [one.email for one in owners.candidates()] == ["o@acme.example"]
    with pytest.raises(Refused, match="cannot look after"):
        owners.assign(ids=["cus_001"], operator_id=anna.id, by=TESTER)


def test_it_takes_a_permission(anna: Person) -> None:
    operators.set_roles(operator_id=anna.id, roles=[Role.FINANCE], by=TESTER)

    with pytest.raises(Forbidden):
        owners.assign(ids=["cus_001"], operator_id=anna.id, by=acting(anna))
