from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connections

from tests.inbox.conftest import Ask
from tests.inbox.store import keep, keep_all
from tests.instance import customer, encoded, event, eventually
from trueup.accounts.types import Account
from trueup.inbox import service as inbox
from trueup.inbox.intake.answers import DUPLICATE

FAR = datetime(2041, 5, 17, 9, 30, tzinfo=UTC)
PART = "select tableoid::regclass::text from inbox_event where event_id = %s"


@pytest.fixture
def future(database: str) -> Iterator[None]:
    """Months of another time are taken away again."""
    yield
    with psycopg.connect(database, autocommit=True) as connection:
        made = connection.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'inbox_event'::regclass"
        ).fetchall()
        for (part,) in made:
            if part >= "inbox_event_2035" and part != "inbox_event_other":
                connection.execute(f"drop table {part}".encode())


def at(moment: datetime, name: str) -> bytes:
    return encoded(event("customer.created", customer(), id=name, at=int(moment.timestamp())))


def test_an_event_lies_in_the_partition_of_its_month_in_utc(account: Account, ask: Ask) -> None:
    inbox.ensure_partitions(now=datetime(2026, 11, 20, tzinfo=UTC))
    keep_all(
        account,
        [
            at(datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC), "evt_last"),
            at(datetime(2026, 10, 1, tzinfo=UTC), "evt_first"),
        ],
    )

    assert ask(PART, "evt_last") == [("inbox_event_2026_09",)]
    assert ask(PART, "evt_first") == [("inbox_event_2026_10",)]


def test_partitions_reach_from_two_years_back_to_three_months_ahead(ask: Ask, future: None) -> None:
    inbox.ensure_partitions(now=FAR)
    inbox.ensure_partitions(now=FAR)

    made = ask(
        "select inhrelid::regclass::text from pg_inherits"
        " where inhparent = 'inbox_event'::regclass and inhrelid::regclass::text >= 'inbox_event_2035'"
    )
    months = sorted(part for (part,) in made if part != "inbox_event_other")
    assert (len(months), months[0], months[-1]) == (28, "inbox_event_2039_05", "inbox_event_2041_08")


def test_an_event_that_came_before_its_partition_moves_into_it(account: Account, ask: Ask, future: None) -> None:
    keep_all(account, [at(FAR, "evt_early"), at(datetime(2050, 1, 1, tzinfo=UTC), "evt_later")])
    before = ask("select * from inbox_event where event_id = 'evt_early'")
    assert ask(PART, "evt_early") == [("inbox_event_other",)]

    inbox.ensure_partitions(now=FAR)

    assert ask(PART, "evt_early") == [("inbox_event_2041_05",)]
    assert ask("select * from inbox_event where event_id = 'evt_early'") == before
    assert ask(PART, "evt_later") == [("inbox_event_other",)]
    assert [stored is DUPLICATE for stored in keep_all(account, [at(FAR, "evt_early"), at(FAR, "evt_new")])] == [
        True,
        False,
    ]


def test_an_event_that_comes_while_its_partition_is_made_waits_and_is_stored_in_it(
    account: Account, ask: Ask, database: str, future: None
) -> None:
    keep(account, at(FAR, "evt_early"))
    done: list[str] = []

    def make() -> None:
        inbox.ensure_partitions(now=FAR)
        done.append("made")
        connections.close_all()

    with psycopg.connect(database) as holder:
        # Somebody reads the log just now, so the new partition cannot be attached yet.
        holder.execute("select 1 from inbox_event limit 1")
        maker = threading.Thread(target=make, daemon=True)
        maker.start()
        eventually(
            lambda: ask("select 1 from pg_locks where not granted and relation = 'inbox_event_other'::regclass"),
            "it waits for the reader",
        )
        sender = threading.Thread(target=lambda: keep(account, at(FAR, "evt_meanwhile")), daemon=True)
        sender.start()
        holder.rollback()
        maker.join(30)
        sender.join(30)

    assert done == ["made"]
    assert ask(PART, "evt_early") == [("inbox_event_2041_05",)]
    assert ask(PART, "evt_meanwhile") == [("inbox_event_2041_05",)]
