"""Commands that prove the audit log, and that check it: all of it, an export, one entry, one checkpoint and another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trueup.audit.listing import service as listing
from trueup.audit.listing.types import Mode
from trueup.audit.merkle.errors import ProofInvalid
from trueup.audit.notes.errors import PolicyUnmet, SignatureInvalid
from trueup.audit.notes.policy_files import parse_policy
from trueup.audit.notes.proof_files import parse_proof_file
from trueup.audit.signing import rotation
from trueup.audit.verifying import service as verifying
from trueup.audit.verifying.running import Progress as Tell
from trueup.audit.verifying.types import Finding
from trueup.audit.witnesses import places
from trueup.kernel.errors import Conflict, NotFound, Refused, Unavailable
from trueup.kernel.records import Record
from trueup.ops import output, schema
from trueup.runtime import database

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BROKEN: Final = 1
"""The exit status where something does not verify; 2 where it cannot be read."""
NOT_VERIFIED: Final = (ProofInvalid, SignatureInvalid, PolicyUnmet)


class Proof(Record, frozen=True):
    """That an entry is in the log, for somebody who has neither the log nor this program."""

    entry_id: int
    place: str
    proof: str
    """A C2SP proof file."""
    body: str
    """The entry that it is of, exactly."""


class Checked(Record, frozen=True):
    """What a check of one thing came to."""

    verified: bool
    problem: str
    """The first thing that does not verify; empty where all does."""
    origin: str = ""
    size: int | None = None
    root: str = ""
    witnesses: tuple[str, ...] = ()


class Found(Record, frozen=True):
    """What a check of the database came to, for each log that was checked."""

    verified: bool
    data: tuple[Finding, ...]


def prove(
    entry: Annotated[str, typer.Argument(help="Its id, or its place in the tree, such as live/1234.")],
    file: Annotated[
        Path | None, typer.Option("--output", help="Write the proof there, and the entry beside it, as FILE.entry.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that an entry is in the log: what a stranger can check offline, with the log's policy and nothing else."""
    schema.prepare()
    found = listing.entry(entry)
    text = verifying.prove(database.connection(), found.id)
    # It may have got its place in between.
    proof = Proof(entry_id=found.id, place=listing.entry(entry).place or "", proof=text.decode(), body=found.body)
    if file is not None:
        _write(file, text)
        _write(file.with_name(f"{file.name}.entry"), found.body.encode())
    if as_json:
        output.emit(proof)
    elif file is None:
        typer.echo(proof.proof, nl=False)
    else:
        output.done(f"Entry {proof.entry_id} ({proof.place}) is proved by {file}, which is of {file.name}.entry.")
        output.say("Check it: trueup audit verify --proof FILE, or offline with verify.py of any export.")


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as target:
            target.write(content)
    except FileExistsError:
        raise Conflict(f"{path} is there already.", code="file_exists", hint="Name another, or move it away.") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}.", code="file_unwritable") from None


