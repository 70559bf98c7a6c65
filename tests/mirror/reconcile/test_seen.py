"""What a comparison has seen, and reads again."""

from __future__ import annotations

from trueup.mirror.reconcile import seen
from trueup.runtime import database

RUN = 7

# Written from the last to the first, as no order of rows in a table means anything.
REPAIRED = """
with named as (select 'obj_' || lpad(n::text, 3, '0') as object_id from generate_series(300, 1, -1) n),
drift as (
    insert into mirror_drift
        (account_id, livemode, object_type, object_id, kind, cause, explanation, run_id, repaired_at)
    select 1, false, 'charge', object_id, 'stale', 'never_came', '', %(run)s, now() from named
)
insert into mirror_reconcileseen (run_id, object_type, object_id, due_at)
select %(run)s, 'charge', object_id, now() - interval '1 hour' from named
"""


def test_what_was_repaired_is_read_again_in_the_order_of_its_ids_whatever_the_plan(db: None) -> None:
    database.execute(REPAIRED, {"run": RUN})

    assert seen.doubt_repaired(RUN) == 300

    named = [doubt.object_id for doubt in seen.doubts(RUN, limit=300)]
    assert named == sorted(named)
    assert len(named) == 300
