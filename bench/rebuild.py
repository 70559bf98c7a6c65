"""How fast every table is made again from the log, and for how long the live ones are held."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from bench.stage import Missing, Stage


def rebuild(stage: Stage, *, events: int = 100_000) -> dict[str, Any]:
    """Take in so many events, let them go all the way, and rebuild everything while a worker runs.

    Events and customers a second and seconds, without the comparison; the command's own CPU for a row, without the
    database's; seconds in which writers waited.
    """
    stage.empty()
    with stage.running("intake", "worker"):
        stage.load(stage.webhook_url, n=events, connections=32)
        stage.drained()
        before = os.times()
        made = subprocess.run(
            [*stage.command, "rebuild", "all", "--yes", "--pace", "1", "--json"],
            env=stage.environment,
            capture_output=True,
            check=False,
            text=True,
        )
        after = os.times()
    if made.returncode:
        message = f"The rebuild failed: {made.stdout} {made.stderr}"
        raise Missing(message)
    told = json.loads(made.stdout)
    if any(table["added"] or table["removed"] or table["changed"] for table in told["tables"]):
        message = f"The rebuild made other rows: {told['tables']}"
        raise Missing(message)
    rows = told["events"] + told["customers"]
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "rebuild_events": told["events"],
        "rebuild_customers": told["customers"],
        "rebuild_s": told["seconds"],
        "rebuild_rows_per_s": told["rows_per_second"],
        "rebuild_cpu_us_per_row": round(1e6 * used / rows, 1),
        "rebuild_locked_s": told["locked_seconds"],
    }
