"""A database that went back in time is found by whoever remembers more, and stands once that is on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.notes.keyring import ORIGIN
from tests.audit.witnesses.conftest import Configure
from tests.audit.witnesses.stored import StoredLog, ask, look, pass_time, sinks
from trueup.audit.notes.signed import parse_note
from trueup.audit.witnesses import places, rollback
from trueup.audit.witnesses.rollback import WentBack
from trueup.audit.witnesses.state import Witness
from trueup.runtime import configuration, database


def back(*, livemode: bool = True) -> WentBack | None:
    return rollback.went_back(database.connection(), livemode=livemode)


def accept() -> tuple[str, ...]:
    with database.transaction() as connection:
        told = rollback.accept(connection, livemode=True)
    rollback.forget(livemode=True)
    return told


def test_nothing_went_back_while_all_continues(log: StoredLog, configure: Configure) -> None:
    assert back() is None
    look()
    assert back() is None
    log.grow_to(301)
    assert back() is None


def test_an_old_database_is_found_before_anything_is_asked(log: StoredLog, configure: Configure) -> None:
    look()
    ask("delete from audit_sink")
    log.grow_to(200)

    assert back() == WentBack(name=places.built_in().key.name, size=300)
    assert back(livemode=False) is None


def test_another_log_of_the_same_size_is_found(log: StoredLog, configure: Configure) -> None:
    look()
    StoredLog(name="other").grow_to(300)

    assert back() is not None


def test_another_log_that_is_larger_is_found(log: StoredLog, configure: Configure) -> None:
    look()
    StoredLog(name="other").grow_to(400)
    ask("set session_replication_role = replica")
    ask("delete from audit_checkpoint where size = 300")
    ask("set session_replication_role = origin")

    assert back() is not None


def test_a_database_without_any_log_is_found(log: StoredLog, configure: Configure) -> None:
    look()
    ask("set session_replication_role = replica")
    ask("delete from audit_checkpoint")
    ask("set session_replication_role = origin")

    assert back() is not None


@pytest.mark.parametrize(("name", "size"), [("entry", 200), ("other", 400)])
def test_a_witness_elsewhere_finds_it_where_this_home_knows_nothing(
    log: StoredLog, witness: Witness, configure: Configure, name: str, size: int
) -> None:
    look()
    configure(HOME=str(configuration.current().home / "new"))
    ask("delete from audit_sink where kind = %(kind)s", kind=places.BUILT_IN)
    pass_time(60)
    StoredLog(name=name).grow_to(size)

    look()

    assert sinks()[places.WITNESS] == (300, 1, "audit_went_back")
    assert sinks()[places.BUILT_IN] == (size, 0, "")
    assert back() == WentBack(name=witness.key.name, size=300)


def test_what_was_accepted_stops_nobody_and_what_was_known_is_kept(
    log: StoredLog, witness: Witness, tmp_path: Path
) -> None:
    look()
    other = StoredLog(name="other")
    other.grow_to(200)
    pass_time(60)
    look()
    assert sinks() == {places.BUILT_IN: (300, 1, "audit_went_back"), places.WITNESS: (300, 1, "audit_went_back")}

    told = accept()

    assert told == (witness.key.name,)
    assert back() is None
    (kept,) = (tmp_path / "witness").glob("*.rolled-back")
    assert parse_note(kept.read_bytes()).text.split("\n")[:2] == [ORIGIN, "300"]
    pass_time(60)
    other.grow_to(201)
    look()
    assert sinks() == {places.BUILT_IN: (201, 0, ""), places.WITNESS: (300, 1, "audit_witness_ahead")}
    assert back() is None
    pass_time(60)
    other.grow_to(350)
    look()
    assert sinks()[places.WITNESS] == (300, 2, "audit_witness_ahead")
    assert back() is None


def test_a_witness_that_was_told_by_hand_follows_again(log: StoredLog, witness: Witness) -> None:
    look()
    log.grow_to(200)
    pass_time(60)
    look()
    accept()

    witness.forget(ORIGIN)
    pass_time(60)
    look()

    assert sinks()[places.WITNESS] == (200, 0, "")


def test_going_back_once_more_is_found_once_more(log: StoredLog, witness: Witness) -> None:
    look()
    log.grow_to(200)
    pass_time(60)
    look()
    accept()
    pass_time(60)
    look()

    log.grow_to(150)

    assert back() == WentBack(name=places.built_in().key.name, size=200)
