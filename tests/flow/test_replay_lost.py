"""An object whose row is gone is found by what the mirror's versions tell, and read again like any other."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import islice

from tests.flow.conftest import Ask
from tests.flow.histories import World
from tests.flow.tables import differences, stored
from tests.flow.test_replay import picked, ran
from tests.inbox.store import keep_all
from tests.instance import encoded
from trueup.accounts.types import Account
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.mirror.replay.types import Selection
from trueup.runtime import drains


def test_an_object_whose_row_was_deleted_by_hand_is_found_by_its_versions(
    connect: Callable[..., Account], ask: Ask
) -> None:
    keep_all(connect("lived"), [encoded(one) for one in World(random.Random(5).choice, lost=False).live(150)])
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)
    before = stored(ask)
    subscription = ask("delete from mirror_object where object_type = 'subscription' returning object_id")[0][0]
    ask("delete from mirror_object where object_type = 'invoice' returning 1")
    told = {row[0] for row in ask("select event_id from mirror_version where object_id = %s", subscription)}

    assert picked(Selection(objects=(subscription,))) == told > set()
    for (name,) in ask(
        "select distinct object_id from mirror_version where object_type in ('subscription', 'invoice')"
    ):
        ran(Selection(objects=(name,)))

    assert list(islice(differences(stored(ask), before), 20)) == []
