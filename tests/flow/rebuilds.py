"""A log to make tables from again, and who agrees to it."""

from __future__ import annotations

from tests.flow.conftest import Lived
from tests.flow.test_rebuild import judged, lives, tell
from tests.instance import Door, customer, encoded
from trueup.accounts.types import Account
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.inbox.types import Source
from trueup.mirror import reads
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.mirror.views import install as views
from trueup.ops.rebuilding.types import Rebuilt
from trueup.runtime import database, drains
from trueup.runtime.crypto import Sealer

SHADOWS = "select count(*) from pg_namespace where nspname in ('trueup_rebuild', 'trueup_retired')"
"""How many schemas of a rebuild there are."""
LATE = 1_900_000_000
"""A second after all that the lives tell."""


def yes(found: Rebuilt) -> bool:
    """Agree."""
    del found
    return True


def no(found: Rebuilt) -> bool:
    """Only look."""
    del found
    return False


def learned(account: Account) -> None:
    """What was read from Stripe's API: a customer otherwise than events told, and one that is gone."""
    begun = reads.begin()
    bodies = [
        reads.Read(
            object_type="customer", object_id="cus_1", body=encoded(customer("cus_1", name="Read")), second=LATE
        ),
        reads.Read(object_type="customer", object_id="cus_3", body=None, second=LATE),
        reads.Read(object_type="customer", object_id="cus_r", body=encoded(customer("cus_r")), second=LATE),
    ]
    with database.transaction():
        assert reads.keep(account, bodies, source=Source.BACKFILL, begun=begun).stored == len(bodies)


def settle(account: Account, address: str, *, sealer: Sealer, lived: Lived) -> None:
    """Fill a log with all sorts of lives, what people said of them, and what was read of Stripe; let all be read."""
    with Door(address, sealer=sealer) as door:
        tell(door, "lived", lives(lived(300)), at_once=3000)
        judged()
    learned(account)
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)
    views.refresh()
