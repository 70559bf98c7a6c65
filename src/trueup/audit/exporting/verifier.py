"""Verifies an exported audit log, or the proof of one entry, offline and without trusting whoever exported it.

    python3 verify.py [DIR] [--policy FILE] [--json]
    python3 verify.py --proof FILE [--entry FILE] --policy FILE [--json]

It needs Python 3.9 or newer and nothing else: only the standard library is used, and nothing is fetched or written.
The formats are those of https://c2sp.org (tlog-tiles, tlog-checkpoint, tlog-cosignature, tlog-policy, tlog-proof) over
the hashes of RFC 6962; signatures are Ed25519 (RFC 8032). DIR, by default the folder of this file, holds:

    checkpoint          the newest signed size and root
    policy              the keys of the log and its witnesses; --policy takes yours instead, which proves more
    tile/...            the nodes of the tree, and in tile/entries/... the entries
    checkpoints/SIZE    older checkpoints, each of which has to be the beginning of the newest
    minimum             the first entry that is kept; of earlier ones only the hashes are, and where one shares
                        a bundle with kept entries it is empty there
    disclosures.jsonl   values whose salted digests stand in entries

It ends with 0 if all of it verifies, 1 if something does not, which it names, and 2 if it could not be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

WIDTH = 256
HASH = 32
SHOWN = 20


class DoesNotVerify(Exception):
    """What does not verify, as a sentence that begins with its place."""


class CannotBeRead(Exception):
    """What is missing or has another form, so that nothing can be said."""


# --- Ed25519, RFC 8032 section 5.1 -----------------------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]  # Extended coordinates: X, Y, Z and T, with x = X/Z, y = Y/Z and xy = T/Z.
NEUTRAL: Point = (0, 1, 1, 0)


def add(one: Point, other: Point) -> Point:
    """The sum of two points, which may be the same."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def decoded(data: bytes) -> Point | None:
    """The point that 32 bytes stand for; none if they stand for none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (v * x * x - u) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def encoded(point: Point) -> bytes:
    """The 32 bytes of a point."""
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or NEUTRAL


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the 64 bytes are the signature of the message with this key."""
    key = decoded(public_key) if len(public_key) == 32 else None
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or len(signature) != 64 or scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    # scalar * BASE - challenge * key, both at once, has to be the point that the signature begins with.
    negative = (P - key[0], key[1], 1, P - key[3])
    summands = (NEUTRAL, BASE, negative, add(BASE, negative))
    point = NEUTRAL
    for bit in range(max(scalar.bit_length(), challenge.bit_length()) - 1, -1, -1):
        point = add(point, point)
        point = add(point, summands[(scalar >> bit & 1) | (challenge >> bit & 1) << 1])
    return encoded(point) == signature[:32]


# --- Notes, keys and policies ----------------------------------------------------------------------------------------


class Key(NamedTuple):
    """A public key: of type 1 it signs checkpoints, of type 4 it cosigns them with a time."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that name it on a signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]


class Policy(NamedTuple):
    """Who is trusted, and who of them has to have signed."""

    logs: list[Key]
    witnesses: dict[str, Key]
    groups: list[tuple[str, int, list[str]]]
    quorum: str


class Checkpoint(NamedTuple):
    """What a note says that a policy believes."""

    origin: str
    size: int
    root: bytes
    logs: list[Key]
    witnesses: list[tuple[str, Key, int]]


def base64_of(text: str) -> bytes:
    """The bytes of base64 in its one form; none for another."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if base64.b64encode(data).decode() == text else b""


def number_of(text: str, place: str) -> int:
    """A decimal number in its one form."""
    if not re.fullmatch("0|[1-9][0-9]{0,18}", text):
        raise DoesNotVerify(f"{place} has {text[:40]!r} where a number is expected")
    return int(text)


def is_name(name: str) -> bool:
    """Whether a key may be called so."""
    return bool(name) and not any(c.isspace() or c < " " or c == "+" or "\ud800" <= c <= "\udfff" for c in name)


def read_key(text: str, kind: int) -> Key:
    """A verifier key of a policy."""
    name, _, rest = text.partition("+")
    data = base64_of(rest.partition("+")[2])
    key = Key(name, data[0] if data else 0, data[1:])
    if not is_name(name) or key.kind != kind or len(key.public) != 32 or rest.partition("+")[0] != key.id.hex():
        raise CannotBeRead(f"{text!r} is no verifier key of type {kind}")
    return key


