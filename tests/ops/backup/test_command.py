"""The command that restores: where it looks for backups, and what a dry run may do beside a running Trueup."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg

from tests.ops.backup.conftest import EVENTS
from tests.ops.conftest import Installation
from trueup.ops.backups import databases
from trueup.ops.backups.taking import Backup


def home_of(database: str, home: Path) -> str:
    """A home whose file names that database."""
    home.mkdir()
    (home / "trueup.toml").write_text(f'database_url = "{database}"\n', encoding="utf-8")
    (home / "trueup.toml").chmod(0o600)
    return str(home)


def test_a_restore_into_another_home_takes_the_newest_backup_of_this_installation(
    source: Installation, kept: Backup, empty: str, tmp_path: Path
) -> None:
    here = Installation(home=tmp_path / "here", database=source.database, environment=source.environment)
    shutil.copytree(kept.path, here.home / "backups" / kept.name)
    there = home_of(empty, tmp_path / "there")

    told = here.run("restore", "latest", "--into", there, "--yes", "--json")

    assert told.status == 0, told.err
    assert (told.json["backup"], told.json["database"]) == (kept.name, databases.name_of(empty))
    assert told.json["events"] == EVENTS
    assert here.rows("select count(*) from audit_entry where action = 'ops.backup.restored'") == [(0,)]


def test_backups_are_looked_for_where_an_option_says(source: Installation, kept: Backup, empty: str) -> None:
    place = str(Path(kept.path).parent)

    found = source.run("restore", "latest", "--from", place, "--into", empty, "--dry-run", "--json")
    missed = source.run("restore", "latest", "--into", empty, "--dry-run", "--json")

    assert (found.status, found.json["path"], found.json["in_use_by"]) == (0, kept.path, [])
    assert (missed.json["error"]["code"], missed.json["error"]["message"]) == (
        "backup_not_found",
        f"There is no backup in {source.home / 'backups'}.",
    )


def test_a_dry_run_works_beside_a_running_trueup_and_only_the_real_one_is_refused(
    source: Installation, kept: Backup, filled: str
) -> None:
    here = Installation(home=source.home, database=filled, environment=source.environment)

    with psycopg.connect(filled, application_name="trueup worker"):
        looked = here.run("restore", kept.path, "--replace", "--dry-run", "--json")
        shown = here.run("restore", kept.path, "--replace", "--dry-run")
        refused = here.run("restore", kept.path, "--replace", "--yes", "--json")

    assert (looked.status, looked.json["in_use_by"], looked.json["replaces"]) == (0, ["trueup worker"], True)
    assert "In use     1 connected (trueup worker): stop Trueup everywhere" in shown.out
    assert shown.out.endswith("Nothing was changed.\n")
    assert (refused.status, refused.json["error"]["code"]) == (2, "restore_in_use")
    assert databases.aside(filled) == []
