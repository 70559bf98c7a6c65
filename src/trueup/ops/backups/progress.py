"""How far ``pg_dump`` and ``pg_restore`` are, as the server counts the rows they copy."""

from __future__ import annotations

from typing import Any, Final

import psycopg

COPIES: Final = b"""
select pid, relid, tuples_processed from pg_stat_progress_copy where datname = current_database()
"""


class Copied:
    """Counts rows copied in one database, by looking again and again. Those between two looks may be missed."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
        self._seen: dict[Any, int] = {}

    def rows(self) -> int:
        """Rows copied so far."""
        for pid, relation, rows in self._connection.execute(COPIES).fetchall():
            self._seen[pid, relation] = max(rows, self._seen.get((pid, relation), 0))
        return sum(self._seen.values())

    def close(self) -> None:
        """Stop looking. Idempotent."""
        self._connection.close()
