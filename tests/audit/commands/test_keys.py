"""Commands and routes on a log that is sealed: places, checkpoints, tiles, keys, and going on from an old database."""

from __future__ import annotations

import pytest

from tests.audit.commands.asking import answered, auditor, run
from tests.audit.writing import bodies, record_many, root, seal, signed
from trueup.audit import service as audit
from trueup.audit.merkle import tiles
from trueup.audit.merkle.hashing import leaf_hashes, parents
from trueup.audit.notes.keys import COSIGNATURE, VerifierKey, parse_key, public_key_of
from trueup.audit.notes.policies import accept
from trueup.audit.notes.policy_files import parse_policy
from trueup.audit.notes.signed import parse_note
from trueup.audit.sealing import memory
from trueup.runtime import configuration, database

pytestmark = pytest.mark.usefixtures("db", "home")


def test_an_entry_is_found_by_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    wrote = record_many(3)
    seal()

    assert f"Entry      {wrote[1]}, live/1" in run(capsys, "show", "live/1")
    told = answered(capsys, "show", "live/1")
    assert (told["id"], told["place"], told["body"].encode()) == (wrote[1], "live/1", bodies()[1])
    assert answered(capsys, "list", "--action", "accounts.*", "--limit", "1")["data"][0]["place"] == "live/2"
    assert answered(capsys, "show", "test/1", status=2)["error"]["code"] == "audit_entry_unknown"


def test_the_checkpoint_is_one_that_the_printed_policy_believes(capsys: pytest.CaptureFixture[str]) -> None:
    record_many(3)
    seal()

    printed = run(capsys, "checkpoint")
    policy = parse_policy(run(capsys, "policy").encode())

    accepted = accept(parse_note(printed.encode()), policy)
    assert (accepted.checkpoint.size, accepted.checkpoint.root) == (4, root())
    assert answered(capsys, "checkpoint") == {"mode": "live", "note": printed}
    assert auditor().get("/api/v1/audit/live/checkpoint").content.decode() == printed


def test_cosignatures_stand_below_the_checkpoint(capsys: pytest.CaptureFixture[str]) -> None:
    record_many(1)
    seal()
    line = "\N{EM DASH} witness.example/1 AAAAAAAA"
    database.execute(
        "insert into audit_cosignature (livemode, size, key_name, line) values (true, 2, 'witness.example/1', %s)",
        (line,),
    )

    assert run(capsys, "checkpoint") == f"{signed().note}{line}\n"
    [listed] = auditor().get("/api/v1/audit/live/checkpoints").json()["data"]
    assert (listed["size"], listed["root"], listed["witnesses"]) == (2, root().hex(), ["witness.example/1"])


def test_checkpoints_of_before_stay_to_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        record_many(2)
        seal()
    client = auditor()

    first = client.get("/api/v1/audit/live/checkpoints?limit=2").json()
    second = client.get(f"/api/v1/audit/live/checkpoints?limit=2&after={first['next']}").json()

    assert [one["size"] for one in first["data"] + second["data"]] == [7, 5, 3]
    assert second["next"] is None
    assert "\n3\n" in run(capsys, "checkpoint", "--size", "3")
    assert answered(capsys, "checkpoint", "--size", "4", status=2)["error"]["code"] == "audit_checkpoint_unknown"


def test_tiles_and_bundles_are_told_as_the_tree_has_them() -> None:
    record_many(299)
    seal()
    client, leaves = auditor(), leaf_hashes(bodies())

    def tile(path: str) -> bytes:
        response = client.get(f"/api/v1/audit/live/tile/{path}")
        assert response.status_code == 200, response.content
        assert response["Cache-Control"] == "private, max-age=31536000, immutable"
        return response.content

    assert tile("0/000") == leaves[: 256 * 32]
    assert tile("0/001.p/44") == leaves[256 * 32 :]
    assert tile("0/001.p/3") == leaves[256 * 32 : 259 * 32]
    top = leaves[: 256 * 32]
    while len(top) > 32:
        top = parents(top)
    assert tile("1/000.p/1") == top
    assert tiles.parse_bundle(tile("entries/000"), 256) == bodies()[:256]
    assert tiles.parse_bundle(tile("entries/001.p/44"), 44) == bodies()[256:]
    for absent in ("0/001", "0/001.p/45", "entries/001.p/45", "0/002.p/1", "2/000.p/1"):
        assert client.get(f"/api/v1/audit/live/tile/{absent}").status_code == 404


def test_keys_are_listed_and_the_next_is_signed_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No key yet" in run(capsys, "keys", "list")
    assert answered(capsys, "policy", status=2)["error"]["code"] == "audit_key_unknown"
    record_many(1)
    seal()

    made = answered(capsys, "keys", "rotate", "--why", "Once a year.")
    seal()

    first, second = answered(capsys, "keys", "list")["data"]
    assert (first["number"], first["mode"], second["number"]) == (1, "live", 2)
    assert second["key"] == made["key"] != first["key"]
    assert parse_key(second["key"]).name == parse_key(first["key"]).name
    assert second["place"] == made["place"] == "live/2"
    assert run(capsys, "policy").count("log ") == 2
    assert answered(capsys, "keys", "list", "--mode", "test")["data"] == []


def test_an_older_database_goes_on_once_that_is_on_record(capsys: pytest.CaptureFixture[str]) -> None:
    record_many(2)
    seal()
    kept = memory.path_of(livemode=True).read_bytes()
    memory.path_of(livemode=True).write_bytes(kept.replace(b"\n3\n", b"\n4\n", 1))
    record_many(1)
    assert seal() == 0

    told = answered(capsys, "accept-rollback", "--why", "Restored yesterday's backup.")

    entry = audit.entry(database.connection(), told["entry_id"], opened=True)
    assert (entry.action, entry.why) == ("audit.rollback.accepted", "Restored yesterday's backup.")
    assert seal() == 2
    assert signed().size == 5


def test_who_runs_a_witness_elsewhere_has_to_be_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = VerifierKey(name="witness.example/1", public_key=public_key_of(bytes(32)), kind=COSIGNATURE)
    monkeypatch.setenv("TRUEUP_AUDIT_WITNESSES", f"{key}=https://witness.example")
    configuration.current.cache_clear()
    record_many(2)
    seal()
    kept = memory.path_of(livemode=True).read_bytes()
    memory.path_of(livemode=True).write_bytes(kept.replace(b"\n3\n", b"\n4\n", 1))
    database.execute(
        "insert into audit_sink (livemode, name, kind, failures, last_error)"
        " values (true, 'former.example', 'witness', 1, 'audit_went_back: It knows more.')"
    )

    assert f"witness-1 {key}" in run(capsys, "policy")
    told = answered(capsys, "accept-rollback", "--why", "Restored a backup.")
    assert (told["to_tell"], told["ahead"]) == (["former.example", key.name], ["former.example"])


def test_a_log_that_did_not_go_back_is_not_begun_anew(capsys: pytest.CaptureFixture[str]) -> None:
    record_many(2)
    seal()
    kept = memory.path_of(livemode=True).read_bytes()

    refused = answered(capsys, "accept-rollback", "--why", "To be sure.", status=2)

    assert refused["error"]["code"] == "audit_not_went_back"
    assert memory.path_of(livemode=True).read_bytes() == kept
    assert audit.entries(database.connection(), action="audit.rollback.accepted") == []
