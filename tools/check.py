"""Runs every gate, two at a time, and says at the end which failed. Arguments select gates by name."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
BIN: Final = Path(sys.executable).parent
GATES: Final[Mapping[str, Sequence[str]]] = {
    # The slowest first, so that the others run beside it.
    "types": ("mypy",),
    "imports": ("lint-imports", "--no-logo"),
    "format": ("ruff", "format", "--check", "--diff", "."),
    "style": ("ruff", "check", "."),
    "dependencies": ("deptry", "src", "--no-ansi"),
    "test dependencies": ("deptry", "tests", "tools", "bench", "--config", "tools/deptry.toml", "--no-ansi"),
    "migrations": ("python", "-m", "tools.migrations"),
    "money": ("python", "-m", "tools.money"),
    "messages": ("python", "-m", "tools.messages", "--check"),
}


@dataclass(frozen=True)
class Outcome:
    """What one gate said; ``seconds`` is how long it took."""

    name: str
    code: int
    said: str
    seconds: float


def run(name: str, gate: Sequence[str]) -> Outcome:
    """Run one gate. The database is taken out of its environment: no gate needs one, and none shall depend on one."""
    program, *arguments = gate
    start = time.monotonic()
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    done = subprocess.run(
        [str(BIN / program), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(name, done.returncode, done.stdout.strip(), time.monotonic() - start)


def main(names: Sequence[str], gates: Mapping[str, Sequence[str]] = GATES) -> int:
    """Run the gates named, or all; 0 when all pass, 1 when one fails, 2 when there is none of a name."""
    unknown = [name for name in names if name not in gates]
    if unknown:
        print(f"There is no gate {', '.join(unknown)}; there are: {', '.join(gates)}.")
        return 2
    with ThreadPoolExecutor(max_workers=2) as pool:
        running: list[Future[Outcome]] = [pool.submit(run, name, gates[name]) for name in names or gates]
        outcomes = []
        for future in running:
            outcome = future.result()
            outcomes.append(outcome)
            title = f"{outcome.name}: {'passed' if outcome.code == 0 else 'FAILED'} in {outcome.seconds:.1f} s"
            print(f"\n== {title} ".ljust(100, "="), outcome.said, sep="\n", flush=True)
    failed = [outcome.name for outcome in outcomes if outcome.code]
    print(f"\nFailed: {', '.join(failed)}." if failed else f"\nAll {len(outcomes)} gates passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
