"""Many seeds at once: a database server that is gone afterwards, and processes that play what they are given."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import psycopg
from msgspec.structs import replace
from psycopg.conninfo import make_conninfo

from trueup.kernel.errors import Broken
from trueup.ops.simulation.plan import draw
from trueup.ops.simulation.shrinking import shrunk
from trueup.ops.simulation.types import Outcome, Plan, Request
from trueup.runtime import clock
from trueup.runtime.postgres.cluster import Cluster

MODULE: Final = "trueup.config.simulation"
SHRINK_SECONDS: Final = 90.0
"""How long a seed that diverged is cut down."""
OWN: Final = frozenset(
    {
        *("TRUEUP_CONFIG", "TRUEUP_SECRET_KEY", "TRUEUP_SECRET_KEY_FILE", "TRUEUP_BACKUP_DIR", "TRUEUP_BACKUP_KEEP"),
        *("TRUEUP_HOST", "TRUEUP_ALLOWED_HOSTS", "TRUEUP_TRUSTED_PROXIES", "TRUEUP_TLS_CERT", "TRUEUP_TLS_KEY"),
    }
)
"""Settings that are about one installation, and not about how any reads and computes."""
_outcomes: Final = msgspec.json.Decoder(Outcome)

OnOutcome = Callable[[Outcome], None]


def simulate(
    seeds: Sequence[int], *, jobs: int, on_outcome: OnOutcome, shrink_seconds: float = SHRINK_SECONDS
) -> list[Outcome]:
    """Play seeds in ``jobs`` processes, and give what each came to, in the order of the seeds.

    ``on_outcome`` is told of each as it ends, in no order. A seed that diverges is cut down for ``shrink_seconds`` at
    most, and its outcome then tells the history of what is left.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for seed in seeds:
        waiting.put(seed)
    found: dict[int, Outcome] = {}
    troubles: list[BaseException] = []
    with _server(min(jobs, len(seeds)) or 1) as (urls, home):

        def work(url: str) -> None:
            try:
                with _player(url, home) as player:
                    while not troubles:
                        with suppress(queue.Empty):
                            outcome = _played(player, waiting.get_nowait(), shrink_seconds)
                            found[outcome.seed] = outcome
                            on_outcome(outcome)
                            continue
                        return
            except BaseException as error:  # noqa: BLE001 - it is raised by the thread that waits
                troubles.append(error)

        threads = [threading.Thread(target=work, args=(url,), name=f"player-{url[-2:]}") for url in urls]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt as interrupt:
            # Each ends with the seed that it is at.
            troubles.append(interrupt)
            for thread in threads:
                thread.join()
    if troubles:
        raise troubles[0]
    return [found[seed] for seed in seeds if seed in found]


def _played(player: _Player, seed: int, shrink_seconds: float) -> Outcome:
    plan = draw(seed)
    outcome = player.play(plan)
    if not outcome.diverged:
        return outcome
    until = clock.monotonic() + shrink_seconds
    smaller = shrunk(plan, outcome, player.play, lambda: clock.monotonic() < until)
    told = player.play(smaller, telling=True)
    # What is told is what is left; how much was tried is the whole plan's.
    kept = told if told.diverged else outcome
    return replace(kept, counts=outcome.counts, seconds=outcome.seconds, shrunk_from=len(plan.steps))


def simulate_with_kills(seeds: Sequence[int], *, jobs: int, on_outcome: OnOutcome) -> list[Outcome]:
    """As ``simulate``, with real processes that are killed, each seed in an installation of its own.

    What they were doing when they were killed is not the seed's, so nothing is cut down.
    """
    with tempfile.TemporaryDirectory(prefix="trueup-simulation-") as folder:
        root = Path(folder)
        root.chmod(0o711)
        with Cluster(root / "home") as cluster, _player(cluster.url, root / "home") as player:
            # The answer comes after the migrations; what it plays is nothing.
            player.play(replace(draw(0), steps=()))

        def one(seed: int) -> Outcome:
            place = root / f"seed-{seed}"
            place.mkdir()
            place.chmod(0o711)
            subprocess.run(["cp", "-a", str(root / "home"), str(place / "home")], check=True)  # noqa: S603, S607 - ours
            with Cluster(place / "home") as cluster, _player(cluster.url, place / "home") as player:
                outcome = player.play(draw(seed), kills=True)
            on_outcome(outcome)
            return outcome

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(one, seeds))


class _Player:
    """A process that plays."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def play(self, plan: Plan, *, telling: bool = False, kills: bool = False) -> Outcome:
        """Have a plan played. Raises ``Broken`` where the process ends."""
        asked, answers = self._process.stdin, self._process.stdout
        if asked is None or answers is None:  # pragma: no cover - both are pipes
            raise Broken("The process has no pipes.", code="simulation_ended")
        try:
            asked.write(msgspec.json.encode(Request(plan=plan, telling=telling, kills=kills)) + b"\n")
            asked.flush()
            line = answers.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise Broken(
                f"A process that plays ended at seed {plan.seed}.", code="simulation_ended", hint="Its words are above."
            )
        return _outcomes.decode(line)


def surroundings(url: str, home: Path) -> dict[str, str]:
    """The environment of a process that plays, and of those that it starts: ours, without what is our installation's.

    A configuration file could name a database, and a worker would back the simulation up among real backups.
    """
    theirs = {name: value for name, value in os.environ.items() if name not in OWN}
    return {**theirs, "DATABASE_URL": url, "TRUEUP_HOME": str(home)}


@contextmanager
def _player(url: str, home: Path) -> Iterator[_Player]:
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", MODULE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=surroundings(url, home)
    )
    try:
        yield _Player(process)
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _server(databases: int) -> Iterator[tuple[list[str], Path]]:
    """A server of our own with so many databases, in a folder that is deleted at the end."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="trueup-simulation-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # The server's own user has to pass through it.
        folder.chmod(0o711)
        home = folder / "home"
        # Nothing of it is needed after a crash of the machine.
        cluster = stack.enter_context(Cluster(home, settings={"synchronous_commit": "off"}))
        names = [f"simulation_{number}" for number in range(databases)]
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            for name in names:
                connection.execute(f"create database {name}".encode())
        yield [_address(cluster.url, name) for name in names], home


def _address(url: str, name: str) -> str:
    """The address of another database of a server, as a URL."""
    known = psycopg.conninfo.conninfo_to_dict(make_conninfo(url))
    return f"postgresql://{known['user']}:{known['password']}@/{name}?host={known['host']}"
