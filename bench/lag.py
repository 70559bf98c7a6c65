"""How long an event takes from the inbox to its customer's state, event by event, while they come at a steady rate.

Triggers note when the mirror took each event, which dirty mark that made, and when the fold that consumed the mark
wrote the state; an event's lag is the last minus when it was received. The notes cost the database a little, so the
figure errs upwards.
"""

from __future__ import annotations

from typing import Final

from bench.stage import Stage

INSTALL: Final = """
create unlogged table bench_taken (event_id text, received_at timestamptz, tx xid8);
create unlogged table bench_marked (id bigint, customer text, tx xid8);
create unlogged table bench_folded (id bigint, at timestamptz);
create function bench_take() returns trigger language plpgsql as $$
begin insert into bench_taken values (old.event_id, old.received_at, pg_current_xact_id()); return null; end $$;
create function bench_mark() returns trigger language plpgsql as $$
begin insert into bench_marked values (new.id, new.object_id, pg_current_xact_id()); return null; end $$;
create function bench_fold() returns trigger language plpgsql as $$
begin insert into bench_folded values (old.id, clock_timestamp()); return null; end $$;
create trigger bench_take after delete on inbox_pending for each row execute function bench_take();
create trigger bench_mark after insert on mirror_changed for each row execute function bench_mark();
create trigger bench_fold after delete on mirror_changed for each row execute function bench_fold();
"""

REMOVE: Final = """
drop trigger bench_take on inbox_pending;
drop trigger bench_mark on mirror_changed;
drop trigger bench_fold on mirror_changed;
drop function bench_take, bench_mark, bench_fold;
drop table bench_taken, bench_marked, bench_folded;
"""

LAGS: Final = """
with lag as (
    select extract(epoch from min(f.at) - t.received_at) * 1000 as ms
    from bench_taken t
    join inbox_event e on e.event_id = t.event_id
    join bench_marked m on m.tx = t.tx and m.customer = e.customer
    join bench_folded f on f.id = m.id
    group by t.event_id, t.received_at
)
select count(*),
       percentile_cont(0.5) within group (order by ms),
       percentile_cont(0.99) within group (order by ms),
       max(ms)
from lag
"""


def lag(stage: Stage, *, rate: int, n: int) -> dict[str, float]:
    """Milliseconds from received to folded at ``rate`` events a second."""
    stage.empty()
    with stage.connect() as connection:
        connection.execute(INSTALL.encode())
        try:
            with stage.running("intake", "worker"):
                # Objects and customers exist and caches are warm before the clock starts.
                stage.load(stage.webhook_url, n=6_000, connections=16, rate=rate)
                stage.drained()
                connection.execute("truncate bench_taken, bench_marked, bench_folded")
                stage.load(stage.webhook_url, n=n, connections=32, rate=rate)
                stage.drained()
            row = connection.execute(LAGS.encode()).fetchone() or (0, 0.0, 0.0, 0.0)
        finally:
            connection.execute(REMOVE.encode())
    return {"events": float(row[0]), "p50": float(row[1]), "p99": float(row[2]), "max": float(row[3])}