def read_policy(data: bytes) -> Policy:
    """A policy; one of another form cannot be read."""
    policy = Policy([], {}, [], "")
    names: set[str] = set()
    members: set[str] = set()
    for number, line in enumerate(data.decode(errors="surrogateescape").split("\n"), 1):
        words = [word for word in re.split("[ \t]+", line) if word]
        kind = words[0] if words else "#"
        if kind.startswith("#"):
            continue
        if kind == "log" and len(words) in {2, 3}:
            policy.logs.append(read_key(words[1], 1))
        elif kind == "witness" and len(words) in {3, 4} and words[1] not in names | {"none"}:
            policy.witnesses[words[1]] = read_key(words[2], 4)
            names.add(words[1])
        elif kind == "group" and len(words) > 3 and words[1] not in names | {"none"}:
            listed = words[3:]
            least = {"any": "1", "all": str(len(listed))}.get(words[2], words[2])
            if not re.fullmatch("[1-9][0-9]{0,5}", least) or int(least) > len(listed):
                raise CannotBeRead(f"line {number} of the policy asks for {least} of {len(listed)}")
            # A witness that is named twice would count twice.
            if not names.issuperset(listed) or len(set(listed)) < len(listed) or members.intersection(listed):
                raise CannotBeRead(f"line {number} of the policy names a member twice, or before it is defined")
            policy.groups.append((words[1], int(least), listed))
            names.add(words[1])
            members.update(listed)
        elif kind == "quorum" and len(words) == 2 and not policy.quorum and words[1] in names | {"none"}:
            policy = policy._replace(quorum=words[1])
        else:
            raise CannotBeRead(f"line {number} of the policy is not of its form")
    keys = [key.public for key in policy.logs], [key.public for key in policy.witnesses.values()]
    if not policy.quorum or any(len(set(publics)) < len(publics) for publics in keys):
        raise CannotBeRead("the policy has no quorum, or one key twice")
    return policy


