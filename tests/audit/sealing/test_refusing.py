"""Nothing is signed that does not continue what was signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.writing import BY, record, record_many, root, seal, signed
from trueup.audit import service as audit
from trueup.audit.notes.keys import VerifierKey
from trueup.audit.notes.signed import parse_note
from trueup.audit.sealing import service as sealing
from trueup.audit.signing import keys
from trueup.runtime import database

pytestmark = pytest.mark.usefixtures("db", "home")

WHY = "Restored from last night."


def tamper(*statements: str) -> None:
    """What a superuser does."""
    database.execute("set local session_replication_role = replica")
    for statement in statements:
        database.execute(statement)
    database.execute("set local session_replication_role = default")


def go_back(size: int) -> None:
    """The database as it was when the live log had this many entries, with nothing pending."""
    tamper(
        f"delete from audit_checkpoint where size > {size}",
        f"delete from audit_logentry where id in (select entry_id from audit_leaf where leaf_index >= {size})",
        f"delete from audit_leaf where leaf_index >= {size}",
        f"update audit_tile set hashes = substring(hashes from 1 for {size * 32})",
    )


def refusal() -> str:
    """The code for which nothing is signed."""
    return sealing.state(database.connection(), livemode=True).code


def test_a_database_that_went_back_is_not_signed_until_somebody_accepts_it(home: Path) -> None:
    record_many(2)
    seal()
    record_many(5)
    seal()
    assert signed().size == 8
    go_back(3)

    record()
    assert seal() == 0

    assert refusal() == "audit_went_back"
    assert database.execute("select count(*) from audit_unsealed").fetchone() == (1,), "nothing is numbered either"

    sealing.accept_rollback(livemode=True, why=WHY, by=BY)
    assert seal() == 2

    assert refusal() == ""
    assert (signed().size, signed().root) == (5, root())
    (entry,) = audit.entries(database.connection(), action="audit.rollback.accepted", opened=True)
    assert (entry.before["size"], entry.after["size"], entry.why) == (8, 3, WHY)
    (kept,) = (home / "audit").glob("signed-live.2*")
    assert parse_note(kept.read_bytes()).text.split("\n")[1] == "8"


def test_an_empty_database_under_a_signer_that_remembers_is_found() -> None:
    record()
    seal()
    tamper(*(f"delete from audit_{table}" for table in ("checkpoint", "logentry", "leaf", "tile", "signingkey")))

    seal()
    assert refusal() == "audit_went_back"

    sealing.accept_rollback(livemode=True, why=WHY, by=BY)
    seal()
    assert refusal() == ""
    assert signed().size == 2


def test_another_tree_of_the_same_size_is_found() -> None:
    record_many(3)
    seal()
    tamper("update audit_checkpoint set root = sha256('x')")

    seal()

    assert refusal() == "audit_tree_changed"


def test_another_tree_below_a_larger_one_is_found() -> None:
    record_many(3)
    seal()
    tamper("update audit_tile set hashes = overlay(hashes placing sha256('x') from 1) where level = 0")
    record()

    seal()

    assert refusal() == "audit_tree_changed"
    assert database.execute("select count(*) from audit_checkpoint where note is null").fetchone() == (1,)
    record()
    assert seal() == 0, "nothing more is numbered"


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("delete from audit_leaf where leaf_index = 3", "audit_tree_torn"),
        ("delete from audit_tile", "audit_tree_torn"),
        ("update audit_tile set hashes = substring(hashes from 1 for 64)", "audit_tree_torn"),
        ("update audit_checkpoint set note = replace(note, '4', '5')", "audit_note_invalid"),
        ("update audit_checkpoint set note = 'a note'", "audit_note_invalid"),
    ],
)
def test_what_does_not_fit_itself_is_found(statement: str, code: str) -> None:
    record_many(3)
    seal()
    tamper(statement)
    record()

    seal()

    assert refusal() == code


def test_what_is_remembered_counts_although_no_note_was_stored(home: Path) -> None:
    record_many(3)
    seal()
    record_many(3)
    seal()
    # As after a kill between the second and the third step.
    tamper("update audit_checkpoint set note = null, signed_at = null where size = 7")
    before = (home / "audit" / "signed-live").read_bytes()

    seal()

    assert (signed().size, (signed().note or "").encode()) == (7, before)


def test_a_signers_file_that_cannot_be_read_stops_it(home: Path) -> None:
    record()
    seal()
    (home / "audit" / "signed-live").write_text("nothing of its form")

    seal()
    assert refusal() == "audit_memory_invalid"

    sealing.accept_rollback(livemode=True, why=WHY, by=BY)
    seal()
    assert refusal() == ""


def test_a_host_without_the_key_numbers_and_leaves_signing_to_the_one_that_has_it(home: Path) -> None:
    record()
    seal()
    (home / "audit").rename(home / "elsewhere")
    record()

    assert seal() == 1

    assert (refusal(), signed().size) == ("", 2)
    tamper("update audit_checkpoint set made_at = made_at - interval '2 minutes'")
    seal()
    assert refusal() == "audit_signing_key_missing"
    (home / "audit").rename(home / "nowhere")
    (home / "elsewhere").rename(home / "audit")
    seal()
    assert (refusal(), signed().size) == ("", 3)


def test_a_log_of_another_name_is_not_signed() -> None:
    record_many(3)
    seal()
    key = keys.announced(database.connection(), livemode=True)[0].key
    other = VerifierKey(name="other/audit/live", public_key=key.public_key)
    tamper(f"update audit_signingkey set verifier_key = '{other}'")

    seal()
    assert refusal() == "audit_origin_changed"

    tamper("update audit_signingkey set verifier_key = 'nothing of its form'")
    seal()
    assert refusal() == "key_invalid"
