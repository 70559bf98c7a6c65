"""Legal holds."""

from __future__ import annotations

import pytest

from tests.audit.retention.telling import BY
from trueup.audit import service as audit
from trueup.audit.retention import holds
from trueup.kernel.errors import NotFound, Refused
from trueup.runtime import database


def test_a_hold_stands_until_it_is_released_and_both_are_on_record(db: None) -> None:
    placed = holds.place(name="Smith v. Acme", why="Counsel asked.", by=BY, subject="customer:cus_1")
    assert holds.standing() == holds.all_holds() == [placed]

    released = holds.release(placed.id, why="Settled.", by=BY)

    assert holds.standing() == []
    assert holds.all_holds() == [released]
    assert (released.name, released.why) == ("Smith v. Acme", "Counsel asked.")
    assert released.released_at is not None
    found = audit.entries(database.connection(), object_type="hold", object_id=str(placed.id), opened=True)
    named = {"name": "Smith v. Acme", "subject": "customer:cus_1"}
    assert [(one.action, one.why, one.before, one.after) for one in found] == [
        ("audit.hold.released", "Settled.", named, None),
        ("audit.hold.placed", "Counsel asked.", None, named),
    ]
    (shown, _) = audit.entries(database.connection(), object_type="hold")
    assert shown.before == {"subject": "customer:cus_1"}, "what the case is called is kept apart"


def test_a_hold_keeps_its_subject_or_everybody(db: None) -> None:
    one = holds.place(name="One", why="Because.", by=BY, subject="customer:cus_1")
    every = holds.place(name="Everything", why="Because.", by=BY)

    assert holds.standing("customer:cus_1") == [one, every]
    assert holds.standing("customer:cus_2") == [every]
    assert every.keeps == "the whole log"


def test_a_hold_is_released_once(db: None) -> None:
    placed = holds.place(name="One", why="Because.", by=BY)
    holds.release(placed.id, why="Over.", by=BY)

    with pytest.raises(NotFound, match=f"No legal hold {placed.id} stands"):
        holds.release(placed.id, why="Over.", by=BY)


@pytest.mark.parametrize(("name", "why", "subject"), [("", "x", ""), ("x", " ", ""), ("x", "x", "cus_1")])
def test_a_hold_has_a_name_and_a_reason_and_names_somebody_or_everybody(
    db: None, name: str, why: str, subject: str
) -> None:
    with pytest.raises(Refused):
        holds.place(name=name, why=why, by=BY, subject=subject)
    assert holds.all_holds() == []


def test_a_release_has_a_reason(db: None) -> None:
    placed = holds.place(name="One", why="Because.", by=BY)

    with pytest.raises(Refused, match="without a reason"):
        holds.release(placed.id, why="", by=BY)
    assert holds.standing() == [placed]
