"""A witness cosigns what continues all that it saw, and nothing else."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tests.audit.notes.keyring import LOG, NEXT, ORIGIN, STRANGER
from tests.audit.witnesses.logs import Tree
from trueup.audit.notes.cosignatures import cosigned_at
from trueup.audit.notes.signed import parse_note
from trueup.audit.notes.witnessing import AddCheckpoint
from trueup.audit.witnesses.state import Conflict, Cosigned, Outcome, Refusal, Witness
from trueup.kernel.errors import Broken, Refused, Unavailable
from trueup.runtime import clock

LOGS = (LOG.key,)
TREE = Tree()


def size_of(witness: Witness) -> int:
    found = witness.known(ORIGIN)
    return found.size if found else 0


def status_of(outcome: Outcome) -> int:
    assert isinstance(outcome, Refusal)
    return outcome.status


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """One that has seen three entries of the log."""
    made = Witness(tmp_path / "witness")
    assert isinstance(made.add_checkpoint(TREE.request(0, 3), logs=LOGS), Cosigned)
    return made


def test_what_continues_the_log_is_cosigned_now_and_remembered(witness: Witness) -> None:
    request = TREE.request(3, 700)

    outcome = witness.add_checkpoint(request, logs=LOGS)

    assert isinstance(outcome, Cosigned)
    at = cosigned_at(parse_note(request.checkpoint).text, witness.key, outcome.signature)
    assert abs(at - clock.now()) < timedelta(minutes=1)
    assert size_of(witness) == 700
    assert size_of(Witness(witness.folder)) == 700


def test_the_same_tree_is_cosigned_again(witness: Witness) -> None:
    assert isinstance(witness.add_checkpoint(TREE.request(3, 3), logs=LOGS), Cosigned)


def test_an_old_size_that_is_not_known_is_answered_with_the_one_that_is(witness: Witness) -> None:
    assert witness.add_checkpoint(TREE.request(2, 5), logs=LOGS) == Conflict(size=3)
    assert witness.add_checkpoint(TREE.request(0, 2), logs=LOGS) == Conflict(size=3)
    assert size_of(witness) == 3


def test_another_tree_of_the_same_size_is_a_conflict(witness: Witness) -> None:
    assert witness.add_checkpoint(Tree("other").request(3, 3), logs=LOGS) == Conflict(size=3)


@pytest.mark.parametrize(
    ("_case", "request_", "expected"),
    [
        ("no checkpoint", AddCheckpoint(old_size=3, proof=(), checkpoint=b"hello\n"), 400),
        ("smaller than the old size", TREE.request(3, 2), 400),
        ("signed by a stranger", TREE.request(3, 4, STRANGER), 403),
        ("a log that is not known", TREE.request(3, 4, origin="elsewhere.example"), 404),
        ("another tree", Tree("other").request(3, 4), 422),
        ("a proof that is cut short", msgspec.structs.replace(TREE.request(3, 9), proof=()), 422),
        ("a proof from nothing", msgspec.structs.replace(TREE.request(3, 9), old_size=9), 409),
    ],
)
def test_what_cannot_be_cosigned_is_refused(
    witness: Witness, _case: str, request_: AddCheckpoint, expected: int
) -> None:
    outcome = witness.add_checkpoint(request_, logs=LOGS)

    assert (409 if isinstance(outcome, Conflict) else status_of(outcome)) == expected
    assert size_of(witness) == 3


def test_a_flipped_bit_of_a_known_keys_signature_is_refused(witness: Witness) -> None:
    request = TREE.request(3, 4)
    broken = request.checkpoint.replace(b"\n4\n", b"\n5\n")

    assert status_of(witness.add_checkpoint(msgspec.structs.replace(request, checkpoint=broken), logs=LOGS)) == 403


def test_a_proof_for_a_log_that_begins_is_refused(tmp_path: Path) -> None:
    request = msgspec.structs.replace(TREE.request(0, 4), proof=(bytes(32),))

    assert status_of(Witness(tmp_path).add_checkpoint(request, logs=LOGS)) == 422


def test_a_rotated_key_is_followed_once_it_is_configured(witness: Witness) -> None:
    request = TREE.request(3, 4, NEXT)

    assert status_of(witness.add_checkpoint(request, logs=LOGS)) == 403
    assert isinstance(witness.add_checkpoint(request, logs=(LOG.key, NEXT.key)), Cosigned)


def test_its_key_is_its_own_and_stays(tmp_path: Path) -> None:
    first = Witness(tmp_path / "a")

    assert Witness(tmp_path / "a").key == first.key
    assert Witness(tmp_path / "b").key.name != first.key.name
    assert (tmp_path / "a" / "witness.key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Witness(tmp_path)
    (tmp_path / "witness.key").chmod(0o644)

    with pytest.raises(Refused, match="can be read by others"):
        Witness(tmp_path)


def test_of_many_at_once_each_is_answered_as_if_alone(witness: Witness) -> None:
    outcomes: list[Outcome] = []

    def ask(size: int) -> None:
        outcomes.append(witness.add_checkpoint(TREE.request(3, size), logs=LOGS))

    threads = [threading.Thread(target=ask, args=(size,)) for size in range(4, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (size,) = {outcome.size for outcome in outcomes if isinstance(outcome, Conflict)}
    assert sum(isinstance(outcome, Cosigned) for outcome in outcomes) == 1
    assert size_of(witness) == size


def test_killed_at_any_moment_it_knows_at_least_what_it_cosigned(tmp_path: Path, repository: Path) -> None:
    cosigned = 0
    for milliseconds in (20, 35, 50, 80, 120):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.audit.witnesses.growing", str(tmp_path)],
            cwd=repository,
            env=os.environ | {"PYTHONPATH": f"{repository}:{repository / 'src'}"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        # It says hello once it begins, so that it is killed amid its work.
        first = child.stdout.readline()
        threading.Event().wait(milliseconds / 1000)
        child.send_signal(signal.SIGKILL)
        told = [first, *child.stdout.read().splitlines(keepends=True)]
        child.stdout.close()
        child.wait()
        cosigned = max([cosigned, *(int(line) for line in told if line.endswith("\n"))])

        assert size_of(Witness(tmp_path)) >= cosigned

    assert cosigned > 0


def test_with_a_full_disk_nothing_is_signed(witness: Witness) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        with pytest.raises(Unavailable, match="cannot be used"):
            witness.add_checkpoint(TREE.request(3, 4), logs=LOGS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        signal.signal(signal.SIGXFSZ, before)

    assert size_of(witness) == 3
    assert isinstance(witness.add_checkpoint(TREE.request(3, 4), logs=LOGS), Cosigned)
    assert [path for path in witness.folder.iterdir() if path.name.startswith(".")] == []


def test_what_was_altered_in_its_folder_is_said(witness: Witness) -> None:
    (file,) = witness.folder.glob("*.checkpoint")
    file.write_bytes(b"hello\n")

    with pytest.raises(Broken, match="is not what stands in"):
        witness.add_checkpoint(TREE.request(3, 4), logs=LOGS)
    with pytest.raises(Broken):
        witness.all_known()


def test_a_file_in_the_place_of_another_logs_is_said(witness: Witness) -> None:
    (file,) = witness.folder.glob("*.checkpoint")
    file.write_bytes(TREE.request(0, 3, origin="elsewhere.example").checkpoint)

    with pytest.raises(Broken):
        witness.known(ORIGIN)


def test_a_log_that_is_forgotten_begins_anew_and_what_was_known_is_kept(witness: Witness) -> None:
    aside = witness.forget(ORIGIN)

    assert aside is not None
    assert parse_note(aside.read_bytes()).text.split("\n")[1] == "3"
    assert (witness.known(ORIGIN), witness.all_known(), witness.forget(ORIGIN)) == (None, (), None)
    assert isinstance(witness.add_checkpoint(Tree("other").request(0, 2), logs=LOGS), Cosigned)
