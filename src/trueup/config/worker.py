"""The worker process: a thread for the drains, one that listens, and procrastinate for what goes by the clock."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trueup.config.settings")
django.setup()

from asgiref.sync import sync_to_async  # noqa: E402 - Django has to be set up before tables are imported
from django.db import connections  # noqa: E402
from procrastinate import App  # noqa: E402
from procrastinate.contrib.django import app as jobs  # noqa: E402

import trueup.audit.tasks  # noqa: E402
import trueup.customer.tasks  # noqa: E402
import trueup.inbox.tasks  # noqa: E402
import trueup.mirror.tasks  # noqa: E402
import trueup.notices.tasks  # noqa: E402
import trueup.ops.tasks  # noqa: E402, F401
from trueup.runtime import configuration, drains, errands, listening, logs, processes, topics  # noqa: E402

log = logs.get(__name__)

_bells: list[threading.Event] = []
"""What wakes the errands."""


def start_drains(wakes: threading.Event, stop: threading.Event) -> list[threading.Thread]:
    """Run the subscribed drains, lower packages first, in one thread that any topic wakes."""
    conninfo = configuration.current().database_url
    by_topic = {drain.topic: [wakes] for drain in topics.drains()}
    bells = {errand.name: [threading.Event() for _ in range(errand.threads)] for errand in errands.errands()}
    for errand in errands.errands():
        by_topic.setdefault(errand.topic, []).extend(bells[errand.name])
    _bells[:] = [bell for own in bells.values() for bell in own]
    threads = [
        threading.Thread(
            target=drains.run, args=(topics.drains(),), kwargs={"wakes": wakes, "stop": stop}, name="drains"
        ),
        threading.Thread(target=listening.listen, args=(conninfo, by_topic, stop), name="listen", daemon=True),
        *(
            threading.Thread(
                target=errands.run,
                args=(errand,),
                kwargs={"bells": bells[errand.name], "number": number, "stop": stop},
                name=f"{errand.name}-{number}",
                daemon=True,
            )
            for errand in errands.errands()
            for number in range(errand.threads)
        ),
    ]
    for thread in threads:
        thread.start()
    return threads


async def _clock(stopped: asyncio.Event) -> None:
    """Run procrastinate's worker, again after an outage of the database."""
    while not stopped.is_set():
        worker_app: App = jobs.with_connector(jobs.connector.get_worker_connector())  # type: ignore[attr-defined]
        try:
            async with worker_app.open_async():
                work = asyncio.create_task(
                    worker_app.run_worker_async(
                        queues=["clock"], concurrency=2, install_signal_handlers=False, fetch_job_polling_interval=5
                    )
                )
                halt = asyncio.create_task(stopped.wait())
                done, _ = await asyncio.wait({work, halt}, return_when=asyncio.FIRST_COMPLETED)
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                halt.cancel()
                for task in done - {halt}:
                    task.result()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the clock must survive any outage; drains go on meanwhile
            log.warning("clock.interrupted", error=type(error).__name__)
        if not stopped.is_set():
            # What it runs has a thread whose connection an outage broke; nobody else would open another one there.
            await sync_to_async(connections.close_all)()
            await asyncio.sleep(2)


async def _main() -> None:
    stopped, stop, wakes = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    threads = start_drains(wakes, stop)
    log.info("worker.started", drains=[drain.name for drain in topics.drains()])
    clock = asyncio.create_task(_clock(stopped))
    await stopped.wait()
    stop.set()
    for bell in (wakes, *_bells):
        bell.set()
    await asyncio.wait({clock}, timeout=5)
    for thread in threads:
        await asyncio.to_thread(thread.join, 10)
    log.info("worker.stopped")


def main() -> None:
    """Work until told to stop."""
    settings = configuration.current()
    logs.configure(level=settings.log_level, form=settings.log_format)
    processes.follow_parent()
    processes.settle()
    asyncio.run(_main())


if __name__ == "__main__":
    main()
