"""Erasing what is told of somebody: the values go, and the log stays as it is."""

from __future__ import annotations

import resource
import stat
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from tests.audit.retention.telling import BY, tell
from tests.audit.writing import seal_all
from trueup.audit import service as audit
from trueup.audit.notes.policy_files import parse_policy
from trueup.audit.retention import copies, erasing, holds, keeping
from trueup.audit.signing import rotation
from trueup.audit.store import LOG, VALUES
from trueup.audit.types import Action
from trueup.audit.verifying import service as verifying
from trueup.kernel.errors import Broken, Refused, Unavailable
from trueup.runtime import database

BODIES = f"select id, at, body from {LOG} e where action <> 'audit.subject.erased' order by id"


def told(customer: str) -> list[tuple[str, Any]]:
    """What can be read of a customer, newest first."""
    found = audit.entries(database.connection(), object_type="customer", object_id=customer, opened=True)
    return [(one.why, one.after) for one in found if one.action == "customer.link.added"]


def erase(*names: str, **given: Any) -> erasing.Erased:
    """Erase customers."""
    fields: dict[str, Any] = {"why": "Article 17.", "by": BY}
    return erasing.erase(subjects=names, **(fields | given))


def test_the_values_go_and_every_entry_stays_as_it_is(db: None, place: Path) -> None:
    tell("cus_1", "Ada")
    tell("cus_1", "Ada Lovelace")
    tell("cus_2", "Grace")
    before = database.execute(BODIES).fetchall()

    erased = erase("customer:cus_1")

    assert (erased.values, erased.dry_run) == (4, False)
    assert told("cus_1") == [("", {"kind": "user"})] * 2
    assert told("cus_2") == [("Grace asked.", {"kind": "user", "value": "Grace"})]
    assert database.execute(BODIES).fetchall() == before
    assert database.execute("select subject from audit_subjectkey order by 1").fetchall() == [
        ("customer:cus_2",),
        ("operator:8",),
    ]


@pytest.mark.parametrize("sealed", [False, True])
def test_values_are_erased_wherever_they_are_before_and_after_the_sequencer_had_them(
    db: None, home: Path, sealed: bool
) -> None:
    tell("cus_1", "Ada")
    tell("cus_2", "Grace")
    if sealed:
        seal_all()

    previewed = erase("customer:cus_1", dry_run=True)
    erased = erase("customer:cus_1")
    again = erase("customer:cus_1")

    assert (previewed.values, erased.values) == (2, 2)
    assert (again.values, again.subjects[0].before) == (0, True)
    left = database.execute(f"select subject from {VALUES} d where subject like 'customer:%' order by 1").fetchall()
    assert left == [("customer:cus_2",)] * 2
    seal_all()
    assert told("cus_2") == [("Grace asked.", {"kind": "user", "value": "Grace"})]


def test_roots_proofs_and_the_whole_log_stay_valid(db: None, home: Path) -> None:
    first = tell("cus_1", "Ada")
    tell("cus_2", "Grace")
    seal_all()
    policy = rotation.policy(database.connection(), livemode=True)
    proof = verifying.prove(database.connection(), first)
    leaves = database.execute("select * from audit_leaf order by leaf_index").fetchall()

    erase("customer:cus_1")
    seal_all()

    assert database.execute("select * from audit_leaf order by leaf_index").fetchall()[: len(leaves)] == leaves
    found = verifying.verify_database(database.connection(), livemode=True)
    assert (found.verified, found.first) == (True, None)
    body = audit.entry(database.connection(), first).body
    for one in (proof, verifying.prove(database.connection(), first)):
        verifying.verify_proof(one, body, parse_policy(policy))


def test_an_erasure_is_on_record_and_its_reason_is_that_of_whoever_did_it(db: None, place: Path) -> None:
    tell("cus_1", "Ada")

    erase("customer:cus_1")

    (entry,) = audit.entries(database.connection(), action="audit.subject.erased", opened=True)
    assert (entry.object_type, entry.object_id, entry.after) == ("customer", "cus_1", {"values": 2})
    assert entry.why == "Article 17."
    left = f"select count(*) from {VALUES} d where subject = 'customer:cus_1'"
    assert database.execute(left).fetchone() == (0,)


