"""An index on a partitioned table, built beside whoever writes: PostgreSQL does that only part by part."""

from __future__ import annotations

from typing import Any, Final

from django.db import migrations
from psycopg import sql
from typing_extensions import override

_PARTS: Final = """
select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = %s::regclass order by c.relname
"""
_ATTACHED: Final = """
select exists (select from pg_inherits i join pg_index x on x.indexrelid = i.inhrelid
               where i.inhparent = %s::regclass and x.indrelid = %s::regclass)
"""


class AddPartitionedIndexConcurrently(migrations.AddIndex):
    """``AddIndexConcurrently`` for a partitioned table: alone in a migration with ``atomic = False``.

    Each part gets its index by itself, which is then hung under the whole table's; that one is valid once all are.
    What a break left half built is made anew, so that running it again completes it. ``covers`` is what stands behind
    ``on <table>`` in the statement: columns and a condition.
    """

    atomic = False
    reduces_to_sql = False

    def __init__(self, model_name: str, index: Any, *, table: str, covers: str) -> None:
        super().__init__(model_name, index)
        self.table, self.covers = table, covers

    @override
    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        name, args, keywords = super().deconstruct()
        return name, list(args), keywords | {"table": self.table, "covers": self.covers}

    @override
    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        whole, covers = sql.Identifier(self.index.name), sql.SQL(self.covers)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("create index if not exists {} on only {} {}").format(whole, sql.Identifier(self.table), covers)
            )
            cursor.execute(_PARTS, [self.table])
            for (part,) in cursor.fetchall():
                cursor.execute(_ATTACHED, [self.index.name, part])
                if cursor.fetchone()[0]:
                    continue
                # By the part's name and the end of the index's: what tells indexes of one table apart.
                name = sql.Identifier(f"{part}{self.index.name.removeprefix(self.table)}")
                cursor.execute(sql.SQL("drop index concurrently if exists {}").format(name))
                cursor.execute(
                    sql.SQL("create index concurrently {} on {} {}").format(name, sql.Identifier(part), covers)
                )
                cursor.execute(sql.SQL("alter index {} attach partition {}").format(whole, name))

    @override
    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.execute(sql.SQL("drop index if exists {}").format(sql.Identifier(self.index.name)))
