"""Corruption of every kind is found and named, and what nothing supports is removed; what people said stays."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest

from tests.flow.conftest import Ask, Lived
from tests.flow.laying import lay
from tests.flow.rebuilds import settle
from tests.flow.tables import differences, kept, stored
from tests.instance import TESTER
from trueup.accounts.types import Account
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.ops.rebuilding import orphans
from trueup.ops.rebuilding.checking import check
from trueup.ops.rebuilding.running import rebuild
from trueup.ops.rebuilding.types import Checked, Target
from trueup.runtime import drains
from trueup.runtime.crypto import Sealer

MANY = 100_000


@pytest.fixture
def settled(connect: Callable[..., Account], database: str, sealer: Sealer, lived: Lived) -> None:
    """A log with all sorts of lives, all of it read, and what people said of it."""
    lay("settled", database, lambda: settle(connect("lived"), database, sealer=sealer, lived=lived))


def drain() -> None:
    """Let the workers do all they can."""
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)


def found(checked: Checked) -> dict[tuple[str, str], str]:
    """What was found, by table and key: what it is and what helps."""
    return {(one.table, one.key): f"{one.what} {one.remedy}" for one in checked.findings}


BENT = """
update mirror_object set essence = jsonb_set(essence::jsonb, '{status}', '"bent"')::text
where object_type = 'subscription' and essence::jsonb ? 'status'
  and object_id = (select min(object_id) from mirror_object where object_type = 'subscription')
returning object_id
"""
FLIPPED = """
update inbox_event set body = set_byte(body, octet_length(body) - 3, get_byte(body, octet_length(body) - 3) # 1)
where event_id = (select min(event_id) from inbox_event) returning event_id
"""
STRAY = """
insert into mirror_object
select account_id, livemode, object_type, 'in_stray', null, deleted, created, event_id, event_type, verdict, head,
       shape_version, essence, data
from mirror_object where object_type = 'invoice' limit 1 returning object_id
"""
LOST = """
delete from inbox_event e using (
    select event_id, object_type, object_id from mirror_object where object_type = 'charge' order by object_id limit 1
) o where e.event_id = o.event_id returning e.event_id, o.object_id
"""
NOBODY = """
insert into customer_customer
select 'tc_nobody', account_id, livemode, 'cus_nobody', name, email, sort_name, stage, mrr_sort, last_event_at,
       fold_version, folded_at, state
from customer_customer limit 1 returning id
"""
RENAMED = """
update customer_customer set email = 'x@example.org'
where id = (select min(id) from customer_customer where id <> 'tc_nobody') returning id, stripe_customer_id
"""
UNSUPPORTED = """
insert into inbox_pending (account_id, livemode, event_id, created)
select id, livemode, 'evt_gone', now() from accounts_account limit 1 returning event_id
"""
FORGOTTEN = """
delete from mirror_version where object_type = 'product' and object_id = (
    select min(object_id) from mirror_object where object_type = 'product'
) returning event_id
"""


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("sample", [None, 50, MANY])
def test_nothing_is_found_where_all_is_well(sample: int | None, ask: Ask) -> None:
    before = stored(ask)

    checked = check(sample=sample)

    assert checked.findings == ()
    assert checked.found == 0
    assert (checked.bodies > 0, checked.objects > 0, checked.customers > 0) == (True, True, True)
    if sample != 50:
        assert checked.bodies == ask("select count(*) from inbox_event")[0][0]
        assert checked.objects == len(before["mirror_object"])
    assert list(islice(differences(stored(ask), before), 20)) == []


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("sample", [None, MANY])
def test_corruption_of_every_kind_is_found_and_named(sample: int | None, ask: Ask) -> None:
    # In this order: what is flipped afterwards must not be what was deleted.
    ((lost, charge),) = ask(LOST)
    ((flipped,),) = ask(FLIPPED)
    ((bent,),) = ask(BENT)
    ((stray,),) = ask(STRAY)
    forgotten = [event_id for (event_id,) in ask(FORGOTTEN)]
    ((nobody,),) = ask(NOBODY)
    ((renamed, stripe),) = ask(RENAMED)
    ((pending,),) = ask(UNSUPPORTED)

    told = found(check(sample=sample))

    assert "SHA-256" in told["inbox_event", flipped]
    assert "status" in told["mirror_object", f"subscription {bent}"]
    assert "trueup rebuild mirror" in told["mirror_object", f"subscription {bent}"]
    assert "--orphans" in told["mirror_object", f"invoice {stray}"]
    assert "not in the log" in told["mirror_version", f"charge {charge} {lost}"]
    assert "not in the log" in told["inbox_pending", pending]
    assert "--orphans" in told["customer_customer", f"{nobody} (cus_nobody)"]
    assert "email" in told["customer_customer", f"{renamed} ({stripe})"]
    assert "trueup rebuild customers" in told["customer_customer", f"{renamed} ({stripe})"]
    missed = [key for table, key in told if table == "mirror_version" and key.split()[-1] in forgotten]
    assert missed
    assert all("never applied" in told["mirror_version", key] for key in missed)


def test_what_nothing_supports_is_shown_and_then_removed_and_what_people_said_stays(ask: Ask, settled: None) -> None:
    del settled
    before, beside = stored(ask), kept(ask)
    ask(STRAY)
    ask(NOBODY)
    ask(UNSUPPORTED)
    ask(
        "insert into customer_lookup select 'tc_nobody', account_id, livemode, 'cus_nobody', digest, product_ids, "
        "search from customer_lookup limit 1 returning 1"
    )
    ask(
        "insert into customer_trait select 'tc_nobody', account_id, livemode, kind, system, value, 'stripe', rule, "
        "person_id, since from customer_trait limit 1 returning 1"
    )
    bent = stored(ask)

    listed = {one.table: (one.rows, one.examples) for one in orphans.preview()}

    # What stands beside a customer goes with it.
    assert listed == {
        "inbox_pending": (1, ("evt_gone",)),
        "mirror_object": (1, ("invoice in_stray",)),
        "customer_customer": (1, ("tc_nobody (cus_nobody)",)),
    }
    assert list(islice(differences(stored(ask), bent), 20)) == []

    removed = orphans.clean(by=TESTER)
    drain()

    assert removed["customer_customer"] == removed["customer_lookup"] == removed["customer_trait"] == 1
    assert list(islice(differences(stored(ask), before), 20)) == []
    assert list(islice(differences(kept(ask), beside), 20)) == []
    assert orphans.preview() == []
    audited = ask("select object_id from audit_entries where action = 'customer.orphans.removed' order by id")
    assert [name for (name,) in audited] == list(removed)


def test_an_object_whose_newest_event_is_gone_is_what_the_log_still_tells(ask: Ask, settled: None) -> None:
    del settled
    gone = ask(
        "delete from inbox_event e using (select v.object_type, v.object_id, count(*) from mirror_version v where "
        "object_type in ('invoice', 'subscription', 'customer') group by 1, 2 having count(*) > 2) m "
        "join mirror_object o using (object_type, object_id) where e.event_id = o.event_id returning o.object_id"
    )
    assert len(gone) > 5

    removed = orphans.clean(by=TESTER)
    drain()

    assert removed["mirror_object"] == len(gone)
    assert rebuild(Target.ALL, by=TESTER, agreed=lambda _found: False).same
    assert check(sample=None).found == 0
