"""An exported log as a directory, built of the same parts as the real one."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from tests.audit.notes.keyring import FIRST, LOG, ORIGIN, Held, checkpoint_by
from trueup.audit.merkle.frontier import Frontier
from trueup.audit.merkle.hashing import leaf_hashes
from trueup.audit.merkle.reading import HashReader
from trueup.audit.merkle.tiles import bundles_of, grow, render_bundle
from trueup.audit.notes.checkpoints import Checkpoint
from trueup.audit.notes.policies import Log, Policy, Witness
from trueup.audit.notes.policy_files import render_policy

POLICY = Policy(logs=(Log(key=LOG.key),), witnesses=(Witness(name="first", key=FIRST.key),), quorum="first")
MISPLACED = "before.why"


def digest_of(disclosure: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(disclosure.encode()).digest()).decode().rstrip("=")


def disclosure_of(index: int, name: str = "after.name") -> str:
    """A value that entry ``index`` holds the digest of; of ``MISPLACED`` it does so under another name."""
    value = json.dumps(["salt", name, f"Zoë {index}"]).encode()
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def entry(index: int) -> bytes:
    digests = {"after.name": digest_of(disclosure_of(index)), "why": digest_of(disclosure_of(index, MISPLACED))}
    return json.dumps({"n": index, "_sd": digests}).encode()


def node_of(entries: Sequence[bytes]) -> HashReader:
    leaves = leaf_hashes(entries)
    return HashReader(len(entries), grow(0, leaves, {}).__getitem__)


def export(
    folder: Path,
    count: int,
    *,
    minimum: int = 0,
    older: Sequence[int] = (),
    disclosed: Sequence[int] = (),
    holders: Sequence[Held] = (LOG, FIRST),
) -> Path:
    """Write the log of ``count`` entries, and give its folder."""
    entries = [entry(index) for index in range(count)]
    reader = node_of(entries)
    for tile, content in grow(0, leaf_hashes(entries), {}).items():
        write(folder / tile.path, content)
    for bundle in bundles_of(count, minimum):
        held = [b"" if at < minimum else entries[at] for at in range(bundle.start, bundle.start + bundle.width)]
        write(folder / bundle.path, render_bundle(held))
    for size in older:
        write(folder / "checkpoints" / str(size), note(reader, size, holders))
    write(folder / "checkpoint", note(reader, count, holders))
    write(folder / "policy", render_policy(POLICY))
    if minimum:
        write(folder / "minimum", f"{minimum}\n".encode())
    if disclosed:
        lines = [
            {"index": at, "digest": digest_of(disclosure_of(at)), "disclosure": disclosure_of(at)} for at in disclosed
        ]
        write(folder / "disclosures.jsonl", "".join(f"{json.dumps(line)}\n" for line in lines).encode())
    return folder


def note(reader: HashReader, size: int, holders: Sequence[Held]) -> bytes:
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=Frontier.at(size, reader.node).root)
    return checkpoint_by(checkpoint, *holders)


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def flip(path: Path, at: int, bit: int = 0) -> None:
    """Flip one bit of a file; ``at`` counts from the end where it is negative."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)