def verify(
    db: Annotated[bool, typer.Option("--db", help="This database, which is what is checked by itself.")] = False,
    folder: Annotated[Path | None, typer.Option("--dir", help="An export, and not this database.")] = None,
    proof: Annotated[Path | None, typer.Option("--proof", help="The proof of one entry.")] = None,
    entry: Annotated[Path | None, typer.Option("--entry", help="With --proof: the entry; else FILE.entry.")] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", help="With --dir or --proof: the keys to trust, from elsewhere.")
    ] = None,
    old: Annotated[Path | None, typer.Option("--from", help="A checkpoint that somebody kept.")] = None,
    new: Annotated[Path | None, typer.Option("--to", help="A later one; else the newest of this database.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="Only this log; both where it is left out.")] = None,
    since: Annotated[int, typer.Option("--since-size", min=0, help="With --db: only from this entry on.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Check the log: every entry, leaf, tile, checkpoint and signature, and name the first thing that is not right.

    Ends with 0 where all of it verifies, 1 where something does not, 2 where it cannot be read.
    """
    if sum((db, folder is not None, proof is not None, old is not None)) > 1:
        raise Refused(
            "Name one thing to check.", code="usage", hint="One of --db, --dir DIR, --proof FILE and --from CHECKPOINT."
        )
    if folder is not None:
        _verify_folder(folder, policy, as_json=as_json)
    elif proof is not None:
        if policy is None:
            # Only the policy of this installation is in its database.
            schema.prepare()
        _tell(_proof(proof, entry, policy), as_json=as_json)
    elif old is not None:
        schema.prepare()
        _tell(_between(old, new), as_json=as_json)
    else:
        schema.prepare()
        _verify_database([mode] if mode else list(Mode), since=since, as_json=as_json)


def _verify_database(modes: list[Mode], *, since: int, as_json: bool) -> None:
    found = []
    for mode in modes:
        with _progress(f"The {mode.value} log") as tell:
            found.append(
                verifying.verify_database(
                    database.connection(), livemode=mode.livemode, since_size=since, progress=tell
                )
            )
    verified = all(one.verified for one in found)
    if as_json:
        output.emit(Found(verified=verified, data=tuple(found)))
    else:
        for mode, one in zip(modes, found, strict=True):
            _tell_finding(mode, one)
    if not verified:
        raise typer.Exit(BROKEN)


def _tell_finding(mode: Mode, found: Finding) -> None:
    seconds = (found.ended_at - found.started_at).total_seconds()
    if found.first is None:
        output.done(
            f"The {mode.value} log verifies: {found.entries:,} entries hashed in a tree of {found.size:,}, "
            f"{output.counted(found.checkpoints, 'checkpoint')}, in {seconds:.1f} s."
        )
        return
    output.say(f"The {mode.value} log does not verify: {found.first.sentence}")
    output.say(f"  Code      {found.first.code.value}")
    output.say(f"  Position  {found.first.position}")
    if found.problems > 1:
        output.say(f"  In all    {output.counted(found.problems, 'broken position')}")
    output.say("  Do        See docs/runbooks/audit.md; change nothing before you have copied the database.")


def _verify_folder(folder: Path, policy: Path | None, *, as_json: bool) -> None:
    """By the very program that stands in exports, apart from everything else of ours."""
    with as_file(files("trueup.audit.exporting").joinpath("verifier.py")) as program:
        words = [str(folder), *(["--policy", str(policy)] if policy else []), *(["--json"] if as_json else [])]
        done = subprocess.run(  # noqa: S603 - our own file
            [sys.executable, "-I", "-S", str(program), *words], stdout=subprocess.PIPE, text=True, check=False
        )
    typer.echo(done.stdout, nl=False)
    if done.returncode:
        raise typer.Exit(done.returncode)


def _proof(proof: Path, entry: Path | None, policy: Path | None) -> Checked:
    text = _read(proof)
    body = _read(entry or proof.with_name(f"{proof.name}.entry"))
    known = _read(policy) if policy else _own(parse_proof_file(text).checkpoint)
    try:
        accepted = verifying.verify_proof(text, body, parse_policy(known))
    except NOT_VERIFIED as error:
        return Checked(verified=False, problem=error.message)
    return Checked(
        verified=True,
        problem="",
        origin=accepted.checkpoint.origin,
        size=accepted.checkpoint.size,
        root=accepted.checkpoint.root.hex(),
        witnesses=tuple(one.key.name for one in accepted.witnesses),
    )


def _own(note: bytes) -> bytes:
    """The policy of this installation for the log that a checkpoint is of."""
    witnesses = [one.key for one in places.elsewhere()]
    return rotation.policy(database.connection(), livemode=_mode_of(note).livemode, witnesses=witnesses)


def _between(old: Path, new: Path | None) -> Checked:
    first = _read(old)
    second = _read(new) if new else listing.checkpoint(_mode_of(first)).encode()
    try:
        _smaller, larger = verifying.verify_between(database.connection(), first, second)
    except NOT_VERIFIED as error:
        return Checked(verified=False, problem=error.message)
    except Refused as error:
        if error.code != "audit_went_back":
            raise
        return Checked(verified=False, problem=error.message)
    return Checked(verified=True, problem="", origin=larger.origin, size=larger.size, root=larger.root.hex())


def _mode_of(note: bytes) -> Mode:
    """Of which log a checkpoint is, by its first line, which names it."""
    return Mode.TEST if note.partition(b"\n")[0].endswith(b"/test") else Mode.LIVE


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(
            f"{path} cannot be read: {error.strerror}.", code="file_unreadable", hint="Is it there?"
        ) from None


def _tell(checked: Checked, *, as_json: bool) -> None:
    if as_json:
        output.emit(checked)
    elif checked.verified:
        output.done(f"Verified: {checked.origin}, {checked.size:,} entries, root {checked.root}.")
        for name in checked.witnesses:
            output.say(f"  cosigned by {name}")
    else:
        output.say(f"Does not verify: {checked.problem}")
    if not checked.verified:
        raise typer.Exit(BROKEN)


@contextmanager
def _progress(what: str) -> Iterator[Tell]:
    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=output.err, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task(what, total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield tell


def register(app: typer.Typer) -> None:
    """Add these commands to those of the audit log."""
    app.command("prove")(prove)
    app.command("verify")(verify)
