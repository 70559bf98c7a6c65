"""Exporting by a command, checking what was exported, and how the logs stand."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path

import pytest

from tests.audit.commands.asking import answered, auditor, run
from tests.audit.writing import record, record_many, seal
from trueup.audit import service as audit
from trueup.audit.types import Action, Phase
from trueup.ops import cli
from trueup.runtime import database

pytestmark = pytest.mark.usefixtures("db", "home")


def told(who: str) -> None:
    """An entry with two personal values."""
    record(
        action=Action.LINK_ADDED,
        object_type="customer",
        object_id=who,
        why="Asked.",
        after={"value": f"{who}@x.example"},
    )


def disclosed(folder: Path) -> list[tuple[int, str]]:
    """Places in the tree and names of the values that an export discloses."""
    file = folder / "disclosures.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return sorted((one["index"], json.loads(_text(one["disclosure"]))[1]) for one in map(json.loads, lines))


def _text(disclosure: str) -> bytes:
    return base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4))


def test_an_export_is_checked_by_the_program_that_it_brings(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "export"
    told("cus_1")
    record_many(300)
    seal()

    assert cli.run(["audit", "export", str(folder), "--why", "Yearly audit.", "--zip"]) == 0
    said = capfd.readouterr().out
    assert cli.run(["audit", "verify", "--dir", str(folder)]) == 0
    checked = capfd.readouterr().out

    assert f"302 entries of the live log are in {folder}" in said
    assert "It discloses no personal value." in said
    assert "entries      302 hashed, from 0 on" in checked
    assert zipfile.ZipFile(folder.with_name("export.zip")).testzip() is None
    intent, outcome = reversed(audit.entries(database.connection(), action=Action.EXPORT_MADE, opened=True))
    assert (intent.phase, intent.why, outcome.phase) == (Phase.INTENT, "Yearly audit.", Phase.SUCCEEDED)


def test_a_flipped_bit_is_named_and_ends_with_1(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "export"
    record_many(3)
    seal()
    assert cli.run(["audit", "export", str(folder)]) == 0
    bundle = folder / "tile" / "entries" / "000.p" / "4"
    content = bytearray(bundle.read_bytes())
    content[-1] ^= 1
    bundle.write_bytes(content)
    capfd.readouterr()

    assert cli.run(["audit", "verify", "--dir", str(folder), "--json"]) == 1

    found = json.loads(capfd.readouterr().out)
    assert found["verified"] is False
    assert "entry 3 does not hash to its leaf" in found["problems"][0]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], []),
        (["--disclose", "customer:cus_1"], [(0, "after.value"), (0, "why")]),
        (["--disclose", "customer:cus_1", "--field", "why"], [(0, "why")]),
        (["--disclose", "all", "--field", "after.value"], [(0, "after.value"), (1, "after.value")]),
        (["--disclose", "all", "--disclose", "customer:cus_1", "--field", "why"], [(0, "why"), (1, "why")]),
        (["--disclose", "customer:cus_3"], []),
    ],
)
def test_only_values_that_were_asked_for_are_disclosed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], found: list[tuple[int, str]]
) -> None:
    told("cus_1")
    told("cus_2")
    seal()

    answer = answered(capsys, "export", str(tmp_path / "export"), *words)

    assert [one for one in disclosed(tmp_path / "export") if one[1] != "origin"] == found
    assert answer["values"] == len(disclosed(tmp_path / "export"))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--field", "why"], "usage"),
        (["--disclose", "Elena"], "audit_subject_invalid"),
        (["--mode", "test"], "audit_nothing_signed"),
    ],
)
def test_an_export_that_says_too_little_or_too_much_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], code: str
) -> None:
    record_many(1)
    seal()

    assert answered(capsys, "export", str(tmp_path / "export"), *words, status=2)["error"]["code"] == code
    assert not (tmp_path / "export").exists()


def test_the_state_of_both_logs_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    record_many(2)
    seal()
    answered(capsys, "verify")

    said = run(capsys, "status")
    live, test = answered(capsys, "status")["data"]

    assert "The live log: amber" in said
    assert "! Nobody outside remembers the audit log" in said
    assert "Checkpoint  3 entries, signed" in said
    assert "Key         number 1, " in said
    assert "all is well" in said
    assert (live["light"], live["size"], live["verified"]) == ("amber", 3, True)
    assert (test["light"], test["size"]) == ("green", 0)
    assert auditor().get("/api/v1/audit/health").json()["data"][0]["problems"] == live["problems"]


def test_a_log_that_does_not_verify_is_red(capsys: pytest.CaptureFixture[str]) -> None:
    record_many(2)
    seal()
    database.execute("set local session_replication_role = replica")
    database.execute("delete from audit_logentry where id = (select entry_id from audit_leaf where leaf_index = 1)")
    run(capsys, "verify", status=1)

    said = run(capsys, "status", status=1)

    assert "The live log: red" in said
    assert "it is not what it was" in said
    [last, *_] = auditor().get("/api/v1/audit/verification").json()["data"]
    assert (last["livemode"], last["verified"], last["position"], last["code"]) == (
        True,
        False,
        1,
        "audit_entry_missing",
    )


def test_the_proof_of_an_entry_is_told_by_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    [entry] = record_many(1)
    seal()

    response = auditor().get(f"/api/v1/audit/entries/{entry}/proof")

    assert response.content.decode() == run(capsys, "prove", str(entry))
    assert response["Content-Type"] == "text/plain; charset=utf-8"