def test_the_copy_has_every_key_and_none_that_was_destroyed(db: None, place: Path) -> None:
    tell("cus_1", "Ada")
    tell("cus_2", "Grace")
    assert keeping.write_out() > 0
    kept = database.execute("select key_id, subject, sealed from audit_subjectkey").fetchall()
    assert {(one.key_id, one.subject, one.sealed) for one in copies.keys(place)} == set(kept)
    destroyed = next(one.sealed for one in copies.keys(place) if one.subject == "customer:cus_1")

    erase("customer:cus_1")

    assert {one.subject for one in copies.keys(place)} == {"customer:cus_2", "operator:8"}
    assert msgspec.json.encode(destroyed).strip(b'"') not in (place / copies.KEYS).read_bytes()
    assert [one.subject for one in copies.ledger(place)] == ["customer:cus_1"]
    for path in (place / copies.KEYS, place / copies.LEDGER):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert keeping.write_out() == 0


def test_what_is_told_later_has_another_key_and_stays(db: None, place: Path) -> None:
    tell("cus_1", "Ada")
    erase("customer:cus_1")

    tell("cus_1", "Ada again")
    keeping.write_out()

    assert keeping.heal(everything=True) == 0
    assert told("cus_1") == [("Ada again asked.", {"kind": "user", "value": "Ada again"}), ("", {"kind": "user"})]
    assert "customer:cus_1" in {one.subject for one in copies.keys(place)}


def test_erasing_again_does_nothing_and_erases_what_was_told_since(db: None, place: Path) -> None:
    tell("cus_1", "Ada")
    erase("customer:cus_1")

    assert [(one.values, one.before) for one in erase("customer:cus_1").subjects] == [(0, True)]
    assert len(copies.ledger(place)) == 1
    tell("cus_1", "Ada again")
    assert [(one.values, one.before) for one in erase("customer:cus_1").subjects] == [(2, False)]
    assert len(copies.ledger(place)) == 2


def test_somebody_the_log_does_not_know_is_noted_for_every_backup_that_does(db: None, place: Path) -> None:
    assert erase("customer:cus_9", "customer:cus_8").values == 0

    assert {one.subject for one in copies.ledger(place)} == {"customer:cus_9", "customer:cus_8"}


def test_whoever_acts_can_be_erased_and_the_reason_is_told_anew(db: None, place: Path) -> None:
    tell("cus_1", "Ada")

    erase("operator:8", "customer:cus_1")

    (entry, _) = audit.entries(database.connection(), action="audit.subject.erased", opened=True)
    assert entry.why == "Article 17."
    assert keeping.heal(everything=True) == 0


def test_a_dry_run_counts_and_changes_nothing(db: None, place: Path) -> None:
    tell("cus_1", "Ada")

    erased = erase("customer:cus_1", dry_run=True)

    assert (erased.values, erased.dry_run) == (2, True)
    assert told("cus_1") == [("Ada asked.", {"kind": "user", "value": "Ada"})]
    assert not place.exists()


@pytest.mark.parametrize("subject", ["", "cus_1", "customer:", "customer:a b", "Customer:cus_1"])
def test_what_names_nobody_is_refused(db: None, place: Path, subject: str) -> None:
    with pytest.raises(Refused, match="names nobody"):
        erase("customer:cus_1", subject)
    assert database.execute("select count(*) from audit_erasure").fetchone() == (0,)


def test_a_reason_is_asked_for(db: None, place: Path) -> None:
    with pytest.raises(Refused, match="and a reason"):
        erase("customer:cus_1", why=" ")


@pytest.mark.parametrize("kept", ["customer:cus_1", ""])
def test_a_hold_forbids_it_until_it_is_released(db: None, place: Path, kept: str) -> None:
    tell("cus_1", "Ada")
    hold = holds.place(name="Smith v. Acme", why="Counsel asked.", by=BY, subject=kept)

    for dry_run in (True, False):
        with pytest.raises(holds.Held, match=f"erasing customer:cus_1: {hold.id} "):
            erase("customer:cus_1", "customer:cus_2", dry_run=dry_run)
    assert told("cus_1") == [("Ada asked.", {"kind": "user", "value": "Ada"})]
    assert database.execute("select count(*) from audit_erasure").fetchone() == (0,)

    holds.release(hold.id, why="Settled.", by=BY)
    assert erase("customer:cus_1").values == 2


