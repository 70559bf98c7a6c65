"""How long a backup and a restore take, how large the backup is, and what a backup costs those who write meanwhile."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from bench.stage import Missing, Stage


def backup(stage: Stage, *, events: int = 100_000) -> dict[str, Any]:
    """Take in so many events, back them up beside a running worker, and restore them in place of themselves.

    Seconds as the commands tell them, from their first look to their end; bytes of the backup and of the database.
    """
    stage.empty()
    with stage.running("intake", "worker"):
        stage.load(stage.webhook_url, n=events, connections=32)
        stage.drained()
        made = _told(stage, "backup", "--json")
    restored = _told(stage, "restore", made["name"], "--replace", "--yes", "--json")
    with stage.connect() as connection:
        row = connection.execute("select pg_database_size(current_database())").fetchone() or (0,)
    _told(stage, "restore", "--drop-old", "--yes", "--json")
    return {
        "backup_events": made["events"],
        "backup_s": made["seconds"],
        "backup_mb": round(made["bytes"] / 1e6, 1),
        "backup_database_mb": round(int(row[0]) / 1e6, 1),
        "restore_rows": restored["rows"],
        "restore_s": restored["seconds"],
    }


def _told(stage: Stage, *arguments: str) -> dict[str, Any]:
    ended = subprocess.run(
        [*stage.command, *arguments], env=stage.environment, capture_output=True, check=False, text=True
    )
    if ended.returncode:
        message = f"{' '.join(arguments)} failed: {ended.stdout} {ended.stderr}"
        raise Missing(message)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
