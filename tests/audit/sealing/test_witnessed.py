"""The sequencer and the witness of its home: what the one signed the other remembers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit.witnesses.stored import ask
from trueup.audit import service as audit
from trueup.audit.sealing import sequencer
from trueup.audit.sealing import service as sealing
from trueup.audit.sealing.errors import SealingRefused
from trueup.audit.types import Action
from trueup.audit.witnesses import asking, places
from trueup.kernel.actor import system
from trueup.runtime import clock, configuration, database

BY = system("test")


@pytest.fixture
def home(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    configuration.current.cache_clear()


def seal(entries: int) -> None:
    for number in range(entries):
        with database.transaction() as connection:
            audit.record(connection, by=BY, action=Action.ACCOUNT_CHANGED, object_type="account", object_id=str(number))
    sequencer.seal(livemode=True)


def put_back(size: int) -> None:
    """Put the newest checkpoints and what follows them away, as an old copy of the database would."""
    ask("set session_replication_role = replica")
    ask("delete from audit_checkpoint where livemode and size > %(size)s", size=size)
    ask("set session_replication_role = origin")


def test_what_the_witness_of_the_home_knows_stops_a_signer_that_knows_nothing(home: Path) -> None:
    seal(3)
    ((first,),) = ask("select max(size) from audit_checkpoint")
    seal(2)
    assert asking.ask(threading.Event()) == 1
    for file in (home / "audit").glob("signed-*"):
        file.unlink()
    put_back(first)

    with pytest.raises(SealingRefused) as caught:
        sequencer.seal(livemode=True)

    assert caught.value.code == "audit_went_back"
    assert places.built_in().key.name in caught.value.message


def test_the_witness_begins_anew_once_an_operator_has_said_why(home: Path) -> None:
    seal(3)
    ((first,),) = ask("select max(size) from audit_checkpoint")
    seal(2)
    asking.ask(threading.Event())
    put_back(first)

    sealing.accept_rollback(livemode=True, why="Restored on purpose.", by=BY)

    (kept,) = (home / "witness").glob("*.rolled-back")
    assert kept.stat().st_mtime <= clock.now().timestamp()
    assert places.built_in().all_known() == ()
