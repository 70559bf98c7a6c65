"""Which permissions each operation of the API takes, beside the scope of its token, in one table.

A scope names what a program is for. Behind a token stands whoever made it, who may have less, or less than before:
nothing is told or done through it that they may not see or do themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trueup.operators.permissions import Permission
from trueup.web.api.auth import Bearer
from trueup.web.api.openapi import DescribedAPI

_P: Final = Permission
_CUSTOMER: Final = (_P.CUSTOMERS_READ, _P.PERSONAL_CONTACT, _P.MONEY_READ)
"""A customer is told whole: with contact, plans and payments."""

OPERATIONS: Final[Mapping[str, tuple[Permission, ...]]] = {
    **dict.fromkeys(("customers", "customer", "why", "timeline"), _CUSTOMER),
    "contact": (_P.CUSTOMERS_READ, _P.PERSONAL_CONTACT),
    **dict.fromkeys(("links", "people", "person", "duplicates"), (_P.CUSTOMERS_READ, _P.PERSONAL_CONTACT)),
    **dict.fromkeys(("violations", "owner"), (_P.CUSTOMERS_READ,)),
    "notes": (_P.CUSTOMERS_READ, _P.PERSONAL_FREE_TEXT),
    **dict.fromkeys(("link", "unlink", "merge", "split", "dismiss", "restore", "set_owner"), (_P.CUSTOMERS_CHANGE,)),
    **dict.fromkeys(("add_note", "change_note", "remove_note"), (_P.CUSTOMERS_CHANGE, _P.PERSONAL_FREE_TEXT)),
    **dict.fromkeys(("events", "deadLetters", "deadLetter", "replays", "replayStatus"), (_P.EVENTS_READ,)),
    "event": (_P.EVENTS_READ, _P.PERSONAL_PAYLOAD),
    "replayPreview": (_P.EVENTS_READ, _P.CUSTOMERS_READ),
    **dict.fromkeys(("retryAll", "retry", "discard", "replay", "cancelReplay"), (_P.EVENTS_REPLAY,)),
    **dict.fromkeys(("objects", "object", "versions"), (_P.PERSONAL_PAYLOAD,)),
    **dict.fromkeys(
        ("alarms", "sweeps", "backfills", "backfill", "drift", "reconciliations", "reconciliation", "limits"),
        (_P.TRUTH_READ,),
    ),
    "differences": (_P.TRUTH_READ, _P.PERSONAL_PAYLOAD),
    **dict.fromkeys(
        (
            *("auditEntries", "auditEntry", "auditProof", "auditVerification", "auditHealth"),
            *("auditCheckpoints", "auditCheckpoint", "auditTile"),
        ),
        (_P.AUDIT_READ,),
    ),
    **dict.fromkeys(("tokens", "makeToken", "rotateToken", "revokeToken"), (_P.TOKENS_MANAGE,)),
    "rotateOwnToken": (),
    **dict.fromkeys(("operators", "invitations", "approvals"), (_P.PEOPLE_READ,)),
    **dict.fromkeys(("setRoles", "limitAccess", "deactivate", "activate"), (_P.PEOPLE_MANAGE,)),
    **dict.fromkeys(("invite", "renewInvitation", "withdraw"), (_P.PEOPLE_MANAGE,)),
}
"""By the operation's id. One that is missing here cannot be served."""


def ask(api: DescribedAPI) -> None:
    """Have every operation ask for its permissions; an operation without a line in the table raises ``KeyError``."""
    for _path, one in api.operations():
        needed = OPERATIONS[str(one.operation_id)]
        one.auth_callbacks = [bearer.needing(needed) for bearer in one.auth_callbacks if isinstance(bearer, Bearer)]
