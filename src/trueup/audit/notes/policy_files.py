"""Policies as text. Names are octets to this format: one that is not UTF-8 is kept by Python's surrogate escapes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from trueup.audit.notes.errors import KeyInvalid, PolicyInvalid
from trueup.audit.notes.keys import COSIGNATURE, ED25519, VerifierKey, parse_key
from trueup.audit.notes.policies import NONE, Group, Log, Policy, Witness

_ESCAPED: Final = "surrogateescape"
_FORBIDDEN: Final = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_THRESHOLD: Final = re.compile("[1-9][0-9]{0,5}")


def render_policy(policy: Policy) -> bytes:
    """The file of a policy; one that ``parse_policy`` would refuse raises ``PolicyInvalid``."""
    lines = [f"log {log.key} {log.url}" for log in policy.logs]
    lines += [f"witness {witness.name} {witness.key} {witness.url}" for witness in policy.witnesses]
    lines += [f"group {group.name} {_word(group)} {' '.join(group.members)}" for group in policy.groups]
    lines.append(f"quorum {policy.quorum}")
    data = "".join([f"{line.rstrip(' ')}\n" for line in lines]).encode(errors=_ESCAPED)
    if parse_policy(data) != policy:
        raise PolicyInvalid("A name or address of the policy cannot be written.")
    return data


def parse_policy(data: bytes) -> Policy:
    """The policy in a file; one that is not of its form raises ``PolicyInvalid`` with the number of the line."""
    if _FORBIDDEN.search(data):
        raise PolicyInvalid("The policy has control characters.")
    *lines, end = data.decode(errors=_ESCAPED).split("\n")
    if end:
        raise PolicyInvalid("The last line of the policy does not end: it may be cut short.")
    reading = _Reading()
    for number, line in enumerate(lines, start=1):
        words = [word for word in re.split("[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            try:
                reading.take(words)
            except (KeyInvalid, PolicyInvalid) as error:
                raise PolicyInvalid(f"Line {number} of the policy: {error.message}") from None
    return reading.policy()


class _Reading:
    """What was read so far."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.names: set[str] = set()
        self.grouped: set[str] = set()
        self.quorum = ""

    def take(self, words: Sequence[str]) -> None:
        match words:
            case ["log", key, *url] if len(url) <= 1:
                self.logs.append(Log(key=_key(key, ED25519, [log.key for log in self.logs]), url="".join(url)))
            case ["witness", name, key, *url] if len(url) <= 1:
                known = [witness.key for witness in self.witnesses]
                self.witnesses.append(
                    Witness(name=self._define(name), key=_key(key, COSIGNATURE, known), url="".join(url))
                )
            case ["group", name, threshold, *members] if members:
                self._require(members)
                self._join(members)
                self.groups.append(
                    Group(name=self._define(name), threshold=_threshold(threshold, members), members=tuple(members))
                )
            case ["quorum", name]:
                if self.quorum:
                    raise PolicyInvalid("there is a second quorum.")
                if name != NONE:
                    self._require([name])
                self.quorum = name
            case _:
                raise PolicyInvalid("it is no log, witness, group or quorum of its form.")

    def policy(self) -> Policy:
        if not self.quorum:
            raise PolicyInvalid("The policy has no quorum.")
        return Policy(
            logs=tuple(self.logs), witnesses=tuple(self.witnesses), groups=tuple(self.groups), quorum=self.quorum
        )

    def _define(self, name: str) -> str:
        if name == NONE or name in self.names:
            raise PolicyInvalid(f"the name {name!r} is taken.")
        self.names.add(name)
        return name

    def _require(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.names:
                raise PolicyInvalid(f"the name {name!r} is not defined above.")

    def _join(self, members: Sequence[str]) -> None:
        # A witness in two groups would count twice.
        for name in members:
            if name in self.grouped:
                raise PolicyInvalid(f"the name {name!r} is a member already.")
            self.grouped.add(name)


def _key(text: str, kind: int, known: Sequence[VerifierKey]) -> VerifierKey:
    key = parse_key(text)
    if key.kind != kind:
        raise PolicyInvalid(f"the key {key.name} is of the type {key.kind:#04x} instead of {kind:#04x}.")
    if any(one.public_key == key.public_key for one in known):
        raise PolicyInvalid(f"the key {key.name} stands here already.")
    return key


def _threshold(word: str, members: Sequence[str]) -> int:
    match word:
        case "any":
            return 1
        case "all":
            return len(members)
        case _ if _THRESHOLD.fullmatch(word) and int(word) <= len(members):
            return int(word)
        case _:
            raise PolicyInvalid(f"{word!r} of {len(members)} members cannot be asked for.")


def _word(group: Group) -> str:
    """The threshold as people write it."""
    if group.threshold == len(group.members):
        return "all"
    return "any" if group.threshold == 1 else str(group.threshold)
