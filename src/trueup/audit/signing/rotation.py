"""What verifiers are told: the keys of the log and its witnesses, as a C2SP policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from trueup.audit.notes.keys import VerifierKey
from trueup.audit.notes.policies import Log, Policy, Witness
from trueup.audit.notes.policy_files import render_policy
from trueup.audit.signing import keys


def policy(
    connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool, witnesses: Sequence[VerifierKey] = ()
) -> bytes:
    """The policy file of a mode: all its keys, those before a rotation too, and these witnesses.

    It asks for no witness (``quorum none``): how many it takes is for whoever verifies to say.
    """
    known = keys.announced(connection, livemode=livemode)
    logs = tuple(Log(key=key) for key in dict.fromkeys(one.key for one in known))
    named = tuple(Witness(name=f"witness-{number}", key=key) for number, key in enumerate(witnesses, start=1))
    return render_policy(Policy(logs=logs, witnesses=named))