def test_a_hold_of_somebody_else_forbids_nothing(db: None, place: Path) -> None:
    tell("cus_1", "Ada")
    holds.place(name="Smith v. Acme", why="Counsel asked.", by=BY, subject="customer:cus_2")

    assert erase("customer:cus_1").values == 2


def test_what_is_committed_late_under_a_destroyed_key_is_erased_afterwards(committed: str, place: Path) -> None:
    tell("cus_1", "Ada")
    with psycopg.connect(committed) as other:
        for customer in ("cus_1", "cus_2"):
            # The key of cus_2 is made in that transaction; that of cus_1 was at hand.
            audit.record(
                other, by=BY, action=Action.LINK_ADDED, object_type="customer", object_id=customer, why="Late."
            )
        erase("customer:cus_1", "customer:cus_2")
        other.commit()
    late = f"select subject from {VALUES} d where subject like 'customer:%' order by 1"
    assert database.execute(late).fetchall() == [("customer:cus_1",), ("customer:cus_2",)]
    assert [one.why for one in audit.entries(database.connection(), object_id="cus_1", opened=True) if one.why] == [
        "Article 17."
    ]

    assert keeping.heal() == 1, "the key of cus_2"
    seal_all()

    assert database.execute(late).fetchall() == []
    keeping.write_out()
    assert {one.subject for one in copies.keys(place)} == {"operator:8"}


def test_a_key_of_another_database_stays_in_the_copy_until_its_subject_is_erased(db: None, place: Path) -> None:
    place.mkdir()
    foreign = copies.KeptKey(key_id=4_000, subject="customer:cus_1", sealed=b"sealed")
    copies.replace_keys(place, [foreign])
    tell("cus_1", "Ada")

    keeping.write_out()
    assert foreign in copies.keys(place)

    erase("customer:cus_1")
    assert foreign not in copies.keys(place)
    tell("cus_1", "Ada again")
    assert database.execute("select key_id > 4000 from audit_subjectkey where subject like '%_1'").fetchall() == [
        (True,)
    ]


def test_a_line_of_the_ledger_that_was_cut_short_is_written_again(db: None, place: Path) -> None:
    erase("customer:cus_1")
    erase("customer:cus_2")
    whole = (place / copies.LEDGER).read_bytes()
    (place / copies.LEDGER).write_bytes(whole[:-5])
    assert [one.subject for one in copies.ledger(place)] == ["customer:cus_1"]

    assert keeping.write_out() == 1

    assert (place / copies.LEDGER).read_bytes() == whole


def test_files_that_are_lost_are_made_again(db: None, place: Path) -> None:
    tell("cus_2", "Grace")
    erase("customer:cus_1")
    before = copies.keys(place), copies.ledger(place)
    for name in (copies.KEYS, copies.LEDGER):
        (place / name).unlink()

    keeping.write_out()

    assert (copies.keys(place), copies.ledger(place)) == before


@pytest.mark.parametrize("name", [copies.KEYS, copies.LEDGER])
def test_a_damaged_file_is_told_and_not_written_over(db: None, place: Path, name: str) -> None:
    tell("cus_1", "Ada")
    erase("customer:cus_2")
    spoiled = b"{" + (place / name).read_bytes()
    (place / name).write_bytes(spoiled)

    with pytest.raises(Broken, match=f"{name} is damaged"):
        keeping.write_out()

    assert (place / name).read_bytes() == spoiled


def test_a_copy_that_cannot_be_written_is_told_and_made_up_for(db: None, place: Path) -> None:
    tell("cus_1", "Ada")
    keeping.write_out()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A file that may not grow fails as a disk that is full, for root as well.
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))
    try:
        with pytest.raises(Unavailable) as failed:
            erase("customer:cus_1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert failed.value.code == "audit_copy_unwritten"
    assert told("cus_1") == [("", {"kind": "user"})]
    assert "customer:cus_1" in {one.subject for one in copies.keys(place)}
    assert keeping.write_out() > 0
    assert "customer:cus_1" not in {one.subject for one in copies.keys(place)}
