from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from procrastinate import App
from procrastinate.contrib.django import app as jobs

from tests.flow.conftest import Ask
from trueup.config import worker
from trueup.ops import tasks
from trueup.runtime import database as own

STALLED = """
with killed as (insert into procrastinate_workers (last_heartbeat) values (now() - interval '5 minutes') returning id)
insert into procrastinate_jobs (queue_name, task_name, queueing_lock, args, status, worker_id)
select 'clock', %s, %s, '{"timestamp": 1}', 'doing', id from killed returning id
"""
WAITING = """
insert into procrastinate_jobs (queue_name, task_name, queueing_lock, args)
values ('clock', %s, %s, '{"timestamp": 2}') returning id
"""


@pytest.fixture
def no_jobs(database: str) -> Iterator[None]:
    """Leave no job and no worker behind."""
    yield
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("truncate procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers cascade")


def work() -> None:
    """Reap, then do what is queued, as a worker's clock does."""

    async def run() -> None:
        connector = jobs.connector.get_worker_connector()  # type: ignore[attr-defined]
        # It knows the tasks and not their timetable: what is due at the hour of the test is not the test's.
        app = App(connector=connector)
        app.tasks = jobs.tasks
        async with app.open_async():
            await app.configure_task(tasks.reap.name, queue="clock").defer_async(timestamp=0)
            await app.run_worker_async(queues=["clock"], wait=False, install_signal_handlers=False)
            await app.run_worker_async(queues=["clock"], wait=False, install_signal_handlers=False)

    asyncio.run(run())


def status(ask: Ask, job: int) -> list[tuple[object, ...]]:
    return ask("select status::text from procrastinate_jobs where id = %s", job)


def test_a_job_of_a_killed_worker_is_done_by_another(ask: Ask, no_jobs: None) -> None:
    ((job,),) = ask(STALLED, "ops.partitions", "partitions")

    work()

    assert status(ask, job) == [("succeeded",)]


def test_a_job_of_a_killed_worker_gives_way_to_its_successor_and_holds_nobody_up(ask: Ask, no_jobs: None) -> None:
    ((stalled,),) = ask(STALLED, "ops.partitions", "partitions")
    ((successor,),) = ask(WAITING, "ops.partitions", "partitions")
    ((other,),) = ask(STALLED, "ops.tidy", "tidy")
    ask("update procrastinate_jobs set scheduled_at = now() + interval '1 hour' where id = %s returning 1", successor)

    work()

    assert status(ask, stalled) == []
    assert status(ask, successor) == [("todo",)]
    assert status(ask, other) == [("succeeded",)]


def test_the_clock_raises_an_alarm_for_what_is_set_aside(ask: Ask, no_jobs: None) -> None:
    ask(
        "insert into inbox_pending (account_id, livemode, event_id, created, attempts, last_error, set_aside_at)"
        " values (1, false, 'evt_1', now(), 8, 'ValueError: no', now()) returning 1"
    )
    ((job,),) = ask(WAITING, "ops.aside", "aside")

    work()

    assert status(ask, job) == [("succeeded",)]
    assert ask("select code from inbox_alarm") == [("set_aside",)]


def test_the_clock_works_again_after_an_outage_of_the_database(ask: Ask, no_jobs: None) -> None:
    connected = "pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"

    async def asked() -> bool:
        try:
            return await sync_to_async(lambda: own.execute("select 1").fetchone())() == (1,)
        except (OperationalError, psycopg.Error):
            return False

    async def run() -> None:
        stopped = asyncio.Event()
        clock = asyncio.create_task(worker._clock(stopped))
        await eventually(asked)
        assert ask(f"select pg_terminate_backend(pid) from {connected}")
        await eventually(asked)
        stopped.set()
        await clock

    asyncio.run(run())


async def eventually(question: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Ask until the answer is yes."""
    async with asyncio.timeout(seconds):
        while not await question():  # noqa: ASYNC110 - the database sends no word when it is back
            await asyncio.sleep(0.05)
