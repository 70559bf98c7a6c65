"""The same tables for the audit log itself: its functions and its commands. ``audit_tables`` takes them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trueup.audit import service as audit
from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import Looks
from trueup.audit.listing import service as listing
from trueup.audit.listing.service import Filters
from trueup.audit.listing.types import Mode
from trueup.audit.notes.policies import Policy
from trueup.audit.retention import holds
from trueup.audit.sealing import service as sealing
from trueup.audit.signing import keys
from trueup.audit.verifying import service as verifying
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import NotFound, Refused
from trueup.runtime import database

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
Scenario = Callable[[Any], object]


def _newest() -> str:
    return str(audit.entries(database.connection(), limit=1)[0].id)


def _absent(ask: Callable[[], object]) -> None:
    """Ask for what a log without a tree does not have."""
    try:
        ask()
    except NotFound:
        return
    message = "It is there."
    raise AssertionError(message)


def _refused(ask: Callable[[], object]) -> None:
    """Ask for what a log without a tree cannot give, or with what is of no form."""
    try:
        ask()
    except Refused:
        return
    message = "It is there."
    raise AssertionError(message)


CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "audit.listing.open_entries": (lambda _: listing.open_entries(Filters(), by=BY), ["audit.values.opened"]),
    "audit.sealing.rotate": (
        lambda _: sealing.rotate(livemode=True, why="It is a year old.", by=BY),
        ["audit.key.made", "audit.key.rotated"],
    ),
    "audit.sealing.accept_rollback": (
        lambda _: sealing.accept_rollback(livemode=True, why="A backup was restored.", by=BY),
        ["audit.rollback.accepted"],
    ),
    "audit.listing.open_entry": (lambda _: listing.open_entry(_newest(), by=BY), ["audit.values.opened"]),
}

READY: dict[str, Callable[[], object]] = {
    "audit holds release": lambda: holds.place(name="case 12", why="Because.", by=BY).id,
    "audit keys rotate": lambda: keys.first(livemode=True),
}
"""What a command finds that acts on something of before; its id, where it is named by one."""

READS: dict[str, Scenario] = {
    "audit.entries": lambda _: audit.entries(database.connection()),
    "audit.entry": lambda _: audit.entry(database.connection(), int(_newest())),
    "audit.verifying.last": lambda _: verifying.last(database.connection(), livemode=True),
    "audit.verifying.prove": lambda _: _refused(lambda: verifying.prove(database.connection(), int(_newest()))),
    "audit.verifying.verify_between": lambda _: _refused(
        lambda: verifying.verify_between(database.connection(), b"", b"")
    ),
    "audit.verifying.verify_proof": lambda _: _refused(lambda: verifying.verify_proof(b"", b"", Policy())),
    "audit.access_log.looks": lambda _: access_log.looks(Looks()),
    "audit.access_log.of_customers": lambda _: access_log.of_customers([(1, False, "cus_000")]),
    "audit.sealing.refusal": lambda _: sealing.refusal(livemode=True),
    "audit.sealing.state": lambda _: sealing.state(database.connection(), livemode=True),
    "audit.listing.entries": lambda _: listing.entries(Filters()),
    "audit.listing.entry": lambda _: listing.entry(_newest()),
    "audit.listing.checkpoints": lambda _: listing.checkpoints(Mode.LIVE),
    "audit.listing.checkpoint": lambda _: _absent(lambda: listing.checkpoint(Mode.LIVE)),
    "audit.listing.tile": lambda _: _absent(lambda: listing.tile(Mode.LIVE, "tile/0/000")),
}

UNRECORDED = {
    "audit.record": "Is the record.",
    "audit.access_log.note": "Is a record itself, of who saw what: nothing was changed.",
    "audit.access_log.prune": "Deletes what was kept for its two years, as the worker does each night.",
    "audit.verifying.verify_database": "Notes what it found; nothing is decided here.",
}

COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "audit list": (["audit", "list"], []),
    "audit show": (["audit", "show", "{entry}", "--open"], ["audit.values.opened"]),
    "audit keys list": (["audit", "keys", "list"], []),
    "audit status": (["audit", "status"], []),
    "audit drop-months": (["audit", "drop-months", "--yes"], []),
    "audit erase": (
        ["audit", "erase", "command_line:ada", "--why", "Because.", "--yes"],
        ["audit.subject.erased"],
    ),
    "audit holds list": (["audit", "holds", "list"], []),
    "audit holds place": (["audit", "holds", "place", "case 12", "--why", "Because."], ["audit.hold.placed"]),
    "audit holds release": (["audit", "holds", "release", "{hold}", "--why", "Over."], ["audit.hold.released"]),
    "audit keys rotate": (["audit", "keys", "rotate", "--why", "It is a year old."], ["audit.key.rotated"]),
}

SERVING = {
    "audit witness": "Works on a folder of its own; nothing of Trueup is there to change.",
    "audit checkpoint": "Reads what the sequencer signed; run in tests/audit/commands.",
    "audit accept-rollback": "Refused while the log did not go back; run in tests/audit/commands.",
    "audit prove": "Reads; run in tests/audit/commands.",
    "audit verify": "Notes what the check found, which decides nothing; run in tests/audit/commands.",
    "audit export": "Announces itself and tells its outcome; run in tests/audit/commands.",
    "audit policy": "Reads which keys there are; run in tests/audit/commands.",
}
