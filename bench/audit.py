"""What the audit log costs: a transaction that records, the sequencer, verifying, and the disk."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Any, Final

from bench.stage import Missing, Stage

KINDS: Final = ("work", "plain", "entry", "personal", "change_plain", "change")
RATIOS: Final = {"change": "change_plain", "entry": "plain", "personal": "plain"}
"""What is compared with what: a whole change of the product's, and the bare insert beside one other."""
PLAIN: Final = """
drop table if exists bench_work, bench_plain;
create table bench_work (id bigint generated always as identity primary key, body text not null);
create table bench_plain (like audit_logentry including defaults);
alter table bench_plain add column why text, add column origin text;
alter table bench_plain alter column id add generated always as identity;
alter table bench_plain add primary key (id, at);
create index on bench_plain (object_type, object_id, id desc);
create index on bench_plain (actor_kind, actor_id, id desc);
create index on bench_plain (action, id desc);
"""
"""An entry's columns in a table with its indexes, the reason and the address as they are, and nothing else."""
TABLES: Final = ("audit_logentry", "audit_disclosure", "audit_leaf", "audit_tile", "audit_checkpoint", "audit_unsealed")
SIZES: Final = """
select root.relname::text, sum(pg_total_relation_size(part.relid))::bigint
from unnest(%(tables)s::text[]) as named (name)
join pg_class root on root.relname = named.name and root.relnamespace = 'public'::regnamespace
cross join lateral (
    select root.oid as relid union all select inhrelid from pg_inherits where inhparent = root.oid
) part
group by 1
"""
NOTHING: Final = """
set session_replication_role = replica;
truncate audit_logentry, audit_unsealed, audit_disclosure, audit_leaf, audit_tile, audit_checkpoint, audit_cosignature,
    audit_sink, audit_signingkey, audit_verification;
set session_replication_role = origin;
"""


def cost(stage: Stage, *, writers: int, rounds: int, block: int = 50) -> dict[str, float]:
    """Milliseconds of a transaction by kind, and how many times as long as with a plain insert one takes that records.

    All writers do a block of one kind at the same time, and then of the next; each round begins with another, so that
    what else happens on the machine strikes all kinds alike. The ratio of medians is that of the middle round, whose
    blocks are neighbours in time; that of the 99th percentiles is over all transactions.
    """
    with stage.connect() as connection:
        connection.execute(PLAIN.encode())
    taken: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    with ExitStack() as stack:
        processes = [stack.enter_context(_writer(stage)) for _ in range(writers)]
        for number in range(-1, rounds):
            for turn in range(len(KINDS)):
                kind = KINDS[(number + turn) % len(KINDS)]
                found = _do(processes, f"{kind} {block}")
                # The first round fills caches and prepares statements.
                taken[kind] += [found] if number >= 0 else []
    figures: dict[str, float] = {}
    for kind, blocks in taken.items():
        every = [one for found in blocks for one in found]
        figures[f"audit_{kind}_{writers}_p50_ms"] = round(statistics.median(every), 3)
        figures[f"audit_{kind}_{writers}_p99_ms"] = round(statistics.quantiles(every, n=100)[98], 3)
    middles = {kind: [statistics.median(found) for found in blocks] for kind, blocks in taken.items()}
    for kind, other in RATIOS.items():
        ratios = [mine / plain for mine, plain in zip(middles[kind], middles[other], strict=True)]
        figures[f"audit_{kind}_{writers}_p50_ratio"] = round(statistics.median(ratios), 3)
        ratio = figures[f"audit_{kind}_{writers}_p99_ms"] / figures[f"audit_{other}_{writers}_p99_ms"]
        figures[f"audit_{kind}_{writers}_p99_ratio"] = round(ratio, 3)
    return figures


@contextmanager
def _writer(stage: Stage) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.audit_writer"],
        env=stage.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.communicate(timeout=30)


def _do(processes: Sequence[subprocess.Popen[str]], told: str) -> list[float]:
    """Let all of them do the same at once; the milliseconds of every transaction."""
    for process in processes:
        to, _answers = _pipes(process)
        to.write(told + "\n")
        to.flush()
    found: list[float] = []
    for process in processes:
        _to, answers = _pipes(process)
        line = answers.readline()
        if not line:
            message = f"A writer ended: {process.wait(10)}."
            raise Missing(message)
        found += json.loads(line)
    return found


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        message = "A writer has no pipes."
        raise Missing(message)
    return process.stdin, process.stdout


def log(stage: Stage, *, entries: int) -> dict[str, Any]:
    """Write so many entries, every one with a personal value, seal, verify here and offline, and weigh them.

    Entries a second of the sequencer while nothing else happens, one process; seconds of `trueup audit verify` and of
    an export's own `verify.py`, each with its start; bytes an entry takes in every table, indexes included.
    """
    name = f"{entries // 1_000_000}m" if entries >= 1_000_000 else f"{entries // 1000}k"
    with stage.connect() as connection:
        connection.execute(NOTHING.encode())
    for remembered in (stage.home / "audit").glob("signed-*"):
        remembered.unlink()
    _child(stage, "fill", str(entries))
    # What the log of the program says stands before it.
    sealed = json.loads(_child(stage, "seal").splitlines()[-1])
    figures: dict[str, Any] = {
        f"audit_sealed_{name}_s": round(sealed["seconds"], 2),
        f"audit_sealed_{name}_per_s": round(sealed["entries"] / sealed["seconds"]),
    }
    with stage.connect() as connection:
        connection.execute("vacuum analyze")
        for table, size in connection.execute(SIZES, {"tables": list(TABLES)}).fetchall():
            figures[f"audit_disk_{table.removeprefix('audit_')}_mb_per_m"] = round(size / entries, 1)
    figures[f"audit_verify_{name}_s"] = _timed([*stage.command, "audit", "verify", "--mode", "live", "--json"], stage)
    folder = stage.home / "export"
    figures[f"audit_export_{name}_s"] = _timed([*stage.command, "audit", "export", str(folder), "--json"], stage)
    figures[f"audit_verify_offline_{name}_s"] = _timed(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), str(folder), "--json"], stage
    )
    return figures


def _child(stage: Stage, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench.audit_filler", *words],
        env=stage.environment,
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        message = f"{words[0]} failed: {done.stderr[-800:]}"
        raise Missing(message)
    return done.stdout


def _timed(command: Sequence[str], stage: Stage) -> float:
    """Seconds of a command that has to end well."""
    started = time.monotonic()
    done = subprocess.run(command, env=stage.environment, capture_output=True, check=False, text=True)
    if done.returncode:
        message = f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-400:]} {done.stderr[-400:]}"
        raise Missing(message)
    return round(time.monotonic() - started, 2)
