"""Kills, full disks and writers that come late: the log goes on, and verifies."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from tests.audit.writing import BY, record, record_many, root, seal, seal_all, signed
from tests.ops.conftest import as_url
from trueup.audit import service as audit
from trueup.audit.retention import erasing
from trueup.audit.sealing import attesting, memory, sequencer, trees
from trueup.audit.sealing import service as sealing
from trueup.audit.signing.errors import SignerUnavailable
from trueup.audit.types import Action
from trueup.audit.verifying import service as verifying
from trueup.runtime import database

WRITERS = 8
EACH = 25


def verify() -> None:
    """The whole log is as it should be, and all of it signed."""
    found = verifying.verify_database(database.connection(), livemode=True)
    assert found.verified, found.first
    assert (signed().size, signed().root) == (found.size, root())
    pending = database.execute("select count(*) from audit_unsealed").fetchone()
    assert pending == (0,)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_step_a_kill_meets_the_next_goes_on(committed: str, home: Path, repository: Path, seed: int) -> None:
    environment = os.environ | {
        "DATABASE_URL": as_url(committed),
        "DJANGO_SETTINGS_MODULE": "trueup.config.settings",
        "PYTHONPATH": f"{repository / 'src'}{os.pathsep}{repository}",
    }
    run = subprocess.run(
        [sys.executable, "-m", "tests.audit.sealing.killed", "20", str(seed)],
        env=environment,
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert run.returncode == 0, run.stderr
    left = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert len(left) == 20
    sizes = [one["size"] for one in left]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 0, "the children did something between the kills"

    seal_all()

    verify()
    assert [path.name for path in home.glob("audit/keys/*.key")] == ["live-1.key"]


_STEPS = [
    ("insert", "audit_leaf"),
    ("insert", "audit_tile"),
    ("update", "audit_tile"),
    ("delete", "audit_unsealed"),
    ("insert", "audit_logentry"),
    ("insert", "audit_disclosure"),
    ("insert", "audit_checkpoint"),
    ("update", "audit_checkpoint"),
    ("insert", "audit_signingkey"),
    ("insert", "audit_sink"),
]


@pytest.mark.parametrize(("operation", "table"), _STEPS)
def test_a_full_disk_at_a_table_leaves_what_was_there(committed: str, operation: str, table: str) -> None:
    if table not in {"audit_signingkey", "audit_sink"}:
        record_many(3)
        seal()
    record_many(3, why="Ada asked.")
    with full(operation, table), pytest.raises(psycopg.errors.DiskFull):
        seal()

    seal_all()

    verify()


@contextmanager
def full(operation: str, table: str) -> Iterator[None]:
    """Let the database say that there is no room when it writes to a table."""
    database.execute(
        "create function no_room() returns trigger language plpgsql as"
        " $$ begin raise exception 'no space left on device' using errcode = '53100'; end $$"
    )
    database.execute(f"create trigger no_room before {operation} on {table} execute function no_room()")
    yield
    database.execute("drop function no_room() cascade")


def test_a_full_disk_at_the_signers_file_signs_nothing(db: None, home: Path) -> None:
    record_many(3)
    seal()
    record()
    database.execute("update audit_sink set last_error = null")
    before = memory.path_of(livemode=True).read_bytes()
    assert sequencer._place(livemode=True, limit=10) == 1
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(SignerUnavailable, match="cannot be written"):
            attesting.attest(livemode=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert memory.path_of(livemode=True).read_bytes() == before
    assert signed().size == 4
    seal()
    verify()
    assert [path.name for path in (home / "audit").iterdir() if path.name.startswith(".")] == []


def test_writers_that_commit_out_of_order_are_all_sealed_without_gaps(committed: str) -> None:
    done = threading.Event()
    moments = random.Random(5)
    pauses = [[moments.uniform(0, 0.05) for _ in range(EACH)] for _ in range(WRITERS)]

    def write(number: int) -> None:
        with psycopg.connect(committed) as connection:
            for pause in pauses[number]:
                audit.record(
                    connection, by=BY, action=Action.ACCOUNT_CHANGED, object_type="account", object_id=str(number)
                )
                time.sleep(pause)
                connection.commit()

    def sequence() -> None:
        while not done.is_set():
            sequencer.seal_once(done)
        connections.close_all()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    sequencers = [threading.Thread(target=sequence) for _ in range(2)]
    for thread in (*writers, *sequencers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sequencers:
        thread.join()
    seal_all()

    verify()
    assert signed().size == WRITERS * EACH + 1
    places = database.execute("select entry_id from audit_leaf order by leaf_index").fetchall()
    assert places != sorted(places), "some committed later than others with a larger number"
    assert sealing.state(database.connection(), livemode=True).code == ""


def test_a_check_while_the_log_grows_finds_nothing(committed: str) -> None:
    record_many(50)
    seal_all()
    done = threading.Event()

    def grow() -> None:
        while not done.is_set():
            record()
            sequencer.seal_once(done)
        connections.close_all()

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        for _ in range(15):
            found = verifying.verify_database(database.connection(), livemode=True)
            assert found.verified, found.first
    finally:
        done.set()
        thread.join()
    assert trees.leaves(database.connection(), livemode=True) > 51


def test_a_log_that_was_erased_from_verifies(db: None, home: Path) -> None:
    given: dict[str, Any] = {"object_type": "customer", "subject": "customer:cus_1", "why": "Ada asked."}
    entry_id = record(object_id="cus_1", after={"name": "Ada"}, **given)
    seal()
    before = signed()

    erasing.erase(subjects=["customer:cus_1"], why="She asked.", by=BY)
    seal()

    verify()
    assert audit.entry(database.connection(), entry_id, opened=True).why == ""
    stored = trees.of_size(database.connection(), before.size, livemode=True)
    assert stored == before