def read_note(data: bytes, place: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text of a note, and of each signature the name, the key id and the rest."""
    try:
        text, empty, lines = data.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        raise DoesNotVerify(f"{place} is not UTF-8") from None
    if not empty or not lines.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise DoesNotVerify(f"{place} is no signed note")
    signatures = []
    for line in lines[:-1].split("\n"):
        dash, name, signature = [*line.split(" "), "", ""][:3]
        value = base64_of(signature)
        if line != f"\u2014 {name} {signature}" or dash != "\u2014" or not is_name(name) or len(value) < 5:
            raise DoesNotVerify(f"{place} has a line that is no signature")
        signatures.append((name, value[:4], value[4:]))
    return text + "\n", signatures


def believe(data: bytes, policy: Policy, place: str, *, quorum: bool = True) -> Checkpoint:
    """The checkpoint of a note that is signed as the policy asks."""
    text, signatures = read_note(data, place)
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or not all(lines) or len(base64_of(lines[2])) != HASH:
        raise DoesNotVerify(f"{place} is no checkpoint")
    checkpoint = Checkpoint(lines[0], number_of(lines[1], place), base64_of(lines[2]), [], [])
    logs = {(key.name, key.id): key for key in policy.logs if key.name == checkpoint.origin}
    witnesses = {(key.name, key.id): (name, key) for name, key in policy.witnesses.items()}
    for name, key_id, value in signatures:
        if (name, key_id) in logs:
            key = logs[name, key_id]
            if not is_signed(key.public, text.encode(), value):
                raise DoesNotVerify(f"{place} has a signature of {name} that does not fit")
            checkpoint.logs.append(key)
        elif (name, key_id) in witnesses:
            called, key = witnesses[name, key_id]
            seconds = int.from_bytes(value[:8], "big")
            if not is_signed(key.public, f"cosignature/v1\ntime {seconds}\n{text}".encode(), value[8:]):
                raise DoesNotVerify(f"{place} has a cosignature of {name} that does not fit")
            checkpoint.witnesses.append((called, key, seconds))
    if not checkpoint.logs:
        raise DoesNotVerify(f"{place} is not signed by a key of {checkpoint.origin} that the policy trusts")
    reached = {called for called, _, _ in checkpoint.witnesses} | {"none"}
    for called, least, listed in policy.groups:
        if len(reached.intersection(listed)) >= least:
            reached.add(called)
    if quorum and policy.quorum not in reached:
        raise DoesNotVerify(f"{place} is not cosigned as the policy asks: quorum {policy.quorum}")
    return checkpoint


# --- The tree --------------------------------------------------------------------------------------------------------


def parents(run: bytes) -> bytes:
    """The hashes one level up from hashes side by side; one left over is left out."""
    sha256 = hashlib.sha256
    return b"".join([sha256(b"\x01" + run[at : at + 64]).digest() for at in range(0, len(run) - HASH, 64)])


def all_levels(leaves: bytes) -> list[bytes]:
    """The complete nodes of the tree over these leaf hashes, level by level."""
    levels = [leaves]
    while len(levels[-1]) > HASH:
        levels.append(parents(levels[-1]))
    return levels


def root_at(levels: list[bytes], size: int) -> bytes:
    """The root over the first ``size`` leaves."""
    root = b""
    for level in range(size.bit_length()):
        if size >> level & 1:
            at = ((size >> level) - 1) * HASH
            node = levels[level][at : at + HASH]
            root = hashlib.sha256(b"\x01" + node + root).digest() if root else node
    return root or hashlib.sha256().digest()


def included(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """The root that a proof of inclusion leads to (RFC 9162, section 2.1.3.2); none if it leads nowhere."""
    position, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if position & 1 or position == last:
            root = hashlib.sha256(b"\x01" + sibling + root).digest()
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            root = hashlib.sha256(b"\x01" + root + sibling).digest()
        position, last = position >> 1, last >> 1
    return root if last == 0 and index < size else None


# --- An export -------------------------------------------------------------------------------------------------------


class Export:
    """A directory that is verified; ``problems`` fills with what does not verify, in the order of the positions."""

    def __init__(self, folder: Path, policy: Policy) -> None:
        self.folder = folder
        self.checkpoint = believe(read(folder / "checkpoint"), policy, "the checkpoint")
        self.size = self.checkpoint.size
        self.policy = policy
        self.problems: list[str] = []
        self.facts: dict[str, Any] = {"entries": 0, "minimum": 0, "tiles": 0, "older_checkpoints": 0, "disclosures": 0}
        minimum = folder / "minimum"
        if minimum.exists():
            self.facts["minimum"] = number_of(read(minimum).decode("ascii", "replace").strip(), "minimum")
        self.disclosures: dict[int, list[tuple[int, str, str]]] = {}
        self.bodies: dict[int, bytes] = {}

    def verify(self) -> None:
        """Verify everything; a missing tile ends it early, for nothing above it can be known."""
        if self.facts["minimum"] > self.size:
            raise DoesNotVerify(f"minimum is beyond the {self.size} entries of the checkpoint")
        self.read_disclosures()
        leaves = self.tiles(0)
        self.verify_entries(leaves)
        levels = all_levels(leaves)
        self.verify_tiles(levels)
        if root_at(levels, self.size) != self.checkpoint.root:
            self.problems.append(f"the root of the {self.size} entries is not that of the checkpoint")
        self.verify_older(levels)
        self.verify_disclosures()

    def tiles(self, level: int) -> bytes:
        """All hashes of one level of tiles."""
        count = self.size >> 8 * level
        runs = []
        for index in range(-(-count // WIDTH)):
            path, width = tile_path(str(level), index, count)
            run = read_part(self.folder / path, path)
            if len(run) != width * HASH:
                raise DoesNotVerify(f"{path} holds {len(run)} bytes instead of {width * HASH}")
            runs.append(run)
        self.facts["tiles"] += len(runs)
        return b"".join(runs)

    def verify_entries(self, leaves: bytes) -> None:
        """Hash every kept entry and compare with its leaf."""
        minimum, sha256 = self.facts["minimum"], hashlib.sha256
        shown = time.monotonic()
        for index in range(minimum // WIDTH, -(-self.size // WIDTH)):
            path, width = tile_path("entries", index, self.size)
            bundle = read_part(self.folder / path, path)
            first, at, hashes = index * WIDTH, 0, []
            for number in range(first, first + width):
                end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
                if at + 2 > len(bundle) or end > len(bundle):
                    raise DoesNotVerify(f"entry {number} is cut short in {path}")
                entry = bundle[at + 2 : end]
                pruned = number < minimum and not entry
                hashes.append(
                    leaves[number * HASH : (number + 1) * HASH] if pruned else sha256(b"\x00" + entry).digest()
                )
                if number in self.disclosures:
                    self.bodies[number] = entry
                at = end
            if at != len(bundle):
                self.problems.append(f"{path} goes on after entry {first + width - 1}")
            if b"".join(hashes) != leaves[first * HASH : (first + width) * HASH]:
                for place, one in enumerate(hashes, first):
                    if one != leaves[place * HASH : (place + 1) * HASH]:
                        self.problems.append(f"entry {place} does not hash to its leaf")
            if sys.stderr.isatty() and time.monotonic() - shown > 0.2:
                shown = time.monotonic()
                sys.stderr.write(f"\r{first + width:,} of {self.size:,} entries")
        self.facts["entries"] = self.size - minimum

    def verify_tiles(self, levels: list[bytes]) -> None:
        """Compare every hash above the leaves with that of the tile below it."""
        for level in range(1, -(-self.size.bit_length() // 8)):
            run, expected = self.tiles(level), levels[8 * level]
            for at in range(0, len(expected) if run != expected else 0, HASH):
                if run[at : at + HASH] != expected[at : at + HASH]:
                    index, place = divmod(at // HASH, WIDTH)
                    below = f"tile {level - 1}/{at // HASH}"
                    self.problems.append(f"tile {level}/{index} hash {place} is not the hash of {below}")

    def verify_older(self, levels: list[bytes]) -> None:
        """Compare every older checkpoint with the tree as it was at its size."""
        folder = self.folder / "checkpoints"
        for path in sorted(folder.iterdir(), key=lambda one: (len(one.name), one.name)) if folder.exists() else ():
            place = f"checkpoint {path.name}"
            try:
                older = believe(read(path), self.policy, place, quorum=False)
            except DoesNotVerify as problem:
                self.problems.append(str(problem))
                continue
            self.facts["older_checkpoints"] += 1
            if older.origin != self.checkpoint.origin or str(older.size) != path.name:
                self.problems.append(f"{place} is of another log or size")
            elif older.size > self.size:
                self.problems.append(f"{place} is larger than the newest: entries are missing")
            elif root_at(levels, older.size) != older.root:
                self.problems.append(f"{place} is not the beginning of the newest")

    def read_disclosures(self) -> None:
        """Read which values are disclosed of which entries."""
        path = self.folder / "disclosures.jsonl"
        for number, line in enumerate(read(path).split(b"\n") if path.exists() else (), 1):
            if line:
                try:
                    one = json.loads(line)
                    index, digest, disclosure = one["index"], one["digest"], one["disclosure"]
                except (ValueError, KeyError, TypeError, RecursionError):
                    index = digest = disclosure = None
                if type(index) is int and type(digest) is str and type(disclosure) is str:
                    self.disclosures.setdefault(index, []).append((number, digest, disclosure))
                else:
                    self.problems.append(f"disclosure {number} is not of its form")

    def verify_disclosures(self) -> None:
        """Look for the digest of every disclosed value in its entry."""
        for index, disclosed in self.disclosures.items():
            for number, digest, disclosure in disclosed:
                self.facts["disclosures"] += 1
                problem = disclosure_problem(digest, disclosure, self.bodies.get(index))
                if problem:
                    self.problems.append(f"disclosure {number} {problem.format(index=index)}")


def disclosure_problem(digest: str, disclosure: str, body: bytes | None) -> str:
    """What is wrong with a disclosed value; empty if nothing is."""
    hashed = base64.urlsafe_b64encode(hashlib.sha256(disclosure.encode(errors="replace")).digest()).decode()
    if hashed.rstrip("=") != digest:
        return "does not hash to its digest"
    try:
        _, name, _ = json.loads(base64.b64decode(disclosure + "=" * (-len(disclosure) % 4), b"-_", validate=True))
        digests = json.loads(body)["_sd"] if body else {}
        # Under its own name, where the entry keeps names: a value does not pass for another field's.
        stands = digests.get(name) == digest if isinstance(digests, dict) else digest in digests
    except (ValueError, KeyError, TypeError, RecursionError):
        return "is no value of entry {index}"
    return "" if stands else "has a digest that does not stand in entry {index}"


def tile_path(level: str, index: int, count: int) -> tuple[str, int]:
    """The path and width of a tile or bundle in a row of so many."""
    width = min(count - index * WIDTH, WIDTH)
    digits = str(index).zfill(-(-len(str(index)) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join(["tile", level, *("x" + group for group in groups[:-1]), groups[-1]])
    return path + (f".p/{width}" if width < WIDTH else ""), width


def read_part(path: Path, name: str) -> bytes:
    """The bytes of a file that the checkpoint requires."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DoesNotVerify(f"{name} is missing") from None
    except OSError as error:
        raise CannotBeRead(f"{path} cannot be read: {error.strerror}") from None


def read(path: Path) -> bytes:
    """The bytes of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotBeRead(f"{path} cannot be read: {error.strerror}") from None


def verify_proof(data: bytes, entry: bytes, policy: Policy) -> tuple[Checkpoint, int]:
    """The checkpoint and index that a proof file proves for an entry."""
    head, _, note = data.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    if len(lines) > 1 and re.fullmatch("extra [A-Za-z0-9+/]+={0,2}", lines[1]):
        del lines[1]
    if len(lines) < 2 or lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index "):
        raise DoesNotVerify("the proof file is not of its form")
    index, proof = number_of(lines[1][6:], "the proof file"), [base64_of(line) for line in lines[2:]]
    checkpoint = believe(note, policy, "the checkpoint")
    whole = all(len(one) == HASH for one in proof)
    leaf = hashlib.sha256(b"\x00" + entry).digest()
    if not whole or included(leaf, index, checkpoint.size, proof) != checkpoint.root:
        raise DoesNotVerify(f"entry {index} is not these bytes in the tree of the checkpoint")
    return checkpoint, index


# --- The command -----------------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Verify what the arguments name and say so; the exit status."""
    parser = argparse.ArgumentParser(description="Verify an exported audit log, or the proof of one entry, offline.")
    parser.add_argument("folder", metavar="DIR", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--proof", metavar="FILE", type=Path, help="a .tlog-proof file to verify instead of a folder")
    parser.add_argument("--entry", metavar="FILE", type=Path, help="the entry's bytes; by default FILE.entry")
    parser.add_argument("--policy", metavar="FILE", type=Path, help="the keys to trust, instead of the export's own")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")
    given = parser.parse_args(arguments)
    result: dict[str, Any] = {"verified": False, "policy": "given" if given.policy else "of the export itself"}
    started = time.monotonic()
    problems: list[str] = []
    try:
        policy = read_policy(read(given.policy or (given.proof.parent if given.proof else given.folder) / "policy"))
        if given.proof:
            entry = read(given.entry or given.proof.with_name(given.proof.name + ".entry"))
            checkpoint, result["entry"] = verify_proof(read(given.proof), entry, policy)
        else:
            export = Export(given.folder, policy)
            checkpoint, problems = export.checkpoint, export.problems
            result.update(described(checkpoint))
            try:
                export.verify()
            finally:
                result.update(export.facts)
        result.update(described(checkpoint))
    except DoesNotVerify as problem:
        problems.append(str(problem))
    except CannotBeRead as problem:
        result["unreadable"] = str(problem)
    result.update(
        verified=not problems and "unreadable" not in result,
        problems=problems[:SHOWN],
        problem_count=len(problems),
        seconds=round(time.monotonic() - started, 3),
    )
    sys.stderr.write("\r\x1b[K" if sys.stderr.isatty() else "")
    said = json.dumps(result, indent=2) + "\n" if given.json else told(result)
    sys.stdout.buffer.write(said.encode(errors="backslashreplace"))
    return 2 if "unreadable" in result else 0 if result["verified"] else 1


def described(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint as the result names it."""
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": base64.b64encode(checkpoint.root).decode(),
        "signed_by": [f"{key.name}+{key.id.hex()}" for key in checkpoint.logs],
        "cosigned_by": [
            {"name": name, "key": f"{key.name}+{key.id.hex()}", "at": moment(seconds)}
            for name, key, seconds in checkpoint.witnesses
        ],
    }


def moment(seconds: int) -> str:
    """A time in seconds since the epoch as people read it."""
    if seconds > 253402300799:
        return str(seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def told(result: dict[str, Any]) -> str:
    """The result as people read it."""
    if "unreadable" in result:
        return f"Cannot be read: {result['unreadable']}.\n"
    lines = [f"Does not verify: {problem}." for problem in result["problems"]]
    if result["problem_count"] > SHOWN:
        lines.append(f"And {result['problem_count'] - SHOWN:,} more.")
    if "origin" in result:
        size = f"{result['size']:,} entries, root {result['root']}"
        lines.append(f"{'Verified' if result['verified'] else 'Not verified'}: {result['origin']}, {size}.")
        lines += [f"  signed by    {key}" for key in result["signed_by"]]
        lines += [f"  cosigned by  {one['name']}, {one['key']}, {one['at']}" for one in result["cosigned_by"]]
    if "entry" in result:
        lines.append(f"  entry        {result['entry']:,} is the one given")
    if "entries" in result:
        lines.append(f"  entries      {result['entries']:,} hashed, from {result['minimum']:,} on")
        lines.append(f"  tiles        {result['tiles']:,}; older checkpoints {result['older_checkpoints']:,}")
        lines.append(f"  disclosed    {result['disclosures']:,} values")
    if result["policy"] != "given":
        lines.append("  policy       that of the export itself: compare its keys with those you have from elsewhere")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
