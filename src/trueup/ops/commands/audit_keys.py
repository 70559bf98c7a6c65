"""Commands on the keys that sign the audit log, and on going on from an older database."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.audit.listing.types import Mode
from trueup.audit.sealing import service as sealing
from trueup.audit.signing import keys, rotation
from trueup.audit.signing.keys import SigningKey
from trueup.audit.witnesses import places
from trueup.kernel.errors import Conflict, NotFound
from trueup.kernel.records import Record
from trueup.ops import output, schema
from trueup.ops.actors import command_line
from trueup.runtime import database

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[Mode, typer.Option("--mode", help="Which log: live, which also holds people and tokens, or test.")]
Why = Annotated[str, typer.Option("--why", help="Why; it is kept with the record.")]


class ListedKey(Record, frozen=True):
    """A key of a log, as verifiers take it."""

    mode: Mode
    number: int
    key: str
    """The C2SP verifier key: name, key id and public key."""
    entry_id: int
    place: str | None
    """Of the entry that announced it; it signs from the checkpoint on that holds this."""


class Resumed(Record, frozen=True):
    """That the log goes on from an older state."""

    mode: Mode
    entry_id: int
    to_tell: tuple[str, ...]
    """Witnesses elsewhere: what they remember of before only those who run them can put right."""
    ahead: tuple[str, ...]
    """Those of them that have refused already."""


keys_app = typer.Typer(no_args_is_help=True, help="The keys that sign the log: list, and rotate.")


@keys_app.command("list")
def list_keys(
    mode: Annotated[Mode | None, typer.Option(help="Only this log; both where it is left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the keys of the log as verifiers take them, oldest first."""
    schema.prepare()
    found = [
        _listed(one, which)
        for which in ([mode] if mode else list(Mode))
        for one in keys.announced(database.connection(), livemode=which.livemode)
    ]
    if as_json:
        output.emit({"data": found})
        return
    rows = ((one.mode.value, one.number, one.key, one.place or "waits") for one in found)
    output.table(
        ["Log", "Number", "Verifier key", "Announced at"],
        rows,
        empty="No key yet: the first is made by a worker, at the first entry.",
    )


@keys_app.command("rotate")
def rotate(why: Why, mode: Which = Mode.LIVE, as_json: AsJson = False) -> None:
    """Make the next signing key, and have the present one sign that it follows."""
    schema.prepare()
    key = sealing.rotate(livemode=mode.livemode, why=why, by=command_line())
    listed = _listed(key, mode)
    if as_json:
        output.emit(listed)
        return
    output.done(f"The {mode.value} log is signed with a new key: {listed.key}")
    if key.leaf_index is None:
        output.say("It is announced, and signs as soon as a worker has given the announcement its place.")
    output.say("The former key signs too until the overlap ends. Give the new one to your witnesses and auditors.")


def policy(mode: Which = Mode.LIVE, as_json: AsJson = False) -> None:
    """Print what a verifier needs besides a proof: the log's keys and its witnesses, as a C2SP policy.

    It asks for no witness; raise `quorum` to those that you trust.
    """
    schema.prepare()
    if not keys.announced(database.connection(), livemode=mode.livemode):
        raise NotFound(
            f"The {mode.value} log has no key yet.",
            code="audit_key_unknown",
            hint="A worker makes it at the first entry of this mode.",
        )
    outside = [one.key for one in places.elsewhere()]
    text = rotation.policy(database.connection(), livemode=mode.livemode, witnesses=outside).decode()
    if as_json:
        output.emit({"mode": mode, "policy": text})
        return
    typer.echo(text, nl=False)


def accept_rollback(why: Why, mode: Which = Mode.LIVE, as_json: AsJson = False) -> None:
    """Go on from a database that is older than what was signed before, such as one that was restored.

    What was signed in between can no longer be shown, and whoever kept a checkpoint of it sees that; the entry that
    this writes tells them why. Do it on each host that signs: each remembers by itself what it signed.
    """
    schema.prepare()
    if not sealing.refusal(livemode=mode.livemode):
        raise Conflict(
            f"The {mode.value} log continues what was signed on this host: there is nothing to accept.",
            code="audit_not_went_back",
            hint="Was the other log meant, by --mode, or another host that signs? See: trueup audit status",
        )
    accepted = sealing.accept_rollback(livemode=mode.livemode, why=why, by=command_line())
    outside = tuple(dict.fromkeys([*accepted.ahead, *(one.key.name for one in places.elsewhere())]))
    if as_json:
        output.emit(Resumed(mode=mode, entry_id=accepted.entry_id, to_tell=outside, ahead=accepted.ahead))
        return
    output.done(f"The {mode.value} log goes on from what the database holds. Recorded as entry {accepted.entry_id}.")
    output.say("Then check it, so that it is not called broken any more: trueup audit verify")
    if accepted.ahead:
        output.say(f"These witnesses have refused it: {', '.join(accepted.ahead)}")
    if outside:
        output.say(f"These witnesses remember what was before; tell those who run them: {', '.join(outside)}")


def _listed(key: SigningKey, mode: Mode) -> ListedKey:
    place = None if key.leaf_index is None else f"{mode.value}/{key.leaf_index}"
    return ListedKey(mode=mode, number=key.number, key=str(key.key), entry_id=key.entry_id, place=place)


def register(app: typer.Typer) -> None:
    """Add these commands to those of the audit log."""
    app.add_typer(keys_app, name="keys")
    app.command("policy")(policy)
    app.command("accept-rollback")(accept_rollback)
