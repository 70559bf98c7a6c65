"""Commands that prove entries and check the log, an export, a proof and two checkpoints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.commands.asking import answered, run
from tests.audit.writing import record_many, seal, signed
from trueup.audit import service as audit
from trueup.audit.exporting import verifier
from trueup.audit.verifying import service as verifying
from trueup.runtime import database

pytestmark = pytest.mark.usefixtures("db", "home")
VERIFIER = Path(verifier.__file__)


def tamper(statement: str) -> None:
    """What a superuser can do, past every trigger."""
    database.execute("set local session_replication_role = replica")
    database.execute(statement)
    database.execute("set local session_replication_role = origin")


def flip(path: Path, at: int) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_the_database_is_checked_and_the_result_noted(capsys: pytest.CaptureFixture[str]) -> None:
    record_many(5)
    record_many(2, livemode=False)
    seal()

    said = run(capsys, "verify")
    told = answered(capsys, "verify", "--db", "--mode", "live")

    assert "The live log verifies: 6 entries hashed in a tree of 6, 1 checkpoint," in said
    assert "The test log verifies: 3 entries hashed in a tree of 3, 1 checkpoint," in said
    assert told["verified"] is True
    assert [(one["livemode"], one["entries"], one["first"]) for one in told["data"]] == [(True, 6, None)]
    last = verifying.last(database.connection(), livemode=False)
    assert last is not None
    assert (last.size, last.verified) == (3, True)


def test_what_was_altered_is_named_by_its_position_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    wrote = record_many(5)
    seal()
    tamper(f"update audit_logentry set body = convert_to(replace(convert_from(body, 'UTF8'), '\"2\"', '\"7\"'), 'UTF8') where id = {wrote[2]}")  # fmt: skip # noqa: E501

    said = run(capsys, "verify", status=1)
    told = answered(capsys, "verify", status=1)

    assert "The live log does not verify: " in said
    assert "Position  2" in said
    assert "The test log verifies" in said
    assert told["verified"] is False
    assert (told["data"][0]["first"]["code"], told["data"][0]["first"]["position"]) == ("audit_entry_changed", 2)
    assert "It was altered" in run(capsys, "show", "live/2")
    assert [one["place"] for one in answered(capsys, "list")["data"] if one["altered"]] == ["live/2"]


def test_what_is_no_entry_any_more_is_found_and_shown_by_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    wrote = record_many(2)
    seal()
    tamper(f"update audit_logentry set body = '\\xff00' where id = {wrote[1]}")

    assert "altered!" in run(capsys, "list")
    told = answered(capsys, "show", str(wrote[1]))
    assert (told["action"], told["before"], told["altered"]) == ("accounts.account.changed", None, True)


def test_a_proof_verifies_here_and_offline_for_a_stranger(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wrote = record_many(5)
    seal()
    file, policy = tmp_path / "entry.tlog-proof", tmp_path / "policy"

    said = run(capsys, "prove", "live/3", "--output", str(file))
    policy.write_text(run(capsys, "policy"), encoding="utf-8")

    assert f"Entry {wrote[3]} (live/3) is proved by" in said
    assert file.with_name("entry.tlog-proof.entry").read_bytes() == audit.entry(database.connection(), wrote[3]).body
    told = answered(capsys, "verify", "--proof", str(file))
    assert (told["verified"], told["size"]) == (True, 6)
    assert f"Verified: {told['origin']}, 6 entries" in run(
        capsys, "verify", "--proof", str(file), "--policy", str(policy)
    )
    alone = subprocess.run(
        [sys.executable, "-I", "-S", str(VERIFIER), "--proof", str(file), "--policy", str(policy)], check=False
    )
    assert alone.returncode == 0


def test_a_proof_without_a_file_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    wrote = record_many(2)
    seal()

    told = answered(capsys, "prove", str(wrote[1]))

    assert run(capsys, "prove", str(wrote[1])) == told["proof"]
    assert (told["entry_id"], told["place"]) == (wrote[1], "live/1")
    assert told["body"].encode() == audit.entry(database.connection(), wrote[1]).body


@pytest.mark.parametrize("what", ["entry.tlog-proof", "entry.tlog-proof.entry"])
def test_an_altered_proof_or_entry_does_not_verify(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, what: str
) -> None:
    record_many(5)
    seal()
    file = tmp_path / "entry.tlog-proof"
    run(capsys, "prove", "live/3", "--output", str(file))
    # A letter of the first hash of the proof, or of the entry.
    flip(tmp_path / what, 40)

    told = answered(capsys, "verify", "--proof", str(file), status=1)

    assert (told["verified"], bool(told["problem"])) == (False, True)
    assert "Does not verify: " in run(capsys, "verify", "--proof", str(file), status=1)


def test_a_checkpoint_that_somebody_kept_is_the_beginning_of_the_newest(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    record_many(3)
    seal()
    kept.write_text(run(capsys, "checkpoint"), encoding="utf-8")
    record_many(3)
    seal()

    assert answered(capsys, "verify", "--from", str(kept))["size"] == 7
    assert answered(capsys, "verify", "--from", str(kept), "--to", str(kept))["size"] == 4


def test_a_database_that_went_back_does_not_continue_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    record_many(3)
    seal()
    record_many(3)
    seal()
    kept.write_text(run(capsys, "checkpoint"), encoding="utf-8")
    tamper("delete from audit_checkpoint where size = 7")
    tamper("delete from audit_leaf where leaf_index >= 4")

    told = answered(capsys, "verify", "--from", str(kept), status=1)

    assert told["verified"] is False
    assert "7 entries" in told["problem"]
    assert signed().size == 4


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["verify", "--proof", "missing"], "file_unreadable"),
        (["verify", "--from", "missing"], "file_unreadable"),
        (["verify", "--db", "--proof", "x"], "usage"),
        (["verify", "--from", "{junk}"], "note_invalid"),
        (["verify", "--proof", "{junk}", "--entry", "{junk}"], "note_invalid"),
        (["prove", "9999999"], "audit_entry_unknown"),
        (["prove", "{entry}"], "audit_entry_unsealed"),
        (["prove", "live/0", "--output", "{junk}"], "file_exists"),
    ],
)
def test_what_cannot_be_read_is_refused_with_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], code: str
) -> None:
    record_many(1)
    seal()
    names = {"{junk}": str(tmp_path / "junk"), "{entry}": str(record_many(1)[0])}
    (tmp_path / "junk").write_text("no note\n", encoding="utf-8")

    assert answered(capsys, *(names.get(word, word) for word in words), status=2)["error"]["code"] == code
