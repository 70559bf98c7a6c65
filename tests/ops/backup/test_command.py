"""The command that restores: where it looks for backups, and what a dry run may do beside a running Trueup."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.ops.backup.conftest import EVENTS
from tests.ops.conftest import Ended, Installation
from trueup.ops import cli
from trueup.ops.backups import databases
from trueup.ops.backups.taking import Backup
from trueup.runtime import configuration

Run = Callable[..., Ended]


def home_of(database: str, home: Path) -> str:
    """A home whose file names that database."""
    home.mkdir()
    (home / "trueup.toml").write_text(f'database_url = "{database}"\n', encoding="utf-8")
    (home / "trueup.toml").chmod(0o600)
    return str(home)


@pytest.fixture
def run(key: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process, on a database."""

    def ran(database: str, *options: str) -> Ended:
        monkeypatch.setenv("DATABASE_URL", database)
        capsys.readouterr()
        status = cli.run(["restore", *options])
        said = capsys.readouterr()
        return Ended(status, said.out, said.err)

    return ran


def test_a_restore_into_another_home_takes_the_newest_backup_of_this_installation(
    source: Installation, kept: Backup, empty: str, tmp_path: Path
) -> None:
    here = Installation(home=tmp_path / "here", database=source.database, environment=source.environment)
    shutil.copytree(kept.path, here.home / "backups" / kept.name)
    shutil.copytree(source.home / "audit", here.home / "audit")
    there = home_of(empty, tmp_path / "there")

    told = here.run("restore", "latest", "--into", there, "--yes", "--json")

    assert told.status == 0, told.err
    assert (told.json["backup"], told.json["database"]) == (kept.name, databases.name_of(empty))
    assert told.json["events"] == EVENTS
    assert (told.json["keys_returned"] > 0, told.json["keys_missing"]) == (True, 0)
    assert here.rows("select count(*) from audit_entries where action = 'ops.backup.restored'") == [(0,)]


def test_backups_are_looked_for_where_an_option_says(run: Run, kept: Backup, empty: str) -> None:
    found = run(empty, "latest", "--from", str(Path(kept.path).parent), "--dry-run", "--json")
    missed = run(empty, "latest", "--dry-run", "--json")

    told = json.loads(found.out)
    assert (found.status, told["path"], told["in_use_by"]) == (0, kept.path, [])
    place = configuration.current().home / "backups"
    assert json.loads(missed.out)["error"] == {
        "code": "backup_not_found",
        "message": f"There is no backup in {place}.",
        "hint": "Name the folder that they lie in with --from or in TRUEUP_BACKUP_DIR, or the backup's own.",
    }


def test_a_dry_run_works_beside_a_running_trueup_and_only_the_real_one_is_refused(
    run: Run, kept: Backup, filled: str
) -> None:
    with psycopg.connect(filled, application_name="trueup worker"):
        looked = run(filled, kept.path, "--replace", "--dry-run", "--json")
        shown = run(filled, kept.path, "--replace", "--dry-run")
        refused = run(filled, kept.path, "--replace", "--yes", "--json")

    told = json.loads(looked.out)
    assert (looked.status, told["in_use_by"], told["replaces"]) == (0, ["trueup worker"], True)
    assert "In use     1 connected (trueup worker): stop Trueup everywhere" in shown.out
    assert shown.out.endswith("Nothing was changed.\n")
    assert (refused.status, json.loads(refused.out)["error"]["code"]) == (2, "restore_in_use")
    assert databases.aside(filled) == []
