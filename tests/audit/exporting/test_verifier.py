"""The verifier that exports carry: one file, the standard library, and the place of whatever does not verify."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.audit.exporting.exported import (
    MISPLACED,
    POLICY,
    digest_of,
    disclosure_of,
    entry,
    export,
    flip,
    node_of,
    note,
    write,
)
from tests.audit.notes.keyring import FIRST, LOG, NEXT, ORIGIN, STRANGER, checkpoint_by
from trueup.audit.exporting import verifier
from trueup.audit.merkle.proofs import inclusion_proof
from trueup.audit.notes.checkpoints import Checkpoint, parse_checkpoint
from trueup.audit.notes.policy_files import render_policy
from trueup.audit.notes.proof_files import ProofFile, parse_proof_file, render_proof_file
from trueup.audit.notes.signed import parse_note

VERIFIER = Path(verifier.__file__)
SIZE = 700
WORDS = "utf-8"


def run(*arguments: str | Path) -> tuple[int, str]:
    """The verifier's exit status and what it wrote, in an interpreter without site packages or environment."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", VERIFIER, *arguments], capture_output=True, check=False, timeout=60, encoding=WORDS
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def result(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """The verifier's exit status and result, within this process, where it need not start."""
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())) as said:
        code = verifier.main([*map(str, arguments), "--json"])
        return code, json.loads(said.buffer.getvalue())


def problems(*arguments: str | Path) -> list[str]:
    code, found = result(*arguments)
    assert (code, found["verified"]) == (1, False)
    return list(found["problems"])


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    return export(tmp_path / "export", SIZE, older=(0, 1, 256, 513), disclosed=(3, 699))


def test_a_whole_export_verifies(exported: Path) -> None:
    code, said = run(exported, "--json")
    found = json.loads(said)

    assert code == 0
    assert found.pop("seconds") >= 0
    assert len(found.pop("root")) == 44
    assert found == {
        "verified": True,
        "policy": "of the export itself",
        "origin": "acme.example/audit/live",
        "size": SIZE,
        "signed_by": [f"{LOG.key.name}+{LOG.key.key_id:08x}"],
        "cosigned_by": [
            {"name": "first", "key": f"{FIRST.key.name}+{FIRST.key.key_id:08x}", "at": "2026-09-01T12:00:00Z"}
        ],
        "entries": SIZE,
        "minimum": 0,
        "tiles": 4,
        "older_checkpoints": 4,
        "disclosures": 2,
        "problems": [],
        "problem_count": 0,
    }


def test_it_says_in_words_what_it_verified(exported: Path) -> None:
    code, said = run(exported)

    assert code == 0
    assert said.startswith("Verified: acme.example/audit/live, 700 entries, root ")
    assert "cosigned by  first, witness.example/first+" in said
    assert "policy       that of the export itself: compare its keys" in said
    write(exported.parent / "mine", render_policy(POLICY))
    assert "policy" not in run(exported, "--policy", exported.parent / "mine")[1]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512])
def test_every_size_verifies(tmp_path: Path, size: int) -> None:
    assert result(export(tmp_path, size))[0] == 0


def test_it_lies_beside_what_it_verifies(exported: Path) -> None:
    write(exported / "verify.py", VERIFIER.read_bytes())
    flip(exported / "tile/entries/001", 30)

    done = subprocess.run([sys.executable, "-I", "-S", exported / "verify.py"], capture_output=True, check=False)

    assert done.returncode == 1
    assert done.stdout.startswith(b"Does not verify: entry 256 does not hash to its leaf.\n")


def test_a_byte_of_an_entry_is_named_by_position(exported: Path) -> None:
    flip(exported / "tile/entries/001", -1)

    assert problems(exported) == ["entry 511 does not hash to its leaf"]


def test_a_byte_of_a_leaf_is_named_by_position(exported: Path) -> None:
    flip(exported / "tile/0/001", 17 * 32)

    found = problems(exported)

    assert found[:2] == [
        "entry 273 does not hash to its leaf",
        "tile 1/0 hash 1 is not the hash of tile 0/1",
    ]
    assert found[2] == "the root of the 700 entries is not that of the checkpoint"


def test_a_byte_of_a_higher_tile_is_named_by_position(exported: Path) -> None:
    flip(exported / "tile/1/000.p/2", 32)

    assert problems(exported) == ["tile 1/0 hash 1 is not the hash of tile 0/1"]


@pytest.mark.parametrize(
    ("at", "position"),
    [
        (0, "the checkpoint has a cosignature of witness.example/first that does not fit"),
        (24, "the checkpoint has a signature of acme.example/audit/live that does not fit"),
        (30, "the checkpoint has a signature of acme.example/audit/live that does not fit"),
        (-2, "the checkpoint has a line that is no signature"),
        (-20, "the checkpoint has a cosignature of witness.example/first that does not fit"),
    ],
)
def test_a_byte_of_the_checkpoint_is_refused(exported: Path, at: int, position: str) -> None:
    flip(exported / "checkpoint", at)

    assert problems(exported) == [position]


