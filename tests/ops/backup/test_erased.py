"""Whoever was erased stays erased, whichever backup comes back; whoever was not can be read again."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_django import DjangoDbBlocker

from tests import instance
from tests.ops.backup.conftest import quiet, restored
from trueup.audit import service as audit
from trueup.audit.retention import copies, erasing, keeping
from trueup.audit.types import Action
from trueup.kernel.errors import Broken, Unavailable
from trueup.ops.backups import databases, manifest, taking
from trueup.ops.backups.taking import Backup
from trueup.runtime import configuration, database

NAMES = {"cus_1": "Ada Lovelace", "cus_2": "Grace Hopper"}


@pytest.fixture
def told(key: None, filled: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a database, which Django works in, whose log tells of two customers."""
    with django_db_blocker.unblock(), instance.in_database(databases.name_of(filled)):
        for customer, name in NAMES.items():
            tell(customer, name)
        yield filled


def tell(customer: str, name: str) -> None:
    """An entry that holds a customer's name."""
    with database.transaction() as connection:
        audit.record(
            connection,
            by=instance.TESTER,
            action=Action.LINK_ADDED,
            object_type="customer",
            object_id=customer,
            after={"value": name},
        )


def names(url: str) -> dict[str, Any]:
    """What a log tells of customers to whoever may read it."""
    with closing(psycopg.connect(url)) as connection:
        found = audit.entries(connection, object_type="customer", action="customer.link.added", opened=True)
        return {one.object_id: (one.after or {}).get("value") for one in found}


def backed_up(url: str, folder: Path) -> Backup:
    """A backup of it."""
    return taking.take(url=url, folder=folder, keep=None, by=instance.TESTER, tell=quiet)


def erase(*subjects: str) -> None:
    """Erase them in the database that Django works in, and let go of it."""
    erasing.erase(subjects=subjects, why="Article 17.", by=instance.TESTER)
    database.close()


def test_whoever_was_erased_after_the_backup_is_erased_in_what_it_becomes(told: str, tmp_path: Path) -> None:
    made = backed_up(told, tmp_path / "to")
    erase("customer:cus_1")

    done = restored(Path(made.path), told, replace=True)

    assert names(told) == {"cus_1": None, "cus_2": "Grace Hopper"}
    assert (done.subjects_erased, done.values_erased, done.keys_missing) == (1, 1, 0)
    assert done.keys_returned >= 1
    with psycopg.connect(told) as connection:
        rows = connection.execute("select subject from audit_disclosure where subject like 'customer:%'").fetchall()
        assert rows == [("customer:cus_2",)]
        assert connection.execute("select subject from audit_erasure").fetchall() == [("customer:cus_1",)]
        (entry,) = audit.entries(connection, action="ops.backup.restored", limit=1)
    assert {name: entry.after[name] for name in ("subjects_erased", "values_erased", "keys_missing")} == {
        "subjects_erased": 1,
        "values_erased": 1,
        "keys_missing": 0,
    }


def test_no_backup_holds_a_key_and_every_key_of_its_values_is_in_the_copy(told: str, tmp_path: Path) -> None:
    with psycopg.connect(told) as connection:
        sealed = {bytes(row[0]) for row in connection.execute("select sealed from audit_subjectkey").fetchall()}

    made = backed_up(told, tmp_path / "to")

    place = copies.folder()
    assert {one.sealed for one in copies.keys(place)} == sealed
    said = manifest.read(Path(made.path))
    assert "audit_subjectkey" in said.left_out
    assert "audit_subjectkey" not in said.rows
    text = b"".join(gzip.decompress(file.read_bytes()) for file in Path(made.path).rglob("*.gz"))
    assert b"customer:cus_1" in text
    assert not any(one.hex().encode() in text for one in sealed)


def test_a_key_made_after_a_restore_is_not_taken_for_one_that_was_lost(told: str, tmp_path: Path) -> None:
    made = backed_up(told, tmp_path / "to")
    tell("cus_3", "Of the time that is lost")
    erase("customer:cus_3")

    restored(Path(made.path), told, replace=True)
    tell("cus_3", "Told anew")
    keeping.write_out()

    assert keeping.heal(everything=True) == 0
    assert names(told)["cus_3"] == "Told anew"
    again = backed_up(told, tmp_path / "to")
    database.close()
    restored(Path(again.path), told, replace=True)
    assert names(told)["cus_3"] == "Told anew"


def test_a_lost_copy_loses_the_values_and_nothing_else(told: str, tmp_path: Path) -> None:
    made = backed_up(told, tmp_path / "to")
    (copies.folder() / copies.KEYS).unlink()
    database.close()

    done = restored(Path(made.path), told, replace=True)

    assert done.keys_returned == 0
    assert done.keys_missing >= 2
    assert names(told) == {"cus_1": None, "cus_2": None}
    with psycopg.connect(told) as connection:
        assert connection.execute(
            "select count(*) from audit_disclosure where subject like 'customer:%'"
        ).fetchone() == (2,), "the copy may be found again"


def test_keys_of_a_database_made_anew_beside_the_same_files_are_not_mistaken(
    told: str, tmp_path: Path, server: psycopg.Connection[tuple[Any, ...]]
) -> None:
    made = backed_up(told, tmp_path / "to")
    instance.wipe(told)
    database.execute("alter sequence audit_subjectkey_key_id_seq restart")
    for customer in NAMES:
        tell(customer, "Of another database")
    keeping.write_out()
    database.close()

    done = restored(Path(made.path), told, replace=True)

    assert done.keys_missing == 0
    assert names(told) == NAMES


def test_a_damaged_ledger_stops_a_restore_before_anything_is_replaced(told: str, tmp_path: Path) -> None:
    made = backed_up(told, tmp_path / "to")
    erase("customer:cus_1")
    (copies.folder() / copies.LEDGER).write_text("{\n", encoding="ascii")

    with pytest.raises(Broken, match=r"erasures\.jsonl is damaged"):
        restored(Path(made.path), told, replace=True)

    assert databases.aside(told) == []
    with psycopg.connect(told) as connection:
        assert connection.execute("select subject from audit_erasure").fetchall() == [("customer:cus_1",)]


def test_without_its_keys_no_backup_is_made(told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    monkeypatch.setenv("TRUEUP_AUDIT_DIR", str(tmp_path / "file"))
    configuration.current.cache_clear()

    with pytest.raises(Unavailable, match="cannot be used") as failed:
        backed_up(told, tmp_path / "to")

    assert failed.value.code == "audit_copy_unwritten"
    assert [path for path in (tmp_path / "to").iterdir() if path.is_dir()] == []
