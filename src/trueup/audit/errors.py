"""What can be wrong with an entry, a note or a proof."""

from __future__ import annotations

from trueup.kernel.errors import Broken


class EntryInvalid(Broken):
    """Something that cannot be recorded as it stands; the change it describes does not happen."""

    code = "audit_entry_invalid"
