"""Entries of the audit log can be added and nothing else."""

from __future__ import annotations

from django.db import migrations

APPEND_ONLY = """
create function audit_entry_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'audit_entry is append-only' using errcode = 'integrity_constraint_violation';
end $$;
create trigger audit_entry_append_only before update or delete on audit_entry for each row execute function audit_entry_refuse();
create trigger audit_entry_no_truncate before truncate on audit_entry for each statement execute function audit_entry_refuse();
"""
REVERSE = """
drop trigger audit_entry_no_truncate on audit_entry;
drop trigger audit_entry_append_only on audit_entry;
drop function audit_entry_refuse();
"""


class Migration(migrations.Migration):
    """Triggers that refuse update, delete and truncate."""

    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunSQL(APPEND_ONLY, REVERSE)]