def test_a_byte_of_an_older_checkpoint_is_named(exported: Path) -> None:
    flip(exported / "checkpoints/256", -20)

    assert problems(exported) == [
        "checkpoint 256 has a cosignature of witness.example/first that does not fit",
    ]


def test_an_older_checkpoint_of_another_history_is_named(exported: Path, tmp_path: Path) -> None:
    other = node_of([b"other", *(entry(index) for index in range(1, 256))])
    write(exported / "checkpoints/256", note(other, 256, [LOG, FIRST]))
    write(exported / "checkpoints/100", note(node_of([entry(index) for index in range(100)]), 100, [LOG]))
    write(exported / "checkpoints/9", note(node_of([entry(index) for index in range(8)]), 8, [LOG]))

    assert problems(exported) == [
        "checkpoint 9 is of another log or size",
        "checkpoint 256 is not the beginning of the newest",
    ]


def test_a_log_that_was_cut_is_found_by_an_older_checkpoint(exported: Path) -> None:
    write(exported / "checkpoints/701", note(node_of([entry(index) for index in range(701)]), 701, [LOG]))

    assert problems(exported) == ["checkpoint 701 is larger than the newest: entries are missing"]


@pytest.mark.parametrize("name", ["tile/0/001", "tile/1/000.p/2", "tile/entries/001", "tile/0/002.p/188"])
def test_a_missing_or_cut_file_is_named(exported: Path, name: str) -> None:
    content = (exported / name).read_bytes()

    write(exported / name, content[:-1])
    assert problems(exported)[0] in {
        f"{name} holds {len(content) - 1} bytes instead of {len(content)}",
        f"entry 511 is cut short in {name}",
    }
    (exported / name).unlink()
    assert problems(exported) == [f"{name} is missing"]


def test_a_bundle_that_goes_on_is_named(exported: Path) -> None:
    write(exported / "tile/entries/000", (exported / "tile/entries/000").read_bytes() + b"\x00\x00")

    assert problems(exported) == ["tile/entries/000 goes on after entry 255"]


@pytest.mark.parametrize("minimum", [1, 255, 256, 300, 699, 700])
def test_what_is_kept_of_a_pruned_log_verifies(tmp_path: Path, minimum: int) -> None:
    exported = export(tmp_path, SIZE, minimum=minimum, older=(5, 300))

    code, found = result(exported)

    assert (code, found["entries"], found["minimum"]) == (0, SIZE - minimum, minimum)
    assert (exported / "tile/entries/000").exists() is (minimum < 256)


def test_a_leaf_of_a_pruned_entry_is_found_by_the_tile_above(tmp_path: Path) -> None:
    exported = export(tmp_path, SIZE, minimum=600)
    flip(exported / "tile/0/000", 5)

    assert problems(exported) == [
        "tile 1/0 hash 0 is not the hash of tile 0/0",
        "the root of the 700 entries is not that of the checkpoint",
    ]


def test_an_entry_that_is_emptied_is_not_pruned(exported: Path) -> None:
    write(exported / "tile/entries/002.p/188", b"\x00\x00" * 188)

    found = result(exported)[1]

    assert found["problems"][0] == "entry 512 does not hash to its leaf"
    assert (len(found["problems"]), found["problem_count"]) == (20, 189)
    assert "And 169 more." in run(exported)[1]


@pytest.mark.parametrize(("content", "problem"), [("701", "beyond the 700"), ("x", "a number"), ("-1", "a number")])
def test_a_minimum_that_cannot_be_is_named(exported: Path, content: str, problem: str) -> None:
    write(exported / "minimum", content.encode())

    assert problem in problems(exported)[0]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("index", 4, "disclosure 1 has a digest that does not stand in entry 4"),
        ("index", 700, "disclosure 1 has a digest that does not stand in entry 700"),
        ("index", "x", "disclosure 1 is not of its form"),
        ("digest", "x", "disclosure 1 does not hash to its digest"),
        ("disclosure", disclosure_of(4), "disclosure 1 does not hash to its digest"),
        ("disclosure", None, "disclosure 1 is not of its form"),
        ("index", 3.0, "disclosure 1 is not of its form"),
    ],
)
def test_a_disclosure_that_does_not_belong_is_named(exported: Path, field: str, value: object, problem: str) -> None:
    first, second = (exported / "disclosures.jsonl").read_text().splitlines()
    write(exported / "disclosures.jsonl", f"{json.dumps({**json.loads(first), field: value})}\n{second}\n".encode())

    assert problems(exported) == [problem]


def test_a_value_does_not_pass_for_another_fields(exported: Path) -> None:
    disclosure = disclosure_of(3, MISPLACED)
    line = {"index": 3, "digest": digest_of(disclosure), "disclosure": disclosure}
    write(exported / "disclosures.jsonl", json.dumps(line).encode())

    assert problems(exported) == ["disclosure 1 has a digest that does not stand in entry 3"]


