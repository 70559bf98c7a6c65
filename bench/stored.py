"""What an event costs when much is stored, and how fast the API answers then.

The store is filled by copying the rows of one customer that really came through, under new ids: a customer, its
subscription and its invoice, three events each, that came one after the other. The copies' bodies in the log are
empty, since nobody reads them.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from bench.stage import Missing, Stage, cpu_seconds, free_port

EVENTS: Final = 30_000
ASKED: Final = 3_000
SECONDS: Final = 6.0
"""Each kind of question is asked at most so often, and for so long."""

COPIES: Final = (
    """
    insert into inbox_event (account_id, livemode, event_id, created, type, kind, object_type, object_id, customer,
        api_version, source, received_at, signature, body_sha256, body)
    select e.account_id, e.livemode, replace(e.event_id, '1LG', '1F' || n || 'x'), e.created, e.type, e.kind,
        e.object_type, replace(e.object_id, 'LG0', 'F' || n || 'x'), replace(e.customer, 'LG0', 'F' || n || 'x'),
        e.api_version, e.source, e.received_at - n * interval '10 seconds', e.signature, e.body_sha256, '{}'
    from generate_series(%(first)s::int, %(last)s::int) n cross join bench_events e
    """,
    """
    insert into mirror_version select v.account_id, v.livemode, v.object_type,
        replace(v.object_id, 'LG0', 'F' || n || 'x'), v.created, replace(v.event_id, '1LG', '1F' || n || 'x'),
        v.event_type, replace(v.customer, 'LG0', 'F' || n || 'x'), v.state, v.before, v.made, v.api_version, v.stage,
        v.deleted, v.read
    from generate_series(%(first)s::int, %(last)s::int) n cross join bench_versions v
    """,
    """
    insert into mirror_object (account_id, livemode, object_type, object_id, customer, deleted, created, event_id,
        event_type, verdict, head, shape_version, essence, data, status, currency, amount, made, due, reason,
        number)
    select o.account_id, o.livemode, o.object_type, replace(o.object_id, 'LG0', 'F' || n || 'x'),
        replace(o.customer, 'LG0', 'F' || n || 'x'), o.deleted, o.created,
        replace(o.event_id, '1LG', '1F' || n || 'x'), o.event_type, o.verdict, o.head, o.shape_version,
        replace(o.essence, 'LG0', 'F' || n || 'x'), null, o.status, o.currency, o.amount, o.made, o.due, o.reason,
        replace(o.number, 'lg0', 'f' || n || 'x')
    from generate_series(%(first)s::int, %(last)s::int) n cross join bench_objects o
    """,
    """
    insert into customer_customer (id, account_id, livemode, stripe_customer_id, name, email, sort_name, stage,
        mrr_sort, last_event_at, fold_version, folded_at, state)
    select 'tc_f' || n, c.account_id, c.livemode, replace(c.stripe_customer_id, 'LG0', 'F' || n || 'x'), c.name,
        c.email, c.sort_name || n, c.stage, c.mrr_sort + n, c.last_event_at - n * interval '1 second',
        c.fold_version, c.folded_at, replace(c.state, 'LG0', 'F' || n || 'x')
    from generate_series(%(first)s::int, %(last)s::int) n cross join bench_customers c
    """,
    """
    insert into customer_lookup (customer_id, account_id, livemode, stripe_customer_id, digest, product_ids, search)
    select 'tc_f' || n, l.account_id, l.livemode, replace(l.stripe_customer_id, 'LG0', 'F' || n || 'x'), l.digest,
        l.product_ids, array_to_tsvector(array['company' || n, 'person' || n || '@example.com', 'northwind'])
    from generate_series(%(first)s::int, %(last)s::int) n cross join bench_lookups l
    """,
)
TEMPLATES: Final = """
create table bench_events as select * from inbox_event where customer = 'cus_LG000000000000' order by created limit 3;
create table bench_versions as select * from mirror_version v
    where exists (select from bench_events e where e.event_id = v.event_id);
