"""Entries wait for their place in one row: the sequencer moves them into the log when it numbers them."""

from __future__ import annotations

from django.db import migrations, models

COPIES = ("actor_kind", "actor_id", "behind_kind", "behind_id", "action", "object_type", "object_id", "request_id")
SAME = ("entry_id", "at", "livemode", *COPIES, "body")
OLD, NEW = (", ".join(f"{row}.{name}" for name in SAME) for row in ("old", "new"))

# Whoever changes or deletes an entry that waits is refused as in the log. It leaves for a place in the tree, and in the
# same statement; that is looked up row by row, so that no plan reads all leaves for it.
GUARD = f"""
create function audit_unsealed_placed() returns trigger language plpgsql as $$
begin
    if (select count(*) from gone g where (select l.leaf_index from audit_leaf l where l.entry_id = g.entry_id) is null) > 0 then
        raise exception 'audit_unsealed is append-only' using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger audit_unsealed_append_only before update on audit_unsealed for each row
    when (({NEW}) is distinct from ({OLD}))
    execute function audit_refuse();
create trigger audit_unsealed_placed after delete on audit_unsealed referencing old table as gone
    for each statement execute function audit_unsealed_placed();
create trigger audit_unsealed_no_truncate before truncate on audit_unsealed for each statement execute function audit_refuse();
"""
UNGUARD = """
drop trigger audit_unsealed_no_truncate on audit_unsealed;
drop trigger audit_unsealed_placed on audit_unsealed;
drop trigger audit_unsealed_append_only on audit_unsealed;
drop function audit_unsealed_placed();
"""

VIEW = """
create or replace view audit_entries as
select e.id, e.at, e.livemode, e.actor_kind, e.actor_id, e.behind_kind, e.behind_id, e.action, e.object_type, e.object_id,
       e.request_id, b.body->'before' as before, b.body->'after' as after, b.body->'facts' as facts,
       coalesce(b.body->>'phase', 'done') as phase, b.body->'_sd' as hidden, l.leaf_index
from {entries} e
cross join lateral (select convert_from(e.body, 'UTF8')::jsonb as body) b
left join audit_leaf l on l.entry_id = e.id;
"""
COLUMNS = ", ".join(SAME[1:])
BOTH = f"""(
    select id, {COLUMNS} from audit_logentry
    union all
    select entry_id, {COLUMNS} from audit_unsealed where body is not null
)"""


class Migration(migrations.Migration):
    """Columns for what waits; rows of the version before have none of it and stand in the log already."""

    dependencies = [("audit", "0006_request")]

    operations = [
        *(migrations.AddField("unsealed", name, models.TextField(null=True)) for name in COPIES),
        migrations.AddField("unsealed", "body", models.BinaryField(null=True)),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(VIEW.format(entries=BOTH), VIEW.format(entries="audit_logentry")),
    ]
