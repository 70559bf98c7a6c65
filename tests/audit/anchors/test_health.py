"""Green, amber and red, each for its reason."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.audit.notes.keyring import SECOND
from tests.audit.outside import listening
from tests.audit.witnesses.conftest import Configure
from tests.audit.witnesses.stored import StoredLog, ask, pass_time
from tests.audit.witnesses.stored import look as ask_witnesses
from trueup.audit import service as audit
from trueup.audit.anchors import health as healths
from trueup.audit.anchors import sending
from trueup.audit.anchors.health import Health, Light
from trueup.audit.types import Action
from trueup.audit.witnesses import places, sinks
from trueup.audit.witnesses.rollback import accept
from trueup.kernel.actor import system
from trueup.kernel.errors import Broken, Unavailable
from trueup.runtime import database

DAY = 86_400


def health(*, livemode: bool = True) -> Health:
    return healths.health(database.connection(), livemode=livemode)


def said(**given: bool) -> tuple[Light, list[str]]:
    """The light, and the codes of what is wrong."""
    found = health(**given)
    return found.light, [problem.code for problem in found.problems]


def verified(*, well: bool = True, hours: int = 0) -> None:
    ask(
        "insert into audit_verification (livemode, size, started_at, ended_at, verified, code, position, finding) "
        "values (true, 300, now(), now() - make_interval(hours => %(hours)s), %(well)s, '', 7, %(finding)s)",
        hours=hours,
        well=well,
        finding="" if well else "The entry of leaf 7 does not hash to it.",
    )


@pytest.fixture
def outside(log: StoredLog, configure: Configure) -> None:
    """A place outside that has the newest checkpoint."""
    with listening(lambda _: (200, "text/plain", b"")) as url:
        configure(AUDIT_CHECKPOINT_WEBHOOK=url, AUDIT_CHECKPOINT_WEBHOOK_SECRET="secret")
        sending.send(threading.Event())


def test_a_log_without_entries_is_well(db: None, configure: Configure) -> None:
    assert said() == (Light.GREEN, [])


def test_it_is_amber_until_a_place_outside_has_it(log: StoredLog) -> None:
    ask_witnesses()

    assert said() == (Light.AMBER, ["audit_no_outside"])


def test_it_is_green_once_one_has(outside: None) -> None:
    verified()

    found = health()

    assert (found.light, found.problems) == (Light.GREEN, ())
    assert (found.size, found.waiting, found.verified) == (300, 0, True)
    assert found.signed_at is not None
    assert found.verified_at is not None
    assert [(one.name, one.size) for one in found.outside] == [("webhook 127.0.0.1", 300)]


def test_a_place_that_was_not_reached_for_long_is_none(outside: None) -> None:
    pass_time(35 * 3_600)
    assert said() == (Light.GREEN, [])

    pass_time(2 * 3_600)
    assert said() == (Light.AMBER, ["audit_outside_away"])


def test_a_place_that_is_configured_no_more_counts_no_more(outside: None, configure: Configure) -> None:
    configure(AUDIT_CHECKPOINT_WEBHOOK="", AUDIT_CHECKPOINT_WEBHOOK_SECRET="")

    assert said() == (Light.AMBER, ["audit_no_outside"])


def test_what_was_reached_never_says_why(log: StoredLog, configure: Configure) -> None:
    with listening(lambda _: (500, "text/plain", b"")) as url:
        configure(AUDIT_CHECKPOINT_WEBHOOK=url, AUDIT_CHECKPOINT_WEBHOOK_SECRET="secret")
        sending.send(threading.Event())

    found = health()

    assert [problem.code for problem in found.problems] == ["audit_outside_away"]
    assert "audit_webhook_500" in found.problems[0].message


def test_entries_that_wait_for_more_than_a_minute_make_it_amber(outside: None) -> None:
    with database.transaction() as connection:
        audit.record(connection, by=system("test"), action=Action.ACCOUNT_CHANGED, object_type="account", object_id="1")
    assert said() == (Light.GREEN, [])
    assert health().waiting == 1

    ask("set session_replication_role = replica")
    ask("update audit_unsealed set at = now() - interval '61 seconds'")
    ask("set session_replication_role = origin")
    assert said() == (Light.AMBER, ["audit_not_signed"])


def test_a_checkpoint_that_is_not_signed_makes_it_amber(outside: None, log: StoredLog) -> None:
    log.grow_to(301, signed=False)
    ask("set session_replication_role = replica")
    ask("update audit_checkpoint set made_at = now() - interval '61 seconds' where size = 301")
    ask("set session_replication_role = origin")

    assert said() == (Light.AMBER, ["audit_not_signed"])


@pytest.mark.parametrize(
    ("error", "light"),
    [
        (Unavailable("Vault is away.", code="audit_signer_unavailable"), Light.AMBER),
        (Broken("The tree has another root.", code="audit_tree_changed"), Light.RED),
    ],
)
def test_the_signer_says_why_it_does_not_sign(
    outside: None, log: StoredLog, error: Unavailable | Broken, light: Light
) -> None:
    log.grow_to(301, signed=False)
    ask("set session_replication_role = replica")
    ask("update audit_checkpoint set made_at = now() - interval '61 seconds' where size = 301")
    ask("set session_replication_role = origin")
    ask("insert into audit_sink (livemode, name, kind) values (true, 'signer', 'signer')")
    sinks.failed(error, livemode=True, name="signer")

    found = health()

    assert (found.light, [problem.code for problem in found.problems]) == (light, [error.code])
    assert found.problems[0].message == error.message


def test_a_verification_that_failed_makes_it_red_and_stays_so_until_one_succeeds(outside: None) -> None:
    verified(well=False)

    found = health()
    assert (found.light, found.verified) == (Light.RED, False)
    assert [problem.code for problem in found.problems] == ["audit_verification_failed"]
    assert "leaf 7" in found.problems[0].message

    verified()
    assert said() == (Light.GREEN, [])


def test_it_is_amber_when_nobody_verified_it_for_two_days(outside: None) -> None:
    verified(hours=49)

    assert said() == (Light.AMBER, ["audit_not_verified"])


def test_a_log_that_is_younger_than_that_need_not_have_been_verified(outside: None) -> None:
    assert said() == (Light.GREEN, [])

    ask("set session_replication_role = replica")
    ask("update audit_checkpoint set made_at = now() - interval '49 hours'")
    ask("set session_replication_role = origin")
    assert said() == (Light.AMBER, ["audit_not_verified"])


def test_the_worst_comes_first(log: StoredLog) -> None:
    verified(well=False)

    assert said() == (Light.RED, ["audit_verification_failed", "audit_no_outside"])


def test_a_witness_that_knows_more_makes_it_red_until_that_was_accepted(
    log: StoredLog, configure: Configure, tmp_path: Path
) -> None:
    ask_witnesses()
    log.grow_to(200)
    pass_time(60)
    ask_witnesses()

    assert said() == (Light.RED, ["audit_went_back", "audit_no_outside"])
    assert said(livemode=False) == (Light.GREEN, [])

    with database.transaction() as connection:
        accept(connection, livemode=True)
    assert said() == (Light.AMBER, ["audit_no_outside"])


def test_a_witness_elsewhere_counts_as_outside_and_the_one_here_does_not(log: StoredLog, configure: Configure) -> None:
    configure(AUDIT_WITNESSES=f"{SECOND.key}=http://127.0.0.1:1")
    ask_witnesses()
    assert said() == (Light.AMBER, ["audit_outside_away"])

    ask("update audit_sink set reached_at = now() where kind = %(kind)s", kind=places.WITNESS)
    assert said() == (Light.GREEN, [])