create table bench_objects as select * from mirror_object where customer = 'cus_LG000000000000';
create table bench_customers as select * from customer_customer where stripe_customer_id = 'cus_LG000000000000';
create table bench_lookups as select * from customer_lookup where stripe_customer_id = 'cus_LG000000000000';
"""


class Store:
    """What is stored on the stage, growing."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.copies = 0
        stage.empty()
        with stage.running("intake", "worker"):
            stage.load(stage.webhook_url, n=6_000, connections=16)
            stage.drained()
        with stage.connect() as connection:
            connection.execute(TEMPLATES.encode())

    def grow(self, customers: int) -> int:
        """Copy until there are so many customers; returns how many events are stored."""
        with self.stage.connect() as connection:
            while self.copies < customers:
                last = min(customers, self.copies + 50_000)
                for statement in COPIES:
                    connection.execute(statement.encode(), {"first": self.copies + 1, "last": last})
                self.copies = last
            connection.execute("vacuum analyze")
            connection.execute("checkpoint")
            row = connection.execute("select count(*) from inbox_event").fetchone() or (0,)
        return int(row[0])

    def cost(self) -> dict[str, float]:
        """CPU microseconds an event and events a second, all the way to the state."""
        with self.stage.running("intake", "worker") as pids:
            with self.stage.connect() as connection:
                folder = connection.execute("show data_directory").fetchone() or ("",)
                row = connection.execute("select clock_timestamp()").fetchone()
            watched = [*pids.values(), int((Path(folder[0]) / "postmaster.pid").read_text().split()[0])]
            before = sum(map(cpu_seconds, watched))
            self.stage.load(self.stage.webhook_url, n=EVENTS, connections=64)
            self.stage.drained()
            used = sum(map(cpu_seconds, watched)) - before
        with self.stage.connect() as connection:
            spent = connection.execute(
                "select extract(epoch from max(folded_at) - (select min(received_at) from inbox_event"
                " where received_at > %(since)s))::float8 from customer_customer",
                {"since": row[0] if row else None},
            ).fetchone() or (1.0,)
        return {"cpu_us": 1e6 * used / EVENTS, "per_s": EVENTS / float(spent[0])}

    def close(self) -> None:
        """Take the templates away."""
        with self.stage.connect() as connection:
            connection.execute("drop table bench_events, bench_versions, bench_objects, bench_customers, bench_lookups")


def answers(stage: Stage, customers: int) -> dict[str, float]:
    """Milliseconds of the API's answers over one connection that is kept alive, p50 and p99 by kind of question."""
    made = subprocess.run(
        [*stage.command, "token", "create", "--name", "bench", "--scope", "read", "--json"],
        env=stage.environment,
        capture_output=True,
        check=True,
        text=True,
    )
    token = json.loads(made.stdout)["token"]
    port = free_port()
    web = stage.trueup("web", environment={"TRUEUP_PORT": str(port)})
    luck = random.Random(7)
    figures: dict[str, float] = {}
    try:
        line = _connected(port)
        one = luck.randint
        kinds = {
            "customer": lambda: f"/api/v1/customers/tc_f{one(1, customers)}",
            "customer_why": lambda: f"/api/v1/customers/tc_f{one(1, customers)}?why=1",
            "list": lambda: "/api/v1/customers?limit=50",
            "search": lambda: f"/api/v1/customers?limit=50&q=company{one(1, customers)}",
        }
        for name, path in kinds.items():
            taken = _ask(line, path, token)
            figures[f"api_{name}_p50_ms"] = round(statistics.median(taken), 2)
            figures[f"api_{name}_p99_ms"] = round(sorted(taken)[int(len(taken) * 0.99)], 2)
    finally:
        web.terminate()
        web.wait(30)
    return figures


def _connected(port: int) -> http.client.HTTPConnection:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            line.request("GET", "/healthz")
            line.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return line
    message = "The web process did not get ready; see its log in the stage's folder."
    raise Missing(message)


def _ask(line: http.client.HTTPConnection, path: Any, token: str) -> list[float]:
    taken: list[float] = []
    until = time.monotonic() + SECONDS
    while len(taken) < ASKED and time.monotonic() < until:
        asked = path()
        started = time.perf_counter()
        line.request("GET", asked, headers={"Authorization": f"Bearer {token}"})
        answer = line.getresponse()
        body = answer.read()
        taken.append((time.perf_counter() - started) * 1000)
        if answer.status != 200:
            message = f"{asked} was answered {answer.status}: {body[:200]!r}"
            raise Missing(message)
    return taken
