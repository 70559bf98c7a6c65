"""What of a customer others are told about when it changes, as one number: equal numbers, nothing to tell.

Pure. The fold is run for every event, and few of them change what somebody wants to hear of: with the number beside the
state, whoever wants to hear looks at those few alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from trueup.customer.types import CustomerState
from trueup.mirror.types import MirrorObject
from trueup.mirror.upcast.shape import text, whole

_BYTES: Final = 8


def standing(state: CustomerState, own: Sequence[MirrorObject]) -> int:
    """A number of 64 bits with a sign that changes when the stage, a subscription or the newest failure does.

    Of a subscription count its status, the end of its trial and when it is to end.
    """
    failure = state.last_failure
    parts = [state.stage.value, "" if failure is None else f"{failure.object_id} {failure.at.timestamp():.0f}"]
    parts += sorted(_subscription(one) for one in own if one.object_type == "subscription")
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)


def _subscription(one: MirrorObject) -> str:
    ends = whole(one.data.get("cancel_at")), one.data.get("cancel_at_period_end") is True
    status = "deleted" if one.deleted else text(one.data.get("status"))
    return f"{one.object_id} {status} {whole(one.data.get('trial_end'))} {ends}"
