"""The personal values that an export discloses: those that were chosen, and of these the ones that are left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import psycopg
from cryptography.exceptions import InvalidTag

from trueup.audit import disclosures, subjects
from trueup.kernel.records import Record

STEP: Final = 16_384
"""Entries whose values are read at once."""
VALUES: Final = """
select l.leaf_index, d.digest, d.subject, d.key_id, d.ciphertext
from audit_leaf l join audit_disclosure d on d.entry_id = l.entry_id
where l.livemode = %(livemode)s and l.leaf_index >= %(first)s and l.leaf_index < %(end)s
  and (%(subjects)s::text[] is null or d.subject = any(%(subjects)s))
order by l.leaf_index, d.digest
"""


class Chosen(Record, frozen=True):
    """Which personal values an export discloses; as it stands here, none.

    A value is disclosed if ``everything`` is chosen or if its subject and its field are; no subjects, or no fields,
    stand for all of them where the other is given.
    """

    everything: bool = False
    subjects: tuple[str, ...] = ()
    """Such as ``customer:cus_1``."""
    fields: tuple[str, ...] = ()
    """Places in entries, such as ``why`` or ``after.name``."""

    @property
    def nothing(self) -> bool:
        """Whether no value is disclosed."""
        return not (self.everything or self.subjects or self.fields)


class Disclosed(msgspec.Struct, frozen=True):
    """A line of ``disclosures.jsonl``."""

    index: int
    digest: str
    disclosure: str


class Told:
    """Reads the chosen values of entries; ``count`` says how many there were, ``lost`` how many nobody can open."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], chosen: Chosen, *, livemode: bool) -> None:
        self._connection = connection
        self._chosen = chosen
        self._livemode = livemode
        self.count = 0
        self.lost = 0

    def lines(self, first: int, end: int) -> Iterator[bytes]:
        """The lines for the entries from ``first`` up to ``end``, by place and digest."""
        for start in range(first, end, STEP):
            for one in self._read(start, min(start + STEP, end)):
                self.count += 1
                yield msgspec.json.encode(one) + b"\n"

    def _read(self, first: int, end: int) -> Iterator[Disclosed]:
        wanted = None if self._chosen.everything else list(self._chosen.subjects) or None
        values = {"livemode": self._livemode, "first": first, "end": end, "subjects": wanted}
        rows = psycopg.Cursor(self._connection).execute(VALUES.encode(), values).fetchall()
        keys = subjects.existing(self._connection, sorted({row[2] for row in rows}))
        for index, digest, subject, key_id, ciphertext in rows:
            key = keys.get(subject)
            try:
                text = disclosures.unseal(bytes(ciphertext), digest, key.cipher) if key else b""
            except InvalidTag:
                text = b""
            if key is None or key.key_id != key_id or not text:
                self.lost += 1
            elif self._chosen.everything or not self._chosen.fields or disclosures.read(text)[0] in self._chosen.fields:
                yield Disclosed(index=index, digest=digest, disclosure=text.decode())
