"""What the worker does by the clock: the sweep, the reaper, and partitions ahead."""

from __future__ import annotations

from typing import Final

from asgiref.sync import sync_to_async
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from trueup.audit import months
from trueup.audit.access_log import service as access_log
from trueup.audit.verifying import nightly as verifying
from trueup.customer import reconcile as reconciling
from trueup.inbox import dead_letters
from trueup.inbox import service as inbox
from trueup.inbox.alarms import service as alarms
from trueup.kernel.time import from_unix
from trueup.mirror.reconcile import service as reconciliations
from trueup.operators.approvals import service as approvals
from trueup.ops import audit_watch, erasures, lost_events
from trueup.ops.backups import nightly
from trueup.runtime import clock, configuration, database, errands, logs, queues, topics
from trueup.runtime.wake import wake

log = logs.get(__name__)

errands.subscribe(lost_events.ERRAND)

LATE_SECONDS: Final = 10.0
"""Rows older than this were announced to nobody, or to somebody who died."""
HEAL_SECONDS: Final = 5.0
"""How long a sweep heals what an older rule made before it leaves the rest to the next."""


def sweep_once() -> int:
    """Wake every drain that has rows nobody picked up, and queue what an older rule made.

    Returns how many drains were woken.
    """
    woken = 0
    with database.transaction() as connection:
        for drain in topics.drains():
            depth = queues.depth(connection, drain.queue, drain.since)
            if depth.waiting and depth.oldest_seconds > LATE_SECONDS:
                wake(connection, drain.topic)
                woken += 1
                log.info(
                    "sweep.woke", drain=drain.name, waiting=depth.waiting, oldest_seconds=round(depth.oldest_seconds)
                )
    for heal in topics.heals():
        _healed(heal)
    return woken


def _healed(heal: topics.Heal) -> None:
    """Heal piece by piece, for a while; the next sweep goes on."""
    until, rows = clock.monotonic() + HEAL_SECONDS, 0
    while clock.monotonic() < until and (found := heal()):
        rows += found
    if rows:
        log.info("sweep.healed", by=heal.__module__, rows=rows)


@app.periodic(cron="* * * * * */15")
@app.task(queue="clock", queueing_lock="sweep", name="ops.sweep")
async def sweep(timestamp: int) -> None:
    """Find dirty rows nobody woke."""
    del timestamp
    await sync_to_async(sweep_once)()


@app.periodic(cron="* * * * *")
@app.task(queue="clock", queueing_lock="reap", name="ops.reap", pass_context=True)
async def reap(context: JobContext, timestamp: int) -> None:
    """Give jobs of killed workers to the living."""
    del timestamp
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=60):
        log.warning("reaper.retried", job=job.id, task=job.task_name)
        try:
            await manager.retry_job(job)
        except ConnectorException:
            # Its successor waits under the same queueing lock already and does the same work.
            await manager.finish_job(job, Status.FAILED, delete_job=True)


@app.periodic(cron="* * * * *")
@app.task(queue="clock", queueing_lock="aside", name="ops.aside")
async def aside(timestamp: int) -> None:
    """Raise an alarm for what is set aside or quarantined, and end it once nothing is."""
    del timestamp
    await sync_to_async(dead_letters.watch)()


@app.periodic(cron="* * * * *")
@app.task(queue="clock", queueing_lock="erasures", name="ops.erasures")
async def erased(timestamp: int) -> None:
    """Keep the copy of the audit log's keys and the ledger of erasures true, and tell where that fails."""
    del timestamp
    await sync_to_async(erasures.watch)()


@app.periodic(cron="* * * * *")
@app.task(queue="clock", queueing_lock="audit_watch", name="ops.audit_watch")
async def watch_audit(timestamp: int) -> None:
    """Raise alarms for what is wrong with the audit log, and end them once it is not."""
    del timestamp
    await sync_to_async(audit_watch.look_after)()


@app.periodic(cron="41 * * * *")
@app.task(queue="clock", queueing_lock="approvals", name="ops.approvals")
async def approvals_over(timestamp: int) -> None:
    """Note which requests nobody answered in time."""
    del timestamp
    await sync_to_async(approvals.expire)()


@app.periodic(cron="37 4 * * *")
@app.task(queue="clock", queueing_lock="retention", name="ops.retention")
async def retention(timestamp: int) -> None:
    """Drop the months that the audit log has kept for its years, the night after one became as old; and old alarms."""
    del timestamp
    await sync_to_async(erasures.drop_old)()
    await sync_to_async(access_log.prune)()
    await sync_to_async(alarms.tidy)()


@app.periodic(cron="17 3 * * *")
@app.task(queue="clock", queueing_lock="partitions", name="ops.partitions")
async def partitions(timestamp: int) -> None:
    """Make the partitions of the logs ahead of time."""
    del timestamp
    await sync_to_async(inbox.ensure_partitions)()
    await sync_to_async(months.ensure_partitions)()


@app.periodic(cron="23 * * * *")
@app.task(queue="clock", queueing_lock="backup", name="ops.backup")
async def backup(timestamp: int) -> None:
    """Make the night's backup, or one that was missed, where a folder for them is named."""
    del timestamp
    await nightly.look_after()


@app.periodic(cron="7 * * * *")
@app.task(queue="clock", queueing_lock="reconcile", name="ops.reconcile")
async def reconcile(timestamp: int) -> None:
    """Start comparing every account with Stripe, at the hour that the operator chose."""
    if from_unix(timestamp).hour == configuration.current().reconcile_hour:
        await sync_to_async(reconciling.start_nightly)()
        await sync_to_async(reconciliations.tidy)()


@app.periodic(cron="11 4 * * *")
@app.task(queue="clock", queueing_lock="verify", name="ops.verify")
async def verify(timestamp: int) -> None:
    """Check the audit log, all of it; in a thread of its own, since the sweep must not wait for it."""
    del timestamp
    await sync_to_async(verifying.verify_all, thread_sensitive=False)()


@app.periodic(cron="41 3 * * *")
@app.task(queue="clock", queueing_lock="tidy", name="ops.tidy", pass_context=True)
async def tidy(context: JobContext, timestamp: int) -> None:
    """Delete finished jobs older than a day, so that the table stays small."""
    del timestamp
    await context.app.job_manager.delete_old_jobs(nb_hours=24, include_failed=False)