def test_a_policy_of_ones_own_is_what_counts(exported: Path, tmp_path: Path) -> None:
    strict = f"log {LOG.key}\nwitness other {STRANGER.key}\nquorum other\n".replace(
        str(STRANGER.key), str(type(FIRST.key)(name="w.example", public_key=STRANGER.key.public_key, kind=4))
    )
    write(tmp_path / "strict", strict.encode())
    write(tmp_path / "foreign", f"log {NEXT.key}\nquorum none\n".encode())

    assert problems(exported, "--policy", tmp_path / "strict") == [
        "the checkpoint is not cosigned as the policy asks: quorum other"
    ]
    assert problems(exported, "--policy", tmp_path / "foreign") == [
        "the checkpoint is not signed by a key of acme.example/audit/live that the policy trusts"
    ]


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ("", "the policy has no quorum, or one key twice"),
        (f"log {LOG.key}\nlog {LOG.key}\nquorum none\n", "the policy has no quorum, or one key twice"),
        (f"log {str(LOG.key)[:-1]}\nquorum none\n", "is no verifier key of type 1"),
        (f"log {FIRST.key}\nquorum none\n", "is no verifier key of type 1"),
        (f"witness a {LOG.key}\nquorum none\n", "is no verifier key of type 4"),
        (f"witness a {FIRST.key}\ngroup b 2 a\nquorum b\n", "line 2 of the policy asks for 2 of 1"),
        (f"witness a {FIRST.key}\ngroup b any a a\nquorum b\n", "line 2 of the policy names a member twice"),
        ("quorum a\n", "line 1 of the policy is not of its form"),
    ],
)
def test_a_policy_of_another_form_cannot_be_read(exported: Path, policy: str, problem: str) -> None:
    write(exported / "policy", policy.encode())

    code, found = result(exported)

    assert (code, found["verified"]) == (2, False)
    assert problem in found["unreadable"]


@pytest.mark.parametrize("name", ["checkpoint", "policy"])
def test_what_is_not_there_cannot_be_read(exported: Path, name: str) -> None:
    (exported / name).unlink()

    code, said = run(exported)

    assert code == 2
    assert said == f"Cannot be read: {exported / name} cannot be read: No such file or directory.\n"


def proof_of(folder: Path, index: int, size: int = 300) -> Path:
    """A proof file with its entry and policy beside it."""
    reader = node_of([entry(at) for at in range(size)])
    proof = ProofFile(
        index=index,
        proof=tuple(inclusion_proof(index, size, reader.node)),
        checkpoint=note(reader, size, [LOG, FIRST]),
        extra=b"extra",
    )
    path = folder / f"{index}.tlog-proof"
    write(path, render_proof_file(proof))
    write(folder / f"{index}.tlog-proof.entry", entry(index))
    write(folder / "policy", render_policy(POLICY))
    return path


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 300), (255, 300), (256, 300), (299, 300)])
def test_a_proof_verifies_offline(tmp_path: Path, index: int, size: int) -> None:
    path = proof_of(tmp_path, index, size)

    code, found = result("--proof", path, "--policy", tmp_path / "policy")

    assert (code, found["entry"], found["size"], found["policy"]) == (0, index, size, "given")
    assert f"entry        {index} is the one given" in run("--proof", path)[1]


def test_a_proof_is_of_one_entry_only(tmp_path: Path) -> None:
    path = proof_of(tmp_path, 7)
    write(tmp_path / "other", entry(8))

    assert problems("--proof", path, "--entry", tmp_path / "other") == [
        "entry 7 is not these bytes in the tree of the checkpoint"
    ]
    flip(path, path.read_bytes().index(b"index ") + 6)
    assert problems("--proof", path) == ["entry 6 is not these bytes in the tree of the checkpoint"]
    flip(path, 0)
    assert problems("--proof", path) == ["the proof file is not of its form"]
    (tmp_path / "7.tlog-proof.entry").unlink()
    assert run("--proof", path)[0] == 2


def test_a_proof_for_a_false_size_is_refused(tmp_path: Path) -> None:
    path = proof_of(tmp_path, 0, 4)
    checkpoint = Checkpoint(origin=ORIGIN, size=8, root=parse_checkpoint(parse_note(note_of(path)).text).root)
    write(path, path.read_bytes().replace(note_of(path), checkpoint_by(checkpoint, LOG, FIRST)))

    assert problems("--proof", path) == ["entry 0 is not these bytes in the tree of the checkpoint"]


def note_of(path: Path) -> bytes:
    return parse_proof_file(path.read_bytes()).checkpoint


def test_it_is_one_file_for_python_3_9_and_the_standard_library() -> None:
    tree = ast.parse(VERIFIER.read_text(encoding=WORDS), feature_version=(3, 9))
    imported = {
        name.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }

    assert "hashlib" in imported
    assert imported <= set(sys.stdlib_module_names)
