"""Lists that are kept under a name: whose, for whom, and what may be in them."""

from __future__ import annotations

import pytest

from trueup.customer.views import service as views
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Conflict, Forbidden, NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.types import Role

TESTER = system("test")
OWING = {"stage": ["past_due"], "owner": ["me"]}


def person(email: str, role: Role) -> Actor:
    made = operators.create_operator(email=email, password="nine quiet rivers", roles=[role], by=TESTER)
    return Actor(kind=ActorKind.OPERATOR, id=str(made.id))


@pytest.fixture
def boss(db: None) -> Actor:
    return person("o@acme.example", Role.OWNER)


def names(of: Actor) -> list[str]:
    return [one.name for one in views.views(operator_id=int(of.id))]


def test_everybody_sees_their_own_and_those_of_all(boss: Actor) -> None:
    anna, ben = person("anna@acme.example", Role.SALES), person("ben@acme.example", Role.SALES)
    views.save(name="Mine", parameters=OWING, shared=False, by=anna)
    views.save(name="Ours", parameters={"sort": ["-mrr"], "q": [""]}, shared=True, by=boss)

    assert names(anna) == ["Mine", "Ours"]
    assert names(ben) == ["Ours"]
    assert views.views(operator_id=int(ben.id))[0].parameters == {"sort": ("-mrr",)}


def test_the_same_name_is_replaced_and_another_person_may_have_it_too(boss: Actor) -> None:
    anna = person("anna@acme.example", Role.SALES)
    first = views.save(name=" Mine ", parameters=OWING, shared=False, by=anna)
    second = views.save(name="Mine", parameters={"stage": ["active"]}, shared=False, by=anna)
    views.save(name="Mine", parameters=OWING, shared=False, by=boss)

    assert (first.id, first.name) == (second.id, "Mine")
    assert [one.parameters for one in views.views(operator_id=int(anna.id))] == [{"stage": ("active",)}]


def test_one_for_all_takes_a_permission_to_keep_and_to_remove(boss: Actor) -> None:
    anna = person("anna@acme.example", Role.SALES)
    ours = views.save(name="Ours", parameters=OWING, shared=True, by=boss)
    own = views.save(name="Own", parameters=OWING, shared=False, by=boss)

    with pytest.raises(Forbidden):
        views.save(name="Ours", parameters=OWING, shared=True, by=anna)
    with pytest.raises(Forbidden):
        views.remove(view_id=ours.id, by=anna)
    with pytest.raises(NotFound):
        views.remove(view_id=own.id, by=anna)
    views.remove(view_id=ours.id, by=boss)
    assert names(boss) == ["Own"]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("", OWING),
        ("x" * 61, OWING),
        ("Odd", {"after": ["x"]}),
        ("Odd", {"q": ["x" * 201]}),
        ("Odd", {"q": ["\x00"]}),
    ],
)
def test_what_no_list_has_is_refused(boss: Actor, name: str, parameters: dict[str, list[str]]) -> None:
    with pytest.raises(Refused):
        views.save(name=name, parameters=parameters, shared=False, by=boss)


def test_somebody_keeps_so_many_and_a_program_none(boss: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST", 1)
    views.save(name="One", parameters=OWING, shared=False, by=boss)
    views.save(name="One", parameters={}, shared=False, by=boss)

    with pytest.raises(Conflict):
        views.save(name="Two", parameters=OWING, shared=False, by=boss)
    with pytest.raises(Forbidden):
        views.save(name="Two", parameters=OWING, shared=False, by=TESTER)
