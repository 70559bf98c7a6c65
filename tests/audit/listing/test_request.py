"""Finding what a request did, among very many entries that no request caused."""

from __future__ import annotations

import re

from trueup.audit import months
from trueup.audit.listing import service as listing
from trueup.audit.listing.service import Filters
from trueup.runtime import database

FILL = """
insert into audit_logentry (id, at, livemode, actor_kind, actor_id, action, object_type, object_id, request_id, body)
select n, now(), true, 'system', 'x', 'a.b_c', 'x', n::text, case when n %% 50 = 0 then 'req_' || n else '' end, '{}'
from generate_series(1, 20000) n
"""


def test_the_entries_of_a_request_are_found_by_an_index_of_every_month(db: None) -> None:
    months.ensure_partitions()
    connection = database.connection()
    connection.execute(FILL.replace("%%", "%").encode())
    connection.execute("analyze audit_logentry")

    plan = connection.execute(
        "explain select id from audit_logentry e"
        " where e.id < 9223372036854775807 and e.request_id = 'req_500' order by e.id desc limit 51"
    ).fetchall()
    invalid = connection.execute(
        "select count(*) from pg_index x join pg_class c on c.oid = x.indexrelid"
        " where c.relname like '%request%' and not x.indisvalid"
    ).fetchone()

    told = "\n".join(line for (line,) in plan)
    # A month without a row is read as a whole, which costs nothing.
    assert re.search(r"Index (Only )?Scan using audit_logentry_\d+_\d+_request\w+ .*rows=[12] ", told), told
    assert re.search(r"Seq Scan on audit_logentry_\S+ e_\d+  \(cost=0.00..0.00", told), told
    assert invalid == (0,)
    assert listing.entries(Filters(request_id="req_nobody")).data == ()
