"""How the threads of one errand share looking for work, and doing it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from trueup.runtime import errands
from trueup.runtime.errands import Errand

SOON = 10.0
"""Seconds that a thread of ours may need on a machine that does other things too."""


class Work:
    """Pieces of work, and who did and looked how often."""

    def __init__(self) -> None:
        self.pieces = 0
        self.looks: dict[str, int] = {}
        self.busy = threading.Semaphore(0)
        self.go_on = threading.Event()
        self._lock = threading.Lock()

    def run(self, stop: threading.Event) -> int:
        """Take one piece and hold it until told to go on; 0 where there is none."""
        with self._lock:
            name = threading.current_thread().name
            self.looks[name] = self.looks.get(name, 0) + 1
            if not self.pieces:
                return 0
            self.pieces -= 1
        self.busy.release()
        self.go_on.wait(SOON)
        return 0 if stop.is_set() else 1


@contextmanager
def running(work: Work, *, threads: int, idle_seconds: float) -> Iterator[list[threading.Event]]:
    errand = Errand(name="tried", topic="tried", run=work.run, threads=threads, idle_seconds=idle_seconds)
    bells, stop = [threading.Event() for _ in range(threads)], threading.Event()
    started = [
        threading.Thread(
            target=errands.run,
            args=(errand,),
            kwargs={"bells": bells, "number": number, "stop": stop},
            name=str(number),
        )
        for number in range(threads)
    ]
    for thread in started:
        thread.start()
    try:
        yield bells
    finally:
        stop.set()
        work.go_on.set()
        for bell in bells:
            bell.set()
        for thread in started:
            thread.join(SOON)
    assert not any(thread.is_alive() for thread in started)


def settled(work: Work, reached: Callable[[Collection[int]], bool]) -> None:
    """Wait until the looks of each thread are as many as that."""
    pause = threading.Event()
    for _ in range(int(SOON / 0.01)):
        if reached(list(work.looks.values())):
            return
        pause.wait(0.01)
    raise AssertionError(work.looks)


def test_one_thread_looks_for_all_while_there_is_nothing_to_do() -> None:
    work = Work()
    with running(work, threads=3, idle_seconds=0.02):
        settled(work, lambda looks: sum(looks) >= 12)
    # The others looked at the start, and again after twelve rests at the soonest.
    assert work.looks["0"] > 2 * max(work.looks["1"], work.looks["2"])


def test_whoever_finds_work_after_a_rest_calls_the_others() -> None:
    work = Work()
    with running(work, threads=3, idle_seconds=SOON * 10) as bells:
        settled(work, lambda looks: len(looks) == 3)
        work.pieces = 9
        bells[0].set()
        # The first is held by its piece, so the next two are theirs; without a call they would rest for minutes.
        assert work.busy.acquire(timeout=SOON)
        work.go_on.set()
        for _ in range(8):
            assert work.busy.acquire(timeout=SOON)
        settled(work, lambda looks: min(looks) >= 2)
    assert work.pieces == 0


def test_an_errand_that_fails_goes_on() -> None:
    tried = threading.Event()
    calls: list[int] = []

    def fail_once(stop: threading.Event) -> int:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError
        tried.set()
        return 0

    stop, bell = threading.Event(), threading.Event()
    errand = Errand(name="failing", topic="failing", run=fail_once, idle_seconds=SOON)
    thread = threading.Thread(target=errands.run, args=(errand,), kwargs={"bells": [bell], "number": 0, "stop": stop})
    thread.start()
    try:
        assert tried.wait(SOON)
    finally:
        stop.set()
        bell.set()
        thread.join(SOON)
    assert not thread.is_alive()
