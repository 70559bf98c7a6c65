"""Witnesses are asked about the newest checkpoint, and what they say to it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.notes.keyring import LOG
from tests.audit.outside import Asked
from tests.audit.witnesses.conftest import Serve, serving
from tests.audit.witnesses.stored import StoredLog, ask, look, pass_time, sinks
from trueup.audit.notes.cosignatures import cosigned_at
from trueup.audit.notes.signed import parse_note
from trueup.audit.witnesses import places, rollback
from trueup.audit.witnesses.state import Witness
from trueup.runtime import database


def test_every_witness_cosigns_the_newest_checkpoint_and_its_line_is_kept(log: StoredLog, witness: Witness) -> None:
    assert look() == 2

    assert sinks() == {places.BUILT_IN: (300, 0, ""), places.WITNESS: (300, 0, "")}
    ((note,),) = ask("select note from audit_checkpoint where size = 300")
    lines = dict(ask("select key_name, line from audit_cosignature where size = 300"))
    assert lines.keys() == {witness.key.name, places.built_in().key.name}
    for key in (witness.key, places.built_in().key):
        whole = parse_note(f"{note}{lines[key.name]}".encode())
        cosigned_at(whole.text, key, whole.signatures[-1])


def test_a_witness_is_asked_again_when_there_is_a_newer_checkpoint_and_once_a_day(
    log: StoredLog, witness: Witness
) -> None:
    look()
    pass_time(3_600)
    assert look() == 0

    log.grow_to(70_000)
    assert look() == 2
    assert look() == 0
    known = witness.known(LOG.key.name)
    assert known is not None
    assert known.size == 70_000

    pass_time(86_401)
    assert look() == 2
    assert sinks()[places.WITNESS] == (70_000, 0, "")


def test_what_is_not_signed_is_shown_to_nobody(log: StoredLog, witness: Witness) -> None:
    log.grow_to(400, signed=False)

    look()

    assert sinks()[places.WITNESS][0] == 300


def test_an_answer_that_was_lost_is_made_good(log: StoredLog, witness: Witness) -> None:
    look()
    ask("update audit_sink set size = 200")
    log.grow_to(310)
    pass_time(60)

    look()

    assert sinks()[places.WITNESS] == (310, 0, "")


def test_a_witness_that_is_away_is_asked_more_and_more_seldom(log: StoredLog, serve: Serve) -> None:
    serve(lambda _: (500, "text/plain", b""))
    look()
    assert sinks()[places.WITNESS] == (None, 1, "audit_witness_500")

    pass_time(9)
    assert look() == 0
    pass_time(2)
    assert look() == 1
    assert sinks()[places.WITNESS][1] == 2
    assert sinks()[places.BUILT_IN] == (300, 0, "")
    assert rollback.went_back(database.connection(), livemode=True) is None


@pytest.mark.parametrize(
    ("_case", "answer", "code"),
    [
        ("a redirect", (307, "/elsewhere", b""), "audit_witness_307"),
        ("no cosignature", (200, "text/plain", b"hello\n"), "note_invalid"),
        ("no text", (200, "text/plain", b"\xff"), "note_invalid"),
        ("no size", (409, "text/x.tlog.size", b"many\n"), "note_invalid"),
        ("another key's", (200, "text/plain", "\u2014 a.example AAAAAAAA\n".encode()), "signature_invalid"),
    ],
)
def test_an_answer_that_is_none_is_noted_and_nothing_is_kept(
    log: StoredLog, serve: Serve, _case: str, answer: tuple[int, str, bytes], code: str
) -> None:
    serve(lambda _: answer)

    look()

    assert sinks()[places.WITNESS] == (None, 1, code)
    assert ask("select count(*) from audit_cosignature") == [(1,)]


def test_a_cosignature_of_another_checkpoint_is_not_kept(log: StoredLog, serve: Serve, tmp_path: Path) -> None:
    liar = Witness(tmp_path / "liar")
    kept: list[tuple[int, str, bytes]] = []

    def answering(asked: Asked) -> tuple[int, str, bytes]:
        kept.append(serving(liar)(asked))
        return kept[0]

    serve(answering, str(liar.key))
    look()
    log.grow_to(310)
    pass_time(60)

    look()

    assert sinks()[places.WITNESS] == (300, 1, "signature_invalid")
    lines = ask("select size from audit_cosignature where key_name = %(name)s", name=liar.key.name)
    assert lines == [(300,)]


def test_places_that_fail_are_those_of_one_mode_alone(log: StoredLog, witness: Witness) -> None:
    look()

    assert ask("select count(*) from audit_sink where not livemode") == [(0,)]
